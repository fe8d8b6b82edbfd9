"""How changes become rows: many changes, few statements.

Changes of one row that come together are merged: a step that is entered and left within one batch is inserted once, finished.
Writing the same changes twice gives the same rows, so a batch whose commit was not confirmed can simply be written again.
A line that has ended gets its cost here, by the rates of this moment; later changes of rates leave it as it is.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from datetime import datetime
from functools import cache
from typing import Any, TypeAlias, assert_never

from sqlalchemy import Column, Connection, Dialect, Insert, Table, Update, bindparam, case, update
from sqlalchemy.dialects import postgresql, sqlite
from sqlmodel import SQLModel

from controller.storage.calls import Call, CallLeg, CallStep, RoutingDecision
from controller.storage.journal_changes import (
    CallAnswered,
    CallEnded,
    CallStarted,
    Change,
    LegAnswered,
    LegConnected,
    LegEnded,
    LegStarted,
    Pause,
    RecordingEnded,
    RecordingFailed,
    RecordingPaused,
    RecordingStarted,
    RoutingDecided,
    StepEntered,
    StepLeft,
)
from controller.storage.rates import Pricing
from controller.storage.recordings import Recording

_Key: TypeAlias = tuple[Any, ...]
_Values: TypeAlias = dict[str, Any]


def write_changes(connection: Connection, changes: Iterable[Change], pricing: Pricing) -> None:
    """Write the changes in the connection's transaction. Those of one call must come in the order they happened."""
    rows = _Rows()
    for change in changes:
        rows.add(change)
        if isinstance(change, LegEnded) and change.paid is not None:
            rows.legs.change(change.leg, cost=pricing.cost(connection, change.paid))
    for table in rows.tables:
        table.write(connection)


class _TableRows:
    """What is to be inserted into and changed in one table, by primary key."""

    def __init__(self, model: type[SQLModel]) -> None:
        self.table: Table = model.__table__  # type: ignore[attr-defined]
        self.key = tuple(column.name for column in self.table.primary_key)
        self.inserts: dict[_Key, _Values] = {}
        self.updates: defaultdict[_Key, _Values] = defaultdict(dict)

    def insert(self, *key: Any, **values: Any) -> None:
        self.inserts[key] = dict(zip(self.key, key, strict=True)) | values

    def change(self, *key: Any, **values: Any) -> None:
        self.merged(*key).update(values)

    def merged(self, *key: Any) -> _Values:
        """What is known of the row from this batch."""
        return self.inserts[key] if key in self.inserts else self.updates[key]

    def write(self, connection: Connection) -> None:
        if self.inserts:
            _insert(connection.dialect, self.table).execute(connection, self.inserts.values())
        for columns, rows in self._alike().items():
            _update(connection.dialect, self.table, columns).execute(connection, rows)

    def _alike(self) -> dict[tuple[str, ...], list[_Values]]:
        """The updates, those of the same columns together."""
        found: defaultdict[tuple[str, ...], list[_Values]] = defaultdict(list)
        for key, values in self.updates.items():
            row = dict(zip(self.key, key, strict=True)) | values
            found[tuple(values)].append(row)
        return found


