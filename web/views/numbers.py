"""Our numbers: what callers dial, who serves them, and what they hear meanwhile."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from controller.actions.numbers import MOST_WAIT, SHORTEST_WAIT
from controller.errors import FieldProblem, InvalidInput, Refused
from controller.prompts.builtin import BUILTIN
from controller.schedules import Schedule, State, state_at, zone_for
from controller.storage import Session
from controller.storage.groups import list_groups
from controller.storage.numbers import NumberView, get_number, number_views
from controller.storage.prompts import StoredPrompt, list_prompts
from controller.storage.scenarios import ScenarioSummary, list_scenarios
from controller.storage.schedules import StoredSchedule, list_schedules
from ivr.lines import LONGEST_WAIT, OPTIONAL_SLOTS, SLOTS, STANDARD_PROMPTS, Slot, standard_prompt
from web.forms import checked, errors_by_field, form_fields
from web.number_models import NumberChange, NumberModel, number_model
from web.rendering import page
from web.services import services
from web.views.api_numbers import drop_number, replace_number, store_number
from web.views.places import number_id

SLOT_WORDS: Final[Mapping[Slot, tuple[str, str]]] = {
    "arrival": ("On arrival", "Played once, while operators are rung already."),
    "waiting": ("Waiting for an answer", "Played over and over; music follows the standard one."),
    "all_busy": ("All operators are busy", "In turn with the waiting prompt, as long as nobody is rung for the caller."),
    "no_answer": ("Nobody can answer", "Played alone; then the call ends."),
    "off_hours": ("Off-hours", "Played alone outside of the schedule, if there is no scenario for it; then the call ends."),
}
"""Title and help of each prompt."""


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


async def show_numbers(request: Request) -> Response:
    """All numbers."""
    given = services(request)
    views, surroundings = await given.database.read(_list)
    now = given.clock.now()
    states: dict[str, State] = {}
    for stored in surroundings.schedules:
        schedule = Schedule.model_validate(stored.document)
        if schedule.zone_mode != "operator":
            states[stored.name] = state_at(schedule, now, zone_for(schedule, given.settings.zone))
    context = {
        "numbers": [number_model(view) for view in views],
        "states": states,
        "published": {one.name for one in surroundings.scenarios if one.published_number is not None},
        "standard": STANDARD_PROMPTS.by_slot(),
    }
    return page(request, "numbers.html", context)


async def show_new_number(request: Request) -> Response:
    """An empty form."""
    standard: dict[str, str] = {slot: str(standard_prompt(slot)) for slot in SLOTS}
    return await _form_page(request, {"longest_wait": str(LONGEST_WAIT), **standard})


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
    number = number_model(await services(request).database.read(get_number, number_id(request)))
    fields = {name: "" if value is None else str(value) for name, value in number if name not in ("id", "prompts")}
    slots = {slot: "" if prompt is None else str(prompt) for slot, prompt in number.prompts}
    return await _form_page(request, {**fields, **slots}, number)


async def change_number(request: Request) -> Response:
    """A changed number was sent: for itself, or its settings for all numbers."""
    number = number_model(await services(request).database.read(get_number, number_id(request)))
    fields = await form_fields(request)
    try:
        await replace_number(request, _change(fields), for_all=fields.get("do") == "all")
    except Refused as refused:
        return await _form_page(request, fields, number, refused)
    return RedirectResponse("/numbers", status_code=303)


async def take_away(request: Request) -> Response:
    """A number is to be removed."""
    await drop_number(request)
    return RedirectResponse("/numbers", status_code=303)


def _change(fields: Mapping[str, str]) -> NumberChange:
    """What the form means. Raises InvalidInput."""
    named = ("language", "schedule", "scenario", "off_hours_scenario", "group")
    prompts = {slot: fields.get(slot, "") or (None if slot in OPTIONAL_SLOTS else str(standard_prompt(slot))) for slot in SLOTS}
    data: dict[str, Any] = {
        "number": fields.get("number", "").strip(),
        "line_name": fields.get("line_name", "").strip(),
        "longest_wait": fields.get("longest_wait", ""),
        **{name: fields.get(name) or None for name in named},
        "prompts": prompts,
    }
    return checked(NumberChange, data)


async def _form_page(
    request: Request, fields: Mapping[str, str], number: NumberModel | None = None, refused: Refused | None = None
) -> Response:
    given = services(request)
    surroundings = await given.database.read(_surroundings)
    own = _own_prompts(surroundings.prompts)
    names = ("number", "line_name", "language", "schedule", "scenario", "off_hours_scenario", "group", "longest_wait", *SLOTS)
    context = {
        "number": number,
        "form": {name: fields.get(name, "") for name in names},
        "errors": _errors(refused) if refused else {},
        "scenarios": surroundings.scenarios,
        "schedules": [stored.name for stored in surroundings.schedules],
        "groups": surroundings.groups,
        "languages": sorted(given.prompts().languages),
        "installation_language": given.settings.language,
        "slots": [(slot, *SLOT_WORDS[slot], _choices(slot, fields.get(slot, ""), own)) for slot in SLOTS],
        "shortest_wait": SHORTEST_WAIT,
        "most_wait": MOST_WAIT,
    }
    status = 200 if refused is None else 422 if isinstance(refused, InvalidInput) else 409
    return page(request, "number.html", context, status)


def _errors(refused: Refused) -> dict[str, str]:
    """The form has a field for each prompt."""
    if not isinstance(refused, InvalidInput):
        return errors_by_field(refused)
    problems = [FieldProblem(problem.field.removeprefix("prompts."), problem.message) for problem in refused.problems]
    return errors_by_field(InvalidInput(str(refused), problems))


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


def _list(session: Session) -> tuple[list[NumberView], _Surroundings]:
    return number_views(session), _surroundings(session)


def _surroundings(session: Session) -> _Surroundings:
    groups = [group.name for group in list_groups(session)]
    return _Surroundings(list_scenarios(session), list_schedules(session), groups, list_prompts(session))
