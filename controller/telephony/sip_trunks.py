"""The PJSIP objects that make a trunk: where its carrier is, who we are for it, and that its calls are taken."""

from __future__ import annotations

import hashlib

from controller.telephony.port import SipTrunk

Fields = dict[str, str]

KINDS = ("auth", "aor", "endpoint", "identify", "registration")
"""In the order they are made; not every trunk has them all. They are removed in the opposite order."""

QUALIFY, QUALIFY_TIMEOUT = "10", "3"
"""Seconds between two questions whether the carrier is there, and until it has answered: a dead one is not dialled."""

RETRY = "30"
"""Seconds until a registration that failed is tried again, for whatever reason: somebody may be mending it there."""

RTP_SILENCE, RTP_SILENCE_ON_HOLD = "120", "1800"
"""Seconds without a packet until a call is taken for dead."""

CONTEXT = "from-trunk"

_LAYOUT = 2
"""To be raised whenever the fields below change, so that stored trunks are made anew."""


def objects(trunk: SipTrunk) -> list[tuple[str, Fields]]:
    """(object type, its fields), in the order they must be made."""
    made = [("aor", _place(trunk)), ("endpoint", {**_endpoint(trunk), **mark(trunk)})]
    if trunk.username:
        # In clear: the carrier's realm, which a digest would need, is not known before it asks.
        login = {"auth_type": "digest", "username": trunk.username, "password": trunk.secret}
        made.insert(0, ("auth", login))
    if trunk.inbound:
        made.append(("identify", {"endpoint": trunk.name, "match": trunk.host}))
    if trunk.registers:
        made.append(("registration", _registration(trunk)))
    return made


def mark(trunk: SipTrunk) -> Fields:
    """The field of the endpoint that tells which version of the trunk it is."""
    return {"accountcode": hashlib.sha256(repr((_LAYOUT, trunk)).encode()).hexdigest()[:16]}


def _place(trunk: SipTrunk) -> Fields:
    asked = {"qualify_frequency": QUALIFY, "qualify_timeout": QUALIFY_TIMEOUT}
    return {"contact": _uri(trunk), **_way(trunk), **asked}


def _endpoint(trunk: SipTrunk) -> Fields:
    return {
        "aors": trunk.name,
        # No from_user: it would be shown in place of what each call says.
        **({"outbound_auth": trunk.name, "from_domain": _domain(trunk)} if trunk.username else {}),
        **_way(trunk),
        "transport": f"transport-{trunk.transport}",
        "context": CONTEXT,
        # Alone: see sip_accounts.
        "allow": "ulaw,alaw",
        "allow_transfer": "no",
        "direct_media": "no",
        "rtp_symmetric": "yes",
        "force_rport": "yes",
        "dtmf_mode": "auto_info",
        # Only by address: nobody can become the carrier by naming it in From.
        "identify_by": "ip",
        "rtp_timeout": RTP_SILENCE,
        "rtp_timeout_hold": RTP_SILENCE_ON_HOLD,
    }


def _registration(trunk: SipTrunk) -> Fields:
    return {
        "server_uri": _uri(trunk),
        "client_uri": _uri(trunk, trunk.username),
        "contact_user": trunk.shown,
        **_way(trunk),
        "outbound_auth": trunk.name,
        "transport": f"transport-{trunk.transport}",
        "auth_rejection_permanent": "no",
        "retry_interval": RETRY,
        "forbidden_retry_interval": RETRY,
        "fatal_retry_interval": RETRY,
        "max_retries": "1000000",
    }


def _domain(trunk: SipTrunk) -> str:
    return trunk.domain or trunk.host


def _way(trunk: SipTrunk) -> Fields:
    """A domain is not where its server is: requests name the one and are sent to the other."""
    return {} if _domain(trunk) == trunk.host else {"outbound_proxy": f"{_address(trunk, trunk.host)};lr"}


def _uri(trunk: SipTrunk, user: str = "") -> str:
    return _address(trunk, _domain(trunk), user)


def _address(trunk: SipTrunk, host: str, user: str = "") -> str:
    named = f"[{host}]" if ":" in host else host
    port = f":{trunk.port}" if host == trunk.host else ""
    transport = ";transport=tcp" if trunk.transport == "tcp" else ""
    return f"sip:{user}{'@' if user else ''}{named}{port}{transport}"
