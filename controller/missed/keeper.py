"""Looks at every call that is over, once: was its caller lost, or has he been reached at last (SKZ-26, SKZ-27, UIS-44)?

Rules:
- What follows from a call is stored together with the mark that it was followed up: a missed call and its letter, or the end of
  the missed calls of who was reached. A controller that dies before is made up for by the next one, and nothing is done twice.
- The call's record alone decides. Who left a voicemail, or was promised a callback, is kept there and not lost.
- In working time a missed call belongs to the operator who was rung first; else, and where nobody was rung, to the line's
  responsible (T-35). The letter goes to the responsible too when that operator has no address.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Collection, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import datetime, timedelta, tzinfo
from typing import Final

from controller.bus import Bus, MissedCallsChanged
from controller.clock import Clock
from controller.errors import StorageError
from controller.missed.judging import came_to_voicemail, first_offered, is_cut_off, kind_of, may_be_missed, talked_since
from controller.missed.surroundings import Surroundings, surroundings_of
from controller.notices.missed_calls import store_missed_call
from controller.settings import Settings
from controller.storage import Database, Session
from controller.storage.calls import (
    CallDetail,
    calls_to_follow_up,
    ids_to_follow_up,
    mark_followed_up,
)
from controller.storage.desks import user_of
from controller.storage.missed_calls import MissedCall, close_as_called_back
from controller.storage.numbers import responsible_of

log = logging.getLogger(__name__)

GATHER_SECONDS: Final = 1.0
"""Between two looks: calls that end together are followed up together, which costs hardly more than one of them."""
LOOK_EVERY: Final = 30.0
"""Seconds between two looks when nothing is heard."""
VOICEMAIL_PATIENCE: Final = timedelta(minutes=20)
"""How long a call that was cut off may still turn out to have left a voicemail."""
_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class NoticeRules:
    """How notices are written: the letters' language, the zone of their times, and the country of numbers without one."""

    language: str
    zone: tzinfo
    region: str | None


class MissedCallKeeper:
    """All missed calls of this process; `run` belongs to whoever starts it."""

    def __init__(self, database: Database, bus: Bus, clock: Clock, settings: Settings) -> None:
        self._database = database
        self._bus = bus
        self._clock = clock
        self._rules = NoticeRules(settings.language, settings.zone, settings.phone_region)
        self._woken = asyncio.Event()
        self._unclear: set[str] = set()

    def wake(self) -> None:
        """Look at the database soon: calls have ended."""
        self._woken.set()

    async def run(self) -> None:
        """Follow up calls until cancelled; a database that is away is tried again."""
        while True:
            self._woken.clear()
            try:
                await self.follow_up_all()
            except StorageError as error:
                log.warning("calls can't be followed up, trying on: %s", error)
            with suppress(TimeoutError):
                async with asyncio.timeout(LOOK_EVERY):
                    await self._woken.wait()
            await asyncio.sleep(GATHER_SECONDS)

    async def follow_up_all(self) -> None:
        """Follow up every call that is over by now. Raises StorageError."""
        before: list[str] = []
        # Nothing is written, and no writer kept waiting, while there is nothing to do.
        while (ids := await self._database.read(ids_to_follow_up, _AT_ONCE, self._unclear)) and ids != before:
            await self._follow_up(ids)
            if len(ids) < _AT_ONCE:
                return
            before = ids

    async def _follow_up(self, ids: list[str]) -> None:
        try:
            changed = await self._database.run(follow_up, ids, self._rules, self._clock.now())
        except StorageError:
            raise
        except Exception:
            changed = await self._one_by_one(ids)
        if changed:
            self._bus.send(MissedCallsChanged())

    async def _one_by_one(self, ids: list[str]) -> bool:
        """One call that can't be followed up must not hold up all others."""
        changed = False
        for id in ids:
            try:
                changed |= await self._database.run(follow_up, [id], self._rules, self._clock.now())
            except StorageError:
                raise
            except Exception:
                log.exception("call %s can't be followed up; the next start tries again", id)
                self._unclear.add(id)
        return changed


def follow_up(session: Session, ids: Collection[str], rules: NoticeRules, at: datetime) -> bool:
    """Settle what follows from these calls, as far as that is known already; whether a missed call came or ended."""
    calls = calls_to_follow_up(session, ids)
    around = surroundings_of(session, calls, rules.region)
    clear = [call for call in calls if not _is_awaited(call, around, at)]
    changes = [_settle(session, call, around, rules, at) for call in clear]
    mark_followed_up(session, [call.call.id for call in clear])
    return any(changes)


def _is_awaited(detail: CallDetail, around: Surroundings, at: datetime) -> bool:
    """The caller was cut off in a voicemail that may still be found on disk."""
    call = detail.call
    if not is_cut_off(call) or not came_to_voicemail(detail) or call.ended_at is None:
        return False
    return at < call.ended_at + VOICEMAIL_PATIENCE and call.id not in around.voicemails


def _settle(session: Session, detail: CallDetail, around: Surroundings, rules: NoticeRules, at: datetime) -> bool:
    call = detail.call
    number = around.numbers[call.id]
    reached_at = talked_since(detail)
    if reached_at is not None:
        return number is not None and close_as_called_back(session, number, reached_at, call.id, at) > 0
    if not _was_missed(detail, around):
        return False
    _store(session, detail, around, rules, at)
    return True


def _was_missed(detail: CallDetail, around: Surroundings) -> bool:
    call = detail.call
    if not may_be_missed(detail) or call.caller_number in around.operators:
        return False
    if came_to_voicemail(detail) and (not is_cut_off(call) or call.id in around.voicemails):
        return False
    return call.id not in around.callbacks


def _store(session: Session, detail: CallDetail, around: Surroundings, rules: NoticeRules, at: datetime) -> None:
    call = detail.call
    line = around.lines.get(call.called_number)
    kind = kind_of(detail, around.decisions.get(call.id, ()))
    offered = first_offered(detail)
    responsible = None if line is None else responsible_of(session, line)
    operator = None if kind != "working_time" or offered is None else around.operators.get(offered.operator_extension)
    own_user = None if operator is None else user_of(session, operator.id)
    addresses = (one.address for one in (own_user, responsible) if one is not None)
    missed = MissedCall(
        call_id=call.id,
        number=around.numbers[call.id] or "",
        caller_number=call.caller_number,
        caller_name=call.caller_name,
        called_number=call.called_number,
        line_name=call.line_name,
        arrived_at=call.started_at,
        ended_at=call.ended_at or at,
        kind=kind,
        offered_to="" if offered is None else offered.operator_extension,
        recipient=_first(addresses) or "",
        owner_operator_id=None if operator is None else operator.id,
        owner_user_id=responsible.id if operator is None and responsible is not None else None,
    )
    rung = "" if offered is None else f"{offered.operator_name} ({offered.operator_extension})"
    name = around.names.get(call.caller_number) or (call.caller_name if call.caller_name != call.caller_number else "")
    store_missed_call(
        session, missed, region=rules.region, offered=rung, name=name, language=rules.language, zone=rules.zone, at=at
    )


def _first(addresses: Iterable[str | None]) -> str | None:
    return next((address for address in addresses if address), None)
