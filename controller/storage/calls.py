"""Calls: what happened to each caller, its legs to operators and its way through the scenario.

Rows are written by `controller.storage.journal`. They name operators and scenario versions without foreign keys: something
removed meanwhile must not keep a call from being stored, and the history stays when it is removed later.
"""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final, Literal, TypeAlias, TypeVar

from sqlalchemy import JSON, BigInteger, Column, ColumnElement, ForeignKey, Index, String, func, text, update
from sqlmodel import Field, Session, SQLModel, col, select
from sqlmodel.sql.expression import SelectOfScalar

from controller.errors import FieldProblem, InvalidInput
from controller.ids import CallId
from controller.storage.columns import UtcDateTime
from controller.storage.recordings import Recording
from controller.storage.rows import by_id
from ivr.events import ScheduleState

EndedBy: TypeAlias = Literal["caller", "operator", "scenario", "system"]
Direction: TypeAlias = Literal["inbound", "internal", "outbound"]
Outcome: TypeAlias = Literal["live", "talked", "abandoned", "ended", "refused", "handed_over", "lost"]
MAX_PAGE = 200
_IDS_AT_ONCE = 500
_LONGEST_CALL = timedelta(days=1)

BLOCKED_CALLER: Final = "blocked_caller"
"""The node of a call that the block list has stopped (UIS-43)."""


class Call(SQLModel, table=True):
    """One caller, from arrival to the end.

    `outcome`: live (not over yet) · talked (with an operator) · abandoned (hung up while waiting for one) · ended (by the
    scenario or in it) · refused (never answered) · handed_over (to the dialplan) · lost (the controller died meanwhile).
    `hangup_cause` is the Q.850 cause. `inserted_versions` are the ids of the versions of inserted scenarios, by their names.
    `direction`: inbound (somebody outside called) · internal (an operator called another) · outbound (we called an operator and
    then the number outside that he wanted: it stands as the caller's). `source` is the label of the number that was called.
    `campaign_id` is the campaign whose the number was then, `hours` how its schedule stood for this caller (None: it had none).
    `followed_up`: whether it was missed, and whose missed calls it makes up for, is settled; see `controller.missed`.
    """

    __tablename__ = "calls"
    __table_args__ = (
        Index("ix_calls_newest", "started_at", "id"),
        Index("ix_calls_called", "called_number", "started_at"),
        Index(
            "ix_calls_of_campaigns",
            "caller_number",
            sqlite_where=text("campaign_id IS NOT NULL"),
            postgresql_where=text("campaign_id IS NOT NULL"),
        ),
        Index("ix_calls_live", "started_at", sqlite_where=text("ended_at IS NULL"), postgresql_where=text("ended_at IS NULL")),
        Index(
            "ix_calls_to_follow_up",
            "ended_at",
            "id",
            sqlite_where=text("followed_up = 0"),
            postgresql_where=text("NOT followed_up"),
        ),
    )

    id: str = Field(primary_key=True)
    caller_number: str
    caller_name: str
    called_number: str
    line_name: str
    language: str
    scenario_version_id: int | None = None
    inserted_versions: dict[str, int] = Field(
        default_factory=dict, sa_column=Column(JSON, nullable=False, server_default=text("'{}'"))
    )
    direction: Direction = Field(default="inbound", sa_type=String)
    source: str = ""
    campaign_id: int | None = None
    hours: ScheduleState | None = Field(default=None, sa_type=String)
    started_at: datetime = Field(sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_by: EndedBy | None = Field(default=None, sa_type=String)
    hangup_cause: int | None = None
    outcome: Outcome = Field(default="live", sa_type=String)
    followed_up: bool = False


_IN = " / "


def place_name(scenario: str | None, node: str) -> str:
    """A node as a call's steps name it: in an inserted scenario, after the name of that."""
    return node if scenario is None else f"{scenario}{_IN}{node}"


def read_place(name: str) -> tuple[str | None, str]:
    """The inserted scenario, if any, and the node that `place_name` has written."""
    scenario, inside, node = name.rpartition(_IN)
    return (scenario if inside else None), node


class CallLeg(SQLModel, table=True):
    """One attempt to reach somebody. `id` is its channel; name and extension are as they were then, `number` is what rang: his
    extension for his own phone. Of a number outside that is no operator's, the extension is that number. `transferred_by` is
    the extension of who has transferred the caller here.

    The leg that was connected with the caller has `talk_started_at`, and `talk_ended_at` when that is over.

    `trunk_id` is the trunk that it went through, `cost` in millionths of the currency what that has cost; None: not over yet, or
    not known. `of_client`: it is the line to who stands as the caller, whom we have called.
    """

    __tablename__ = "call_legs"
    __table_args__ = (
        Index("ix_call_legs_extension", "operator_extension", "call_id"),
        Index(
            "ix_call_legs_paid",
            "started_at",
            sqlite_where=text("trunk_id IS NOT NULL"),
            postgresql_where=text("trunk_id IS NOT NULL"),
        ),
    )

    id: str = Field(primary_key=True)
    call_id: str = Field(sa_column=Column(ForeignKey("calls.id", ondelete="CASCADE"), nullable=False, index=True))
    operator_id: int | None = None
    operator_name: str
    operator_extension: str
    number: str = ""
    transferred_by: str = ""
    trunk_id: int | None = None
    of_client: bool = False
    cost: int | None = Field(default=None, sa_type=BigInteger)
    started_at: datetime = Field(sa_type=UtcDateTime)
    answered_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    talk_started_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    talk_ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    ended_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    cause: int | None = None
    sip_status: int | None = None


class CallStep(SQLModel, table=True):
    """One visit of a node; `visit` counts 1, 2, … within the call. `node` is as `place_name` writes it.

    `exit` is None while the caller is in the node, and when the call ended there (`left_at` tells which).
    """

    __tablename__ = "call_steps"

    call_id: str = Field(sa_column=Column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True))
    visit: int = Field(primary_key=True)
    node: str
    title: str
    operation: str
    entered_at: datetime = Field(sa_type=UtcDateTime)
    left_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    exit: str | None = None
    digits: str = ""
    prompts: list[str] = Field(default_factory=list, sa_column=Column(JSON, nullable=False))


