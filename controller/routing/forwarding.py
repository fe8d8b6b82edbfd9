"""Where a call goes that the operators of a line have missed: pure (SKZ-31 to SKZ-34)."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from controller.storage.forwarding import Forwarding


@dataclass(frozen=True, slots=True)
class OutsidePhone:
    """A confirmed number; `until` is when its confirmation ends, None: never."""

    number: str
    until: datetime | None = None

    def is_valid(self, at: datetime) -> bool:
        """Whether it is still confirmed."""
        return self.until is None or self.until > at


@dataclass(frozen=True, slots=True)
class OutsidePhones:
    """The phones that may be used: `common` ones by number, operators' `own` approved ones by extension."""

    common: Mapping[str, OutsidePhone] = field(default_factory=dict)
    own: Mapping[str, OutsidePhone] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Forwarded:
    """Ring this number; `extension` is whose own it is, None: a common one."""

    number: str
    extension: str | None = None


def forwarded(rule: Forwarding, missed: Sequence[str], phones: OutsidePhones, at: datetime) -> list[Forwarded]:
    """Which phones ring one after another for a call that nobody of its group took. `missed` are the extensions that it was
    offered to, in that order.

    The common phone rings whoever was there, also when nobody was: the client still gets through (SKZ-32). Own phones ring for
    those who missed the call, so with nobody there nothing is forwarded.
    """
    found: list[tuple[OutsidePhone | None, str | None]] = []
    if rule.mode == "own":
        found = [(phones.own.get(extension), extension) for extension in missed]
    elif rule.mode == "common" and rule.number is not None:
        found = [(phones.common.get(rule.number), None)]
    return [Forwarded(phone.number, extension) for phone, extension in found if phone is not None and phone.is_valid(at)]
