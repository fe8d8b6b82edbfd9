"""Is a scenario fit to be published? All findings at once, each on its node and field, so that an editor can show them.

Errors forbid publishing; warnings do not. An exit that is not linked is a warning (UIS-4): it ends the call, or an inserted
scenario. Where scenarios insert each other, `validate` is given those that this one inserts, as they are.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias

from ivr.events import KEYS
from ivr.graph import Node, NodeId, Scenario, ScenarioBundle, inserts
from ivr.interpreter import MAX_DEPTH
from ivr.operations import Menu
from ivr.operations.base import Mention

ProblemKind: TypeAlias = Literal[
    "missing_start",
    "dangling_link",
    "unlinked_exit",
    "unknown_exit",
    "unused_exit",
    "no_key",
    "no_way_back",
    "not_a_number_taker",
    "number_needed",
    "unreachable",
    "endless_loop",
    "insert_cycle",
    "insert_too_deep",
    "missing_prompt",
    "unknown_group",
    "unknown_schedule",
    "unknown_extension",
    "unknown_caller_list",
    "unknown_tag",
    "unknown_language",
    "unknown_scenario",
    "unpublished_scenario",
]


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What exists around a scenario: prompts as (name, language), the rest by name, and the languages a call may have; a prompt
    named without a language must exist in each of them. None: not known here, so whatever is named passes.
    """

    prompts: frozenset[tuple[str, str]]
    groups: frozenset[str]
    languages: frozenset[str]
    schedules: frozenset[str] | None = None
    extensions: frozenset[str] | None = None
    caller_lists: frozenset[str] | None = None
    tags: frozenset[str] | None = None
    scenarios: Mapping[str, Scenario] = field(default_factory=dict)
    """Every other scenario that may be inserted, by name."""
    unpublished: frozenset[str] = frozenset()
    """Scenarios that calls would pass over, because they have only a draft."""


@dataclass(frozen=True, slots=True)
class Problem:
    """One finding. `node` is None when it concerns the whole; `field` is a dotted path within the node ("links.1")."""

    kind: ProblemKind
    node: NodeId | None
    field: str
    message: str
    severity: Literal["error", "warning"] = "error"


def validate(scenario: Scenario, around: Surroundings, name: str | None = None) -> list[Problem]:
    """All problems, in the order of the nodes. With `name`, the one under which the scenario is known or will be, a circle of
    insertions is found also when it leads through this scenario itself.
    """
    scenarios = around.scenarios if name is None else {**around.scenarios, name: scenario}
    bundle = ScenarioBundle(scenario, scenarios)
    of_nodes = (problem for id, node in scenario.nodes.items() for problem in _of_node(id, node, bundle, around))
    of_graph = (*_unreachable(scenario), *_endless_loops(bundle), *_no_way_back(scenario), *_insertions(bundle, name))
    return [*_start(scenario), *of_nodes, *of_graph]


def publishable(problems: list[Problem]) -> bool:
    """True when none of them is an error."""
    return all(problem.severity != "error" for problem in problems)


def unfit_links(scenario: Scenario) -> list[Problem]:
    """Links that are wrong in drafts too: an exit that hands over a number leads to what takes none (UIS-20)."""
    problems = (problem for id, node in scenario.nodes.items() for problem in _links(id, node, scenario))
    return [problem for problem in problems if problem.kind == "not_a_number_taker"]


def _start(scenario: Scenario) -> Iterator[Problem]:
    if scenario.start not in scenario.nodes:
        yield Problem("missing_start", None, "start", f'the first node "{scenario.start}" does not exist')
    elif scenario.nodes[scenario.start].operation.takes_number():
        yield Problem("number_needed", scenario.start, "operation.variant", _NUMBER_NEEDED)


def _of_node(name: NodeId, node: Node, bundle: ScenarioBundle, around: Surroundings) -> Iterator[Problem]:
    yield from _links(name, node, bundle.root)
    yield from _exits(name, node)
    yield from _prompts(name, node, around)
    for mention in node.operation.mentions():
        known = _known(mention, around, bundle)
        if mention.kind == "scenario" and mention.name in around.unpublished - bundle.inserted.keys():
            text = f'the scenario "{mention.name}" has not been published yet: publish it first'
            yield Problem("unpublished_scenario", name, f"operation.{mention.field}", text)
        elif known is not None and mention.name not in known:
            kind, words = _UNKNOWN[mention.kind]
            yield Problem(kind, name, f"operation.{mention.field}", f'there is no {words} "{mention.name}"')


