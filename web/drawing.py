"""Draws a scenario as cards and links, with the path of one call over it. Pure: numbers in, numbers out; the template
`_graph.html` turns them into SVG.

The layout library aborts the whole process on a graph with a self-loop and names vertices ambiguously in a graph of several
parts. It therefore never sees the scenario: it gets a directed graph without cycles, hung on one root.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

import fast_sugiyama

from ivr.events import KEYS
from ivr.graph import Node, NodeId, Scenario
from web.words import exit_words, operation_words

MAX_NODES = 250
MAX_LINKS = 700
"""A larger scenario is not drawn: it would take seconds, and nobody could read it."""

CARD_WIDTH = 236.0
CARD_HEIGHT = 62.0
_GAP_X = 48.0
_GAP_Y = 92.0
_MARGIN = 24.0
_TOP = 62.0
_DUMMY_SIZE = 0.55
_PILL_HEIGHT = 20.0
_ENDING_HEIGHT = 44.0
_ENDING_WIDTH = 112.0
_ROOT = 0


@dataclass(frozen=True, slots=True)
class Visit:
    """One node of a call's path, in order; `exit` None: the call ended there, or is there now. `scenario` is the inserted one
    that the node belongs to, if any.
    """

    node: str
    exit: str | None
    scenario: str | None = None


@dataclass(frozen=True, slots=True)
class Card:
    """A node; `visits` are the numbers of the visits, from 1."""

    node: str
    operation: str
    title: str
    subtitle: str
    x: float
    y: float
    visits: tuple[int, ...] = ()
    is_last: bool = False


@dataclass(frozen=True, slots=True)
class Pill:
    """The name of an exit, written on its link; x and y are its centre."""

    text: str
    x: float
    y: float
    width: float
    followed: bool


@dataclass(frozen=True, slots=True)
class Link:
    """A link with an arrow at its end; `path` is SVG path data."""

    path: str
    followed: bool
    pills: tuple[Pill, ...]


@dataclass(frozen=True, slots=True)
class Ending:
    """The mark where the call ended: a stub under the last card."""

    x: float
    y: float
    exit: str | None


@dataclass(frozen=True, slots=True)
class Drawing:
    """The whole picture; `start` is where the caller comes in."""

    width: float
    height: float
    cards: tuple[Card, ...]
    links: tuple[Link, ...]
    start: tuple[float, float] | None
    ending: Ending | None


_Point = tuple[float, float]
_Visits = Sequence[tuple[int, Visit]]
"""Visits with their numbers in the whole path."""


@dataclass(slots=True)
class _Edge:
    """All links from one node to another; `via` are the points between them, `back` when it leads up."""

    source: NodeId
    target: NodeId
    exits: list[str]
    back: bool = False
    via: list[_Point] = field(default_factory=list)
    leave_x: float = 0.0
    arrive_x: float = 0.0


def draw(scenario: Scenario, path: Sequence[Visit] = (), live: bool = False, name: str | None = None) -> Drawing | None:
    """The picture of `scenario` with a call's path, as far as it leads through it; `name` is that of an inserted scenario.

    None when it is too large to be drawn.
    """
    edges = _edges(scenario)
    visits = [(number, visit) for number, visit in enumerate(path, start=1) if visit.scenario == name]
    if len(scenario.nodes) > MAX_NODES or len(edges) > MAX_LINKS:
        return None
    places = _layout(scenario, edges)
    _assign_ports(edges, places)
    ending = _ending(scenario, places, visits, live)
    links = _links(edges, places, visits, ending)
    start = places.get(scenario.start)
    right = [x + CARD_WIDTH / 2 for x, _ in places.values()]
    right += [pill.x + pill.width / 2 for link in links for pill in link.pills]
    return Drawing(
        width=max(right) + _MARGIN,
        height=max(y for _, y in places.values()) + CARD_HEIGHT + (_ENDING_HEIGHT if ending else 0) + _MARGIN,
        cards=tuple(_card(name, node, places[name], visits) for name, node in scenario.nodes.items()),
        links=tuple(sorted(links, key=lambda link: link.followed)),
        start=start,
        ending=ending,
    )


def _edges(scenario: Scenario) -> list[_Edge]:
    found: dict[tuple[NodeId, NodeId], _Edge] = {}
    for name, node in scenario.nodes.items():
        for exit, target in node.links.items():
            if target in scenario.nodes:
                found.setdefault((name, target), _Edge(name, target, [])).exits.append(exit)
    return list(found.values())


def _layout(scenario: Scenario, edges: Sequence[_Edge]) -> dict[NodeId, _Point]:
    """Where each card's top centre goes; fills in `back` and `via` of each edge."""
    _mark_back_edges(scenario, edges)
    numbers = {name: number for number, name in enumerate(scenario.nodes, start=1)}
    downward = {_downward(edge, numbers) for edge in edges if edge.source != edge.target}
    targets = {target for _, target in downward}
    roots = {(_ROOT, number) for number in numbers.values() if number not in targets or number == numbers.get(scenario.start)}
    layout = fast_sugiyama.from_edges(sorted(downward | roots), vertex_spacing=1.0, dummy_size=_DUMMY_SIZE)[0]
    positions, _, _, segments = layout
    assert segments is not None
    left, top = min(x for _, (x, _) in positions), max(y for _, (_, y) in positions)
    point = {
        vertex: (
            _MARGIN + CARD_WIDTH / 2 + (x - left) * (CARD_WIDTH + _GAP_X),
            _TOP + (top - y - 1) * (CARD_HEIGHT + _GAP_Y),
        )
        for vertex, (x, y) in positions
    }
    shift = min(point[number][0] for number in numbers.values()) - _MARGIN - CARD_WIDTH / 2
    point = {vertex: (x - max(shift, 0.0), y) for vertex, (x, y) in point.items()}
    chains = _chains(segments, len(numbers))
    for edge in edges:
        if edge.source != edge.target:
            chain = [point[vertex] for vertex in chains.get(_downward(edge, numbers), [])]
            edge.via = chain[::-1] if edge.back else chain
    return {name: point[number] for name, number in numbers.items()}


