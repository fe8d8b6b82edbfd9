"""The PJSIP objects that make one phone's account."""

from __future__ import annotations

import hashlib

from controller.telephony.port import SipAccount

RTP_SILENCE = 30
"""Seconds without media after which a phone in a conversation is taken for dead."""

RTP_SILENCE_ON_HOLD = 300

QUALIFY = "20"
"""Seconds between two questions whether a phone is there; they also keep its way through NAT open."""

REALM = "asterisk"
"""What Asterisk's challenge names; part of the stored digest."""

Fields = dict[str, str]

_LAYOUT = 2
"""To be raised whenever the fields below change, so that stored accounts are made anew."""


def objects(account: SipAccount) -> list[tuple[str, Fields]]:
    """(object type, its fields), in the order they must be made; they are removed in the opposite one."""
    name = account.name
    digest = hashlib.md5(f"{name}:{REALM}:{account.secret}".encode(), usedforsecurity=False).hexdigest()
    return [
        ("auth", {"auth_type": "digest", "username": name, "realm": REALM, "password_digest": f"MD5:{digest}"}),
        (REGISTRATIONS, _registrations(account)),
        ("endpoint", {**_endpoint(account), **mark(account)}),
    ]


def mark(account: SipAccount) -> Fields:
    """The field of the endpoint that tells which version of the account it is; the endpoint is made last, so where it bears
    this mark all of the account is as it should be.
    """
    version = hashlib.sha256(repr((_LAYOUT, account)).encode()).hexdigest()[:16]
    return {"accountcode": version}


REGISTRATIONS = "aor"
"""The object that holds where the phone is."""

KINDS = ("auth", REGISTRATIONS, "endpoint")


def _registrations(account: SipAccount) -> Fields:
    """Written as Asterisk lists them ("true", not "yes"), so that they can be compared."""
    return {"max_contacts": "1", "remove_existing": "true", "qualify_frequency": QUALIFY if account.remote else "0"}


def _endpoint(account: SipAccount) -> Fields:
    name = account.name
    return {
        "aors": name,
        "auth": name,
        "context": account.context,
        "callerid": f'"{_plain(account.caller_name)}" <{name}>',
        # Alone: with disallow beside it the stored endpoint has no codec left and can't be read back.
        "allow": "ulaw,alaw",
        # In Asterisk's own mode: in ARI's a REFER can crash 22.10.1 (asterisk #2021).
        "allow_transfer": "yes",
        "direct_media": "no",
        "rtp_symmetric": "yes",
        "force_rport": "yes",
        "rewrite_contact": "yes" if account.remote else "no",
        "dtmf_mode": "auto_info",
        "identify_by": "username,auth_username",
        "rtp_timeout": str(RTP_SILENCE),
        "rtp_timeout_hold": str(RTP_SILENCE_ON_HOLD),
    }


def _plain(text: str) -> str:
    """A display name without what would end its quotes or its line."""
    return "".join(letter for letter in text if letter.isprintable() and letter not in '"<>\\')
