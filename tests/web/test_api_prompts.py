"""The audio library in the API."""

from __future__ import annotations

import io
import wave
from pathlib import Path
from typing import Any

import httpx
import pytest

from controller.actions.scenarios import create_scenario
from controller.bus import PromptsChanged
from controller.prompts.facts import LARGEST_FILE_BYTES
from controller.softphone import tones
from controller.storage.prompts import StoredPrompt
from tests.fixtures.soundfiles import KINDS, tone_file, wav_file, zip_bytes
from tests.fixtures.web import NOON, Site
from web import views

PROMPTS = "/api/v1/prompts"


@pytest.fixture
def tone(tmp_path: Path) -> bytes:
    """A WAV file of one second of 440 Hz."""
    return wav_file(tmp_path / "tone.wav", tones.sine(440, 8000, 8000)).read_bytes()


async def send(
    site: Site, content: bytes, file_name: str = "tone.wav", method: str = "POST", path: str = "", **fields: str
) -> httpx.Response:
    return await site.program().request(method, PROMPTS + path, files={"file": (file_name, content)}, data=fields)


def refused(answer: httpx.Response) -> tuple[int, list[str]]:
    return answer.status_code, [field["field"] for field in answer.json()["error"]["fields"]]


def files_in(folder: Path) -> set[Path]:
    return {path for path in folder.rglob("*") if path.is_file()}


@pytest.mark.covers("UIS-47", "SKZ-42", "SKZ-41")
@pytest.mark.parametrize("kind", KINDS)
async def test_a_file_goes_in_and_comes_back(site: Site, tmp_path: Path, kind: str) -> None:
    content = tone_file(tmp_path / "tone", kind).read_bytes()
    answer = await send(site, content, f"tone.{kind}", title="Our greeting", language="ru")
    created = answer.json()
    assert answer.status_code == 201 and (created["name"], created["language"], created["kind"]) == (
        "our-greeting",
        "ru",
        "uploaded",
    )
    assert created["original_name"] == f"tone.{kind}" and len(created["waveform"]) == 200
    client, place = site.program(), f"{PROMPTS}/our-greeting/ru"
    assert (await client.get(place)).json() == {**created, "used_by": []}
    assert (await client.get(f"{place}/original")).content == content
    audio = await client.get(f"{place}/audio")
    with wave.open(io.BytesIO(audio.content)) as sound:
        pcm = sound.readframes(sound.getnframes())
    assert audio.headers["content-type"] == "audio/wav" and tones.strength(pcm[16000:48000], 440, 16000) > 0.98
    assert (await client.get(f"{place}/audio", headers={"Range": "bytes=0-9"})).status_code == 206


async def test_names_and_titles_are_made_of_what_is_there(site: Site, tone: bytes) -> None:
    created = (await send(site, tone, "Hello there.wav")).json()
    assert (created["title"], created["name"], created["language"]) == ("Hello there", "hello-there", "en")
    assert (await send(site, tone, name="own_name", title="x")).json()["name"] == "own_name"


async def test_the_library_lists_own_prompts_before_those_that_ship(site: Site, tone: bytes) -> None:
    await send(site, tone, title="Zebra")
    listed = (await site.program().get(PROMPTS)).json()["prompts"]
    assert (listed[0]["name"], listed[0]["kind"]) == ("zebra", "uploaded") and all(one["kind"] == "builtin" for one in listed[1:])
    silence = {"name": "second-of-silence", "title": "Second of silence", "language": "ru"}
    assert silence in [{field: one[field] for field in silence} for one in listed]


@pytest.mark.covers("T-36", "SKZ-42")
@pytest.mark.parametrize(
    ("content", "file_name"), [(zip_bytes(), "a.mp3"), (b"", "a.mp3"), (b"text", "a.wav"), (b"MZ\x90", "a.wma")]
)
async def test_t36_another_type_is_refused_and_nothing_stays(site: Site, content: bytes, file_name: str) -> None:
    assert refused(await send(site, content, file_name)) == (422, ["file"])
    assert files_in(site.settings.prompts_dir) == set()


