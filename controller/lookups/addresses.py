"""Which hosts may be asked. Names are resolved here and the connection goes to what was checked, so that a name can't lead
outside first and inside afterwards."""

from __future__ import annotations

import ipaddress
import socket
from typing import TypeAlias

from aiohttp import ThreadedResolver
from aiohttp.abc import AbstractResolver, ResolveResult

_Address: TypeAlias = ipaddress.IPv4Address | ipaddress.IPv6Address
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


class InternalAddress(OSError):
    """The host lies inside (this machine, a private network), and such hosts are not asked."""


class OutsideResolver(AbstractResolver):
    """Resolves names as the system does, and refuses the internal addresses among the answers."""

    def __init__(self) -> None:
        self._system = ThreadedResolver()

    async def resolve(self, host: str, port: int = 0, family: socket.AddressFamily = socket.AF_UNSPEC) -> list[ResolveResult]:
        found = await self._system.resolve(host, port, family)
        outside = [one for one in found if not is_internal(one["host"])]
        if found and not outside:
            raise InternalAddress(f"{host} is an internal address")
        return outside

    async def close(self) -> None:
        await self._system.close()


def is_internal(address: str) -> bool:
    """Whether an IP address is anything but a public one: loopback, private, link-local, multicast, reserved, also when it is
    wrapped into an IPv6 address (mapped, 6to4, NAT64). A host name is not an address: False."""
    try:
        parsed: _Address = ipaddress.ip_address(address.partition("%")[0])
    except ValueError:
        return False
    return not all(one.is_global and not one.is_multicast for one in (parsed, *_wrapped(parsed)))


def _wrapped(address: _Address) -> list[_Address]:
    if isinstance(address, ipaddress.IPv4Address):
        return []
    nat64 = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF) if address in _NAT64 else None
    return [one for one in (address.ipv4_mapped, address.sixtofour, nat64) if one is not None]