def _downward(edge: _Edge, numbers: dict[NodeId, int]) -> tuple[int, int]:
    pair = numbers[edge.source], numbers[edge.target]
    return pair[::-1] if edge.back else pair


def _mark_back_edges(scenario: Scenario, edges: Sequence[_Edge]) -> None:
    """A link to a node that is still being explored, seen from the start, leads back up."""
    leaving: defaultdict[NodeId, list[_Edge]] = defaultdict(list)
    for edge in edges:
        leaving[edge.source].append(edge)
    done: set[NodeId] = set()
    for first in (scenario.start, *scenario.nodes):
        if first in done or first not in scenario.nodes:
            continue
        exploring = {first: iter(leaving[first])}
        while exploring:
            name, rest = next(reversed(exploring.items()))
            link = next(rest, None)
            if link is None:
                done.add(name)
                del exploring[name]
            elif link.target in exploring:
                link.back = True
            elif link.target not in done:
                exploring[link.target] = iter(leaving[link.target])


def _chains(segments: Iterable[tuple[int | str, int | str]], last_node: int) -> dict[tuple[int, int], list[int]]:
    """The helper vertices that the layout put on each long edge, by its two ends."""
    pairs = [(int(source), int(target)) for source, target in segments]
    following = {source: target for source, target in pairs if source > last_node}
    chains: dict[tuple[int, int], list[int]] = {}
    for source, target in pairs:
        if source > last_node or target <= last_node:
            continue
        chain = [target]
        while (after := following[chain[-1]]) > last_node:
            chain.append(after)
        chains[source, after] = chain
    return chains


