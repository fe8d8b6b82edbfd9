"""The desk, the ringtone, and whose phone is whose, without a browser."""

from __future__ import annotations

import asyncio
import io
import re
import wave
from pathlib import Path

import httpx
import pytest

from controller.actions.desks import link_user
from controller.actions.users import create_user
from controller.bus import CallsChanged, OperatorChanged
from controller.prompts.facts import LARGEST_FILE_BYTES
from controller.storage.audit import list_audit
from controller.storage.calls import CallLeg
from tests.fixtures.soundfiles import tone_file, zip_bytes
from tests.fixtures.streams import listening
from tests.fixtures.web import NOON, PASSWORD, Site

ATTACK = "<script>alert('x')</script>\"'"


def seconds_of(sound: bytes) -> float:
    with wave.open(io.BytesIO(sound)) as file:
        return file.getnframes() / file.getframerate()


def own_files(site: Site) -> list[str]:
    folder = site.settings.data_dir / "ringtones"
    return sorted(file.name for file in folder.glob("*.wav") if file.name != "standard.wav")


@pytest.fixture
async def linked(site: Site) -> httpx.AsyncClient:
    """Ann's browser, whose phone is 2001."""
    site.install_demo()
    with site.database.session() as session:
        link_user(session, "ann", "2001", acting_user="test", at=NOON)
    return await site.browser()


async def test_a_user_without_a_phone_is_told_how_to_get_one(site: Site) -> None:
    client = await site.browser()
    page = (await client.get("/desk")).text
    assert "No phone is yours yet" in page and "user link ann 2001" in page and "<audio" not in page
    assert (await client.get("/desk/events")).status_code == 404


async def test_the_desk_shows_the_phone_and_only_its_own_calls(site: Site, linked: httpx.AsyncClient) -> None:
    site.states["2001"] = "ringing"
    for id, operator in (("01MINE", 1), ("02OTHER", 2)):
        site.add_talk(id, ended_at=None, outcome="live", caller_number=f"+4900{operator}")
        with site.database.session() as session:
            leg = session.get(CallLeg, f"{id}-op{operator}")
            assert leg is not None
            leg.answered_at = leg.talk_started_at = leg.talk_ended_at = leg.ended_at = None
    page = (await linked.get("/desk")).text
    assert 'data-state="ringing"' in page and "+49001" in page and "+49002" not in page and "Rings" in page
    assert "Keep this page open" in (await linked.get("/desk")).text or "Demo operator" in page


async def test_the_stream_tells_the_state_at_once_and_every_one_after(site: Site, linked: httpx.AsyncClient) -> None:
    site.states["2001"] = "available"
    async with listening(site, "/desk/events") as sent:
        for extension, state in (("2002", "ringing"), ("2001", "ringing"), ("2001", "available"), ("2001", "ringing")):
            site.bus.send(OperatorChanged(extension, state))
        site.bus.send(CallsChanged())
        told = [(await sent.get())["body"].decode() for _ in range(3)]
        assert [re.search(r'"state": "(\w+)"', one)[1] for one in told] == ["ringing", "available", "ringing"]  # type: ignore[index]
        await site.bus.stop()
        assert (await sent.get())["more_body"] is False


async def test_a_browser_that_leaves_leaves_nothing_behind(site: Site, linked: httpx.AsyncClient) -> None:
    before = asyncio.all_tasks()
    async with listening(site, "/desk/events"):
        pass
    assert asyncio.all_tasks() == before


async def test_a_stranger_hears_nothing(site: Site) -> None:
    assert (await site.stranger().get("/desk/events")).status_code == 401


@pytest.mark.covers("SKZ-50")
async def test_the_standard_ringtone_is_ours_and_is_given_in_parts(site: Site, linked: httpx.AsyncClient) -> None:
    answer = await linked.get("/desk/ringtone")
    assert answer.headers["content-type"] == "audio/wav" and seconds_of(answer.content) == 3.0
    with wave.open(io.BytesIO(answer.content)) as file:
        samples = memoryview(file.readframes(48000)).cast("h")
    assert max(samples) > 10_000 and max(samples[-8000:]) < 500  # it rings, then there is a pause
    part = await linked.get("/desk/ringtone", headers={"Range": "bytes=0-3"})
    assert (part.status_code, part.content) == (206, b"RIFF")


@pytest.mark.covers("SKZ-50")
@pytest.mark.parametrize("kind", ["wav", "mp3"])
async def test_an_own_ringtone_is_kept_replaced_and_given_up(
    site: Site, linked: httpx.AsyncClient, tmp_path: Path, kind: str
) -> None:
    sound = tone_file(tmp_path / "a", kind, 700, 1.5).read_bytes()
    assert (await linked.post("/desk/ringtone", files={"file": (f"bell.{kind}", sound)})).headers["location"] == "/desk"
    assert seconds_of((await linked.get("/desk/ringtone")).content) == pytest.approx(1.5, abs=0.1)
    assert f"bell.{kind}" in (await linked.get("/desk")).text
    (first,) = own_files(site)
    await linked.post("/desk/ringtone", files={"file": ("second.wav", sound)})
    (second,) = own_files(site)
    assert first != second
    with site.database.session() as session:
        create_user(session, "eve", PASSWORD, "operator", acting_user="test", at=NOON)
    others = await (await site.browser(2)).get("/desk/ringtone")
    assert seconds_of(others.content) == 3.0
    await linked.post("/desk/ringtone/standard")
    assert own_files(site) == [] and seconds_of((await linked.get("/desk/ringtone")).content) == 3.0


