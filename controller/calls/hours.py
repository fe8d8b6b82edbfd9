"""Whether a number is open, and whose clocks decide who is offered its calls (SKZ-28, SKZ-29).

A schedule in the mode "operator" opens a line as soon as it is working time for one of those who could serve it: the operators of
the groups that the scenario names, or of any group where it names none. Then each of its calls is offered only to those for whom
it is working time. What comes while it is that for nobody is off-hours, and is offered to whomever the off-hours scenario names.
"""

from __future__ import annotations

from collections.abc import Collection

from controller.calls.facts import CallTools
from controller.schedules import Schedule, State, WorkingTime
from ivr.graph import ScenarioBundle


def groups_of(bundle: ScenarioBundle) -> frozenset[str]:
    """The groups that a scenario, with those it inserts, may send a caller to."""
    return frozenset(group for node in bundle.nodes() for group in node.operation.groups())


def state_now(schedule: Schedule | None, tools: CallTools, groups: Collection[str]) -> State:
    """How a schedule stands for a line that these groups serve; none is open."""
    if schedule is None:
        return "open"
    rules = tools.distributor.rules
    serving = [rules[name] for name in groups if name in rules] if groups else list(rules.values())
    zones = {operator.zone for rule in serving for operator in rule.operators}
    return WorkingTime(schedule, tools.zone).of_line(zones, tools.clock.now())


def working_time(schedule: Schedule, tools: CallTools) -> WorkingTime | None:
    """What decides who is offered the calls of a line that is open; None: no operator's clock."""
    return WorkingTime(schedule, tools.zone) if schedule.zone_mode == "operator" else None
