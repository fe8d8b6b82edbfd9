"""What the QR code of a SIP account says."""

from __future__ import annotations

import re
from urllib.parse import unquote
from xml.etree.ElementTree import fromstring

import pytest
import segno

from web.people_models import SipAccountModel
from web.sip_qr import account_document, qr_code

pytestmark = pytest.mark.covers("LNR-8")


def account(**changed: str) -> SipAccountModel:
    return SipAccountModel.model_validate({"host": "192.0.2.1", "port": 5070, "user": "2001", "password": "s3cret", **changed})


def test_the_document_names_server_user_and_password() -> None:
    root = fromstring(account_document(account(), "Анна").encode())
    assert (root.tag, root.attrib, [one.tag for one in root]) == ("AccountConfig", {"version": "1"}, ["Account"])
    assert {one.tag: one.text for one in root[0]} == {
        "RegisterServer": "192.0.2.1:5070",
        "UserID": "2001",
        "AuthID": "2001",
        "AuthPass": "s3cret",
        "AccountName": "Анна",
        "DisplayName": "Анна",
    }


def test_letters_that_mean_something_in_xml_stay_what_they_are() -> None:
    root = fromstring(account_document(account(password="<&>"), "</Account>"))
    assert (root[0].findtext("AuthPass"), root[0].findtext("AccountName")) == ("<&>", "</Account>")


def dots(picture: str) -> set[tuple[int, int]]:
    """The dark ones of the picture, by row and column, without the margin of four. Its lines begin where the one before ended, or
    at the left of the first."""
    lines = re.search(r"stroke='#000' d='M4 4\.5([^']+)'", unquote(picture))
    assert lines is not None
    row = column = 0
    found: set[tuple[int, int]] = set()
    for move, first, second in re.findall(r"([hm])(-?\d+)(?: (-?\d+))?", lines[1]):
        if move == "h":
            found |= {(row, one) for one in range(column, column + int(first))}
        else:
            row += int(second)
        column += int(first)
    return found


def test_the_picture_holds_the_document() -> None:
    document = (
        '<?xml version="1.0" encoding="utf-8"?><AccountConfig version="1"><Account>'
        "<RegisterServer>192.0.2.1:5070</RegisterServer><UserID>2001</UserID><AuthID>2001</AuthID><AuthPass>s3cret</AuthPass><AccountName>Анна</AccountName>"
        "<DisplayName>Анна</DisplayName></Account></AccountConfig>"
    )
    code = segno.make_qr(document, error="m").matrix
    assert dots(qr_code(account(), "Анна")) == {
        (row, one) for row, line in enumerate(code) for one, dark in enumerate(line) if dark
    }


def test_the_longest_names_fit_into_a_code_and_another_account_is_another_picture() -> None:
    pictures = {qr_code(account(user=user, password="p" * 32), "Ж" * 64) for user in ("2001", "2002")}
    assert len(pictures) == 2
    assert all(unquote(picture).startswith("data:image/svg+xml") and "<path" in unquote(picture) for picture in pictures)
