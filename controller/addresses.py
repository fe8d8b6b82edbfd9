"""E-mail addresses, hosts, SIP addresses and phone numbers: what is one, and in which form it is kept and compared."""

from __future__ import annotations

import ipaddress
import re
from dataclasses import dataclass

import phonenumbers
from phonenumbers import timezone

_LONGEST_EMAIL = 254
_LOCAL_PART = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+(?:\.[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+)*"
_LABEL = r"[A-Za-z0-9](?:[A-Za-z0-9-]{0,61}[A-Za-z0-9])?"
_EMAIL = re.compile(rf"({_LOCAL_PART})@({_LABEL}(?:\.{_LABEL})*)")
_SEPARATORS = re.compile(r"[\s().\-/\u00a0\u2010-\u2015]+")
_LONGEST_INTERNAL = 6
_LONGEST_HOST = 253
_SIP = re.compile(r"sip:([A-Za-z0-9._+-]{1,64})@(?:\[([0-9A-Fa-f:.]+)\]|([A-Za-z0-9.-]+))(?::([0-9]{1,5}))?", re.IGNORECASE)
_SIP_PORT = 5060


@dataclass(frozen=True, slots=True)
class SipAddress:
    """Whom to call, and where; `host` in small letters, an IPv6 address without brackets."""

    user: str
    host: str
    port: int = _SIP_PORT

    def __str__(self) -> str:
        """As people write it; the usual port is left out."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"sip:{self.user}@{host}" + (f":{self.port}" if self.port != _SIP_PORT else "")


def email_address(text: str) -> str:
    """One plain e-mail address (RFC 5321, without quoted local parts); a domain in another script becomes its ASCII form.

    Raises ValueError for anything else; line breaks and further addresses can't get through.
    """
    local, at, domain = text.strip().rpartition("@")
    try:
        plain = f"{local}{at}{domain.encode('idna').decode()}"
    except UnicodeError:
        plain = ""
    if len(plain) > _LONGEST_EMAIL or len(local) > 64 or _EMAIL.fullmatch(plain) is None:
        raise ValueError('write one address, for example "office@example.com"')
    return plain


def network_host(text: str) -> str | None:
    """A host name or an IP address, in its usual form; None for what is none."""
    try:
        return str(ipaddress.ip_address(text))
    except ValueError:
        pass
    # What looks like an address and is none would be asked of a name server in vain.
    named = len(text) <= _LONGEST_HOST and re.fullmatch(rf"{_LABEL}(?:\.{_LABEL})*", text) is not None
    return text if named and not re.fullmatch(r"[0-9.]+", text) else None


def sip_address(text: str) -> SipAddress | None:
    """A plain SIP address, "sip:user@host" or "sip:user@host:port", whose parts may stand in a dial string. None for what is
    none, also for other schemes, passwords, parameters, headers and escaped characters.
    """
    found = _SIP.fullmatch(text)
    if found is None:
        return None
    user, in_brackets, plain, port = found.groups()
    host, number = network_host(in_brackets or plain), int(port or _SIP_PORT)
    if host is None or (in_brackets is not None and ":" not in host) or not 1 <= number <= 65535:
        return None
    return SipAddress(user, host.lower(), number)


def phone_number(text: str, region: str | None) -> str | None:
    """The number as it is kept and compared: E.164 ("+74951112233"), or the digits of a short internal number ("2001").

    `region` is the country (ISO 3166, "RU") whose numbers may be written without their country code; without one, digits that
    make an international number are taken as one. None for what is no number: empty, withheld, a name.
    """
    written = _SEPARATORS.sub("", text)
    if not re.fullmatch(r"\+?[0-9]{1,20}", written):
        return None
    if len(written) <= _LONGEST_INTERNAL and not written.startswith("+"):
        return written
    tries = [(written, region), (f"+{written.removeprefix('+')}", None)]
    for number, country in tries if region is not None or written.startswith("+") else tries[1:]:
        try:
            parsed = phonenumbers.parse(number, country)
        except phonenumbers.NumberParseException:
            continue
        if phonenumbers.is_possible_number(parsed):
            return phonenumbers.format_number(parsed, phonenumbers.PhoneNumberFormat.E164)
    return None


def zone_of_number(number: str) -> str | None:
    """The IANA name of the time zone that a number lies in, by its code (PRJ-26); `number` is as `phone_number` gives it.

    None where it may lie in one of several (mobile and toll-free numbers of large countries), or nobody knows where.
    """
    if not number.startswith("+"):
        return None
    zones = timezone.time_zones_for_number(phonenumbers.parse(number))
    return zones[0] if len(zones) == 1 and zones[0] != timezone.UNKNOWN_TIMEZONE else None


def known_region(region: str) -> bool:
    """Whether it is a country with phone numbers of its own."""
    return region in phonenumbers.SUPPORTED_REGIONS
