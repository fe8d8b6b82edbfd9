"""Calls as the API gives them and the pages show them."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from controller.costs import write_amount
from controller.storage.calls import (
    MAX_PAGE,
    Call,
    CallDetail,
    CallFilters,
    CallLeg,
    CallStep,
    Direction,
    EndedBy,
    Outcome,
    Page,
    RoutingDecision,
)
from controller.storage.recordings import Recording
from ivr.events import ScheduleState

NOBODY_KNOWN: Mapping[str, str] = {}
_NUMBER_PART = r"^[0-9A-Za-z+*#._@-]{1,64}$"


def _number_part(value: str) -> str:
    if re.fullmatch(_NUMBER_PART, value) is None:
        raise ValueError("write at most 64 digits, letters and + * # . _ @ -")
    return value


NumberPart = Annotated[
    str,
    StringConstraints(strip_whitespace=True),
    AfterValidator(_number_part),
    Field(json_schema_extra={"pattern": _NUMBER_PART}),
]
"""A part of a number, to search for."""


class CallQuery(BaseModel):
    """Which calls to list, newest first."""

    model_config = ConfigDict(extra="forbid")

    live: bool | None = Field(None, description="true: only calls that are going on; false: only those that are over")
    caller: NumberPart | None = Field(None, description="part of the caller's number")
    called: NumberPart | None = Field(None, description="part of the called number")
    operator: NumberPart | None = Field(None, description="extension of an operator who talked with the caller")
    outcome: Outcome | None = None
    since: AwareDatetime | None = Field(None, alias="from", description="calls that started at this moment or later")
    until: AwareDatetime | None = Field(None, alias="to", description="calls that started before this moment")
    limit: int = Field(50, ge=1, le=MAX_PAGE)
    cursor: str | None = Field(None, max_length=200, description="`next_cursor` of the page before")

    def filters(self) -> CallFilters:
        """The same for the storage."""
        return CallFilters(self.live, self.caller, self.called, self.operator, self.outcome, self.since, self.until)


class OperatorModel(BaseModel):
    """An operator as he was at the time of the call."""

    extension: str
    name: str


class PathNode(BaseModel):
    """A visited node in short; `exit` is null while the caller is in it, and when the call ended in it."""

    node: str
    exit: str | None


class CallItem(BaseModel):
    """A call in a list. Times are UTC; lengths are seconds; those of a live call are up to now."""

    id: str
    caller: str
    caller_name: str
    called: str
    line: str
    source: str = Field(description="label of the called number")
    hours: ScheduleState | None = Field(description="how the called number's schedule stood for this caller; null: it has none")
    direction: Direction = Field(description="of an outbound call, the caller is the number that was called")
    contact: str | None = Field(None, description="the name of the contact who has the caller's number")
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    outcome: Outcome
    duration_seconds: float
    operator: OperatorModel | None = Field(description="who talked with the caller last")
    talk_seconds: float
    cost: str | None = Field(
        description="of all its lines through trunks, in the installation's currency; null: that of one is not known (yet)"
    )
    nodes: list[PathNode]


class CallList(BaseModel):
    """A page of calls."""

    calls: list[CallItem]
    next_cursor: str | None = Field(description="give it as `cursor` for the next page; null: this is the last")


class Move(BaseModel):
    """A visit of a node. `left_at` is null while the caller is in it."""

    visit: int
    node: str
    title: str
    operation: str
    entered_at: datetime
    left_at: datetime | None
    exit: str | None
    digits: str
    prompts: list[str]
    duration_seconds: float


class Leg(BaseModel):
    """An attempt to reach somebody. `cause` is of Q.850."""

    id: str
    operator: OperatorModel
    number: str = Field(description="what rang: the extension for the operator's own phone, or a number outside")
    transferred_by: str | None = Field(description="extension of who has transferred the caller there")
    started_at: datetime
    answered_at: datetime | None
    ended_at: datetime | None
    ring_seconds: float
    talk_seconds: float | None = Field(description="null: was not connected with the caller")
    cause: int | None
    sip_status: int | None
    trunk_id: int | None = Field(description="the trunk that it went through")
    cost: str | None = Field(
        description="null: it went through no trunk, is not over yet, no rate fits the number, or its end was not seen"
    )


class PauseModel(BaseModel):
    """A time that is silence in the recording."""

    begin: datetime = Field(serialization_alias="from")
    end: datetime | None = Field(serialization_alias="to", description="null while it goes on")


class RecordingState(BaseModel):
    """What became of a pause or its end."""

    recording: str = Field(description="its id")
    paused: bool


class RankedModel(BaseModel):
    """A candidate, in the order of the strategy."""

    extension: str
    basis: str | int | None = Field(
        description="what the strategy went by: place, weight, calls today, level, or the end of his last conversation"
    )


class LeftOutModel(BaseModel):
    """An operator of the group who was no candidate."""

    extension: str
    why: str = Field(description="offline, talking, ringing, wrap_up, do_not_disturb, already_offered, engaged, …")
    call: str | None = Field(description="the call that he was engaged with")


class DecisionModel(BaseModel):
    """Why the call was offered to whom it was offered."""

    number: int
    at: datetime
    rule: str = Field(
        description="strategy, owner (the caller's own operator), person, kept (for a call back), forwarded, picked_up "
        "(while it rang at those left out), or nobody"
    )
    target: str = Field(description="the group, or the person")
    strategy: str
    rule_version: int
    offered: list[str] = Field(description="extensions that were rung, the number outside, or who picked the call up")
    order: list[RankedModel]
    left_out: list[LeftOutModel]
    seed: int | None = Field(description="what chance began with")


class RecordingModel(BaseModel):
    """A recording of both sides."""

    id: str
    started_at: datetime
    ended_at: datetime | None = Field(description="null while it is being made")
    pauses: list[PauseModel] = Field(description="when it was paused")
    failed: bool = Field(description="nothing could be written: there is no audio")
    url: str = Field(description="where the API gives the audio")


class ScenarioOfCall(BaseModel):
    """A published version that the call walked through."""

    id: int
    name: str
    version: int


class CallModel(CallItem):
    """A call with everything that is known of it."""

    language: str
    ended_by: EndedBy | None
    hangup_cause: int | None = Field(description="Q.850 cause")
    scenario: ScenarioOfCall | None
    inserted_scenarios: list[ScenarioOfCall] = Field(description="those that the caller came to, in this order")
    moves: list[Move]
    legs: list[Leg]
    client_leg: Leg | None = Field(description="the line to who stands as the caller, where it is we who have called him")
    decisions: list[DecisionModel] = Field(description="why the call went to whom it went")
    recordings: list[RecordingModel]


def call_list(page: Page, now: datetime, contacts: Mapping[str, str] = NOBODY_KNOWN) -> CallList:
    """A page of the storage as an answer; `contacts` are callers' names by their numbers."""
    return CallList(calls=[call_item(detail, now, contacts) for detail in page.calls], next_cursor=page.next_cursor)


