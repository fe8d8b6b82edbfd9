"""The dialog with which an operator gives the caller he talks with to somebody else (SKZ-66 to SKZ-69): an available colleague, a
number outside, or the call center of the call's campaign; and how he ends his consultation before it.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import Any, get_args
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.errors import InvalidInput, NotFound, Refused
from controller.presence import OperatorState
from controller.storage import Session
from controller.storage.calls import CallDetail, get_call
from controller.storage.campaigns import campaign_view
from controller.storage.contacts import names_of_callers
from controller.storage.operators import Operator
from web.call_models import call_item
from web.colleagues import Colleague
from web.forms import errors_by_field, form_fields, status_of
from web.rendering import page
from web.security import NO_TEAM
from web.services import services
from web.state_models import CALL_CENTER
from web.transfer_forms import OUTSIDE, TransferText
from web.views.api_states import conclude_transfer, transfer_call
from web.views.operators import as_they_are, own_operator, team_of
from web.views.places import text_id
from web.words import operator_words

_OVER = "/desk?transfer=over"
_ALONE = "/desk?transfer=alone"


@dataclass(frozen=True, slots=True)
class _Found:
    """A call of the operator with those to whom he can give it. `call_center` is the name of its campaign, if that one has a
    number to transfer to."""

    operator: Operator
    call: CallDetail
    contacts: dict[str, str]
    colleagues: list[Colleague]
    call_center: str | None

    @property
    def goes_on(self) -> bool:
        """He talks with the caller."""
        return talks_in(self.call, self.operator)


def talks_in(detail: CallDetail, operator: Operator) -> bool:
    """Whether it is this operator whom the caller of a live call talks with."""
    leg = detail.talk_leg
    if detail.call.ended_at is not None or leg is None or leg.ended_at is not None:
        return False
    return leg.operator_extension == operator.extension


def consults_in(detail: CallDetail, operator: Operator) -> bool:
    """Whether this operator, whose caller hears music, speaks with somebody to whom he may transfer the call, or has him rung."""
    mine = [leg for leg in detail.legs if leg.transferred_by == operator.extension and leg.ended_at is None]
    return talks_in(detail, operator) and any(leg.talk_started_at is None for leg in mine)


async def show_transfer(request: Request) -> Response:
    """The dialog of a call; when the operator does not talk in it any more, his desk."""
    found = await _load(request)
    return _dialog(request, found, TransferText()) if found.goes_on else RedirectResponse(_OVER, status_code=303)


async def transfer(request: Request) -> Response:
    """Somebody was chosen."""
    found, text = await _load(request), TransferText.typed(await form_fields(request))
    if not found.goes_on:
        return RedirectResponse(_OVER, status_code=303)
    try:
        order = text.order(found.colleagues)
        await transfer_call(request, found.call.call.id, order)
    except InvalidInput as wrong:
        return _dialog(request, found, text, wrong)
    except Refused as refused:
        return _dialog(request, found, text, text.wrong(str(refused)))
    told = {"transfer": "consulting" if order.consulting else "given", "to": text.to}
    return RedirectResponse(f"/desk?{urlencode(told)}", status_code=303)


async def take_back(request: Request) -> Response:
    """The operator ends his consultation and has his caller again."""
    return await _conclude(request, completes=False)


async def complete(request: Request) -> Response:
    """The operator has his caller joined with whom he consults."""
    return await _conclude(request, completes=True)


async def _conclude(request: Request, *, completes: bool) -> Response:
    found = await _load(request)
    if not found.goes_on:
        return RedirectResponse(_OVER, status_code=303)
    try:
        await conclude_transfer(request, found.call.call.id, completes=completes)
    except Refused:
        return RedirectResponse(_ALONE, status_code=303)
    return RedirectResponse("/desk", status_code=303)


async def _load(request: Request) -> _Found:
    """Raises NotFound for a call that has never been the operator's."""
    given, operator = services(request), await own_operator(request)
    detail, contacts, team, call_center = await given.database.read(
        _read, text_id(request), operator, given.settings.phone_region
    )
    return _Found(operator, detail, contacts, as_they_are(request, team), call_center)


def _read(
    session: Session, id: str, operator: Operator, region: str | None
) -> tuple[CallDetail, dict[str, str], tuple[Operator, ...], str | None]:
    detail = get_call(session, id)
    if all(leg.operator_extension != operator.extension for leg in detail.legs):
        raise NotFound(f"there is no call {id} of yours")
    contacts = names_of_callers(session, [detail.call.caller_number], region)
    call_center = None
    if detail.call.campaign_id is not None:
        with suppress(NotFound):
            campaign = campaign_view(session, detail.call.campaign_id)
            call_center = campaign.name if campaign.transfer_numbers else None
    return detail, contacts, team_of(session, operator) if operator.team else (), call_center


def _dialog(request: Request, found: _Found, text: TransferText, wrong: InvalidInput | None = None) -> Response:
    given = services(request)
    context: dict[str, Any] = {
        "call": call_item(found.call, given.clock.now(), found.contacts),
        "colleagues": found.colleagues,
        "sees_colleagues": found.operator.team,
        "no_team": NO_TEAM,
        "call_center": found.call_center,
        "states": {state: operator_words(state) for state in get_args(OperatorState)},
        "text": text,
        "outside": OUTSIDE,
        "center": CALL_CENTER,
        "errors": errors_by_field(wrong),
        "seconds": given.settings.transfer_seconds,
        "returns": given.settings.transfer_returns,
        "code_back": given.settings.code_back,
    }
    return page(request, "transfer.html", context, status_of(wrong))
