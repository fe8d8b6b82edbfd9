"""Whose messages a browser may send to Asterisk."""

from __future__ import annotations

import pytest

from web.sip_messages import is_spoken_by


def message(
    first: str = "INVITE sip:2002@browser SIP/2.0", sender: str = "From: <sip:2001@browser>;tag=1", body: str = "", *more: str
) -> str:
    lines = [first, "Via: SIP/2.0/WS x.invalid;branch=z9hG4bK1", sender, "To: <sip:2002@browser>", *more]
    return "\r\n".join([*lines, f"Content-Length: {len(body.encode())}", "", body])


@pytest.mark.parametrize(
    "sender",
    [
        "From: <sip:2001@browser>;tag=1",
        "from:<sip:2001@127.0.0.1:4321;transport=ws>",
        'From: "Anna, Ё" <sip:2001@browser>;tag=a.b-c',
        "f: Anna <sip:2001@browser>",
        "From : <sip:2001@browser>;tag=1",
    ],
)
def test_a_request_of_ones_own_passes(sender: str) -> None:
    assert is_spoken_by(message(sender=sender, body="v=0 Ё\r\n"), "2001")


def test_a_response_passes_whoever_asked() -> None:
    assert is_spoken_by(message("SIP/2.0 180 Ringing", "From: <sip:74951112233@pbx>;tag=9"), "2001")


@pytest.mark.parametrize(
    "sender",
    [
        "From: <sip:2002@browser>;tag=1",
        "From: <sip:74951112233@browser>;tag=1",
        "From: <sip:browser>;tag=1",
        "From: sip:2001@browser;tag=1",
        'From: "<sip:2001@browser>" <sip:2002@browser>;tag=1',
        'From: "a\\" <sip:2001@browser>" <sip:2002@browser>;tag=1',
        "From: <sip:2001@browser>, <sip:2002@browser>",
        "From: <sips:2001@browser>;tag=1",
        "From: <sip:2001:2002@browser>;tag=1",
        "From: <sip:%32001@browser>;tag=1",
        "From: <sip:2002@browser>\r\n ;x=<sip:2001@browser>",
        "From: <sip:2001@browser>\r\nf: <sip:2002@browser>",
        "From: <sip:2001@browser>\nFrom: <sip:2002@browser>",
        "From: <sip:2001@browser>\rFrom: <sip:2002@browser>",
        "Subject: nobody",
    ],
)
def test_a_request_of_somebody_else_or_of_nobody_sure_is_refused(sender: str) -> None:
    assert not is_spoken_by(message(sender=sender), "2001")


@pytest.mark.parametrize(
    "text",
    [
        "",
        "\r\n\r\n",
        "hello",
        message() + message(sender="From: <sip:2002@browser>;tag=1"),
        "\r\n" + message(),
        message().replace("Content-Length: 0\r\n", ""),
        message().replace("Content-Length: 0", "Content-Length: 0\r\nl: 500"),
        message(body="12345").replace("Content-Length: 5", "Content-Length: 4"),
        message().replace("Content-Length: 0", "Content-Length: -1"),
        message("INVITE sip:2002@browser"),
        message("SIP/2.0 Ringing"),
        message().replace("Via:", "Via"),
        message().replace("To:", "T\0o:"),
    ],
)
def test_what_is_not_exactly_one_message_is_refused(text: str) -> None:
    assert not is_spoken_by(text, "2001")
