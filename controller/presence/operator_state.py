"""What an operator's state is: pure. See `tracker` for whom it is asked.

his phone talks or rings     talking, ringing, whatever else is so
his phone is off             offline; he can't be reached
he has logged out            offline, though his phone may be on
he talks on his mobile       talking: a call reached him on a number outside
he does not want calls       do_not_disturb, until he ends it
he writes up his last call   wrap_up
else                         available
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final, Literal, TypeAlias

from controller.telephony.events import DeviceState

OperatorState: TypeAlias = Literal["offline", "available", "ringing", "talking", "wrap_up", "do_not_disturb"]

_LONG_AGO: Final = datetime.min.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Switches:
    """What an operator has set himself, or somebody for him; `at` and `by` tell when and who."""

    logged_in: bool = True
    do_not_disturb: bool = False
    reason: str = ""
    at: datetime = _LONG_AGO
    by: str = ""


@dataclass(frozen=True, slots=True)
class StateChange:
    """An operator's state, from a moment on. `by` is who brought it about: a login or token, "operator 2001" by his phone's
    keys, "phone" or "distribution" when nobody did on purpose.
    """

    extension: str
    at: datetime
    state: OperatorState
    reason: str
    by: str


def state_of(device: DeviceState, switches: Switches, *, wrapping_up: bool, talks_elsewhere: bool = False) -> OperatorState:
    """The state that follows."""
    if device == "in_use":
        return "talking"
    if device == "ringing":
        return "ringing"
    if device != "not_in_use" or not switches.logged_in:
        return "offline"
    if talks_elsewhere:
        return "talking"
    if switches.do_not_disturb:
        return "do_not_disturb"
    return "wrap_up" if wrapping_up else "available"
