"""Recordings of conversations: one channel or two, with pauses, for those who may hear them."""

from __future__ import annotations

import asyncio
import io
import wave
from array import array
from datetime import datetime
from pathlib import Path

import pytest

from controller.commands.phoning import Caller
from controller.softphone import PhoneCall, tones
from tests.fixtures.programs import api
from tests.fixtures.sounds import THANKS, seconds_of
from tests.fixtures.system import Line, System, eventually
from tests.fixtures.talk import CALLER_TONE, OPERATOR_TONE, talk

pytestmark = pytest.mark.asterisk
SECRET_OF_CALLER, SECRET_OF_OPERATOR = 1100.0, 1350.0


async def conversation(system: System) -> tuple[Caller, PhoneCall, PhoneCall]:
    operator = await system.operator("2003")
    caller, call = await system.call(Line.SINGLE)
    offered = await operator.ringing()
    await offered.answer()
    await talk(call, offered)
    return caller, call, offered


async def say(call: PhoneCall, operator: PhoneCall, *said: float) -> None:
    """Both say these tones for a second, once they reach the other."""
    for speaker, tone in zip((call, operator), said, strict=True):
        speaker.send_tone(tone)
    await asyncio.gather(call.hears_tone(said[1]), operator.hears_tone(said[0]))
    await call.listen(1)


def channels_of(content: bytes) -> list[bytes]:
    """The samples of each channel of a WAV file."""
    with wave.open(io.BytesIO(content)) as sound:
        assert (sound.getsampwidth(), sound.getframerate()) == (2, 8000)
        count = sound.getnchannels()
        samples = array("h", sound.readframes(sound.getnframes()))
    return [samples[channel::count].tobytes() for channel in range(count)]


async def recorded(system: System, caller: Caller) -> tuple[str, bytes]:
    """The call's id, and its recording once it is whole."""
    record = await system.call_record(caller)
    (recording,) = record.recordings
    file = system.recordings_dir / recording.path
    await eventually(lambda: _is_whole(file), "the recording was not completed")
    return record.call.id, file.read_bytes()


def _is_whole(file: Path) -> bool:
    try:
        with wave.open(str(file)) as sound:
            return sound.getnframes() > 0
    except (OSError, EOFError, wave.Error):
        return False


@pytest.mark.covers("SKZ-52")
async def test_a_recording_has_both_voices_mixed(system: System) -> None:
    caller, call, operator = await conversation(system)
    await say(call, operator, CALLER_TONE, OPERATOR_TONE)
    await call.hangup()
    await operator.ended()
    _, content = await recorded(system, caller)
    (mixed,) = channels_of(content)
    tail = mixed[-16_000:-3200]
    alone = {tone: seconds_of(tone, tail) for tone in (CALLER_TONE, OPERATOR_TONE)}
    assert max(alone.values()) < 0.5, alone  # neither of them is most of the sound


@pytest.mark.covers("SKZ-52")
async def test_a_stereo_recording_has_the_caller_left_and_the_operator_right(system: System) -> None:
    await _record_in_stereo(system)
    caller, call, operator = await conversation(system)
    await say(call, operator, CALLER_TONE, OPERATOR_TONE)
    await call.hangup()
    await operator.ended()
    _, content = await recorded(system, caller)
    left, right = channels_of(content)
    assert seconds_of(CALLER_TONE, left) > 0.8 and seconds_of(OPERATOR_TONE, left) == 0
    assert seconds_of(OPERATOR_TONE, right) > 0.8 and seconds_of(CALLER_TONE, right) == 0
    await eventually(lambda: list(system.recordings_dir.rglob("*.raw")), "a bare file is left", until=[])


async def test_a_stereo_recording_that_a_leaving_controller_did_not_complete_is_completed_by_the_next(system: System) -> None:
    await _record_in_stereo(system)
    left = system.recordings_dir / "2026/01/02/left.raw"
    left.parent.mkdir(parents=True, exist_ok=True)
    left.write_bytes(array("h", [1000, -1000] * 800).tobytes())
    await system.restart()
    await eventually(lambda: _is_whole(left.with_suffix(".wav")), "it was not completed")
    both = channels_of(left.with_suffix(".wav").read_bytes())
    assert [set(array("h", one)) for one in both] == [{1000}, {-1000}]
    assert not left.exists()


async def _record_in_stereo(system: System) -> None:
    system.settings = system.settings.model_copy(update={"recordings_channels": "stereo"})
    await system.restart()