def _assign_ports(edges: Sequence[_Edge], places: dict[NodeId, _Point]) -> None:
    """Spread the ends of links along the card's sides, in the order of where they go."""
    ends: defaultdict[tuple[NodeId, str], list[tuple[float, bool, _Edge]]] = defaultdict(list)
    for edge in edges:
        if edge.source == edge.target:
            continue
        towards = edge.via[0] if edge.via else places[edge.target]
        coming = edge.via[-1] if edge.via else places[edge.source]
        ends[edge.source, "top" if edge.back else "bottom"].append((towards[0], True, edge))
        ends[edge.target, "bottom" if edge.back else "top"].append((coming[0], False, edge))
    for (name, _), group in ends.items():
        step = min(34.0, (CARD_WIDTH - 40) / len(group))
        for place, (_, leaves, edge) in enumerate(sorted(group, key=lambda end: end[0])):
            x = places[name][0] + (place - (len(group) - 1) / 2) * step
            if leaves:
                edge.leave_x = x
            else:
                edge.arrive_x = x


def _links(edges: Sequence[_Edge], places: dict[NodeId, _Point], visits: _Visits, ending: Ending | None) -> list[Link]:
    followed = {(visit.node, visit.exit) for _, visit in visits}
    taken = [_Box(x - CARD_WIDTH / 2, y, CARD_WIDTH, CARD_HEIGHT) for x, y in places.values()]
    if ending:
        taken.append(_Box(ending.x - 8, ending.y, _ENDING_WIDTH, _ENDING_HEIGHT))
    links = []
    for edge in sorted(edges, key=lambda edge: edge.source != edge.target):
        if edge.source == edge.target:
            path, spots = _loop(places[edge.source], _pills_size(edge.exits)[0])
        else:
            path, spots = _curve(edge, places)
        pills = _pills(edge, spots, taken, followed)
        links.append(Link(path, any(pill.followed for pill in pills), pills))
    return links


def _loop(place: _Point, pills_width: float) -> tuple[str, list[_Point]]:
    """A link from a card to itself, out of its right side and back; its pills stand beside it, or above it or below."""
    right, top = place[0] + CARD_WIDTH / 2, place[1]
    out, back, far = top + CARD_HEIGHT - 14, top + 15, right + 42
    path = f"M{right:.1f} {out:.1f} C{far:.1f} {out:.1f} {far:.1f} {back:.1f} {right + 5:.1f} {back:.1f}"
    beside = (right + 38 + pills_width / 2, top + CARD_HEIGHT / 2)
    return path, [beside, (right + 30, top - 28), (right + 30, top + CARD_HEIGHT + 28)]


def _curve(edge: _Edge, places: dict[NodeId, _Point]) -> tuple[str, list[_Point]]:
    """Path data, and the spots where the exits' names may stand, best first."""
    source_y, target_y = places[edge.source][1], places[edge.target][1]
    if edge.back:
        stops = [(edge.leave_x, source_y, source_y)]
        stops += [(x + 9, y + CARD_HEIGHT, y) for x, y in edge.via]
        stops += [(edge.arrive_x, target_y + CARD_HEIGHT + 5, target_y)]
    else:
        stops = [(edge.leave_x, source_y, source_y + CARD_HEIGHT)]
        stops += [(x, y, y + CARD_HEIGHT) for x, y in edge.via]
        stops += [(edge.arrive_x, target_y - 5, target_y)]
    path = [f"M{stops[0][0]:.1f} {stops[0][2]:.1f}"]
    for number, ((x0, _, y0), (x1, y1, out)) in enumerate(pairwise(stops), start=1):
        middle = (y0 + y1) / 2
        path.append(f"C{x0:.1f} {middle:.1f} {x1:.1f} {middle:.1f} {x1:.1f} {y1:.1f}")
        if number < len(stops) - 1:
            path.append(f"L{x1:.1f} {out:.1f}")
    return " ".join(path), _spots(stops)


