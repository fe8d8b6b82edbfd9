"""Is a scenario fit to be published? All findings at once, each on its node and field, so that an editor can show them.

Errors forbid publishing; warnings do not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal, TypeAlias

from ivr.events import KEYS
from ivr.graph import Node, NodeId, Scenario
from ivr.operations import Menu

ProblemKind: TypeAlias = Literal[
    "missing_start",
    "dangling_link",
    "unlinked_exit",
    "unknown_exit",
    "no_key",
    "unreachable",
    "endless_loop",
    "missing_prompt",
    "unknown_group",
]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What exists around a scenario: prompts as (name, language), operator groups by name, and the languages a call may
    have; a prompt named without a language must exist in each of them.
    """

    prompts: frozenset[tuple[str, str]]
    groups: frozenset[str]
    languages: frozenset[str]


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `node` is None when it concerns the whole; `field` is a dotted path within the node ("links.1")."""

    kind: ProblemKind
    node: NodeId | None
    field: str
    message: str
    severity: Literal["error", "warning"] = "error"


def validate(scenario: Scenario, around: Surroundings) -> list[Problem]:
    """All problems, in the order of the nodes."""
    of_nodes = (problem for name, node in scenario.nodes.items() for problem in _of_node(name, node, scenario, around))
    return [*_start(scenario), *of_nodes, *_unreachable(scenario), *_endless_loops(scenario)]


def publishable(problems: list[Problem]) -> bool:
    """True when none of them is an error."""
    return all(problem.severity != "error" for problem in problems)


def _start(scenario: Scenario) -> Iterator[Problem]:
    if scenario.start not in scenario.nodes:
        yield Problem("missing_start", None, "start", f'the first node "{scenario.start}" does not exist')


def _of_node(name: NodeId, node: Node, scenario: Scenario, around: Surroundings) -> Iterator[Problem]:
    yield from _links(name, node, scenario)
    for prompt in node.operation.prompts():
        wanted = around.languages if prompt.language is None else {prompt.language}
        missing = sorted(language for language in wanted if (prompt.name, language) not in around.prompts)
        if missing:
            text = f'there is no prompt "{prompt.name}" in {", ".join(missing)}: upload it or choose another'
            yield Problem("missing_prompt", name, "operation", text)
    for group in node.operation.groups():
        if group not in around.groups:
            yield Problem("unknown_group", name, "operation.group", f'there is no operator group "{group}"')


def _links(name: NodeId, node: Node, scenario: Scenario) -> Iterator[Problem]:
    for exit, target in node.links.items():
        if not node.operation.allows_exit(exit):
            yield Problem("unknown_exit", name, f"links.{exit}", f'"{node.operation.type}" has no exit "{exit}"')
        if target not in scenario.nodes:
            yield Problem("dangling_link", name, f"links.{exit}", f'exit "{exit}" leads to "{target}", which does not exist')
    for exit in sorted(node.operation.REQUIRED_EXITS - node.links.keys()):
        yield Problem("unlinked_exit", name, f"links.{exit}", f'exit "{exit}" leads nowhere: link it, or callers are cut off')
    if isinstance(node.operation, Menu) and not node.links.keys() & set(KEYS):
        yield Problem("no_key", name, "links", "no key leads anywhere: link at least one")


def _unreachable(scenario: Scenario) -> Iterator[Problem]:
    if scenario.start not in scenario.nodes:
        return
    reached = _reachable(scenario, scenario.start)
    for name in scenario.nodes:
        if name not in reached:
            yield Problem("unreachable", name, "", "no caller can come here", "warning")


def _endless_loops(scenario: Scenario) -> Iterator[Problem]:
    """Nodes that a caller can reach and from which no way ends the call: he could leave only by hanging up."""
    leaving = {name for name, node in scenario.nodes.items() if _can_end(node, scenario)}
    grown = True
    while grown:
        more = {name for name, node in scenario.nodes.items() if name not in leaving and leaving & set(node.links.values())}
        leaving |= more
        grown = bool(more)
    for name in scenario.nodes:
        if name not in leaving:
            yield Problem("endless_loop", name, "links", "from here no way leads to an operator or an end of the call")


def _can_end(node: Node, scenario: Scenario) -> bool:
    if node.operation.ENDS_CALL or any(target not in scenario.nodes for target in node.links.values()):
        return True
    return bool(node.operation.REQUIRED_EXITS - node.links.keys())


def _reachable(scenario: Scenario, start: NodeId) -> set[NodeId]:
    reached: set[NodeId] = set()
    waiting = [start]
    while waiting:
        name = waiting.pop()
        if name in reached or name not in scenario.nodes:
            continue
        reached.add(name)
        waiting.extend(scenario.nodes[name].links.values())
    return reached