class _Rows:
    def __init__(self) -> None:
        self.calls = _TableRows(Call)
        self.steps = _TableRows(CallStep)
        self.legs = _TableRows(CallLeg)
        self.decisions = _TableRows(RoutingDecision)
        self.recordings = _TableRows(Recording)
        # Calls first: the others refer to them.
        self.tables = (self.calls, self.steps, self.legs, self.decisions, self.recordings)

    def add(self, change: Change) -> None:
        match change:
            case CallStarted() | CallAnswered() | CallEnded():
                self._of_call(change)
            case StepEntered() | StepLeft():
                self._of_step(change)
            case LegStarted() | LegAnswered() | LegConnected() | LegEnded():
                self._of_leg(change)
            case RoutingDecided():
                self.decisions.insert(
                    change.call,
                    change.number,
                    at=change.at,
                    rule=change.rule,
                    target=change.target,
                    strategy=change.strategy,
                    rule_version=change.rule_version,
                    offered=list(change.offered),
                    order=[list(one) for one in change.order],
                    left_out=[list(one) for one in change.left_out],
                    seed=change.seed,
                )
            case RecordingStarted():
                self.recordings.insert(
                    change.recording,
                    call_id=change.call,
                    path=change.path,
                    started_at=change.at,
                    ended_at=None,
                    pauses=[],
                    failed=False,
                )
            case RecordingPaused():
                self.recordings.change(change.recording, pauses=[_pause(one) for one in change.pauses])
            case RecordingEnded():
                self.recordings.change(change.recording, ended_at=change.at)
            case RecordingFailed():
                self.recordings.change(change.recording, failed=True)
            case _:
                assert_never(change)

    def _of_call(self, change: CallStarted | CallAnswered | CallEnded) -> None:
        match change:
            case CallStarted():
                self.calls.insert(
                    change.call,
                    caller_number=_printable(change.caller_number),
                    caller_name=_printable(change.caller_name),
                    called_number=_printable(change.called_number),
                    line_name=change.line_name,
                    language=change.language,
                    scenario_version_id=change.scenario_version_id,
                    inserted_versions=dict(change.inserted_versions),
                    direction=change.direction,
                    source=change.source,
                    campaign_id=change.campaign,
                    hours=change.hours,
                    started_at=change.at,
                    answered_at=None,
                    ended_at=None,
                    ended_by=None,
                    hangup_cause=None,
                    outcome="live",
                    followed_up=change.direction == "internal",
                )
            case CallAnswered():
                self.calls.change(change.call, answered_at=change.at)
            case CallEnded():
                self.calls.change(
                    change.call,
                    ended_at=change.at,
                    ended_by=change.ended_by,
                    hangup_cause=change.hangup_cause,
                    outcome=change.outcome,
                )

    def _of_step(self, change: StepEntered | StepLeft) -> None:
        match change:
            case StepEntered():
                self.steps.insert(
                    change.call,
                    change.visit,
                    node=change.node,
                    title=_printable(change.title),
                    operation=change.operation,
                    entered_at=change.at,
                    left_at=None,
                    exit=None,
                    digits="",
                    prompts=[],
                )
            case StepLeft():
                self.steps.change(
                    change.call,
                    change.visit,
                    left_at=change.at,
                    exit=change.exit,
                    digits=change.digits,
                    prompts=list(change.prompts),
                )

    def _of_leg(self, change: LegStarted | LegAnswered | LegConnected | LegEnded) -> None:
        match change:
            case LegStarted():
                self.legs.insert(
                    change.leg,
                    call_id=change.call,
                    operator_id=change.operator_id,
                    operator_name=change.operator_name,
                    operator_extension=change.operator_extension,
                    number=change.number,
                    transferred_by=change.transferred_by,
                    trunk_id=change.trunk,
                    of_client=change.of_client,
                    cost=None,
                    started_at=change.at,
                    answered_at=None,
                    talk_started_at=None,
                    talk_ended_at=None,
                    ended_at=None,
                    cause=None,
                    sip_status=None,
                )
            case LegAnswered():
                self.legs.change(change.leg, answered_at=change.at)
            case LegConnected():
                self.legs.change(change.leg, talk_started_at=change.at)
            case LegEnded():
                talked: dict[str, datetime] = {}
                if self.legs.merged(change.leg).get("talk_started_at") is not None:
                    talked["talk_ended_at"] = change.at
                self.legs.change(change.leg, ended_at=change.at, cause=change.cause, sip_status=change.sip_status, **talked)


def _pause(pause: Pause) -> _Values:
    return {"from": pause.begin.isoformat(), "to": None if pause.end is None else pause.end.isoformat()}


def _printable(text: str) -> str:
    """Text from callers may hold what a database refuses (NUL, halves of surrogate pairs)."""
    return text if text.isprintable() else "".join(letter if letter.isprintable() else " " for letter in text)


class _Prepared:
    """A statement made ready once. SQLAlchemy's own way from statement to driver costs more than the rest of the journal."""

    def __init__(self, dialect: Dialect, statement: Insert | Update, columns: Iterable[Column[Any]]) -> None:
        compiled = statement.compile(dialect=dialect, column_keys=[])
        processors = {column.name: column.type.dialect_impl(dialect).bind_processor(dialect) for column in columns}
        # SQLite's driver takes parameters by place, PostgreSQL's by name.
        self._by_place = compiled.positiontup is not None
        self._sql = compiled.string
        self._processors = [(name, processors[name]) for name in compiled.positiontup or processors]

    def execute(self, connection: Connection, rows: Iterable[_Values]) -> None:
        parameters: list[Any] = [self._tuple(row) if self._by_place else self._dict(row) for row in rows]
        connection.exec_driver_sql(self._sql, parameters)

    def _tuple(self, row: _Values) -> tuple[Any, ...]:
        return tuple([row[name] if process is None else process(row[name]) for name, process in self._processors])

    def _dict(self, row: _Values) -> _Values:
        return {name: row[name] if process is None else process(row[name]) for name, process in self._processors}


@cache
def _insert(dialect: Dialect, table: Table) -> _Prepared:
    insert = postgresql.insert if dialect.name == "postgresql" else sqlite.insert
    values = {column.name: bindparam(column.name, type_=column.type) for column in table.columns}
    return _Prepared(dialect, insert(table).values(values).on_conflict_do_nothing(), table.columns)


@cache
def _update(dialect: Dialect, table: Table, columns: tuple[str, ...]) -> _Prepared:
    values: _Values = {name: bindparam(name, type_=table.c[name].type) for name in columns}
    if table.name == CallLeg.__tablename__ and "ended_at" in columns and "talk_ended_at" not in columns:
        # Whether there was a conversation to end is known to the row only.
        values["talk_ended_at"] = case((table.c.talk_started_at.is_not(None), values["ended_at"]))
    key = [column == bindparam(column.name, type_=column.type) for column in table.primary_key]
    statement = update(table).where(*key).values(values)
    return _Prepared(dialect, statement, [*table.primary_key, *(table.c[name] for name in columns)])
