"""How often a log-in may fail: per address and per login. In memory and bounded; kept by this process alone."""

from __future__ import annotations

import ipaddress
from collections import OrderedDict, deque
from collections.abc import Callable
from dataclasses import dataclass

WINDOW_SECONDS = 300.0
TRIES_PER_LOGIN = 8
TRIES_PER_ADDRESS = 30
_MAX_KEYS = 10_000


class _Tries:
    """Moments of the latest tries by key; the key that was used longest ago is forgotten first."""

    def __init__(self, most: int) -> None:
        self._most = most
        self._moments: OrderedDict[str, deque[float]] = OrderedDict()

    def wait(self, key: str, now: float) -> float:
        """Seconds until the next try is allowed."""
        moments = self._moments.get(key, ())
        recent = [moment for moment in moments if moment > now - WINDOW_SECONDS]
        return recent[-self._most] + WINDOW_SECONDS - now if len(recent) >= self._most else 0.0

    def add(self, key: str, now: float) -> None:
        self._moments.setdefault(key, deque(maxlen=self._most)).append(now)
        self._moments.move_to_end(key)
        if len(self._moments) > _MAX_KEYS:
            self._moments.popitem(last=False)

    def take_back(self, key: str) -> None:
        """The latest try does not count."""
        if moments := self._moments.get(key):
            moments.pop()

    def forget(self, key: str) -> None:
        """No earlier try counts."""
        self._moments.pop(key, None)


@dataclass(frozen=True, slots=True)
class Permit:
    """A try that was allowed and counted."""

    _limits: LoginLimits
    _address: str
    _login: str

    def succeeded(self) -> None:
        """The password was right: the login's failures are forgiven, the address has its try back."""
        self._limits.forgive(self._address, self._login)


class LoginLimits:
    """Counts each try before its password is checked, so that many at once gain nothing."""

    def __init__(self, monotonic: Callable[[], float]) -> None:
        self._monotonic = monotonic
        self._by_login = _Tries(TRIES_PER_LOGIN)
        self._by_address = _Tries(TRIES_PER_ADDRESS)

    def ask(self, address: str, login: str) -> Permit | float:
        """A permit, or the seconds to wait."""
        now = self._monotonic()
        address, login = _network(address), login.casefold()
        wait = max(self._by_address.wait(address, now), self._by_login.wait(login, now))
        if wait > 0:
            return wait
        self._by_address.add(address, now)
        self._by_login.add(login, now)
        return Permit(self, address, login)

    def forgive(self, address: str, login: str) -> None:
        """Someone with this login came in from this address."""
        self._by_address.take_back(address)
        self._by_login.forget(login)


def _network(address: str) -> str:
    """An IPv6 customer has a /64 of addresses and counts as one."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    return str(ipaddress.ip_network((parsed, 64), strict=False)) if parsed.version == 6 else str(parsed)