_UNKNOWN: Final[Mapping[str, tuple[ProblemKind, str]]] = {
    "group": ("unknown_group", "operator group"),
    "schedule": ("unknown_schedule", "schedule"),
    "extension": ("unknown_extension", "extension"),
    "caller_list": ("unknown_caller_list", "caller list"),
    "tag": ("unknown_tag", "tag"),
    "language": ("unknown_language", "language"),
    "scenario": ("unknown_scenario", "scenario"),
}


def _known(mention: Mention, around: Surroundings, bundle: ScenarioBundle) -> frozenset[str] | None:
    match mention.kind:
        case "group":
            return around.groups
        case "schedule":
            return around.schedules
        case "extension":
            return around.extensions
        case "caller_list":
            return around.caller_lists
        case "tag":
            return around.tags
        case "language":
            return around.languages
        case "scenario":
            return frozenset(bundle.inserted)


def _prompts(name: NodeId, node: Node, around: Surroundings) -> Iterator[Problem]:
    for prompt in node.operation.prompts():
        wanted = around.languages if prompt.language is None else {prompt.language}
        missing = sorted(language for language in wanted if (prompt.name, language) not in around.prompts)
        if missing:
            text = f'there is no prompt "{prompt.name}" in {", ".join(missing)}: upload it or choose another'
            yield Problem("missing_prompt", name, "operation", text)


_NUMBER_NEEDED: Final = (
    'this variant needs a number that was dialled: link it only from "extension_entry" of a menu or "operator" of a lookup'
)


def _links(name: NodeId, node: Node, scenario: Scenario) -> Iterator[Problem]:
    operation = node.operation
    for exit, target in node.links.items():
        where = f"links.{exit}"
        if exit not in operation.exits():
            yield Problem("unknown_exit", name, where, f'"{operation.type}" has no exit "{exit}"')
        elif exit in operation.unused_exits():
            text = f'no caller can take the exit "{exit}": {operation.unused_exits()[exit]}'
            yield Problem("unused_exit", name, where, text, "warning")
        if target not in scenario.nodes:
            yield Problem("dangling_link", name, where, f'exit "{exit}" leads to "{target}", which does not exist')
            continue
        takes_number = scenario.nodes[target].operation.takes_number()
        if exit in operation.NUMBER_EXITS and not takes_number:
            text = f'exit "{exit}" hands over a number: link it to a "dial_extension" in its variant "in_menu"'
            yield Problem("not_a_number_taker", name, where, text)
        elif takes_number and exit not in operation.NUMBER_EXITS:
            yield Problem("number_needed", name, where, _NUMBER_NEEDED)


def _exits(name: NodeId, node: Node) -> Iterator[Problem]:
    for exit in sorted(node.operation.required_exits() - node.links.keys()):
        text = f'exit "{exit}" leads nowhere: it ends the call, or the scenario if it is an inserted one'
        yield Problem("unlinked_exit", name, f"links.{exit}", text, "warning")
    if isinstance(node.operation, Menu) and not node.links.keys() & {*KEYS, "extension_entry"}:
        yield Problem("no_key", name, "links", "no key leads anywhere: link at least one")


def _unreachable(scenario: Scenario) -> Iterator[Problem]:
    if scenario.start not in scenario.nodes:
        return
    reached = _reachable(scenario, scenario.start)
    for name in scenario.nodes:
        if name not in reached:
            yield Problem("unreachable", name, "", "no caller can come here", "warning")


def _no_way_back(scenario: Scenario) -> Iterator[Problem]:
    """Lower menus that do not use "#", with which callers go back (UIS-32)."""
    steps = _reachable(scenario, scenario.start)
    menus = {name: node.links for name, node in scenario.nodes.items() if name in steps and isinstance(node.operation, Menu)}
    above: dict[NodeId, NodeId] = {}
    for upper, links in menus.items():
        lower = (links[key] for key in KEYS if key in links)
        above |= {target: upper for target in lower if target in menus and steps[target] > steps[upper]}
    for name, upper in above.items():
        if "#" not in menus[name]:
            text = f'a menu below another usually leads back to it: link "#" to "{upper}"'
            yield Problem("no_way_back", name, "links.#", text, "warning")


