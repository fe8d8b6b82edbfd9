"""Voicemail (UIS-10 to UIS-12)."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints

from ivr.commands import Command, Play, Record, SaveVoicemail, StopPlayback, StopRecording
from ivr.events import CallerHungUp, DigitReceived, Event, PlaybackFinished, RecordingFinished, RecordingId, VisitId
from ivr.operations.base import Arrival, End, Leave, Operation, Prompts, Stay, Step, playback_id
from ivr.prompts import BEEP, LEAVE_A_MESSAGE, PromptRef

_Address = Annotated[
    str, StringConstraints(max_length=254, pattern=r"^[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]+@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)+$")
]
_GREETING, _BEEP = 1, 2


class Voicemail(Operation):
    """Lets the caller leave a message: greeting, beep, recording. "#" during the greeting goes to the beep at once. The
    recording ends by "#", silence, the longest time, or hanging up. Every visit gives one voicemail, and one letter to each
    address if there are any, even when the caller said nothing or hung up during the greeting. Then the caller leaves by
    "next" (not linked: the call ends there; in an inserted scenario, it goes on behind that).
    """

    OPTIONAL_EXITS: ClassVar = frozenset({"next"})
    ENDS_CALL: ClassVar = True

    type: Literal["voicemail"] = "voicemail"
    greeting: Prompts = Field((), description="prompts, played in order; none: the standard message")
    mail_to: tuple[_Address, ...] = Field((), max_length=10, description="e-mail addresses that get the message")
    max_seconds: float = Field(180.0, ge=5, le=600, description="longest message")
    max_silence_seconds: float = Field(5.0, ge=1, le=30, description="silence that ends the message")

    def enter(self, arrival: Arrival) -> Step:
        playback = playback_id(arrival.visit, _GREETING)
        return Stay(_Greeting(self, arrival.visit), (Play(playback, self.greeting or (LEAVE_A_MESSAGE,)),))

    def prompts(self) -> tuple[PromptRef, ...]:
        return (*(self.greeting or (LEAVE_A_MESSAGE,)), BEEP)

    def save(self, visit: VisitId, recording: RecordingId | None) -> SaveVoicemail:
        """The one voicemail of a visit."""
        return SaveVoicemail(visit, recording, self.mail_to)


@dataclass(frozen=True, slots=True)
class _Greeting:
    operation: Voicemail
    visit: VisitId

    def handle(self, event: Event) -> Step:
        match event:
            case DigitReceived("#"):
                return self._beep(StopPlayback(playback_id(self.visit, _GREETING)))
            case PlaybackFinished(playback) if playback == playback_id(self.visit, _GREETING):
                return self._beep()
            case CallerHungUp():
                return End((self.operation.save(self.visit, None),))
            case _:
                return Stay(self)

    def _beep(self, *before: Command) -> Step:
        return Stay(_Beeping(self.operation, self.visit), (*before, Play(playback_id(self.visit, _BEEP), (BEEP,))))


@dataclass(frozen=True, slots=True)
class _Beeping:
    operation: Voicemail
    visit: VisitId

    def handle(self, event: Event) -> Step:
        match event:
            case PlaybackFinished(playback) if playback == playback_id(self.visit, _BEEP):
                recording = RecordingId(f"{self.visit}.1")
                record = Record(recording, self.operation.max_seconds, self.operation.max_silence_seconds)
                return Stay(_Recording(self.operation, self.visit, recording), (record,))
            case CallerHungUp():
                return End((self.operation.save(self.visit, None),))
            case _:
                return Stay(self)


@dataclass(frozen=True, slots=True)
class _Recording:
    operation: Voicemail
    visit: VisitId
    recording: RecordingId
    stopping: bool = False

    def handle(self, event: Event) -> Step:
        match event:
            case DigitReceived("#") if not self.stopping:
                return Stay(replace(self, stopping=True), (StopRecording(self.recording),))
            case RecordingFinished(recording, seconds, silence) if recording == self.recording:
                spoken = recording if seconds > silence else None
                return Leave("next", (self.operation.save(self.visit, spoken),))
            case CallerHungUp():
                return End((self.operation.save(self.visit, self.recording),))
            case _:
                return Stay(self)