def call_item(detail: CallDetail, now: datetime, contacts: Mapping[str, str] = NOBODY_KNOWN) -> CallItem:
    """A call in a list."""
    return CallItem(**_item_fields(detail, now, contacts))


def call_model(
    detail: CallDetail,
    scenario: ScenarioOfCall | None,
    inserted: Sequence[ScenarioOfCall],
    now: datetime,
    contacts: Mapping[str, str] = NOBODY_KNOWN,
) -> CallModel:
    """One call."""
    call = detail.call
    return CallModel(
        **_item_fields(detail, now, contacts),
        language=call.language,
        ended_by=call.ended_by,
        hangup_cause=call.hangup_cause,
        scenario=scenario,
        inserted_scenarios=list(inserted),
        moves=[_move(step, call, now) for step in detail.steps],
        legs=[_leg(leg, call, now) for leg in detail.legs],
        client_leg=None if detail.client_leg is None else _leg(detail.client_leg, call, now),
        decisions=[_decision(decision) for decision in detail.decisions],
        recordings=[_recording(recording) for recording in detail.recordings],
    )


def _item_fields(detail: CallDetail, now: datetime, contacts: Mapping[str, str]) -> dict[str, Any]:
    call, leg = detail.call, detail.talk_leg
    return {
        "id": call.id,
        "caller": call.caller_number,
        "caller_name": call.caller_name,
        "called": call.called_number,
        "line": call.line_name,
        "source": call.source,
        "hours": call.hours,
        "direction": call.direction,
        "contact": contacts.get(call.caller_number),
        "started_at": call.started_at,
        "answered_at": call.answered_at,
        "ended_at": call.ended_at,
        "outcome": call.outcome,
        "duration_seconds": _seconds(call.started_at, call.ended_at or now),
        "operator": None if leg is None else _operator(leg),
        "talk_seconds": round(detail.talk_seconds(call.ended_at or now), 3),
        "cost": _amount(detail.cost),
        "nodes": [PathNode(node=step.node, exit=step.exit) for step in detail.steps],
    }


def _move(step: CallStep, call: Call, now: datetime) -> Move:
    return Move(
        visit=step.visit,
        node=step.node,
        title=step.title,
        operation=step.operation,
        entered_at=step.entered_at,
        left_at=step.left_at,
        exit=step.exit,
        digits=step.digits,
        prompts=step.prompts,
        duration_seconds=_seconds(step.entered_at, step.left_at or call.ended_at or now),
    )


def _leg(leg: CallLeg, call: Call, now: datetime) -> Leg:
    end = leg.ended_at or call.ended_at or now
    talked = None if leg.talk_started_at is None else _seconds(leg.talk_started_at, leg.talk_ended_at or end)
    return Leg(
        id=leg.id,
        operator=_operator(leg),
        number=leg.number or leg.operator_extension,
        transferred_by=leg.transferred_by or None,
        started_at=leg.started_at,
        answered_at=leg.answered_at,
        ended_at=leg.ended_at,
        ring_seconds=_seconds(leg.started_at, leg.answered_at or end),
        talk_seconds=talked,
        cause=leg.cause,
        sip_status=leg.sip_status,
        trunk_id=leg.trunk_id,
        cost=_amount(leg.cost),
    )


def _decision(decision: RoutingDecision) -> DecisionModel:
    return DecisionModel(
        number=decision.number,
        at=decision.at,
        rule=decision.rule,
        target=decision.target,
        strategy=decision.strategy,
        rule_version=decision.rule_version,
        offered=decision.offered,
        order=[RankedModel(extension=extension, basis=basis) for extension, basis in decision.order],
        left_out=[LeftOutModel(extension=extension, why=why, call=call) for extension, why, call in decision.left_out],
        seed=decision.seed,
    )


def _recording(recording: Recording) -> RecordingModel:
    return RecordingModel(
        id=recording.id,
        started_at=recording.started_at,
        ended_at=recording.ended_at,
        pauses=[PauseModel.model_validate({"begin": one["from"], "end": one["to"]}) for one in recording.pauses],
        failed=recording.failed,
        url=f"/api/v1/calls/{recording.call_id}/recordings/{recording.id}",
    )


def _operator(leg: CallLeg) -> OperatorModel:
    return OperatorModel(extension=leg.operator_extension, name=leg.operator_name)


def _amount(millionths: int | None) -> str | None:
    return None if millionths is None else write_amount(millionths)


def _seconds(begin: datetime, end: datetime) -> float:
    return round(max((end - begin).total_seconds(), 0.0), 3)