def _spots(stops: Sequence[tuple[float, float, float]]) -> list[_Point]:
    along = (0.5, 0.6, 0.4, 0.7, 0.3, 0.8)
    return [_bezier((x0, y0), (x1, y1), t) for (x0, _, y0), (x1, y1, _) in pairwise(stops) for t in along]


def _bezier(start: _Point, end: _Point, t: float) -> _Point:
    middle = (start[1] + end[1]) / 2
    a, b, c, d = (1 - t) ** 3, 3 * (1 - t) ** 2 * t, 3 * (1 - t) * t**2, t**3
    return (a + b) * start[0] + (c + d) * end[0], a * start[1] + (b + c) * middle + d * end[1]


@dataclass(frozen=True, slots=True)
class _Box:
    x: float
    y: float
    width: float
    height: float

    def overlaps(self, other: _Box) -> bool:
        apart_x = self.x + self.width <= other.x or other.x + other.width <= self.x
        apart_y = self.y + self.height <= other.y or other.y + other.height <= self.y
        return not (apart_x or apart_y)


def _pills(edge: _Edge, spots: list[_Point], taken: list[_Box], followed: set[tuple[str, str | None]]) -> tuple[Pill, ...]:
    width, height = _pills_size(edge.exits)
    boxes = [_Box(x - width / 2, y - height / 2, width, height) for x, y in spots]
    free = (box for box in boxes if not any(box.overlaps(other) for other in taken))
    box = next(free, boxes[0])
    taken.append(box)
    pills = []
    for number, row in enumerate(_pill_rows(edge.exits)):
        x = box.x + (box.width - sum(map(_pill_width, row))) / 2
        y = box.y + (number + 0.5) * (_PILL_HEIGHT + 2)
        for exit in row:
            pills.append(
                Pill(exit_words(exit), x + _pill_width(exit) / 2, y, _pill_width(exit) - 2, (edge.source, exit) in followed)
            )
            x += _pill_width(exit)
    return tuple(pills)


def _pills_size(exits: Sequence[str]) -> tuple[float, float]:
    rows = _pill_rows(exits)
    return max(sum(map(_pill_width, row)) for row in rows), len(rows) * (_PILL_HEIGHT + 2)


def _pill_rows(exits: Sequence[str]) -> list[list[str]]:
    """Keys share a row; every other exit has its own."""
    keys: list[str] = [exit for exit in exits if exit in KEYS]
    words = [[exit] for exit in exits if exit not in KEYS]
    return [keys, *words] if keys else words


def _pill_width(exit: str) -> float:
    return max(24.0, len(exit) * 6.6 + 18)


def _card(name: NodeId, node: Node, place: _Point, visits: _Visits) -> Card:
    numbers = tuple(number for number, visit in visits if visit.node == name)
    return Card(
        node=name,
        operation=node.operation.type,
        title=node.title or name,
        subtitle=_subtitle(node),
        x=place[0] - CARD_WIDTH / 2,
        y=place[1],
        visits=numbers,
        is_last=bool(visits) and visits[-1][1].exit is None and numbers[-1:] == (visits[-1][0],),
    )


def _subtitle(node: Node) -> str:
    groups, scenarios = node.operation.groups(), node.operation.scenarios()
    if groups or scenarios:
        return f"To group {', '.join(groups)}" if groups else f"Scenario {', '.join(scenarios)}"
    return operation_words(node.operation.type)


def _ending(scenario: Scenario, places: dict[NodeId, _Point], visits: _Visits, live: bool) -> Ending | None:
    if live or not visits or visits[-1][1].node not in scenario.nodes:
        return None
    last = visits[-1][1]
    name = NodeId(last.node)
    if last.exit is not None and scenario.nodes[name].links.get(last.exit) in scenario.nodes:
        return None
    x, y = places[name]
    return Ending(x - CARD_WIDTH / 2 + 26, y + CARD_HEIGHT, last.exit)