class RoutingDecision(SQLModel, table=True):
    """Why the call was offered to these operators, or could be to nobody; `number` counts 1, 2, … within the call.

    `rule`: "strategy" · "owner" (the caller's own operator comes first) · "person" (somebody in particular is wanted) · "kept"
    (for whom we called back, chosen when his turn came) · "forwarded" (to a phone outside, for nobody of the group took it) ·
    "picked_up" (by the one who is `offered`, while it rang at those `left_out`) · "nobody".
    `target` is the group or the person; `strategy` and `rule_version` are the group's of that moment. `offered`: extensions.
    `order`: [extension, what the strategy went by] of every candidate, as the strategy put them, with `seed` for chance.
    `left_out`: [extension, why, the call that he was engaged with].
    """

    __tablename__ = "routing_decisions"

    call_id: str = Field(sa_column=Column(ForeignKey("calls.id", ondelete="CASCADE"), primary_key=True))
    number: int = Field(primary_key=True)
    at: datetime = Field(sa_type=UtcDateTime)
    rule: str
    target: str
    strategy: str
    rule_version: int
    offered: list[str] = Field(sa_column=Column(JSON, nullable=False))
    order: list[tuple[str, str | int | None]] = Field(sa_column=Column("order", JSON, nullable=False))
    left_out: list[tuple[str, str, str | None]] = Field(sa_column=Column(JSON, nullable=False))
    seed: int | None = Field(default=None, sa_type=BigInteger)


@dataclass(frozen=True, slots=True)
class CallDetail:
    """A call with all that belongs to it, each in the order of time. `decisions` come with a single call only; `client_leg` is
    the line to who stands as the caller, where it is we who have called him, and is none of the `legs`.
    """

    call: Call
    steps: tuple[CallStep, ...]
    legs: tuple[CallLeg, ...]
    recordings: tuple[Recording, ...]
    decisions: tuple[RoutingDecision, ...] = ()
    client_leg: CallLeg | None = None

    @property
    def cost(self) -> int | None:
        """What all its lines through trunks cost together, in millionths; None as long as that of one is not known (SKZ-70)."""
        legs = self.legs if self.client_leg is None else (*self.legs, self.client_leg)
        costs = [leg.cost for leg in legs if leg.trunk_id is not None]
        known = [cost for cost in costs if cost is not None]
        return sum(known) if len(known) == len(costs) else None

    @property
    def talk_leg(self) -> CallLeg | None:
        """The leg of the operator that the caller talked to last."""
        return next((leg for leg in reversed(self.legs) if leg.talk_started_at is not None), None)

    def talk_seconds(self, at: datetime) -> float:
        """How long the caller has talked with operators, in seconds; a conversation that goes on is counted up to `at`."""
        talks = ((leg.talk_started_at, leg.talk_ended_at or at) for leg in self.legs)
        return sum((end - begin).total_seconds() for begin, end in talks if begin is not None)


