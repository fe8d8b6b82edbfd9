"""Voicemails to listen to and to deal with."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final
from urllib.parse import urlencode

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.errors import Refused
from controller.notices.voicemails import occasion
from controller.storage import Session
from controller.storage.numbers import list_numbers
from controller.storage.outbox import LetterState, letter_states
from controller.storage.voicemails import Voicemail, list_voicemails
from web.forms import read_query
from web.notice_models import VoicemailModel, VoicemailQuery, voicemail_model
from web.rendering import page
from web.services import services
from web.views.api_voicemails import drop_voicemail, mark_heard

_TROUBLED_FIRST: Final[tuple[LetterState, ...]] = ("given_up", "waiting", "sent")


@dataclass(frozen=True, slots=True)
class VoicemailRow:
    """A voicemail, the name of the line that was called, and how its letters are, the most troubled one; None: there is none."""

    voicemail: VoicemailModel
    line: str
    letter: LetterState | None


@dataclass(frozen=True, slots=True)
class _Found:
    voicemails: Sequence[Voicemail]
    lines: dict[str, str]
    letters: dict[str, LetterState]
    there_are_any: bool


async def show_voicemails(request: Request) -> Response:
    """Voicemails, those of the newest calls first."""
    return await _list_page(request)


async def set_heard(request: Request) -> Response:
    """Somebody has dealt with one."""
    await mark_heard(request, True)
    return _back(request)


async def set_not_heard(request: Request) -> Response:
    """It is to be dealt with after all."""
    await mark_heard(request, False)
    return _back(request)


async def take_away(request: Request) -> Response:
    """One is to be deleted."""
    try:
        await drop_voicemail(request)
    except Refused as refused:
        return await _list_page(request, refused)
    return _back(request)


async def _list_page(request: Request, refused: Refused | None = None) -> Response:
    """The page; with what was refused."""
    given, query = services(request), read_query(request, VoicemailQuery)
    found = await given.database.read(_load, query)
    shown = found.voicemails[: query.limit]
    more = len(found.voicemails) > query.limit
    context = {
        "rows": [
            VoicemailRow(
                voicemail_model(one, given.settings.data_dir),
                found.lines.get(one.called_number, ""),
                _most_troubled(found.letters.get(key) for key in _occasions(one)),
            )
            for one in shown
        ],
        "only_unheard": query.heard is False,
        "there_are_any": found.there_are_any,
        "mail_server_set": given.settings.smtp_url is not None,
        "here": _query(query),
        "first_page": _address(query, None) if query.before else None,
        "next_page": _address(query, shown[-1].id) if more else None,
        "error": str(refused) if refused else "",
    }
    return page(request, "voicemails.html", context, 409 if refused else 200)


def _load(session: Session, query: VoicemailQuery) -> _Found:
    voicemails = list_voicemails(session, query.heard, query.limit + 1, query.before)
    lines = {number.number: number.line_name for number in list_numbers(session)}
    letters = letter_states(session, [key for one in voicemails for key in _occasions(one)])
    return _Found(voicemails, lines, letters, bool(voicemails) or bool(list_voicemails(session, limit=1)))


def _occasions(voicemail: Voicemail) -> list[str]:
    return [occasion(voicemail.id, recipient) for recipient in voicemail.recipients]


def _most_troubled(states: Iterable[LetterState | None]) -> LetterState | None:
    return min((state for state in states if state is not None), key=_TROUBLED_FIRST.index, default=None)


def _back(request: Request) -> Response:
    return RedirectResponse(f"/voicemails{_query(read_query(request, VoicemailQuery))}", status_code=303)


def _address(query: VoicemailQuery, before: str | None) -> str:
    return f"/voicemails{_query(query.model_copy(update={'before': before}))}"


def _query(query: VoicemailQuery) -> str:
    """The filter and the page as a query string."""
    given = {"heard": "false" if query.heard is False else "", "before": query.before or ""}
    text = urlencode({name: value for name, value in given.items() if value})
    return f"?{text}" if text else ""
