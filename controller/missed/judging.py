"""Whether a call that is over was missed, and how: from its record alone, so that the answer survives the controller."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime

from controller.storage.calls import BLOCKED_CALLER, Call, CallDetail, CallLeg, RoutingDecision
from controller.storage.missed_calls import MissedKind

_CUT_OFF = ("handed_over", "lost")
"""Outcomes that say nothing of the conversations before."""


def talked_since(detail: CallDetail) -> datetime | None:
    """When the call's last conversation began; None: nobody spoke with the caller."""
    began = [leg.talk_started_at for leg in detail.legs if leg.talk_started_at is not None]
    if detail.call.outcome == "talked":
        return max(began, default=detail.call.started_at)
    return max(began, default=None) if detail.call.outcome in _CUT_OFF else None


def may_be_missed(detail: CallDetail) -> bool:
    """Somebody has called one of our numbers and spoken with nobody, and was neither refused by the block list nor promised a
    callback.
    """
    call = detail.call
    settled = {("caller_list", "blocked"), ("callback_offer", "accepted")}
    if call.direction != "inbound" or not call.line_name or talked_since(detail) is not None:
        return False
    if call.scenario_version_id is None and any(step.node == BLOCKED_CALLER for step in detail.steps):
        return False
    return settled.isdisjoint((step.operation, step.exit) for step in detail.steps)


def came_to_voicemail(detail: CallDetail) -> bool:
    """Such a caller is kept as a voicemail, also when he said nothing."""
    return any(step.operation == "voicemail" for step in detail.steps)


def is_cut_off(call: Call) -> bool:
    """The controller or Asterisk was gone when it ended: what the caller left may come to light later."""
    return call.outcome == "lost"


def first_offered(detail: CallDetail) -> CallLeg | None:
    """The operator's line that was rung first; None: nobody's."""
    legs = (leg for leg in detail.legs if leg.operator_id is not None)
    return min(legs, key=lambda leg: (leg.started_at, len(leg.id), leg.id), default=None)


def kind_of(detail: CallDetail, decisions: Iterable[RoutingDecision]) -> MissedKind:
    """What a missed call is. The last schedule of the caller's own way counts, else the number's as it stood when he called."""
    asked = [step.exit for step in detail.steps if step.operation == "schedule" and step.exit is not None]
    if (asked[-1] if asked else detail.call.hours) not in (None, "open"):
        return "off_hours"
    if first_offered(detail) is None and any(_nobody_was_there(decision) for decision in decisions):
        return "nobody_present"
    return "working_time"


def _nobody_was_there(decision: RoutingDecision) -> bool:
    return decision.rule == "nobody" and all(why == "offline" for _, why, _ in decision.left_out)