@pytest.mark.covers("SKZ-49", "SKZ-50")
async def test_no_more_of_a_ringtone_is_kept_than_is_ever_heard(site: Site, linked: httpx.AsyncClient, tmp_path: Path) -> None:
    sound = tone_file(tmp_path / "a", "mp3", 700, 45).read_bytes()
    await linked.post("/desk/ringtone", files={"file": ("song.mp3", sound)})
    assert seconds_of((await linked.get("/desk/ringtone")).content) == 30.0


@pytest.mark.covers("SKZ-50")
async def test_what_is_no_sound_is_refused_beside_the_form_and_leaves_the_ringtone(
    site: Site, linked: httpx.AsyncClient, tmp_path: Path
) -> None:
    sound = tone_file(tmp_path / "a", "wav", 700, 1).read_bytes()
    await linked.post("/desk/ringtone", files={"file": ("mine.wav", sound)})
    for name, content, said in (
        ("sound.wav", zip_bytes(), "send mp3, wav, wma, ogg or m4a"),
        ("../../etc/passwd", b"", "the file is empty"),
        ("cut.wav", sound[: len(sound) // 2], "damaged"),
    ):
        answer = await linked.post("/desk/ringtone", files={"file": (name, content)})
        assert answer.status_code == 422 and said in answer.text, name
    assert (await linked.post("/desk/ringtone", data={"file": "none"})).status_code == 415
    too_large = await linked.post("/desk/ringtone", files={"file": ("a.wav", b"\0" * (LARGEST_FILE_BYTES + 1))})
    assert too_large.status_code == 422 and "larger than 10 MB" in too_large.text
    assert len(own_files(site)) == 1 and "mine.wav" in (await linked.get("/desk")).text
    assert not list((site.settings.data_dir / "ringtones/incoming").iterdir())


async def test_a_ringtone_whose_file_disappeared_is_the_standard_one(
    site: Site, linked: httpx.AsyncClient, tmp_path: Path
) -> None:
    await linked.post("/desk/ringtone", files={"file": ("a.wav", tone_file(tmp_path / "a", "wav", 700, 1).read_bytes())})
    (name,) = own_files(site)
    (site.settings.data_dir / "ringtones" / name).unlink()
    assert seconds_of((await linked.get("/desk/ringtone")).content) == 3.0


async def test_a_disk_that_takes_nothing_is_told(
    site: Site, linked: httpx.AsyncClient, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("web.views.desk.keep_ringtone", full)
    answer = await linked.post("/desk/ringtone", files={"file": ("a.wav", tone_file(tmp_path / "a", "wav", 700, 1).read_bytes())})
    assert answer.status_code == 507 and "No space left on device" in answer.text and own_files(site) == []


async def test_names_of_files_are_text(site: Site, linked: httpx.AsyncClient, tmp_path: Path) -> None:
    sound = tone_file(tmp_path / "a", "wav", 700, 1).read_bytes()
    await linked.post("/desk/ringtone", files={"file": (f"{ATTACK}.wav", sound)})
    page = (await linked.get("/desk")).text
    assert "<script>alert" not in page and "&lt;script&gt;" in page


async def test_an_administrator_says_whose_phone_is_whose(site: Site) -> None:
    site.install_demo()
    with site.database.session() as session:
        create_user(session, "eve", PASSWORD, "operator", acting_user="test", at=NOON)
    client = await site.browser()
    assert (await client.post("/account/links", data={"login": "eve", "extension": "2001"})).status_code == 303
    page = (await client.get("/account")).text
    assert re.search(r'value="eve">.*?<option value="2001" selected>', page, re.S)
    taken = await client.post("/account/links", data={"login": "ann", "extension": "2001"})
    assert taken.status_code == 409 and "belongs to another user already" in taken.text
    unknown = await client.post("/account/links", data={"login": "ann", "extension": "2099"})
    assert unknown.status_code == 422 and "There is no operator 2099" in unknown.text
    assert (await client.post("/account/links", data={"login": "nobody", "extension": "2001"})).status_code == 404
    assert "Demo operator 2001" in (await (await site.browser(2)).get("/desk")).text
    assert (await client.post("/account/links", data={"login": "eve"})).status_code == 303
    assert "No phone is yours yet" in (await (await site.browser(2)).get("/desk")).text
    assert [entry.action for entry in await site.database.read(list_audit) if entry.action == "user.link"] == ["user.link"] * 2


async def test_others_can_neither_see_nor_change_whose_phone_is_whose(site: Site) -> None:
    site.install_demo()
    with site.database.session() as session:
        create_user(session, "eve", PASSWORD, "supervisor", acting_user="test", at=NOON)
    client = await site.browser(2)
    assert "/account/links" not in (await client.get("/account")).text
    assert (await client.post("/account/links", data={"login": "eve", "extension": "2001"})).status_code == 403
    assert "No phone is yours yet" in (await client.get("/desk")).text