@pytest.mark.covers("T-36", "SKZ-42")
async def test_t36_more_than_ten_megabytes_are_refused_however_they_are_sent(site: Site, tone: bytes) -> None:
    assert refused(await send(site, tone + bytes(LARGEST_FILE_BYTES + 1 - len(tone)))) == (422, ["file"])
    assert (await send(site, bytes(LARGEST_FILE_BYTES + 100_000))).status_code == 413

    async def endless() -> Any:
        yield b'--x\r\nContent-Disposition: form-data; name="file"; filename="a.mp3"\r\n\r\n'
        for _ in range(200):
            yield bytes(100_000)

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    answer = await site.program().post(PROMPTS, content=endless(), headers=headers)
    assert answer.status_code == 413 and "larger than" in answer.json()["error"]["message"]


async def test_a_stranger_can_not_have_a_large_upload_read(site: Site) -> None:
    async def never() -> Any:
        raise AssertionError("the body was read")
        yield b""

    headers = {"Content-Type": "multipart/form-data; boundary=x"}
    assert (await site.stranger().post(PROMPTS, content=never(), headers=headers)).status_code == 401


@pytest.mark.covers("T-36", "SKZ-42")
async def test_t36_the_21st_file_is_refused(site: Site, tone: bytes) -> None:
    facts = {"original_format": "wav", "length_seconds": 1.0, "loudness": -20.0, "waveform": [], "content_hash": ""}
    with site.database.session() as session:
        for number in range(19):
            names = {"name": f"file-{number}", "title": f"File {number}", "original_name": "a.wav"}
            session.add(StoredPrompt(language="en", kind="uploaded", created_at=NOON, updated_at=NOON, **names, **facts))
    assert (await send(site, tone, title="The 20th")).status_code == 201
    answer = await send(site, tone, title="One more")
    assert answer.status_code == 409 and "20 uploaded files" in answer.json()["error"]["message"]
    assert not (site.settings.prompts_dir / "en" / "one-more.ulaw").exists()


@pytest.mark.parametrize("name", ["../../x", "..\\..\\x.wav", "/etc/cron.d/x", "x\r\nX-Header: 1.wav", "\u202egpj.exe"])
async def test_a_file_name_is_only_text(site: Site, tone: bytes, name: str, tmp_path: Path) -> None:
    before = files_in(tmp_path)
    assert (await send(site, tone, name)).status_code == 201
    new = files_in(tmp_path) - before
    assert len([path for path in new if path.is_relative_to(site.settings.prompts_dir)]) == 4


@pytest.mark.parametrize(
    ("fields", "field"), [({"name": "../../x"}, "name"), ({"language": "../.."}, "language"), ({"title": "x" * 65}, "title")]
)
async def test_bad_fields_are_named(site: Site, tone: bytes, fields: dict[str, str], field: str) -> None:
    assert refused(await send(site, tone, **fields)) == (422, [field])


async def test_a_form_without_a_file_is_refused(site: Site) -> None:
    client = site.program()
    assert refused(await client.post(PROMPTS, data={"title": "x"}, files={"other": ("a", b"b")})) == (422, ["file"])
    assert (await client.post(PROMPTS, json={"title": "x"})).status_code == 415
    broken = await client.post(PROMPTS, content=b"no form", headers={"Content-Type": "multipart/form-data"})
    assert broken.status_code == 400


@pytest.mark.covers("UIS-47")
async def test_a_prompt_in_use_stays_and_who_uses_it_is_named(site: Site, tone: bytes) -> None:
    await send(site, tone, title="Welcome")
    nodes = {
        "hi": {"operation": {"type": "info_message", "message": ["welcome"]}, "links": {"next": "bye"}},
        "bye": {"operation": {"type": "hang_up"}},
    }
    with site.database.session() as session:
        create_scenario(session, "Front", {"schema_version": 1, "start": "hi", "nodes": nodes}, acting_user="test", at=NOON)
    client, place = site.program(), f"{PROMPTS}/welcome/en"
    assert (await client.get(place)).json()["used_by"] == ['scenario "Front" (draft)']
    answer = await client.delete(place)
    assert answer.status_code == 409 and 'scenario "Front"' in answer.json()["error"]["message"]
    assert (await client.get(f"{place}/audio")).status_code == 200


