"""A SIP account as a QR code that a program on a mobile phone scans (LNR-8). The only module that knows segno.

Programs agree on no common form. This is that of Grandstream Wave: an XML document, of whose elements those are given that an
account needs; the others keep the program's standard values.
"""

from __future__ import annotations

from typing import Final
from xml.etree.ElementTree import Element, SubElement, tostring

import segno

from web.people_models import SipAccountModel

PIXELS: Final = 4
"""Of a dot."""


def qr_code(account: SipAccountModel, name: str) -> str:
    """The picture as a "data:" address; `name` is what the program shows of the account."""
    return segno.make_qr(account_document(account, name), error="m").svg_data_uri(scale=PIXELS, border=4, light="white")


def account_document(account: SipAccountModel, name: str) -> str:
    """What the code says."""
    root = Element("AccountConfig", version="1")
    values = {
        "RegisterServer": f"{account.host}:{account.port}",
        "UserID": account.user,
        "AuthID": account.user,
        "AuthPass": account.password,
        "AccountName": name,
        "DisplayName": name,
    }
    one = SubElement(root, "Account")
    for element, value in values.items():
        SubElement(one, element).text = value
    return '<?xml version="1.0" encoding="utf-8"?>' + tostring(root, encoding="unicode")