@dataclass(frozen=True, slots=True)
class CallFilters:
    """Which calls to list; None: no matter.

    `caller` and `called` match a part of the number; `operator` is the extension of one who talked with the caller;
    `since` is included, `until` is not (both of the start of the call).
    """

    live: bool | None = None
    caller: str | None = None
    called: str | None = None
    operator: str | None = None
    outcome: Outcome | None = None
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """Some calls; `next_cursor` asks for those after them, None when there are none."""

    calls: tuple[CallDetail, ...]
    next_cursor: str | None


def list_calls(session: Session, filters: CallFilters, limit: int = 50, cursor: str | None = None) -> Page:
    """Calls, newest first, at most `limit` (1 to MAX_PAGE; others are moved into that range).

    Raises InvalidInput for a cursor that is not one of ours.
    """
    limit = min(max(limit, 1), MAX_PAGE)
    query = _filtered(select(Call), filters)
    if cursor is not None:
        query = query.where(_after(*_read_cursor(cursor)))
    query = query.order_by(col(Call.started_at).desc(), col(Call.id).desc()).limit(limit + 1)
    calls = session.exec(query).all()
    shown = calls[:limit]
    return Page(_details(session, shown), _cursor(shown[-1]) if len(calls) > limit else None)


def get_call(session: Session, id: str) -> CallDetail:
    """Raises NotFound."""
    call = by_id(session, Call, id, f"call {id}")
    return replace(_details(session, [call])[0], decisions=tuple(decisions_of(session, [id]).get(id, ())))


def ids_to_follow_up(session: Session, limit: int, besides: Collection[str] = ()) -> list[str]:
    """Calls that are over and not followed up, besides these; those that ended first first."""
    query = select(Call.id).where(~col(Call.followed_up), col(Call.ended_at).is_not(None), col(Call.id).not_in(besides))
    return list(session.exec(query.order_by(col(Call.ended_at), col(Call.id)).limit(limit)))


def calls_to_follow_up(session: Session, ids: Collection[str]) -> tuple[CallDetail, ...]:
    """Those of these calls that are still not followed up, in the order of their ends; kept from other controllers meanwhile."""
    query = select(Call).where(~col(Call.followed_up), col(Call.id).in_(ids))
    query = query.order_by(col(Call.ended_at), col(Call.id)).with_for_update(skip_locked=True)
    return _details(session, session.exec(query).all())


def mark_followed_up(session: Session, ids: Collection[str]) -> None:
    """Nothing more follows from these calls."""
    session.exec(update(Call).where(col(Call.id).in_(ids)).values(followed_up=True))


def decisions_of(session: Session, ids: Collection[str]) -> Mapping[str, Sequence[RoutingDecision]]:
    """Why the calls were offered to whom, by call, in the order of time; not for a call of which there is nothing to say."""
    query = select(RoutingDecision).where(col(RoutingDecision.call_id).in_(ids)).order_by(col(RoutingDecision.number))
    return dict(_by_call(session.exec(query)))


def last_talk_ended(session: Session, operator_id: int, extension: str) -> datetime | None:
    """When the operator's last conversation ended; None when he has had none."""
    query = (
        select(CallLeg.talk_ended_at)
        .where(CallLeg.operator_extension == extension, CallLeg.operator_id == operator_id)
        .where(col(CallLeg.talk_ended_at).is_not(None))
        .order_by(col(CallLeg.call_id).desc())
        .limit(1)
    )
    return session.exec(query).first()


def talks_since(session: Session, since: datetime) -> dict[int, int]:
    """How many conversations began then or later, by operator's id; those who have had none are not in it."""
    query = (
        select(CallLeg.operator_id, func.count())
        .join(Call, col(Call.id) == CallLeg.call_id)
        .where(col(Call.started_at) >= since - _LONGEST_CALL, col(CallLeg.talk_started_at) >= since)
        .where(col(CallLeg.operator_id).is_not(None))
        .group_by(col(CallLeg.operator_id))
    )
    return {operator_id or 0: found for operator_id, found in session.exec(query)}


