"""Trunks: carriers for calls to the world outside. What is written here travels into Asterisk's configuration."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime, tzinfo
from typing import Any

from controller.actions.fields import checked_name, checked_pattern, dialled_number, invalid
from controller.addresses import network_host
from controller.errors import Refused
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.rates import end_trunk_prices
from controller.storage.trunks import Transport, Trunk, find_trunk, get_trunk


@dataclass(frozen=True, slots=True)
class TrunkDraft:
    """A trunk as people write it (see `storage.trunks.Trunk`). `host` may have the port behind it, "pbx.example.com:5070", which
    then counts. `secret` None: as it was.
    """

    name: str
    host: str
    port: int = 5060
    transport: Transport = "udp"
    username: str = ""
    secret: str | None = None
    registers: bool = False
    caller_id: str = ""
    position: int = 1
    enabled: bool = True
    domain: str = ""
    inbound: bool = True
    clip_no_screening: bool = False


def create_trunk(session: Session, draft: TrunkDraft, *, secret_later: bool = False, acting_user: str, at: datetime) -> Trunk:
    """With `secret_later` the trunk may lack its secret, and no calls go through it until it is set.

    Raises InvalidInput: a field that can't be used, named; Refused: the name is taken.
    """
    trunk = Trunk(**_checked(session, draft, None, secret_later))
    session.add(trunk)
    add_audit(session, at, acting_user, "trunk.create", f"trunk {trunk.name}", host=trunk.host, enabled=trunk.enabled)
    session.flush()
    return trunk


def change_trunk(
    session: Session, id: int, draft: TrunkDraft, *, secret_later: bool = False, acting_user: str, at: datetime
) -> Trunk:
    """Replace what is known of a trunk; calls that go through it already stay. As `create_trunk`; raises NotFound too."""
    trunk = get_trunk(session, id)
    for field, value in _checked(session, draft, trunk, secret_later).items():
        setattr(trunk, field, value)
    add_audit(session, at, acting_user, "trunk.change", f"trunk {trunk.name}", host=trunk.host, enabled=trunk.enabled)
    session.flush()
    return trunk


def set_trunk_enabled(session: Session, id: int, enabled: bool, *, acting_user: str, at: datetime) -> Trunk:
    """Connect a trunk, or disconnect it: nothing goes through it any more but the calls that go on (SKZ-14). Raises NotFound."""
    trunk = get_trunk(session, id)
    trunk.enabled = enabled
    add_audit(session, at, acting_user, "trunk.connect" if enabled else "trunk.disconnect", f"trunk {trunk.name}")
    session.flush()
    return trunk


def delete_trunk(session: Session, id: int, *, zone: tzinfo = UTC, acting_user: str, at: datetime) -> None:
    """Scenarios that call outside use the next trunk, or fail; its own rates go with it, and this is the last day of its monthly
    price. Raises NotFound.
    """
    trunk = get_trunk(session, id)
    end_trunk_prices(session, id, at.astimezone(zone).date())
    session.delete(trunk)
    add_audit(session, at, acting_user, "trunk.delete", f"trunk {trunk.name}")
    session.flush()


def _checked(session: Session, draft: TrunkDraft, before: Trunk | None, secret_later: bool) -> dict[str, Any]:
    name = checked_name("name", draft.name)
    found = find_trunk(session, name)
    if found is not None and (before is None or found.id != before.id):
        raise Refused(f'there is already a trunk "{name}"')
    username = checked_pattern("username", draft.username, r"[A-Za-z0-9._+-]{0,64}", "write at most 64 letters, digits, . _ + -")
    given = draft.secret if draft.secret is not None else before.secret if before is not None else ""
    # No blanks, quotes, semicolons or backslashes: they mean something in configuration files.
    secret = checked_pattern(
        "secret", given, r"[!#-:<-\[\]-~]{0,128}", 'use at most 128 printable ASCII characters without " ; \\'
    )
    if draft.registers and not username:
        raise invalid("username", "a trunk that registers needs one")
    if username and not secret and not secret_later:
        raise invalid("secret", "a trunk with a user name needs one")
    host, with_host = _host_and_port(draft.host)
    port = draft.port if with_host is None else with_host
    if not 1 <= port <= 65535:
        raise invalid("port" if with_host is None else "host", "use 1 to 65535 as port")
    if not 1 <= draft.position <= 1000:
        raise invalid("position", "use 1 to 1000")
    if draft.transport not in ("udp", "tcp"):
        raise invalid("transport", "use udp or tcp")
    caller_id = dialled_number(draft.caller_id) if draft.caller_id else ""
    if caller_id is None:
        raise invalid("caller_id", "write 2 to 20 digits, perhaps with a + before them")
    return {
        "name": name,
        "host": _checked_host("host", host),
        "port": port,
        "transport": draft.transport,
        "username": username,
        "secret": secret,
        "registers": draft.registers,
        "caller_id": caller_id,
        "position": draft.position,
        "enabled": draft.enabled,
        "domain": _checked_host("domain", draft.domain) if draft.domain.strip() else "",
        "inbound": draft.inbound,
        "clip_no_screening": draft.clip_no_screening,
    }


def _host_and_port(text: str) -> tuple[str, int | None]:
    """A host as it was written, perhaps "host:port" or "[2001:db8::1]:port"."""
    parts = re.fullmatch(r"\s*(?:\[([0-9A-Fa-f:.]+)\]|([^:\[\]]+))(?::([0-9]{1,5}))?\s*", text)
    if parts is None:
        return text, None
    return parts[1] or parts[2], int(parts[3]) if parts[3] else None


def _checked_host(field: str, text: str) -> str:
    host = network_host(text.strip())
    if host is None:
        raise invalid(field, "write a host name or an IP address, such as sip.example.com")
    return host
