"""The scenarios of calls that nobody has drawn: operators' calls among themselves, those that they ask for, and those that a
campaign does not accept.
"""

from __future__ import annotations

from ivr.graph import Node, NodeId, Scenario
from ivr.operations import DialExtension, HangUp, InfoMessage
from ivr.prompts import PromptRef

_COLLEAGUE, _SORRY, _NOBODY, _GOODBYE = (NodeId(name) for name in ("colleague", "sorry", "nobody", "goodbye"))


def internal_call(caller: str, extension: str) -> Scenario:
    """An operator calls a colleague: he hears it when that one can't be reached, as nobody can by himself."""
    return Scenario(
        start=_SORRY if caller == extension else _COLLEAGUE,
        nodes={
            _COLLEAGUE: Node(operation=DialExtension(extension=extension), links={"failed": _SORRY, "wrong_number": _NOBODY}),
            _SORRY: Node(operation=InfoMessage(message=(PromptRef("sorry-nobody-available"),)), links={"next": _GOODBYE}),
            _NOBODY: Node(operation=InfoMessage(message=(PromptRef("extension-incorrect"),)), links={"next": _GOODBYE}),
            _GOODBYE: Node(operation=HangUp()),
        },
    )


def outgoing_call(extension: str) -> Scenario:
    """Somebody outside whom an operator wanted to speak with has answered: he is on the line."""
    ends = {"failed": _GOODBYE, "wrong_number": _GOODBYE}
    return Scenario(
        start=_COLLEAGUE,
        nodes={
            _COLLEAGUE: Node(operation=DialExtension(extension=extension), links=ends),
            _GOODBYE: Node(operation=HangUp()),
        },
    )


def refused_call(campaign: str) -> Scenario:
    """A campaign does not accept unknown callers: the record tells why, the caller hears nothing of it."""
    unknown = NodeId("unknown_caller")
    return Scenario(
        start=unknown, nodes={unknown: Node(operation=HangUp(cause="rejected"), title=f"Not a lead of the campaign {campaign}")}
    )
