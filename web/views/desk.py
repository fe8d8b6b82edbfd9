"""An operator's own page: how his phone is and what he wants it to be (SKZ-62, SKZ-63), who calls him, whom of his colleagues he
calls (SKZ-64), what rings in this browser (SKZ-48 to SKZ-51), and the phone that his missed calls are forwarded to (SKZ-34).

The state travels in the stream itself, not only the news that it changed: a phone that stops and rings again within a moment is
two rings.
"""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, cast, get_args

from starlette.requests import Request
from starlette.responses import FileResponse, RedirectResponse, Response, StreamingResponse

from controller.actions.confirmations import CODE_DIGITS
from controller.actions.desks import set_ringtone
from controller.actions.forwarding import own_phone_of
from controller.actions.operators import change_call_mode
from controller.bus import OperatorChanged, WrapUpEnded
from controller.errors import AttendantError, FieldProblem, InvalidInput, Refused
from controller.ids import new_file_id
from controller.presence import OperatorState
from controller.prompts.facts import LARGEST_FILE_BYTES
from controller.prompts.ringtones import FOLDER, RING_SECONDS, keep_ringtone, standard_ringtone
from controller.storage import Session
from controller.storage.calls import CallDetail, CallFilters, list_calls
from controller.storage.contacts import names_of_callers
from controller.storage.desks import Desk, find_desk, operator_of
from controller.storage.forwarding import PhoneView, find_own_phone
from controller.storage.operator_states import OperatorNow, operator_now
from controller.storage.operators import CallMode, Operator
from web.call_models import CallItem, call_item
from web.colleagues import Colleague, fitting
from web.errors import WebError, as_web_error
from web.files import inside
from web.forms import checked, errors_by_field, form_fields, status_of
from web.forwarding_models import NewPhone, phone_model
from web.rendering import page
from web.security import NO_TEAM, acting_user
from web.services import ringtone_workshop, services
from web.state_models import StateChoice, state_model
from web.transfer_forms import target_name
from web.uploads import read_upload
from web.views.api_forwarding import drop_phone, store_phone
from web.views.api_missed_calls import load as load_missed
from web.views.api_states import place_call, set_state
from web.views.confirming import call_with_code, confirm_by_code, send_code
from web.views.missed_calls import mine
from web.views.operators import as_they_are, own_operator, state_of, team_of
from web.views.transfers import consults_in, talks_in
from web.words import CALL_MODE_WORDS, operator_words

_SECONDS_OF_SILENCE = 15.0
_SECONDS_OF_A_STREAM = 600.0
"""Then the browser connects again, and its session is looked at again."""
_MOST_CALLS = 200
_MOST_MISSED = 10


@dataclass(frozen=True, slots=True)
class DeskCall:
    """A live call of the operator; `talking` is false while his phone rings for it. `consulting`: he speaks with somebody else
    before a transfer."""

    call: CallItem
    talking: bool
    consulting: bool


@dataclass(frozen=True, slots=True)
class _Found:
    desk: Desk | None
    operator: Operator | None
    calls: tuple[CallDetail, ...]
    phone: PhoneView | None
    colleagues: tuple[Operator, ...]
    now: OperatorNow | None


async def show_desk(request: Request) -> Response:
    """The operator's page."""
    return await _desk_page(request)


async def desk_events(request: Request) -> Response:
    """Server-sent events: "state" with the state of the operator's phone, at once and whenever it changes."""
    operator = await own_operator(request)
    events = _events(request, operator.extension)
    return StreamingResponse(events, media_type="text/event-stream", headers={"X-Accel-Buffering": "no"})


async def get_ringtone(request: Request) -> Response:
    """The user's own ringtone, else the standard one."""
    desk = await services(request).database.read(find_desk, request.state.user.id)
    file = None if desk is None or desk.ringtone_path is None else inside(_data(request), desk.ringtone_path)
    if file is None:
        file = await asyncio.to_thread(standard_ringtone, _data(request) / FOLDER)
    return FileResponse(file, media_type="audio/wav")


async def upload_ringtone(request: Request) -> Response:
    """A ringtone of his own was sent."""
    try:
        async with read_upload(request) as upload, ringtone_workshop(request).prepared(upload.file) as sound:
            path = f"{FOLDER}/{new_file_id()}.wav"
            await asyncio.to_thread(keep_ringtone, sound, _data(request) / path)
            await _change(request, path, upload.file_name)
    except (WebError, InvalidInput) as refused:
        return await _desk_page(request, refused)
    except OSError as error:
        return await _desk_page(request, WebError(507, "no_room", f"The sound could not be stored: {error.strerror}."))
    return RedirectResponse("/desk", status_code=303)


async def standard_again(request: Request) -> Response:
    """Back to the standard ringtone."""
    await _change(request, None, "")
    return RedirectResponse("/desk", status_code=303)


