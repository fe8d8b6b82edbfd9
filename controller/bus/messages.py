"""What processes tell each other. A notice only says that something changed: who cares reads the database."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeAlias


@dataclass(frozen=True, slots=True)
class ScenarioPublished:
    """A scenario has a new published version, or was removed."""

    scenario_id: int


@dataclass(frozen=True, slots=True)
class CallsChanged:
    """Live calls began, moved or ended."""


@dataclass(frozen=True, slots=True)
class DirectoryChanged:
    """Operators, groups or numbers changed."""


@dataclass(frozen=True, slots=True)
class PromptsChanged:
    """The installation's own prompts changed."""


@dataclass(frozen=True, slots=True)
class OperatorsChanged:
    """Operators are in other states than before."""


@dataclass(frozen=True, slots=True)
class CallbacksChanged:
    """Somebody is to be called back, or is no more."""


@dataclass(frozen=True, slots=True)
class MissedCallsChanged:
    """A call was missed, or one that was has another owner or state."""


@dataclass(frozen=True, slots=True)
class OperatorChanged:
    """An operator is in another state.

    The state goes along, so that one that was over at once is not missed.
    """

    extension: str
    state: str


@dataclass(frozen=True, slots=True)
class WrapUpEnded:
    """An operator needs no more time after his last conversation. Only a live engine cares; nothing of it is stored."""

    extension: str


Message: TypeAlias = (
    ScenarioPublished
    | CallsChanged
    | DirectoryChanged
    | PromptsChanged
    | CallbacksChanged
    | MissedCallsChanged
    | OperatorChanged
    | OperatorsChanged
    | WrapUpEnded
)
