"""Which calls our numbers take: each has its directions and its channels (LNR-1). Also which of them is shown to whom we call.

The numbers shown through a trunk are those that belong to it, take outgoing calls and are confirmed (SKZ-10); the number that
the call came in on is preferred, then they are taken in order, each only while it has a free channel. A trunk without such
numbers shows what it shows by itself; should that be a number of ours, its direction and its channels count all the same. A
carrier without screening lets calls show a number that was chosen for them; the channel is that of the number that would be
shown otherwise.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Literal, TypeAlias

from controller.addresses import phone_number
from controller.errors import Refused
from controller.ids import ChannelId
from controller.storage.confirmations import ConfirmationState


@dataclass(frozen=True, slots=True)
class OwnNumber:
    """A number of ours; `channels` None: it takes any number of calls at once. `trunk` is the name of the one it belongs to. It
    is shown while its `confirmation` is valid.
    """

    number: str
    channels: int | None = None
    incoming: bool = True
    outgoing: bool = True
    trunk: str | None = None
    confirmation: ConfirmationState = "confirmed"

    @property
    def may_be_shown(self) -> bool:
        """Whether those who are called may see it."""
        return self.outgoing and self.confirmation == "confirmed"


Arrival: TypeAlias = Literal["welcome", "incoming_off", "all_in_use"]
"""What becomes of a call for a number: it is served; the number takes no calls; it has no free channel."""


class AllInUse(Refused):
    """No channel is free for a call outside."""


class OutgoingOff(Refused):
    """The number that would be shown takes no calls outside, or nothing confirms (any more) that it is ours."""


def caller_id(
    numbers: Sequence[OwnNumber], in_use: Mapping[str, int], trunk: str, came_in_on: str, by_itself: str, own: str = ""
) -> str:
    """What is shown to whom we call through `trunk`. Where none of the numbers is for it, that is what the trunk shows by itself,
    which its carrier knows us by, or else the call's `own`. The latter does not stand in for numbers that lack a confirmation,
    unless somebody who has called us would be lost.

    Raises AllInUse, OutgoingOff.
    """
    of_trunk = sorted((one for one in numbers if one.trunk == trunk and one.outgoing), key=lambda one: one.number != came_in_on)
    preferred = [one for one in of_trunk if one.may_be_shown]
    if not preferred:
        if by_itself:
            return _checked(numbers, in_use, by_itself)
        for one in (*(() if came_in_on else of_trunk), *filter(None, [_ours(numbers, own)])):
            _check_confirmed(one)
        return _checked(numbers, in_use, own)
    chosen = next((one for one in preferred if _has_free_channel(one, in_use)), None)
    if chosen is None:
        raise AllInUse(f"all channels of {', '.join(sorted(one.number for one in preferred))} are in use")
    return chosen.number


def _check_confirmed(number: OwnNumber) -> None:
    if number.confirmation != "confirmed":
        what = "has expired" if number.confirmation == "expired" else "is missing"
        raise OutgoingOff(f"the confirmation of {number.number}, which would be shown, {what}: confirm it on the page Numbers")


def _checked(numbers: Sequence[OwnNumber], in_use: Mapping[str, int], shown: str) -> str:
    ours = _ours(numbers, shown)
    if ours is None:
        return shown
    if not ours.outgoing:
        raise OutgoingOff(f"outgoing calls are switched off for {ours.number}, which would be shown")
    if not _has_free_channel(ours, in_use):
        raise AllInUse(f"all channels of {ours.number} are in use")
    return ours.number


def _ours(numbers: Iterable[OwnNumber], number: str) -> OwnNumber | None:
    return next((one for one in numbers if _digits(one.number) == _digits(number)), None)


def _has_free_channel(number: OwnNumber, in_use: Mapping[str, int]) -> bool:
    return number.channels is None or in_use.get(number.number, 0) < number.channels


def _digits(number: str) -> str:
    return number.removeprefix("+")


class NumberLines:
    """The calls on our numbers that this controller has in its hands, both directions together. A channel that is given to a
    call is its own until `free`; deciding and giving are one step, so two calls never get the last channel both.

    `region` is as for `phone_number`.
    """

    def __init__(self, region: str | None = None) -> None:
        self._region = region
        self._numbers: tuple[OwnNumber, ...] = ()
        self._shown: Mapping[str, str] = {}
        self._unscreened: frozenset[str] = frozenset()
        self._held: dict[ChannelId, str] = {}

    @property
    def in_use(self) -> Mapping[str, int]:
        """How many calls there are, by number; a number without calls is not in it."""
        return Counter(self._held.values())

    def set(self, numbers: Iterable[OwnNumber], shown: Mapping[str, str], unscreened: Iterable[str] = ()) -> None:
        """Our numbers as they are from now on, and what trunks show by themselves, by name ("": the call's own); calls that go
        on keep their channels. `unscreened` are the trunks through which any number may be shown.
        """
        self._numbers = tuple(numbers)
        self._shown = shown
        self._unscreened = frozenset(unscreened)

    def arrives(self, number: str, channel: ChannelId) -> Arrival:
        """Somebody calls `number`; who is welcome has one of its channels."""
        ours = next((one for one in self._numbers if one.number == number), None)
        if ours is None:
            return "welcome"
        if not ours.incoming:
            return "incoming_off"
        if not _has_free_channel(ours, self.in_use):
            return "all_in_use"
        self._held[channel] = number
        return "welcome"

    def dials(
        self, channel: ChannelId, trunk: str, *, came_in_on: str, own: str, chosen: str = "", confirms: bool = False
    ) -> str:
        """Somebody is called through `trunk` as `channel`: what is shown to him. `own` is shown where neither our numbers nor the
        trunk say otherwise; `chosen` wherever the carrier lets us, if it is a phone number, but none of ours that may not
        be shown. A call that `confirms` a number needs no confirmation itself.

        Raises AllInUse, OutgoingOff.
        """
        numbers = [replace(one, confirmation="confirmed") for one in self._numbers] if confirms else self._numbers
        ours = caller_id(numbers, self.in_use, trunk, came_in_on, self._shown.get(trunk, ""), own)
        self._held[channel] = ours
        return chosen if trunk in self._unscreened and self._may_be_shown(chosen) else ours

    def check(self, trunk: str, *, came_in_on: str, own: str) -> None:
        """Whether `dials` would do it now. Raises AllInUse, OutgoingOff."""
        caller_id(self._numbers, self.in_use, trunk, came_in_on, self._shown.get(trunk, ""), own)

    def may_dial(self, trunk: str, *, came_in_on: str, own: str) -> bool:
        """Whether `dials` can show a number once channels are free."""
        try:
            caller_id(self._numbers, {}, trunk, came_in_on, self._shown.get(trunk, ""), own)
        except OutgoingOff:
            return False
        return True

    def free(self, channel: ChannelId) -> None:
        """The call is over; no error when it had none of our channels."""
        self._held.pop(channel, None)

    def _may_be_shown(self, number: str) -> bool:
        ours = _ours(self._numbers, number)
        return phone_number(number, self._region) is not None if ours is None else ours.may_be_shown