async def choose_call_mode(request: Request) -> Response:
    """What the operator telephones with was chosen (SKZ-72)."""
    operator, given = await own_operator(request), services(request)
    mode = cast(CallMode, (await form_fields(request)).get("call_mode", ""))
    try:
        by, now = acting_user(request), given.clock.now()
        await given.database.run(change_call_mode, operator.id, mode, acting_user=by, at=now)
    except InvalidInput as refused:
        return await _desk_page(request, mode_refused=refused)
    await given.directory_changed()
    return RedirectResponse("/desk", status_code=303)


async def choose_own_state(request: Request) -> Response:
    """The operator logs in or out, or wants or does not want to be disturbed (SKZ-62, SKZ-63)."""
    operator, fields = await own_operator(request), await form_fields(request)
    try:
        choice = checked(StateChoice, {name: fields.get(name, "") for name in ("state", "reason")})
        await set_state(request, operator.extension, choice)
    except Refused as refused:
        at_field = InvalidInput(str(refused), [FieldProblem("state", f"{refused}.")])
        return await _desk_page(request, state_refused=at_field)
    return RedirectResponse("/desk", status_code=303)


async def end_own_wrap_up(request: Request) -> Response:
    """The operator is ready for the next call."""
    operator = await own_operator(request)
    services(request).bus.send(WrapUpEnded(operator.extension))
    return RedirectResponse("/desk", status_code=303)


async def call_colleague(request: Request) -> Response:
    """A name or extension was typed: the colleague is called if it can be nobody else (SKZ-64)."""
    own, given = await own_operator(request), services(request)
    typed = (await form_fields(request)).get("colleague", "").strip()
    team = await given.database.read(team_of, own) if request.state.sees_team else ()
    found = fitting(as_they_are(request, team), typed)
    try:
        if not request.state.sees_team:
            raise Refused(NO_TEAM.removesuffix("."))
        if len(found) != 1:
            raise Refused(
                f"{len(found)} colleagues fit: choose one" if found else "nobody in the team has this name or extension"
            )
        await place_call(request, own.extension, found[0].extension)
    except Refused as refused:
        at_field = InvalidInput(str(refused), [FieldProblem("colleague", f"{refused}.")])
        return await _desk_page(request, call_refused=at_field, sought=typed, fits=found)
    return RedirectResponse(f"/desk?called={found[0].extension}", status_code=303)


async def enter_phone(request: Request) -> Response:
    """The number that the operator's missed calls are forwarded to was sent (SKZ-34)."""
    operator, fields = await own_operator(request), await form_fields(request)
    try:
        await store_phone(
            request, checked(NewPhone, {"number": fields.get("number", "").strip(), "operator": operator.extension})
        )
    except Refused as refused:
        return await _desk_page(request, phone_refused=refused, typed=fields.get("number", ""))
    return RedirectResponse("/desk#phone-title", status_code=303)


async def call_phone(request: Request) -> Response:
    """That number is to be told a code."""
    return await _with_phone(request, call_with_code, then="/desk?by=call#phone-title")


async def message_phone(request: Request) -> Response:
    """That number is to be sent a code."""
    return await _with_phone(request, send_code, then="/desk?by=sms#phone-title")


async def confirm_own_phone(request: Request) -> Response:
    """The code was typed."""
    return await _with_phone(request, partial(confirm_by_code, code=(await form_fields(request)).get("code", "")))


async def remove_own_phone(request: Request) -> Response:
    """Nothing is to be forwarded to him any more."""
    return await _with_phone(request, drop_phone)


async def _with_phone(
    request: Request, work: Callable[[Request, int], Awaitable[object]], *, then: str = "/desk#phone-title"
) -> Response:
    operator = await own_operator(request)
    phone = await services(request).database.read(own_phone_of, operator.id)
    try:
        await work(request, phone.id)
    except Refused as refused:
        return await _desk_page(request, phone_refused=refused)
    return RedirectResponse(then, status_code=303)


async def _change(request: Request, path: str | None, name: str) -> None:
    """Another ringtone; the file that is not the user's any more, or did not become his, is removed."""
    given, login = services(request), request.state.user.login
    needless: str | None = path
    try:
        by, now = acting_user(request), given.clock.now()
        needless = await given.database.run(set_ringtone, login, path, name, acting_user=by, at=now)
    finally:
        file = None if needless is None else inside(_data(request), needless)
        if file is not None:
            await asyncio.to_thread(file.unlink, missing_ok=True)


def _data(request: Request) -> Path:
    return services(request).settings.data_dir