@pytest.mark.covers("SKZ-52")
@pytest.mark.parametrize("stereo", [False, True])
async def test_what_is_said_while_the_recording_is_paused_is_not_in_it(system: System, stereo: bool) -> None:
    if stereo:
        await _record_in_stereo(system)
    caller, call, operator = await conversation(system)
    id = (await system.recorded(caller, lambda one: bool(one.recordings), "nothing is recorded")).call.id
    program = await api(system, hears_recordings=True)
    await say(call, operator, CALLER_TONE, OPERATOR_TONE)
    paused = await program.post(f"/api/v1/calls/{id}/recording/pause")
    assert (paused.status_code, paused.json()) == (200, {"recording": f"{id}-op1", "paused": True})
    assert (await program.post(f"/api/v1/calls/{id}/recording/pause")).status_code == 200
    await say(call, operator, SECRET_OF_CALLER, SECRET_OF_OPERATOR)
    call.send_tone(CALLER_TONE)
    operator.send_tone(OPERATOR_TONE)
    await asyncio.gather(call.hears_tone(OPERATOR_TONE), operator.hears_tone(CALLER_TONE))
    resumed = await program.post(f"/api/v1/calls/{id}/recording/resume")
    assert resumed.json() == {"recording": f"{id}-op1", "paused": False}
    await say(call, operator, CALLER_TONE, OPERATOR_TONE)
    await call.hangup()
    await operator.ended()
    await recorded(system, caller)

    over = await program.post(f"/api/v1/calls/{id}/recording/pause")
    assert over.status_code == 409 and "the call is over" in over.json()["error"]["message"]
    sound = await program.get(f"/api/v1/calls/{id}/recording")
    assert sound.status_code == 200
    for channel in channels_of(sound.content):
        assert _strongest(channel, SECRET_OF_CALLER) < 0.05 and _strongest(channel, SECRET_OF_OPERATOR) < 0.05
    voices = channels_of(sound.content)
    assert _strongest(voices[0], CALLER_TONE) > 0.3 and _strongest(voices[-1], OPERATOR_TONE) > 0.3
    ((pause,),) = [one["pauses"] for one in (await program.get(f"/api/v1/calls/{id}")).json()["recordings"]]
    lasted = datetime.fromisoformat(pause["to"]) - datetime.fromisoformat(pause["from"])
    assert 1 < lasted.total_seconds() < 5


def _strongest(pcm: bytes, frequency: float) -> float:
    """The largest share of the sound that the tone has in any twentieth of a second."""
    parts = [pcm[begin : begin + 800] for begin in range(0, len(pcm) - 799, 800)]
    return max(tones.strength(part, frequency, 8000) for part in parts)


@pytest.mark.covers("SKZ-52")
async def test_a_call_in_its_menu_has_no_recording_to_pause(system: System) -> None:
    caller, call = await system.call(Line.FULL)
    id = (await system.comes_to(caller, "menu")).call.id
    program = await api(system, hears_recordings=True)
    refused = await program.post(f"/api/v1/calls/{id}/recording/pause")
    assert refused.status_code == 409 and "nothing is recorded" in refused.json()["error"]["message"]
    assert (await program.post("/api/v1/calls/01NOSUCHCALL/recording/pause")).status_code == 404
    await call.hangup()


@pytest.mark.covers("SKZ-52")
async def test_a_recording_is_given_only_to_those_who_may_hear_it(system: System) -> None:
    caller, call, operator = await conversation(system)
    await call.hangup()
    await operator.ended()
    id, content = await recorded(system, caller)
    listener, deaf = await api(system, hears_recordings=True), await api(system)
    addresses = (f"/api/v1/calls/{id}/recording", f"/api/v1/calls/{id}/recordings/{id}-op1")
    for address in addresses:
        assert (await listener.get(address)).content == content
        refused = await deaf.get(address)
        assert (refused.status_code, refused.json()["error"]["code"]) == (403, "forbidden")


@pytest.mark.covers("SKZ-52")
async def test_a_recording_ends_with_the_conversation_though_the_caller_stays(system: System) -> None:
    caller, call, operator = await conversation(system)
    await say(call, operator, CALLER_TONE, OPERATOR_TONE)
    call.send_tone(0)
    await operator.hangup()
    await call.ended()
    _, content = await recorded(system, caller)
    assert seconds_of(THANKS, channels_of(content)[0]) < 0.1
