"""Whose SIP a browser sends: the door of `/desk/telephone` lets an operator speak as himself alone.

To Asterisk all that passes there comes from the controller's own address, where it knows carriers by theirs. So a message is let
through only if it can be read in one way: one message, one sender, and that is the operator.
"""

from __future__ import annotations

import re
from typing import Final

_LINE: Final = re.compile(r"([A-Za-z0-9.!%*_+`'~-]+)[ \t]*:[ \t]*([^\x00-\x08\x0a-\x1f\x7f]*)")
_ANSWER: Final = re.compile(r"SIP/2\.0 [1-6][0-9][0-9] [^\r\n]*")
_REQUEST: Final = re.compile(r"[A-Z]{2,20} [^\s]+ SIP/2\.0")
_SENDER: Final = re.compile(r'(?:"[^"\\<>]*"|[^"\\<>]*)[ \t]*<sip:([^@<>\s;:]+)@[^@<>\s]+>(?:;[^<>\s]*)?')
_SHORT: Final = {"f": "from", "l": "content-length"}


def is_spoken_by(message: str, extension: str) -> bool:
    """Whether this is exactly one SIP message, and a response or a request of this extension."""
    head, end, body = message.partition("\r\n\r\n")
    first, *lines = head.split("\r\n")
    headers: dict[str, list[str]] = {}
    for line in lines:
        read = _LINE.fullmatch(line)
        if read is None:
            return False
        name = read[1].lower()
        headers.setdefault(_SHORT.get(name, name), []).append(read[2].strip())
    # Over a connection Asterisk would take what follows the announced length for another message.
    if not end or headers.get("content-length") != [str(len(body.encode()))]:
        return False
    if _ANSWER.fullmatch(first):
        return True
    senders = headers.get("from", [])
    sender = _SENDER.fullmatch(senders[0]) if len(senders) == 1 else None
    return _REQUEST.fullmatch(first) is not None and sender is not None and sender[1] == extension
