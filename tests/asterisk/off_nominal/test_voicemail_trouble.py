"""Voicemail when something breaks: the caller goes on, and what he said or that he called is not lost."""

from __future__ import annotations

import asyncio
import os
import resource
import signal
from urllib.parse import quote

import aiohttp
import pytest

from controller.actions.voicemails import retry_letter
from controller.clock import SystemClock
from controller.storage.outbox import list_letters
from tests.fixtures.letters import (
    SPOKEN,
    attached_sound,
    box,
    hears_greeting,
    is_recorded,
    kept_voicemail,
    letter_about,
    said_in,
    says,
    sender_to,
)
from tests.fixtures.mail import MailServer
from tests.fixtures.sounds import THANKS, seconds_of
from tests.fixtures.system import System, eventually
from tests.ivr.builders import hang_up, message, scenario

pytestmark = pytest.mark.asterisk
NUMBER = "8121"
SCENARIO = scenario(
    "box",
    box=box({"next": "thanks"}, max_silence_seconds=1),
    thanks=message({"next": "goodbye"}, "thanks"),
    goodbye=hang_up(),
)


async def _is_live(system: System, recording: str) -> bool:
    """Whether Asterisk still records it, asked past the connection that is cut."""
    try:
        await system.ask_asterisk(f"recordings/live/{quote(recording, safe='')}")
    except aiohttp.ClientResponseError as error:
        assert error.status == 404
        return False
    return True


async def test_the_connection_is_lost_while_he_speaks_and_he_goes_on_when_it_is_back(
    system: System, mail_server: MailServer
) -> None:
    await system.serve((NUMBER, SCENARIO))
    caller, call = await system.call(NUMBER)
    file = await is_recorded(system, caller)
    call.send_tone(SPOKEN)
    system.link.cut()
    await eventually(lambda: system.engine.telephony.connected, "the cut was not noticed", until=False)
    await says(call, 0.5)
    name = str(file.relative_to(system.recordings_dir).with_suffix(""))
    await eventually(lambda: _is_live(system, name), "the recording did not end", until=False)
    system.link.mend()
    await call.hears_tone(THANKS.frequency)
    await call.ended()
    sound = attached_sound(await letter_about(system, caller, mail_server))
    assert sound is not None and seconds_of(SPOKEN, sound) > 0.4


async def test_the_controller_leaves_while_he_speaks_and_his_message_is_kept(system: System, mail_server: MailServer) -> None:
    await system.serve((NUMBER, SCENARIO))
    caller, call = await system.call(NUMBER)
    await is_recorded(system, caller)
    await says(call, 0.7)
    call.send_tone(SPOKEN)
    await system.stop_engine()
    await call.hears_sound()
    sound = attached_sound(await letter_about(system, caller, mail_server))
    assert sound is not None and seconds_of(SPOKEN, sound) > 0.4
    assert (await system.call_record(caller)).call.outcome == "handed_over"
    await call.hangup()
    await system.start_engine()


async def test_the_controller_leaves_during_the_greeting_and_the_letter_comes(system: System, mail_server: MailServer) -> None:
    await system.serve((NUMBER, SCENARIO))
    caller, call = await system.call(NUMBER)
    await hears_greeting(call)
    await system.stop_engine()
    letter = await letter_about(system, caller, mail_server)
    assert attached_sound(letter) is None
    await call.hangup()
    await system.start_engine()


async def test_the_mail_server_is_down_and_gets_the_message_when_it_is_back(system: System, mail_server: MailServer) -> None:
    await system.serve((NUMBER, SCENARIO))
    caller, call = await system.call(NUMBER)
    await is_recorded(system, caller)
    await says(call, 0.7)
    await call.ended()
    await kept_voicemail(system, caller)
    await mail_server.start()
    await mail_server.stop()
    assert await sender_to(system, mail_server).send_due() == 0
    (waiting,) = await system.database.read(list_letters)
    assert waiting.state == "waiting" and waiting.last_error
    await mail_server.start_again()
    await system.database.run(retry_letter, waiting.id, acting_user="test", at=SystemClock().now())
    assert await sender_to(system, mail_server).send_due() == 1
    assert attached_sound(mail_server.letters[0]) is not None


async def test_a_recording_that_disappeared_before_it_was_mailed_is_told_of(system: System, mail_server: MailServer) -> None:
    await system.serve((NUMBER, SCENARIO))
    caller, call = await system.call(NUMBER)
    file = await is_recorded(system, caller)
    await says(call, 0.7)
    await call.ended()
    await kept_voicemail(system, caller)
    file.unlink()
    letter = await letter_about(system, caller, mail_server)
    assert attached_sound(letter) is None and "is not there any more" in said_in(letter)


async def test_a_full_disk_loses_the_message_but_neither_the_caller_nor_the_letter(
    system_of_its_own: System, mail_server: MailServer, caplog: pytest.LogCaptureFixture
) -> None:
    """As on a full disk, Asterisk creates the file and can write nothing into it (EFBIG instead of ENOSPC)."""
    system = system_of_its_own
    await system.serve((NUMBER, SCENARIO))
    assert system.asterisk.process.pid is not None
    _, hard = resource.prlimit(system.asterisk.process.pid, resource.RLIMIT_FSIZE)
    resource.prlimit(system.asterisk.process.pid, resource.RLIMIT_FSIZE, (0, hard))
    caller, call = await system.call(NUMBER)
    await is_recorded(system, caller)
    await says(call, 0.7)
    await call.hears_tone(THANKS.frequency)
    await call.ended()
    letter = await letter_about(system, caller, mail_server)
    assert attached_sound(letter) is None and "could not be recorded" in said_in(letter)
    assert (await kept_voicemail(system, caller)).failed
    assert "could not be recorded" in caplog.text
    resource.prlimit(system.asterisk.process.pid, resource.RLIMIT_FSIZE, (hard, hard))


async def test_where_no_file_can_be_made_the_caller_goes_on_at_once_and_the_letter_comes(
    system_of_its_own: System, mail_server: MailServer
) -> None:
    system = system_of_its_own
    await system.serve((NUMBER, SCENARIO))
    (system.recordings_dir / "voicemail").write_text("where a folder should be")
    caller, call = await system.call(NUMBER)
    await call.hears_tone(THANKS.frequency)
    await call.ended()
    letter = await letter_about(system, caller, mail_server)
    assert attached_sound(letter) is None and "could not be recorded" in said_in(letter)


async def test_asterisk_dies_while_he_speaks_and_what_it_has_written_is_kept(
    system_of_its_own: System, mail_server: MailServer
) -> None:
    system = system_of_its_own
    await system.serve((NUMBER, SCENARIO))
    caller, call = await system.call(NUMBER)
    file = await is_recorded(system, caller)
    call.send_tone(SPOKEN)
    await eventually(lambda: file.stat().st_size > 30_000, "nothing is written")
    process = system.asterisk.process
    assert process.pid is not None
    os.kill(process.pid, signal.SIGKILL)
    await process.exited.wait()
    async with asyncio.timeout(10):
        await process.running.wait()
    sound = attached_sound(await letter_about(system, caller, mail_server))
    assert sound is not None and seconds_of(SPOKEN, sound) > 1
    assert (await system.call_record(caller)).call.outcome == "lost"