async def test_a_prompt_that_nobody_uses_goes_with_its_files(site: Site, tone: bytes) -> None:
    await send(site, tone, title="Welcome")
    client = site.program()
    assert (await client.delete(f"{PROMPTS}/welcome/en")).status_code == 204
    assert files_in(site.settings.prompts_dir) == set()
    assert (await client.delete(f"{PROMPTS}/welcome/en")).status_code == 404


async def test_title_and_sound_may_change(site: Site, tone: bytes, tmp_path: Path) -> None:
    await send(site, tone, title="Welcome")
    client, place = site.program(), "/welcome/en"
    assert (await client.patch(PROMPTS + place, json={"title": "Hello"})).json()["title"] == "Hello"
    other = tone_file(tmp_path / "b", "mp3", seconds=3).read_bytes()
    changed = (await send(site, other, "b.mp3", "PUT", f"{place}/audio")).json()
    assert (changed["title"], changed["original_format"]) == ("Hello", "mp3") and changed["length_seconds"] > 2.5
    assert (await send(site, other, "b.mp3", "PUT", "/none/en/audio")).status_code == 404


async def test_everyone_is_told(site: Site, tone: bytes) -> None:
    async with site.bus.subscribe() as notices:
        await send(site, tone, title="Welcome")
        await site.program().delete(f"{PROMPTS}/welcome/en")
        assert [await anext(notices), await anext(notices)] == [PromptsChanged(), PromptsChanged()]


async def test_a_file_that_disappeared_is_shown_as_missing(site: Site, tone: bytes) -> None:
    await send(site, tone, title="Welcome")
    for file in (site.settings.prompts_dir / "en").iterdir():
        file.unlink()
    client, place = site.program(), f"{PROMPTS}/welcome/en"
    assert (await client.get(place)).json()["missing"] is True
    assert (await client.get(f"{place}/audio")).status_code == 404


async def test_a_full_disk_is_said_and_nothing_stays(site: Site, tone: bytes) -> None:
    (site.settings.prompts_dir / "originals").mkdir(parents=True)
    (site.settings.prompts_dir / "originals" / "en").write_text("in the way")
    answer = await send(site, tone, title="Welcome")
    assert answer.status_code == 507 and answer.json()["error"]["code"] == "no_room"
    assert (await site.program().get(f"{PROMPTS}/welcome/en")).status_code == 404


@pytest.mark.covers("UIS-47")
async def test_without_an_engine_it_says_how_to_add_one(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(views.api_prompts, "find_voices", lambda _: [])
    voices = (await site.program().get(f"{PROMPTS}/voices")).json()
    assert voices["voices"] == [] and "espeak-ng" in voices["how_to_add"]
    answer = await site.program().post(f"{PROMPTS}/speech", json={"text": "Hello", "voice": "x", "title": "Hello"})
    assert refused(answer) == (422, ["voice"])


@pytest.mark.covers("UIS-47")
async def test_a_text_is_spoken_and_kept_with_its_words(
    site: Site, tone: bytes, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    voice = views.api_prompts.Voice("fake:one", "One", "ru", ("cp", str(tmp_path / "tone.wav")))
    monkeypatch.setattr(views.api_prompts, "find_voices", lambda _: [voice])
    body = {"text": "Здравствуйте", "voice": "fake:one", "title": "Hello"}
    created = (await site.program().post(f"{PROMPTS}/speech", json=body)).json()
    assert (created["kind"], created["text"], created["voice"], created["language"]) == (
        "speech",
        "Здравствуйте",
        "fake:one",
        "ru",
    )


async def test_prompts_that_ship_can_not_be_changed(site: Site, tone: bytes) -> None:
    client = site.program()
    assert (await client.get(f"{PROMPTS}/goodbye/ru")).json()["kind"] == "builtin"
    for method, path in (("DELETE", ""), ("GET", "/audio"), ("GET", "/original")):
        assert (await client.request(method, f"{PROMPTS}/goodbye/ru{path}")).status_code == 404
