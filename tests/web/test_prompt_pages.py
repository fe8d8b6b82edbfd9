"""The audio library as people see it."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from controller.prompts.builtin import BUILTIN
from controller.softphone import tones
from tests.fixtures.soundfiles import wav_file, zip_bytes
from tests.fixtures.web import Site
from web import views

ATTACK = "<script>alert('x')</script>\"'"


@pytest.fixture
def tone(tmp_path: Path) -> bytes:
    return wav_file(tmp_path / "tone.wav", tones.sine(440, 8000, 8000)).read_bytes()


@pytest.mark.covers("UIS-47", "SKZ-41")
async def test_a_file_is_uploaded_and_stands_in_the_library_with_its_waveform(site: Site, tone: bytes) -> None:
    browser = await site.browser()
    answer = await browser.post("/prompts", files={"file": ("tone.wav", tone)}, data={"title": "Our greeting", "language": "ru"})
    assert answer.status_code == 303 and answer.headers["location"] == "/prompts#our-greeting-ru"
    page = (await browser.get("/prompts")).text
    assert "Our greeting" in page and "1 of 20 uploaded files" in page and "Not in use" in page
    assert re.search(r'class="waveform" viewBox="0 0 200 40".*?M0\.5 ', page, re.S)
    assert (await browser.get("/prompts/our-greeting/ru/audio")).headers["content-type"] == "audio/wav"
    assert (await browser.get("/prompts/our-greeting/ru/original")).content == tone


async def test_what_is_refused_is_said_beside_the_form(site: Site) -> None:
    browser = await site.browser()
    answer = await browser.post("/prompts", files={"file": ("a.mp3", zip_bytes())}, data={"title": "x"})
    assert answer.status_code == 422
    upload = re.search(r'<form id="upload".*?</form>', answer.text, re.S)
    assert upload and "send mp3, wav, wma, ogg or m4a" in upload[0]


async def test_titles_and_names_of_files_are_text(site: Site, tone: bytes) -> None:
    browser = await site.browser()
    await browser.post("/prompts", files={"file": (f"{ATTACK}.wav", tone)}, data={"title": ATTACK})
    page = (await browser.get("/prompts")).text
    assert "<script>alert" not in page and "&lt;script&gt;alert" in page


async def test_a_prompt_is_renamed_replaced_and_deleted(site: Site, tone: bytes) -> None:
    browser = await site.browser()
    await browser.post("/prompts", files={"file": ("a.wav", tone)}, data={"title": "Welcome"})
    await browser.post("/prompts/welcome/en/title", data={"title": "Good day"})
    await browser.post("/prompts/welcome/en/audio", files={"file": ("second.wav", tone)})
    page = (await browser.get("/prompts")).text
    assert "Good day" in page and "second.wav" in page
    assert (await browser.post("/prompts/welcome/en/title", data={})).status_code == 422
    assert (await browser.post("/prompts/none/en/audio", files={"file": ("a.wav", tone)})).status_code == 404
    assert (await browser.post("/prompts/welcome/en/delete")).status_code == 303
    answer = await browser.post("/prompts/welcome/en/delete")
    assert answer.status_code == 404 and "No prompts of your own yet" in answer.text


@pytest.mark.covers("UIS-48", "UIS-49")
async def test_standard_prompts_are_listed_by_title(site: Site) -> None:
    page = (await (await site.browser()).get("/prompts")).text
    assert "Second of silence" in page and page.count('<td data-label="Title">') == len(BUILTIN)


async def test_text_to_speech_or_how_to_add_it(site: Site, tone: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    browser = await site.browser()
    monkeypatch.setattr(views.api_prompts, "find_voices", lambda _: [])
    assert "No speech engine was found" in (await browser.get("/prompts")).text
    voice = views.api_prompts.Voice("fake:one", "One", "ru", ("cp", str(tmp_path / "tone.wav")))
    monkeypatch.setattr(views.api_prompts, "find_voices", lambda _: [voice])
    assert "ru · One" in (await browser.get("/prompts")).text
    spoken = await browser.post("/prompts/speech", data={"text": "Hello", "voice": "fake:one", "title": "Hello"})
    assert spoken.headers["location"] == "/prompts#hello-ru"
    assert "Spoken by fake:one" in (await browser.get("/prompts")).text
    assert (await browser.post("/prompts/speech", data={"text": "Hello", "voice": "none", "title": "x"})).status_code == 422


async def test_another_site_can_not_upload(site: Site, tone: bytes) -> None:
    browser = await site.browser()
    answer = await browser.post("/prompts", files={"file": ("a.wav", tone)}, headers={"Sec-Fetch-Site": "cross-site"})
    assert answer.status_code == 403


@pytest.mark.covers("UIS-41", "UIS-49")
async def test_call_details_name_prompts_by_their_titles(site: Site) -> None:
    site.install_demo()
    site.add_talk("01TALK")
    page = (await (await site.browser()).get("/calls/01TALK")).text
    assert "Demo: greeting" in page and "Demo: menu" in page