async def _desk_page(
    request: Request,
    refused: AttendantError | WebError | None = None,
    *,
    phone_refused: Refused | None = None,
    state_refused: InvalidInput | None = None,
    mode_refused: InvalidInput | None = None,
    call_refused: InvalidInput | None = None,
    typed: str = "",
    sought: str = "",
    fits: Sequence[Colleague] = (),
) -> Response:
    given = services(request)
    # Whoever reads the page again for its live regions has the list of his colleagues, who may be a thousand.
    lists_team = request.state.sees_team and "live" not in request.query_params
    found = await given.database.read(_load, request.state.user.id, lists_team)
    error = None if refused is None else as_web_error(refused)
    form_refused = phone_refused or state_refused or mode_refused or call_refused
    callers = [detail.call.caller_number for detail in found.calls]
    contacts = await given.database.read(names_of_callers, callers, given.settings.phone_region)
    missed = await load_missed(request, await mine(request), _MOST_MISSED + 1)
    colleagues = as_they_are(request, found.colleagues)
    context: dict[str, Any] = {
        "operator": found.operator,
        "state": state_of(request, found.operator.extension) if found.operator else "offline",
        "states": {state: operator_words(state) for state in get_args(OperatorState)},
        "own_state": None if found.now is None else state_model(found.now),
        "own_reason": "" if found.now is None or found.now.switches is None else found.now.switches.reason,
        "reasons": given.settings.do_not_disturb_reasons,
        "missed": missed[:_MOST_MISSED],
        "more_missed": len(missed) > _MOST_MISSED,
        "calls": [_desk_call(detail, found.operator, request, contacts) for detail in found.calls if found.operator],
        "now": given.clock.now(),
        "ring_seconds": RING_SECONDS,
        "own_ringtone": found.desk.ringtone_name if found.desk and found.desk.ringtone_path else None,
        "largest_bytes": LARGEST_FILE_BYTES,
        "error": "" if error is None else error.fields[0].message if error.fields else error.message,
        "phone": None if found.phone is None else phone_model(found.phone, given.clock.now()),
        "errors": errors_by_field(form_refused),
        "call_modes": CALL_MODE_WORDS,
        "no_telephone": given.no_telephone,
        "typed": typed,
        "colleagues": colleagues,
        "no_team": "" if request.state.sees_team else NO_TEAM,
        "sought": sought,
        "fits": fits if len(fits) > 1 else (),
        "being_called": request.query_params.get("called", ""),
        "transfer": request.query_params.get("transfer", ""),
        "transferred_to": target_name(request.query_params.get("to", ""), colleagues),
        "code_back": given.settings.code_back,
        "told_by": request.query_params.get("by", ""),
        "has_sms": given.send_code is not None,
        "code_digits": CODE_DIGITS,
        "months": given.settings.confirmation_months,
    }
    return page(request, "desk.html", context, status_of(form_refused) if error is None else error.status)


def _load(session: Session, user_id: int, lists_team: bool) -> _Found:
    operator = operator_of(session, user_id)
    live = () if operator is None else list_calls(session, CallFilters(live=True), _MOST_CALLS).calls
    calls = tuple(detail for detail in live if operator and _legs(detail, operator))
    phone = None if operator is None else find_own_phone(session, operator.id)
    colleagues = team_of(session, operator) if operator is not None and lists_team else ()
    now = None if operator is None else operator_now(session, operator)
    own_phone = None if phone is None or operator is None else PhoneView(phone, operator)
    return _Found(find_desk(session, user_id), operator, calls, own_phone, colleagues, now)


def _legs(detail: CallDetail, operator: Operator) -> list[Any]:
    return [leg for leg in detail.legs if leg.operator_extension == operator.extension and leg.ended_at is None]


def _desk_call(detail: CallDetail, operator: Operator, request: Request, contacts: Mapping[str, str]) -> DeskCall:
    item = call_item(detail, services(request).clock.now(), contacts)
    return DeskCall(item, talks_in(detail, operator), consults_in(detail, operator))


async def _events(request: Request, extension: str) -> AsyncIterator[str]:
    """Every state in turn; after a silence the present one again, should a notice have been lost. Ends with the bus."""
    end = asyncio.get_running_loop().time() + _SECONDS_OF_A_STREAM
    async with services(request).bus.subscribe() as notices:
        yield f"retry: 2000\n\n{_event(state_of(request, extension))}"
        next_notice = asyncio.ensure_future(_next_state(notices, extension))
        try:
            while asyncio.get_running_loop().time() < end:
                done, _ = await asyncio.wait([next_notice], timeout=_SECONDS_OF_SILENCE)
                state = next_notice.result() if done else state_of(request, extension)
                if state is None:
                    return
                yield _event(state)
                if done:
                    next_notice = asyncio.ensure_future(_next_state(notices, extension))
        finally:
            next_notice.cancel()


async def _next_state(notices: AsyncIterator[Any], extension: str) -> str | None:
    """The operator's next state; None when there will be no more notices."""
    async for notice in notices:
        if isinstance(notice, OperatorChanged) and notice.extension == extension:
            return notice.state
    return None


def _event(state: str) -> str:
    return f"event: state\ndata: {json.dumps({'state': state})}\n\n"
