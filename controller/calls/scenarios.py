"""The scenarios of calls that nobody has drawn: operators' calls among themselves, and those that they ask for."""

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
