"""Live calls: the page, and the stream that tells it when to look again."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response, StreamingResponse

from controller.bus import Bus, CallsChanged, Message, MissedCallsChanged, OperatorsChanged
from controller.storage import Session
from controller.storage.calls import CallDetail, CallFilters, CallLeg, CallStep, list_calls
from controller.storage.calls import Page as CallPage
from controller.storage.contacts import names_of_callers
from controller.storage.numbers import InboundNumber, list_numbers
from controller.storage.operator_states import OperatorNow, operators_now
from web.call_models import CallItem, call_item
from web.rendering import page
from web.services import services
from web.state_models import state_model
from web.views.operators import are_shown
from web.words import operator_words

_MOST_ROWS = 200
_SECONDS_BETWEEN_EVENTS = 0.5
_SECONDS_OF_SILENCE = 15.0
_SECONDS_OF_A_STREAM = 600.0
"""Then the browser connects again, and its session is looked at again."""


@dataclass(frozen=True, slots=True)
class LiveRow:
    """A live call: `where` it is in the scenario, who talks with the caller, whose phones ring."""

    call: CallItem
    where: CallStep | None
    operator: CallLeg | None
    ringing: tuple[str, ...]


async def home(request: Request) -> Response:
    """The first page is the live calls."""
    return RedirectResponse("/live", status_code=303)


async def show_live(request: Request) -> Response:
    """Calls that are going on, and how operators are; only himself is shown to who has no access to the team (SKZ-67)."""
    given = services(request)
    now = given.clock.now()
    found, numbers, operators, contacts = await given.database.read(_live_calls, given.settings.phone_region)
    shown = await are_shown(request)
    rows = [_row(detail, now, contacts) for detail in found.calls]
    context = {
        "calls": rows,
        "talking": sum(row.operator is not None for row in rows),
        "more": found.next_cursor is not None,
        "numbers": numbers,
        "operators": [(state_model(one), operator_words(state_model(one).state)) for one in operators if shown(one.operator)],
        "now": now,
    }
    return page(request, "live.html", context)


async def live_events(request: Request) -> Response:
    """Server-sent events: "calls" whenever live calls began, moved or ended, calls were missed, or operators are in other
    states."""
    return StreamingResponse(_events(services(request).bus), media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


def _live_calls(
    session: Session, region: str | None
) -> tuple[CallPage, Sequence[InboundNumber], Sequence[OperatorNow], dict[str, str]]:
    found = list_calls(session, CallFilters(live=True), _MOST_ROWS)
    contacts = names_of_callers(session, (detail.call.caller_number for detail in found.calls), region)
    return found, list_numbers(session), operators_now(session), contacts


def _row(detail: CallDetail, now: datetime, contacts: Mapping[str, str]) -> LiveRow:
    going_on = [leg for leg in detail.legs if leg.ended_at is None]
    talking = (leg for leg in going_on if leg.talk_started_at is not None and leg.talk_ended_at is None)
    ringing = tuple(leg.operator_extension for leg in going_on if leg.answered_at is None)
    return LiveRow(call_item(detail, now, contacts), detail.steps[-1] if detail.steps else None, next(talking, None), ringing)


async def _events(bus: Bus) -> AsyncIterator[str]:
    """Many notices in a short time are one event. The stream ends with the bus."""
    changed = asyncio.Event()
    async with bus.subscribe() as notices:
        listener = asyncio.create_task(_listen(notices, changed))
        end = asyncio.get_running_loop().time() + _SECONDS_OF_A_STREAM
        try:
            yield "retry: 2000\n\n"
            while asyncio.get_running_loop().time() < end:
                try:
                    async with asyncio.timeout(_SECONDS_OF_SILENCE):
                        await changed.wait()
                except TimeoutError:
                    yield ": still here\n\n"
                    continue
                if listener.done():
                    return
                changed.clear()
                yield "event: calls\ndata:\n\n"
                await asyncio.sleep(_SECONDS_BETWEEN_EVENTS)
        finally:
            listener.cancel()


async def _listen(notices: AsyncIterator[Message], changed: asyncio.Event) -> None:
    """Sets `changed` for each notice, and when there will be no more."""
    try:
        async for notice in notices:
            if isinstance(notice, CallsChanged | MissedCallsChanged | OperatorsChanged):
                changed.set()
    finally:
        changed.set()
