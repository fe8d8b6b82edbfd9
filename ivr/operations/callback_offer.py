"""Callback offer: the caller keeps his place in the line without holding the phone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from pydantic import Field

from ivr.commands import CheckCallback, Play, RequestCallback
from ivr.digits import Collected, Collecting, DigitCollector
from ivr.events import CallbackAnswered, Event, Key, VisitId
from ivr.operations.base import Arrival, Leave, Mention, Name, Operation, Playing, Prompts, Stay, Step, playback_id
from ivr.prompts import CALLBACK_ACCEPTED, CALLBACK_OFFER, PromptRef


class CallbackOffer(Operation):
    """Offers to call the caller back, at the number he calls from, when it is his turn in a group's line. Pressing the key
    accepts: he hears the confirmation and leaves by "accepted" (not linked: the call ends there). Another key, or none within
    the wait timeout from the end of the prompt, leaves by "declined". When he can't be called back (a withheld number, nobody
    works now, no way to call outside) he leaves by "not_possible" at once, without hearing the offer. Keys pressed before the
    prompt do not count.
    """

    REQUIRED_EXITS: ClassVar = frozenset({"declined", "not_possible"})
    OPTIONAL_EXITS: ClassVar = frozenset({"accepted"})
    CONCLUDING_EXITS: ClassVar = frozenset({"accepted"})
    ENDS_CALL: ClassVar = True

    type: Literal["callback_offer"] = "callback_offer"
    group: Name = Field(description="name of the operator group that calls back")
    prompt: Prompts = Field((), description="the offer, prompts played in order; none: the standard message")
    key: Key = Field("1", description="the key that accepts")
    wait_seconds: float = Field(5.0, ge=0.5, le=60, description="wait timeout, from the end of the prompt")
    confirmation: Prompts = Field((), description="played after accepting; none: the standard message")

    def enter(self, arrival: Arrival) -> Step:
        return Stay(_Checking(self, arrival.visit), (CheckCallback(arrival.visit, self.group),))

    def offer(self, visit: VisitId) -> Step:
        """Play the offer and listen."""
        entry = DigitCollector(visit, 1, self.wait_seconds, self.wait_seconds, ending=None)
        begun = entry.begin(self.prompt or (CALLBACK_OFFER,))
        return Stay(_Offering(self, begun.collector), begun.commands)

    def prompts(self) -> tuple[PromptRef, ...]:
        return (self.prompt or (CALLBACK_OFFER,)) + self.confirmed()

    def confirmed(self) -> tuple[PromptRef, ...]:
        """What the caller hears when he will be called back."""
        return self.confirmation or (CALLBACK_ACCEPTED,)

    def mentions(self) -> tuple[Mention, ...]:
        return (Mention("group", self.group, "group"),)


@dataclass(frozen=True, slots=True)
class _Checking:
    operation: CallbackOffer
    visit: VisitId

    def handle(self, event: Event) -> Step:
        match event:
            case CallbackAnswered(visit, "possible") if visit == self.visit:
                return self.operation.offer(visit)
            case CallbackAnswered(visit, _) if visit == self.visit:
                return Leave("not_possible")
            case _:
                return Stay(self)


@dataclass(frozen=True, slots=True)
class _Offering:
    operation: CallbackOffer
    entry: DigitCollector

    def handle(self, event: Event) -> Step:
        match self.entry.take(event):
            case Collecting(entry, commands):
                return Stay(_Offering(self.operation, entry), commands)
            case Collected(self.operation.key, commands):
                visit = self.entry.visit
                return Stay(_Requesting(self.operation, visit), (*commands, RequestCallback(visit, self.operation.group)))
            case Collected(_, commands):
                return Leave("declined", commands)
            case None:
                return Stay(self)


@dataclass(frozen=True, slots=True)
class _Requesting:
    operation: CallbackOffer
    visit: VisitId

    def handle(self, event: Event) -> Step:
        match event:
            case CallbackAnswered(visit, "accepted") if visit == self.visit:
                playback = playback_id(visit, 2)
                return Stay(Playing(playback, Leave("accepted")), (Play(playback, self.operation.confirmed()),))
            case CallbackAnswered(visit, _) if visit == self.visit:
                return Leave("not_possible")
            case _:
                return Stay(self)