def _endless_loops(bundle: ScenarioBundle) -> Iterator[Problem]:
    """Nodes that a caller can reach and from which no way ends the call: he could leave only by hanging up."""
    before: defaultdict[NodeId, list[NodeId]] = defaultdict(list)
    for name, node in bundle.root.nodes.items():
        for target in _targets(node):
            before[target].append(name)
    waiting = [name for name, node in bundle.root.nodes.items() if _can_end(node, bundle)]
    leaving: set[NodeId] = set()
    while waiting:
        name = waiting.pop()
        if name not in leaving:
            leaving.add(name)
            waiting.extend(before[name])
    for name in bundle.root.nodes:
        if name not in leaving:
            yield Problem("endless_loop", name, "links", "from here no way leads to an operator or an end of the call")


def _can_end(node: Node, bundle: ScenarioBundle) -> bool:
    operation = node.operation
    inserted = (bundle.inserted[inner] for name in operation.scenarios() for inner in _inserted_by(bundle, name))
    return (
        operation.ENDS_CALL
        or not _targets(node) <= bundle.root.nodes.keys()
        or bool(operation.required_exits() - node.links.keys())
        or any(inner.operation.ENDS_CALL for scenario in inserted for inner in scenario.nodes.values())
    )


def _inserted_by(bundle: ScenarioBundle, name: str) -> set[str]:
    """The scenario and all it inserts, as far as they exist."""
    found: set[str] = set()
    waiting = [name]
    while waiting:
        name = waiting.pop()
        if name not in found and name in bundle.inserted:
            found.add(name)
            waiting.extend(inserts(bundle.inserted[name]))
    return found


def _insertions(bundle: ScenarioBundle, own_name: str | None) -> Iterator[Problem]:
    """Scenarios that insert each other in a circle, or one another too deep (UIS-40)."""
    for id, node in bundle.root.nodes.items():
        for name in node.operation.scenarios():
            circle = _circle(bundle, name, [] if own_name is None else [own_name])
            if circle:
                text = f"scenarios insert each other in a circle: {' > '.join(circle)}"
                yield Problem("insert_cycle", id, "operation.scenario", text)
            elif _too_deep(bundle, name):
                text = f"scenarios insert each other more than {MAX_DEPTH} deep"
                yield Problem("insert_too_deep", id, "operation.scenario", text)


def _circle(bundle: ScenarioBundle, name: str, way: list[str]) -> list[str]:
    """The first circle on the ways that begin with `way` and `name`, closed; empty when there is none."""
    exploring = [iter([name])]
    clear: set[str] = set()
    while exploring:
        inner = next(exploring[-1], None)
        if inner is None:
            exploring.pop()
            if exploring:
                clear.add(way.pop())
        elif inner in way:
            return [*way[way.index(inner) :], inner]
        elif inner in bundle.inserted and inner not in clear:
            way.append(inner)
            exploring.append(iter(inserts(bundle.inserted[inner])))
    return []


def _too_deep(bundle: ScenarioBundle, name: str) -> bool:
    level = {name}
    for _ in range(MAX_DEPTH):
        level = {inner for outer in level if outer in bundle.inserted for inner in inserts(bundle.inserted[outer])}
    return bool(level & bundle.inserted.keys())


def _targets(node: Node) -> set[NodeId]:
    """Where callers can go from a node."""
    unused = node.operation.unused_exits()
    return {target for exit, target in node.links.items() if exit not in unused}


def _reachable(scenario: Scenario, start: NodeId) -> dict[NodeId, int]:
    """Every node that callers can come to, and after how many links at least."""
    reached: dict[NodeId, int] = {}
    level = {start}
    steps = 0
    while level:
        found = {name for name in level if name in scenario.nodes and name not in reached}
        reached |= dict.fromkeys(found, steps)
        level = {target for name in found for target in _targets(scenario.nodes[name])}
        steps += 1
    return reached
