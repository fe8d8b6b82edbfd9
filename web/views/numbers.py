"""Our numbers: what callers dial, who serves them, and what they hear meanwhile."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.actions.confirmations import CODE_DIGITS
from controller.actions.fields import MOST_DAYS
from controller.actions.numbers import (
    LONGEST_RING,
    LONGEST_SOURCE,
    MOST_ATTEMPTS,
    MOST_CHANNELS,
    MOST_WAIT,
    SHORTEST_RING,
    SHORTEST_WAIT,
)
from controller.errors import FieldProblem, InvalidInput, Refused
from controller.prompts.builtin import BUILTIN
from controller.storage import Session
from controller.storage.campaigns import campaign_names
from controller.storage.forwarding import PhoneView, list_phones
from controller.storage.groups import list_groups
from controller.storage.numbers import InboundNumber, NumberView, number_views
from controller.storage.prompts import StoredPrompt, list_prompts
from controller.storage.scenarios import ScenarioSummary, list_scenarios
from controller.storage.schedules import StoredSchedule, list_schedules
from controller.storage.trunks import Trunk, list_trunks
from controller.storage.users import User, list_users
from ivr.lines import LONGEST_WAIT, OPTIONAL_SLOTS, SLOTS, STANDARD_PROMPTS, Slot, standard_prompt
from web.forms import checked, errors_by_field, form_fields, status_of
from web.number_models import ForwardingModel, NumberChange, NumberModel, number_model
from web.rendering import page
from web.security import administrators_only
from web.services import services
from web.views.api_numbers import (
    drop_number,
    load_check,
    load_number,
    replace_number,
    schedule_clocks,
    schedule_states,
    store_number,
)
from web.views.confirming import call_with_code, confirm_by_code, keep_confirmed, send_code
from web.views.places import number_id

_FIELDS: Final = ("number", "line_name", "channels", "incoming", "outgoing", "source", "longest_wait", "recordings_days")
SLOT_WORDS: Final[Mapping[Slot, tuple[str, str]]] = {
    "arrival": ("On arrival", "Played once, while operators are rung already."),
    "waiting": ("Waiting for an answer", "Played over and over; music follows the standard one."),
    "all_busy": ("All operators are busy", "In turn with the waiting prompt, as long as nobody is rung for the caller."),
    "no_answer": ("Nobody can answer", "Played alone; then the call ends."),
    "off_hours": ("Off-hours", "Played alone outside of the schedule, if there is no scenario for it; then the call ends."),
}
"""Title and help of each prompt."""
_FORWARDING: Final = "forwarding_"
_RULE: Final = tuple(ForwardingModel.model_fields)
_CHOSEN: Final = ("language", "schedule", "scenario", "off_hours_scenario", "group", "responsible", "trunk")
"""Fields that name something, or nothing."""


@dataclass(frozen=True, slots=True)
class Choice:
    """A prompt that may be chosen; `audio` is where it can be heard."""

    value: str
    title: str
    audio: str | None = None


@dataclass(frozen=True, slots=True)
class _Surroundings:
    """What numbers may refer to."""

    scenarios: Sequence[ScenarioSummary]
    schedules: Sequence[StoredSchedule]
    groups: Sequence[str]
    prompts: Sequence[StoredPrompt]
    trunks: Sequence[Trunk]
    phones: Sequence[PhoneView]
    users: Sequence[User]

    @property
    def published(self) -> set[str]:
        """The scenarios that serve callers."""
        return {one.name for one in self.scenarios if one.published_number is not None}


async def show_numbers(request: Request) -> Response:
    """All numbers."""
    given = services(request)
    views, surroundings, campaigns = await given.database.read(_list)
    now = given.clock.now()
    context = {
        "numbers": [number_model(view, now) for view in views],
        "campaigns": {view.row.id: campaigns[view.row.campaign_id] for view in views if view.row.campaign_id is not None},
        "states": schedule_states(surroundings.schedules, now, given.settings.zone),
        "clocks": schedule_clocks(surroundings.schedules),
        "published": surroundings.published,
        "standard": STANDARD_PROMPTS.by_slot(),
    }
    return page(request, "numbers.html", context)


async def show_new_number(request: Request) -> Response:
    """An empty form."""
    standard: dict[str, str] = {slot: str(standard_prompt(slot)) for slot in SLOTS}
    both_ways = {"incoming": "on", "outgoing": "on"}
    rule = _forwarding_fields(ForwardingModel())
    return await _form_page(request, {"longest_wait": str(LONGEST_WAIT), **both_ways, **standard, **rule})


async def add_number(request: Request) -> Response:
    """A new number was sent."""
    fields = await form_fields(request)
    try:
        await store_number(request, _change(fields))
    except Refused as refused:
        return await _form_page(request, fields, refused=refused)
    return RedirectResponse("/numbers", status_code=303)


async def show_number(request: Request) -> Response:
    """One number, to be changed."""
    return await _number_page(request)


async def change_number(request: Request) -> Response:
    """A changed number was sent: for itself, or its settings for all numbers."""
    number, fields = await load_number(request, number_id(request)), await form_fields(request)
    try:
        await replace_number(request, _change(fields), for_all=fields.get("do") == "all")
    except Refused as refused:
        return await _form_page(request, fields, number, refused)
    return RedirectResponse("/numbers", status_code=303)


async def call_number(request: Request) -> Response:
    """The number is to be told a code."""
    return await _confirm(request, partial(call_with_code, of=InboundNumber), then="?by=call")


async def message_number(request: Request) -> Response:
    """The number is to be sent a code."""
    return await _confirm(request, partial(send_code, of=InboundNumber), then="?by=sms")


async def confirm(request: Request) -> Response:
    """The code was typed."""
    code = (await form_fields(request)).get("code", "")
    return await _confirm(request, partial(confirm_by_code, code=code, of=InboundNumber))


async def confirm_for_good(request: Request) -> Response:
    """It is a number of our own trunk."""
    return await _confirm(request, partial(keep_confirmed, of=InboundNumber))


async def take_away(request: Request) -> Response:
    """A number is to be removed."""
    await drop_number(request)
    return RedirectResponse("/numbers", status_code=303)


async def _confirm(request: Request, work: Callable[[Request, int], Awaitable[object]], *, then: str = "") -> Response:
    administrators_only(request)
    id = number_id(request)
    try:
        await work(request, id)
    except Refused as refused:
        return await _number_page(request, not_confirmed=refused)
    return RedirectResponse(f"/numbers/{id}{then}#confirmation-title", status_code=303)


async def _number_page(request: Request, not_confirmed: Refused | None = None) -> Response:
    number = await load_number(request, number_id(request))
    fields = {name: _field(value) for name, value in number if name not in ("id", "prompts", "forwarding", "confirmation")}
    slots = {slot: "" if prompt is None else str(prompt) for slot, prompt in number.prompts}
    given = {**fields, **slots, **_forwarding_fields(number.forwarding)}
    return await _form_page(request, given, number, not_confirmed=not_confirmed)


def _change(fields: Mapping[str, str]) -> NumberChange:
    """What the form means. Raises InvalidInput."""
    prompts = {slot: fields.get(slot, "") or (None if slot in OPTIONAL_SLOTS else str(standard_prompt(slot))) for slot in SLOTS}
    data: dict[str, Any] = {
        "number": fields.get("number", "").strip(),
        "line_name": fields.get("line_name", "").strip() or None,
        "longest_wait": fields.get("longest_wait", ""),
        "channels": fields.get("channels") or None,
        "recordings_days": fields.get("recordings_days") or None,
        "incoming": fields.get("incoming") == "on",
        "outgoing": fields.get("outgoing") == "on",
        "source": fields.get("source", "").strip(),
        **{name: fields.get(name) or None for name in _CHOSEN},
        "prompts": prompts,
        "forwarding": _forwarding(fields),
    }
    return checked(NumberChange, data)


def _forwarding_fields(rule: ForwardingModel) -> dict[str, str]:
    return {f"{_FORWARDING}{name}": "" if value is None else str(value) for name, value in rule}


def _forwarding(fields: Mapping[str, str]) -> dict[str, Any]:
    """The rule as it was typed. A common phone that is not to be used is not chosen; a form without these fields has none."""
    typed: dict[str, Any] = {name: fields[f"{_FORWARDING}{name}"] for name in _RULE if fields.get(f"{_FORWARDING}{name}")}
    return typed if typed.get("mode") == "common" else {name: value for name, value in typed.items() if name != "number"}


async def _form_page(
    request: Request,
    fields: Mapping[str, str],
    number: NumberModel | None = None,
    refused: Refused | None = None,
    not_confirmed: Refused | None = None,
) -> Response:
    given = services(request)
    surroundings = await given.database.read(_surroundings)
    own = _own_prompts(surroundings.prompts)
    check = None if number is None else await load_check(request, number.id)
    names = (*_FIELDS, *_CHOSEN, *SLOTS, *(f"{_FORWARDING}{name}" for name in _RULE))
    context = {
        "number": number,
        "check": check,
        "form": {name: fields.get(name, "") for name in names},
        "errors": _errors(refused) if refused else {},
        "confirmation": None if number is None else {**dict(number.confirmation), "number": number.number, "approval": None},
        "not_confirmed": errors_by_field(not_confirmed),
        "may_confirm": request.state.user.role == "administrator",
        "told_by": request.query_params.get("by", ""),
        "has_sms": given.send_code is not None,
        "code_digits": CODE_DIGITS,
        "months": given.settings.confirmation_months,
        "scenarios": surroundings.scenarios,
        "schedules": [stored.name for stored in surroundings.schedules],
        "groups": surroundings.groups,
        "trunks": [trunk.name for trunk in surroundings.trunks],
        "template": given.settings.line_name_template,
        "most_channels": MOST_CHANNELS,
        "most_days": MOST_DAYS,
        "installation_days": given.settings.recordings_days,
        "longest_source": LONGEST_SOURCE,
        "users": surroundings.users,
        "languages": sorted(given.prompts().languages),
        "installation_language": given.settings.language,
        "slots": [(slot, *SLOT_WORDS[slot], _choices(slot, fields.get(slot, ""), own)) for slot in SLOTS],
        "phones": _phones(surroundings.phones, fields.get(f"{_FORWARDING}number", ""), given.clock.now()),
        "shortest_ring": SHORTEST_RING,
        "longest_ring": LONGEST_RING,
        "most_attempts": MOST_ATTEMPTS,
        "shortest_wait": SHORTEST_WAIT,
        "most_wait": MOST_WAIT,
    }
    return page(request, "number.html", context, status_of(refused or not_confirmed))


def _field(value: object) -> str:
    """A value as its field has it."""
    if isinstance(value, bool):
        return "on" if value else ""
    return "" if value is None else str(value)


def _errors(refused: Refused) -> dict[str, str]:
    """The form has a field for each prompt, and for each part of the forwarding."""
    if not isinstance(refused, InvalidInput):
        return errors_by_field(refused)
    problems = [
        FieldProblem(problem.field.removeprefix("prompts.").replace("forwarding.", _FORWARDING), problem.message)
        for problem in refused.problems
    ]
    return errors_by_field(InvalidInput(str(refused), problems))


def _phones(phones: Sequence[PhoneView], chosen: str, now: datetime) -> list[Choice]:
    """The common phones that were confirmed, and the chosen one whatever it is."""
    common = [view.row for view in phones if view.operator is None and (view.row.confirmed_at or view.row.number == chosen)]
    choices = [
        Choice(phone.number, phone.number if phone.is_used(now) else f"{phone.number} (not confirmed now)") for phone in common
    ]
    known = {choice.value for choice in choices}
    return choices if not chosen or chosen in known else [*choices, Choice(chosen, chosen)]


def _choices(slot: Slot, chosen: str, own: Sequence[Choice]) -> list[Choice]:
    standard = standard_prompt(slot)
    unused = [Choice("", "Not used")] if slot in OPTIONAL_SLOTS else []
    choices = [Choice(str(standard), f"Standard: {BUILTIN[standard.name].title}"), *unused, *own]
    # One that was chosen in another way, in a language of its own for example, must not be lost by saving the form.
    return choices if chosen in {choice.value for choice in choices} or not chosen else [*choices, Choice(chosen, chosen)]


def _own_prompts(stored: Sequence[StoredPrompt]) -> list[Choice]:
    """Each once, whatever languages it is there in."""
    found: dict[str, list[StoredPrompt]] = {}
    for prompt in stored:
        found.setdefault(prompt.name, []).append(prompt)
    return [
        Choice(
            name,
            f"{prompts[0].title} ({', '.join(prompt.language for prompt in prompts)})",
            f"/prompts/{name}/{prompts[0].language}/audio",
        )
        for name, prompts in found.items()
    ]


def _list(session: Session) -> tuple[list[NumberView], _Surroundings, dict[int, str]]:
    return number_views(session), _surroundings(session), campaign_names(session)


def _surroundings(session: Session) -> _Surroundings:
    groups = [group.name for group in list_groups(session)]
    prompts, trunks, phones = list_prompts(session), list_trunks(session), list_phones(session)
    users = [user for user in list_users(session) if not user.disabled]
    return _Surroundings(list_scenarios(session), list_schedules(session), groups, prompts, trunks, phones, users)
