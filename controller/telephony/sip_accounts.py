"""The PJSIP objects that make one phone's account."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from controller.ids import BROWSER_DOMAIN
from controller.telephony.port import SipAccount

RTP_SILENCE = 30
"""Seconds without media after which a phone in a conversation is taken for dead."""

RTP_SILENCE_ON_HOLD = 300

QUALIFY = "20"
"""Seconds between two questions whether a phone is there; they also keep its way through NAT open."""

REALM = "asterisk"
"""What Asterisk's challenge names; part of the stored digest."""

Fields = dict[str, str]

_LAYOUT = 3
"""To be raised whenever the fields below change, so that stored accounts are made anew."""


@dataclass(frozen=True, slots=True)
class SipObject:
    """One of the objects of an account, as Asterisk stores it."""

    kind: str
    name: str
    fields: Fields


def objects(account: SipAccount) -> list[SipObject]:
    """In the order they must be made."""
    name = account.name
    digest = hashlib.md5(f"{name}:{REALM}:{account.secret}".encode(), usedforsecurity=False).hexdigest()
    return [
        SipObject("auth", name, {"auth_type": "digest", "username": name, "realm": REALM, "password_digest": f"MD5:{digest}"}),
        SipObject(REGISTRATIONS, _place(account), _registrations(account)),
        SipObject("endpoint", name, {**_endpoint(account), **mark(account)}),
    ]


def leftovers(name: str) -> list[tuple[str, str]]:
    """(kind, name) of all that an account of this name may have, as phone or in a browser, in the order it is removed."""
    return [("endpoint", name), (REGISTRATIONS, name), (REGISTRATIONS, _in_browser(name)), ("auth", name)]


def mark(account: SipAccount) -> Fields:
    """The field of the endpoint that tells which version of the account it is; the endpoint is made last, so where it bears
    this mark all of the account is as it should be.
    """
    version = hashlib.sha256(repr((_LAYOUT, account)).encode()).hexdigest()[:16]
    return {"accountcode": version}


REGISTRATIONS = "aor"
"""The object that holds where the phone is."""


def _place(account: SipAccount) -> str:
    """Where its registrations are kept. A browser's have a place of their own, so that no call goes to a phone that registered
    before and can't take it.
    """
    return _in_browser(account.name) if account.browser else account.name


def _in_browser(name: str) -> str:
    """Asterisk takes a REGISTER for name@domain to the place of that name."""
    return f"{name}@{BROWSER_DOMAIN}"


def _registrations(account: SipAccount) -> Fields:
    """Written as Asterisk lists them ("true", not "yes"), so that they can be compared."""
    return {"max_contacts": "1", "remove_existing": "true", "qualify_frequency": QUALIFY if account.remote else "0"}


def _endpoint(account: SipAccount) -> Fields:
    name = account.name
    return {
        "aors": _place(account),
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
        # A browser names no address that could be reached: its own socket is where it is called.
        "rewrite_contact": _yes(account.remote or account.browser),
        "dtmf_mode": "rfc4733" if account.browser else "auto_info",
        "identify_by": "username,auth_username",
        "rtp_timeout": str(RTP_SILENCE),
        "rtp_timeout_hold": str(RTP_SILENCE_ON_HOLD),
        "media_address": account.media_address or "",
        "webrtc": _yes(account.browser),
        "dtls_auto_generate_cert": _yes(account.browser),
        # What `webrtc` implies, named because it would stay of itself: fields are laid over those that are stored.
        "media_encryption": "dtls" if account.browser else "no",
        **{name: _yes(account.browser) for name in _WEBRTC},
    }


_WEBRTC = ("use_avpf", "ice_support", "rtcp_mux", "media_use_received_transport", "bundle")


def _yes(switch: bool) -> str:
    return "yes" if switch else "no"


def _plain(text: str) -> str:
    """A display name without what would end its quotes or its line."""
    return "".join(letter for letter in text if letter.isprintable() and letter not in '"<>\\')
