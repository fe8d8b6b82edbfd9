"""Trunks: carriers for calls to the world outside. What is written here travels into Asterisk's configuration."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from controller.actions.fields import checked_name, checked_pattern, dialled_number, invalid
from controller.errors import Refused
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.trunks import Transport, Trunk, find_trunk, get_trunk

_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"


@dataclass(frozen=True, slots=True)
class TrunkDraft:
    """A trunk as people write it (see `storage.trunks.Trunk`). `secret` None: as it was."""

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


def delete_trunk(session: Session, id: int, *, acting_user: str, at: datetime) -> None:
    """Scenarios that call outside use the next trunk, or fail. Raises NotFound."""
    trunk = get_trunk(session, id)
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
    if not 1 <= draft.port <= 65535:
        raise invalid("port", "use 1 to 65535")
    if not 1 <= draft.position <= 1000:
        raise invalid("position", "use 1 to 1000")
    if draft.transport not in ("udp", "tcp"):
        raise invalid("transport", "use udp or tcp")
    caller_id = dialled_number(draft.caller_id) if draft.caller_id else ""
    if caller_id is None:
        raise invalid("caller_id", "write 2 to 20 digits, perhaps with a + before them")
    return {
        "name": name,
        "host": _checked_host(draft.host),
        "port": draft.port,
        "transport": draft.transport,
        "username": username,
        "secret": secret,
        "registers": draft.registers,
        "caller_id": caller_id,
        "position": draft.position,
        "enabled": draft.enabled,
    }


def _checked_host(text: str) -> str:
    host = text.strip()
    try:
        return str(ipaddress.ip_address(host))
    except ValueError:
        pass
    # What looks like an address and is none would be asked of a name server in vain.
    named = len(host) <= 253 and re.fullmatch(rf"{_LABEL}(?:\.{_LABEL})*", host) is not None
    if not named or re.fullmatch(r"[0-9.]+", host):
        raise invalid("host", "write a host name or an IP address, such as sip.example.com")
    return host
