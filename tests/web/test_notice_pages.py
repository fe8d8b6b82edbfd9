"""Voicemails and the outbox, as people see them."""

from __future__ import annotations

import re
from datetime import timedelta

import httpx
import pytest

from controller.storage.outbox import claim_due_letter, list_letters, mark_deferred, mark_given_up, mark_sent
from tests.fixtures.web import NOON, Site, healthy, left_voicemail
from web.services import Component

ATTACK = "<script>alert('x')</script>\"'"


def row_of(page: str, id: str) -> str:
    (row,) = re.findall(rf'<tr id="{id}".*?</tr>', page, re.S)
    return str(row)


def words(html: str) -> str:
    return re.sub(r"\s+", " ", re.sub(r"<[^>]+>", " ", html))


async def letter_ids(site: Site) -> list[str]:
    return [letter.id for letter in await site.database.read(list_letters)]


@pytest.mark.covers("UIS-10", "UIS-11")
async def test_voicemails_are_listed_newest_first_with_caller_line_arrival_and_length(site: Site) -> None:
    site.install_demo()
    await left_voicemail(site, "01A", length_seconds=75)
    await left_voicemail(site, "02B", path=None, length_seconds=0, caller_number="")
    page = (await (await site.in_zone("Europe/Moscow").browser()).get("/voicemails")).text
    assert re.findall(r'<tr id="(\w+)"', page) == ["02B", "01A"]
    spoken, silent = words(row_of(page, "01A")), words(row_of(page, "02B"))
    for said in ("+4930123", "8000", "Demo line", "2026-05-04 15:00:00", "1:15", "New", "Letter waiting"):
        assert said in spoken, said
    assert "unknown" in silent and "No message was left." in silent and "<audio" not in row_of(page, "02B")


@pytest.mark.covers("UIS-10")
async def test_a_message_is_listened_to_in_parts(site: Site) -> None:
    await left_voicemail(site)
    client = await site.browser()
    assert 'src="/voicemails/01VOICE/audio"' in (await client.get("/voicemails")).text
    whole = await client.get("/voicemails/01VOICE/audio")
    assert (whole.content, whole.headers["content-type"], whole.headers["accept-ranges"]) == (b"RIFF", "audio/wav", "bytes")
    part = await client.get("/voicemails/01VOICE/audio", headers={"Range": "bytes=1-2"})
    assert (part.status_code, part.content) == (206, b"IF")
    (site.settings.data_dir / "recordings/01VOICE.wav").unlink()
    assert (await client.get("/voicemails/01VOICE/audio")).status_code == 404
    assert "The file has disappeared." in (await client.get("/voicemails")).text


async def test_a_file_outside_of_the_data_folder_is_not_given(site: Site) -> None:
    outside = site.settings.data_dir.parent / "outside-page.wav"
    outside.write_bytes(b"secret")
    await left_voicemail(site, path="../outside-page.wav", recipients=())
    assert (await (await site.browser()).get("/voicemails/01VOICE/audio")).status_code == 404
    outside.unlink()


async def test_a_voicemail_is_marked_and_the_filter_stays(site: Site) -> None:
    for id in ("01A", "02B"):
        await left_voicemail(site, id)
    client = await site.browser()
    answer = await client.post("/voicemails/01A/heard?heard=false")
    assert (answer.status_code, answer.headers["location"]) == (303, "/voicemails?heard=false")
    assert re.findall(r'<tr id="(\w+)"', (await client.get("/voicemails?heard=false")).text) == ["02B"]
    assert "Heard" in words(row_of((await client.get("/voicemails")).text, "01A"))
    await client.post("/voicemails/01A/not-heard")
    await client.post("/voicemails/02B/heard")
    await client.post("/voicemails/01A/heard")
    assert "Everything was heard" in (await client.get("/voicemails?heard=false")).text


async def test_a_voicemail_whose_letter_waits_is_not_deleted_and_the_page_says_why(site: Site) -> None:
    await left_voicemail(site)
    client, file = await site.browser(), site.settings.data_dir / "recordings/01VOICE.wav"
    refused = await client.post("/voicemails/01VOICE/delete")
    assert refused.status_code == 409 and "was not sent yet" in refused.text and file.exists()
    assert 'role="alert"' in refused.text and 'id="01VOICE"' in refused.text
    await site.database.run(mark_sent, (await letter_ids(site))[0], NOON)
    assert (await client.post("/voicemails/01VOICE/delete")).status_code == 303
    assert not file.exists() and "No voicemails yet" in (await client.get("/voicemails")).text


async def test_older_voicemails_are_a_page_further(site: Site) -> None:
    for number in range(3):
        await left_voicemail(site, f"0{number}")
    client = await site.browser()
    first = (await client.get("/voicemails?limit=2")).text
    older = re.search(r'rel="next" href="([^"]+)"', first)
    assert re.findall(r'<tr id="(\w+)"', first) == ["02", "01"] and older
    second = (await client.get(older[1])).text
    assert re.findall(r'<tr id="(\w+)"', second) == ["00"] and 'href="/voicemails">Newest' in second