def close_open_calls(session: Session, at: datetime, known_ids: Collection[CallId]) -> int:
    """Close calls that a controller left open when it died, except those in `known_ids`, with all that is open in them.

    They end as "lost" at `at`: nobody knows when they did. Returns how many.
    """
    open_ids = session.exec(select(Call.id).where(col(Call.ended_at).is_(None))).all()
    lost = [id for id in open_ids if id not in known_ids]
    talking = col(CallLeg.talk_started_at).is_not(None) & col(CallLeg.talk_ended_at).is_(None)
    for start in range(0, len(lost), _IDS_AT_ONCE):
        ids = lost[start : start + _IDS_AT_ONCE]
        session.exec(update(CallStep).where(col(CallStep.call_id).in_(ids), col(CallStep.left_at).is_(None)).values(left_at=at))
        session.exec(update(CallLeg).where(col(CallLeg.call_id).in_(ids), talking).values(talk_ended_at=at))
        session.exec(update(CallLeg).where(col(CallLeg.call_id).in_(ids), col(CallLeg.ended_at).is_(None)).values(ended_at=at))
        open_recordings = col(Recording.call_id).in_(ids) & col(Recording.ended_at).is_(None)
        session.exec(update(Recording).where(open_recordings).values(ended_at=at))
        ending = {"ended_at": at, "ended_by": "system", "outcome": "lost"}
        session.exec(update(Call).where(col(Call.id).in_(ids)).values(**ending))
    return len(lost)


def _filtered(query: SelectOfScalar[Call], filters: CallFilters) -> SelectOfScalar[Call]:
    if filters.live is not None:
        query = query.where(col(Call.ended_at).is_(None) if filters.live else col(Call.ended_at).is_not(None))
    if filters.caller:
        query = query.where(col(Call.caller_number).contains(filters.caller, autoescape=True))
    if filters.called:
        query = query.where(col(Call.called_number).contains(filters.called, autoescape=True))
    if filters.operator:
        of_operator = (col(CallLeg.operator_extension) == filters.operator) & col(CallLeg.talk_started_at).is_not(None)
        query = query.where(col(Call.id).in_(select(CallLeg.call_id).where(of_operator)))
    if filters.outcome is not None:
        query = query.where(Call.outcome == filters.outcome)
    if filters.since is not None:
        query = query.where(Call.started_at >= filters.since)
    if filters.until is not None:
        query = query.where(Call.started_at < filters.until)
    return query


def _details(session: Session, calls: Sequence[Call]) -> tuple[CallDetail, ...]:
    """One query per table, however many calls."""
    ids = [call.id for call in calls]
    step_query = select(CallStep).where(col(CallStep.call_id).in_(ids)).order_by(col(CallStep.visit))
    leg_query = select(CallLeg).where(col(CallLeg.call_id).in_(ids)).order_by(col(CallLeg.started_at), col(CallLeg.id))
    recording_query = select(Recording).where(col(Recording.call_id).in_(ids)).order_by(col(Recording.started_at))
    steps = _by_call(session.exec(step_query))
    legs = _by_call(session.exec(leg_query))
    recordings = _by_call(session.exec(recording_query))
    details = []
    for call in calls:
        rung = tuple(leg for leg in legs[call.id] if not leg.of_client)
        client = next((leg for leg in legs[call.id] if leg.of_client), None)
        details.append(CallDetail(call, tuple(steps[call.id]), rung, tuple(recordings[call.id]), client_leg=client))
    return tuple(details)


_Part = TypeVar("_Part", CallStep, CallLeg, Recording, RoutingDecision)


def _by_call(parts: Iterable[_Part]) -> dict[str, list[_Part]]:
    found: dict[str, list[_Part]] = defaultdict(list)
    for part in parts:
        found[part.call_id].append(part)
    return found


def _after(started_at: datetime, id: str) -> ColumnElement[bool]:
    """What comes after this call when the newest come first; the first term lets the index be used."""
    same_moment = (col(Call.started_at) == started_at) & (col(Call.id) < id)
    return (col(Call.started_at) <= started_at) & ((col(Call.started_at) < started_at) | same_moment)


def _cursor(call: Call) -> str:
    return base64.urlsafe_b64encode(f"{call.started_at.isoformat()} {call.id}".encode()).decode().rstrip("=")


def _read_cursor(cursor: str) -> tuple[datetime, str]:
    try:
        moment, id = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4)).decode().split(" ")
        started_at = datetime.fromisoformat(moment)
    except ValueError:
        raise InvalidInput("the cursor is not one of ours", [FieldProblem("cursor", "take it from the page before")]) from None
    if started_at.tzinfo is None:
        raise InvalidInput("the cursor is not one of ours", [FieldProblem("cursor", "take it from the page before")])
    return started_at, id
