"""The time zones that forms offer."""

from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from zoneinfo import available_timezones


@cache
def zone_names() -> Sequence[str]:
    """IANA names of places, in order."""
    return sorted(zone for zone in available_timezones() if "/" in zone and not zone.startswith(("Etc/", "posix/", "right/")))