async def test_without_a_mail_server_both_pages_say_which_settings_to_set(site: Site) -> None:
    client = await site.browser()
    assert "letters will wait here" in (await client.get("/outbox")).text
    assert "ATTENDANT_SMTP_URL" not in (await client.get("/voicemails")).text  # nothing waits
    await left_voicemail(site)
    for path, said in (("/voicemails", "letters about voicemails wait"), ("/outbox", "1 letter waits")):
        page = (await client.get(path)).text
        assert said in page and "ATTENDANT_SMTP_URL" in page and "ATTENDANT_MAIL_FROM" in page
    client = await site.with_mail_server().browser()
    for path in ("/voicemails", "/outbox"):
        assert "ATTENDANT_SMTP_URL" not in (await client.get(path)).text


async def test_a_mail_server_that_is_down_is_told_above_the_letters(site: Site) -> None:
    site.health = healthy(mail=Component(state="down", detail="connection refused"))
    page = (await (await site.with_mail_server().browser()).get("/outbox")).text
    assert "Letters can’t be sent now: connection refused" in page


async def test_the_outbox_shows_state_last_error_and_next_try(site: Site) -> None:
    for id in ("01A", "02B", "03C"):
        await left_voicemail(site, id)
    third, second, first = await letter_ids(site)
    await site.database.run(claim_due_letter, NOON, NOON + timedelta(hours=1))
    await site.database.run(mark_deferred, first, NOON + timedelta(minutes=5), "451 try later")
    await site.database.run(mark_sent, second, NOON)
    await site.database.run(mark_given_up, third, NOON, "550 No such user")
    client = await site.with_mail_server().browser()
    page = (await client.get("/outbox")).text
    waiting, sent, given_up = (words(row_of(page, id)) for id in (first, second, third))
    assert (
        "Waiting" in waiting and "451 try later" in waiting and "Next try 2026-05-04 12:05:00" in waiting and "1 try" in waiting
    )
    assert "Sent 2026-05-04 12:00:00" in sent and "Retry now" not in sent
    assert "Given up" in given_up and "550 No such user" in given_up and "Retry now" in given_up
    only = (await client.get("/outbox?state=given_up")).text
    assert re.findall(r'<tr id="(\w+)"', only) == [third]
    assert "No such letters" in (await client.get("/outbox?state=waiting&before=0")).text


async def test_a_letter_is_tried_again_perhaps_elsewhere_and_a_bad_address_stays_in_the_form(site: Site) -> None:
    await left_voicemail(site)
    (id,) = await letter_ids(site)
    await site.database.run(mark_given_up, id, NOON, "550 No such user")
    client = await site.browser()
    for bad in ("nonsense", "a@b\nBcc: c@d", "a" * 5000):
        refused = await client.post(f"/outbox/{id}/retry", data={"recipient": bad})
        assert refused.status_code == 422 and "Write one address" in row_of(refused.text, id)
    assert 'value="nonsense"' in (await client.post(f"/outbox/{id}/retry", data={"recipient": "nonsense"})).text
    assert (await client.post(f"/outbox/{id}/retry?state=given_up")).headers["location"] == "/outbox?state=given_up"
    await client.post(f"/outbox/{id}/retry", data={"recipient": "other@example.com"})
    row = words(row_of((await client.get("/outbox")).text, id))
    assert "other@example.com" in row and "Waiting" in row
    await site.database.run(mark_sent, id, NOON)
    assert (await client.post(f"/outbox/{id}/retry")).status_code == 409
    assert (await client.post(f"/outbox/{id}/delete")).status_code == 303
    assert await letter_ids(site) == []


async def test_what_callers_and_mail_servers_send_is_never_markup(site: Site) -> None:
    await left_voicemail(site, caller_number=ATTACK, called_number=ATTACK)
    (id,) = await letter_ids(site)
    await site.database.run(mark_given_up, id, NOON, ATTACK)
    client = await site.browser()
    pages = [(await client.get(path)).text for path in ("/voicemails", "/outbox")]
    pages.append((await client.post(f"/outbox/{id}/retry", data={"recipient": ATTACK})).text)
    for page in pages:
        assert "<script>alert" not in page and "&lt;script&gt;" in page


@pytest.mark.parametrize(
    "path",
    ["/voicemails/none/heard", "/voicemails/none/delete", "/voicemails/%00/heard", "/outbox/none/retry", "/outbox/none/delete"],
)
async def test_what_is_not_there_is_not_found(site: Site, path: str) -> None:
    assert (await (await site.browser()).post(path)).status_code == 404


CHANGES = [
    "/voicemails/01VOICE/heard",
    "/voicemails/01VOICE/delete",
    "/outbox/1/retry",
    "/outbox/1/delete",
    "/schedules/new",
    "/schedules/1",
    "/schedules/1/delete",
    "/contacts/new",
    "/contacts/1",
    "/contacts/1/delete",
    "/blocked-numbers",
    "/blocked-numbers/1",
    "/blocked-numbers/1/delete",
    "/desk/ringtone",
    "/desk/ringtone/standard",
    "/account/links",
]


@pytest.mark.parametrize("path", CHANGES)
async def test_another_site_can_change_nothing(site: Site, path: str) -> None:
    await left_voicemail(site)
    client: httpx.AsyncClient = await site.browser()
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}):
        assert (await client.post(path, headers=headers)).status_code == 403
    assert 'class="unheard"' in (await client.get("/voicemails")).text
