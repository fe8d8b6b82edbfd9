"""The outbox: letters that wait, were sent or were given up."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, get_args
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.errors import Refused
from controller.storage import Session
from controller.storage.outbox import LetterState, OutboxCounts, OutboxLetter, count_letters, list_letters
from web.forms import errors_by_field, form_fields, read_query, status_of
from web.notice_models import LetterQuery, letter_model
from web.rendering import page
from web.services import services
from web.views.api_voicemails import drop_letter, try_again
from web.views.places import text_id


@dataclass(frozen=True, slots=True)
class _Refusal:
    """What was asked for a letter and refused; `recipient` is what was typed."""

    letter: str
    message: str
    status: int
    recipient: str = ""


async def show_outbox(request: Request) -> Response:
    """Letters, newest first."""
    return await _list_page(request)


async def retry(request: Request) -> Response:
    """Try one again at once, perhaps to another address."""
    typed = (await form_fields(request)).get("recipient", "")
    try:
        await try_again(request, typed.strip() or None)
    except Refused as refused:
        message = next(iter(errors_by_field(refused).values()))
        return await _list_page(request, _Refusal(text_id(request), message, status_of(refused), typed[:254]))
    return _back(request)


async def take_away(request: Request) -> Response:
    """Take one out of the outbox."""
    await drop_letter(request)
    return _back(request)


async def _list_page(request: Request, refusal: _Refusal | None = None) -> Response:
    """The page; with what was refused."""
    given, query = services(request), read_query(request, LetterQuery)
    found, counts = await given.database.read(_load, query)
    shown = found[: query.limit]
    context: dict[str, Any] = {
        "letters": [letter_model(one) for one in shown],
        "counts": counts,
        "states": get_args(LetterState),
        "state": query.state,
        "mail_server_set": given.settings.smtp_url is not None,
        "mail_from": given.settings.mail_from,
        "here": _query(query),
        "first_page": _address(query, None) if query.before else None,
        "next_page": _address(query, shown[-1].id) if len(found) > query.limit else None,
        "refusal": refusal,
    }
    return page(request, "outbox.html", context, refusal.status if refusal else 200)


def _load(session: Session, query: LetterQuery) -> tuple[Sequence[OutboxLetter], OutboxCounts]:
    return list_letters(session, query.state, query.limit + 1, query.before), count_letters(session)


def _back(request: Request) -> Response:
    return RedirectResponse(f"/outbox{_query(read_query(request, LetterQuery))}", status_code=303)


def _address(query: LetterQuery, before: str | None) -> str:
    return f"/outbox{_query(query.model_copy(update={'before': before}))}"


def _query(query: LetterQuery) -> str:
    """The filter and the page as a query string."""
    text = urlencode({name: value for name, value in (("state", query.state), ("before", query.before)) if value})
    return f"?{text}" if text else ""
