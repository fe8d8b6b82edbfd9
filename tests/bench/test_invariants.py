"""The bench's invariants on a short history: held as it is, and each broken by what breaks it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from controller.storage.calls import Call, CallDetail, CallLeg, CallStep, RoutingDecision
from tests.bench.invariants import TALKED, Break, Invite, Line, Placed, judge

NINE = datetime(2026, 5, 4, 9, tzinfo=UTC)
ZERO = NINE.timestamp()
ANN, BOB = "2101", "2102"
LINES = {"desk": Line(frozenset({ANN, BOB}), wrap_up=2), "urgent": Line(frozenset({ANN}), priority=5, rings_all=True)}


def at(seconds: float) -> datetime:
    return NINE + timedelta(seconds=seconds)


def leg(call: str, operator: str, begin: float, answered: float | None, end: float) -> CallLeg:
    talks = None if answered is None else at(answered)
    names = {"operator_extension": operator, "operator_name": operator}
    return CallLeg(id=f"{call}-{begin:g}", call_id=call, started_at=at(begin), answered_at=talks, ended_at=at(end), **names)


def call(name: str, group: str, begin: float, end: float, *legs: CallLeg) -> CallDetail:
    """Its caller has hung up."""
    facts = {"caller_name": "", "called_number": "", "line_name": "", "language": "en"}
    row = Call(id=name, caller_number=name, started_at=at(begin), ended_at=at(end), ended_by="caller", outcome="talked", **facts)
    step = CallStep(
        call_id=name, visit=1, node=group, title="", operation="forward_to_group", entered_at=at(begin), left_at=at(end)
    )
    chosen = tuple(
        RoutingDecision(
            call_id=name,
            number=number,
            at=one.started_at,
            rule="strategy",
            target=group,
            strategy="linear",
            rule_version=1,
            offered=[one.operator_extension],
            order=[],
            left_out=[],
        )
        for number, one in enumerate(legs, 1)
    )
    return CallDetail(row, (step,), legs, (), chosen)


class Morning:
    """Four callers: "early" gets ANN, "second" BOB, "later" ANN after her wrap-up and "urgent" ANN when she is free again."""

    def __init__(self) -> None:
        self.stored = {
            "early": call("early", "desk", 0, 10, leg("early", ANN, 0.1, 1, 10)),
            "second": call("second", "desk", 1, 30, leg("second", BOB, 1.1, 2, 30)),
            "later": call("later", "desk", 5, 20, leg("later", ANN, 12.1, 13, 20)),
            "urgent": call("urgent", "urgent", 20, 40, leg("urgent", ANN, 22.1, 23, 40)),
        }
        self.invites = [
            Invite(one.operator_extension, name, ZERO + begin, 0, ZERO + begin + 1, ZERO + begin + 1, ZERO + end)
            for name, begin, end in (("early", 0.1, 10), ("second", 1.1, 30), ("later", 12.1, 20), ("urgent", 22.1, 40))
            for one in self.stored[name].legs
        ]
        self.breaks = [Break(BOB, ZERO + 40, ZERO + 50)]
        self.placed = [Placed(name, "urgent" if name == "urgent" else "desk", TALKED, ZERO + 40) for name in self.stored]

    def has(self, name: str, group: str, begin: float, end: float, *legs: CallLeg) -> None:
        self.stored[name] = call(name, group, begin, end, *legs)

    @property
    def broken(self) -> set[str]:
        verdicts = judge(LINES, self.invites, self.breaks, self.placed, list(self.stored.values()))
        return {verdict.invariant for verdict in verdicts if verdict.failures}


def two_calls_at_once(day: Morning) -> None:
    day.invites[3] = replace(day.invites[3], beside=1)


def lines_that_overlap(day: Morning) -> None:
    day.stored["later"].legs[0].ended_at = at(22.5)


def no_time_to_wrap_up(day: Morning) -> None:
    day.has("later", "desk", 5, 20, leg("later", ANN, 11, 13, 20))


def rung_too_soon(day: Morning) -> None:
    day.invites[2] = replace(day.invites[2], at=ZERO + 11)


def rung_while_undisturbed(day: Morning) -> None:
    day.breaks.append(Break(ANN, ZERO + 12, ZERO + 13))


def passed_over(day: Morning) -> None:
    day.has("patient", "desk", 3, 60)


def urgent_and_passed_over(day: Morning) -> None:
    day.has("starved", "urgent", 6, 60)


def offered_in_another_line(day: Morning) -> None:
    day.stored["second"].decisions[0].target = "urgent"


def two_phones_at_once(day: Morning) -> None:
    rung = (leg("second", BOB, 1.1, 2, 30), leg("second", "2103", 1.2, None, 5))
    day.has("second", "desk", 1, 30, *rung)


def heard_by_two(day: Morning) -> None:
    day.invites[1] = replace(day.invites[1], caller="urgent")


def lost(day: Morning) -> None:
    day.placed[0] = replace(day.placed[0], end="waited for ever")


def never_stored(day: Morning) -> None:
    day.placed.append(Placed("nobody", "desk", TALKED, ZERO + 40))


def rings_on(day: Morning) -> None:
    day.placed[1] = replace(day.placed[1], over_at=ZERO + 20)


def line_without_end(day: Morning) -> None:
    day.stored["urgent"].legs[0].ended_at = None


def test_a_morning_without_a_mishap_holds_every_invariant() -> None:
    assert Morning().broken == set()


@pytest.mark.parametrize(
    ("mishap", "broken"),
    [
        (two_calls_at_once, "one call at a time, as phones saw it"),
        (lines_that_overlap, "one call at a time, on record"),
        (rung_too_soon, "wrap-up respected, as phones saw it"),
        (no_time_to_wrap_up, "wrap-up respected, on record"),
        (rung_while_undisturbed, "do not disturb respected"),
        (passed_over, "first come, first served"),
        (urgent_and_passed_over, "priority respected"),
        (offered_in_another_line, "never in two lines"),
        (two_phones_at_once, "never in two lines"),
        (heard_by_two, "never in two lines"),
        (lost, "nobody lost"),
        (never_stored, "nobody lost"),
        (rings_on, "nobody reserved for a call that is over"),
        (line_without_end, "nobody reserved for a call that is over"),
    ],
)
def test_what_breaks_an_invariant_is_seen(mishap: Callable[[Morning], None], broken: str) -> None:
    day = Morning()
    mishap(day)
    assert broken in day.broken


def test_an_invariant_that_nothing_has_put_to_the_test_does_not_count_as_held() -> None:
    day = Morning()
    day.breaks.clear()
    assert day.broken == {"do not disturb respected"}


def already_tried(day: Morning) -> None:
    day.has("tried", "desk", 3, 60, leg("tried", ANN, 10.5, None, 11), leg("tried", BOB, 30.5, 31, 60))


def rings_elsewhere(day: Morning) -> None:
    day.has("rung", "desk", 2, 60, leg("rung", "2103", 12, None, 60))


def had_left(day: Morning) -> None:
    day.has("gone", "desk", 3, 12)


@pytest.mark.parametrize("excuse", [already_tried, rings_elsewhere, had_left])
def test_who_could_not_have_had_the_operator_was_not_passed_over(excuse: Callable[[Morning], None]) -> None:
    day = Morning()
    excuse(day)
    assert "first come, first served" not in day.broken
