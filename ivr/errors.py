"""Errors of the scenario model.

ScenarioError
└── InvalidDocument   not a scenario at all; says where it is wrong
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class ScenarioError(Exception):
    """Something is wrong with a scenario."""


@dataclass(frozen=True, slots=True)
class DocumentProblem:
    """One thing wrong with a document. `where` is a dotted path such as "nodes.menu.operation.wait_seconds"."""

    where: str
    message: str


class InvalidDocument(ScenarioError):
    """The document is no scenario."""

    def __init__(self, problems: Sequence[DocumentProblem]) -> None:
        first = problems[0]
        more = f" (and {len(problems) - 1} more)" if len(problems) > 1 else ""
        super().__init__(f"{first.where or 'document'}: {first.message}{more}")
        self.problems = tuple(problems)
