"""The window of one operation: its settings, its exits, and what can be done with it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar

from pydantic import TypeAdapter, ValidationError
from starlette.datastructures import FormData
from starlette.requests import Request
from starlette.responses import Response

from controller.actions.scenarios import KnownPrompts, validate_draft
from controller.errors import AttendantError, FieldProblem, InvalidInput, NotFound
from controller.prompts.builtin import BUILTIN
from controller.storage import Session
from controller.storage.groups import group_names
from controller.storage.operators import list_operators
from controller.storage.prompts import list_prompts
from controller.storage.scenarios import StoredScenario, get_scenario, scenario_names
from controller.storage.schedules import schedule_names
from ivr.editing import AddNode, ChangeNode, Edit, Link, SetInterval, menus, menus_before
from ivr.events import KEYS
from ivr.graph import Node, NodeId, Scenario
from ivr.operations import Menu, Operation
from ivr.serialization import from_data
from ivr.validation import Problem
from web.editor_forms import BY_TYPE, Choices, FormField, Option, fields_of, read_parameters
from web.errors import WebError, as_web_error
from web.rendering import page
from web.services import services
from web.views import api_scenarios
from web.views.places import number_id
from web.views.scenarios import FORESEEN, to_scenario
from web.words import exit_words, operation_words

_EDIT: Final[TypeAdapter[Edit]] = TypeAdapter(Edit)
_MOST_FIELDS: Final = 500
_NO_INTERVAL: Final = frozenset({"inter_digit_seconds", "prompt", "extension", "variant", "type_ahead"})
"""What a forwarding to an extension has not of its own in a menu."""


@dataclass(frozen=True, slots=True)
class Exit:
    """An exit with where it leads, and where it can lead."""

    name: str
    words: str
    target: str
    options: Sequence[Option]
    note: str
    problems: Sequence[str]


@dataclass(frozen=True, slots=True)
class _Desk:
    """What the window of an operation is made of."""

    stored: StoredScenario
    draft: Scenario
    problems: list[Problem]
    choices: Choices


async def show_new_node(request: Request) -> Response:
    """The settings of an operation that is not there yet."""
    return await _new_page(request, _kind(request.query_params.get("type", "")), {}, "", None)


async def add_node(request: Request) -> Response:
    """An operation is to be added."""
    async with request.form(max_files=0, max_fields=_MOST_FIELDS) as form:
        kind = _kind(_text(form, "type"))
        parameters = read_parameters(kind, form)
        try:
            edit = AddNode(operation=parameters, title=_text(form, "title")[:100])
            await api_scenarios.edit(request, [edit], _revision(form))
        except FORESEEN as refused:
            return await _new_page(request, kind, parameters, _text(form, "title"), refused)
    return to_scenario(number_id(request))


async def show_node(request: Request) -> Response:
    """The settings of an operation."""
    return await _node_page(request)


async def save_node(request: Request) -> Response:
    """Settings and links were sent."""
    desk = await _desk(request)
    name, node = _place(request, desk)
    async with request.form(max_files=0, max_fields=_MOST_FIELDS) as form:
        posted = _Posted(_parameters(desk.draft, name, form), _text(form, "title"), _targets(form), _text(form, "interval"))
        try:
            edits = _edits(desk.draft, name, node, posted)
            if edits:
                await api_scenarios.edit(request, edits, _revision(form))
        except FORESEEN as refused:
            return await _node_page(request, refused, posted)
    return to_scenario(number_id(request))


async def edit_node(request: Request) -> Response:
    """One of the buttons of the window was pressed: an edit of `ivr.editing`, with its fields as they are named there."""
    async with request.form(max_files=0, max_fields=_MOST_FIELDS) as form:
        try:
            await api_scenarios.edit(request, [_read_edit(request, form)], _revision(form))
        except FORESEEN as refused:
            return await _node_page(request, refused)
    return to_scenario(number_id(request))


@dataclass(frozen=True, slots=True)
class _Posted:
    parameters: Mapping[str, Any]
    title: str
    targets: Mapping[str, str]
    interval: str


def _edits(draft: Scenario, name: NodeId, node: Node, posted: _Posted) -> list[Edit]:
    """What has to be done to come to what was posted."""
    edits: list[Edit] = [ChangeNode(node=name, operation=dict(posted.parameters), title=posted.title[:100])]
    for exit, target in posted.targets.items():
        if target != node.links.get(NodeId(exit), ""):
            edits.append(Link(node=name, exit=exit, target=NodeId(target) if target else None))
    if posted.interval and node.operation.takes_number() and menus_before(draft, name):
        edits.append(_checked(SetInterval, node=name, seconds=posted.interval.replace(",", ".")))
    return edits


def _read_edit(request: Request, form: FormData) -> Edit:
    given: dict[str, Any] = {"edit": _text(form, "edit")}
    place = str(request.path_params["node"])
    match given["edit"]:
        case "set_key":
            given |= {"menu": place, "key": _text(form, "key"), "action": _action(form)}
        case "add_submenu":
            given |= {"menu": place, "key": _text(form, "key"), "prompt": _texts(form, "prompt"), "title": _text(form, "title")}
        case "add_extension_entry":
            given |= {"menu": place}
        case "rename_node":
            given |= {"node": place, "name": _text(form, "name")}
        case "link":
            given |= {"node": place, "exit": _text(form, "exit"), "target": _text(form, "target") or None}
        case _:
            given |= {"node": place}
    return _validated(given)


def _action(form: FormData) -> dict[str, Any]:
    action = _text(form, "action")
    values: dict[str, Any] = {
        "user": {"extension": _text(form, "extension")},
        "group": {"group": _text(form, "group")},
        "external": {"number": _text(form, "number")},
        "menu": {"menu": _text(form, "menu")},
        "play": {"message": _texts(form, "message")},
    }
    return {"action": action, **values.get(action, {})}


_E = TypeVar("_E")


def _checked(kind: type[_E], **fields: Any) -> _E:
    try:
        return kind(**fields)
    except ValidationError as error:
        raise _invalid(error) from None


def _validated(given: Mapping[str, Any]) -> Edit:
    try:
        return _EDIT.validate_python(given)
    except ValidationError as error:
        raise _invalid(error) from None


def _invalid(error: ValidationError) -> InvalidInput:
    problems = [
        FieldProblem(str(item["loc"][-1] if item["loc"] else ""), item["msg"]) for item in error.errors(include_url=False)
    ]
    return InvalidInput(f"{problems[0].field}: {problems[0].message}", problems)


async def _desk(request: Request) -> _Desk:
    given = services(request)
    return await given.database.read(_load, number_id(request), given.prompts())


def _load(session: Session, id: int, prompts: KnownPrompts) -> _Desk:
    stored = get_scenario(session, id)
    own = [(prompt.name, prompt.title, prompt.language) for prompt in list_prompts(session)]
    shipped = [(name, prompt.title, language) for name, prompt in BUILTIN.items() for language in sorted(prompts.languages)]
    in_any = {name: title for name, title, _ in (*own, *shipped)}
    options = [(name, title) for name, title in in_any.items()]
    options += [(f"{name}:{language}", f"{title} ({language})") for name, title, language in (*own, *shipped)]
    choices = Choices(
        prompts=options,
        groups=sorted(group_names(session)),
        schedules=sorted(schedule_names(session)),
        scenarios=sorted(scenario_names(session) - {stored.name}),
        extensions=[(one.extension, f"{one.extension} {one.name}") for one in list_operators(session)],
        languages=sorted(prompts.languages),
    )
    return _Desk(stored, from_data(stored.draft), validate_draft(session, id, prompts), choices)


async def _new_page(
    request: Request,
    kind: type[Operation],
    values: Mapping[str, Any],
    title: str,
    refused: AttendantError | WebError | None,
) -> Response:
    desk = await _desk(request)
    error = None if refused is None else as_web_error(refused)
    problems = _problems_by_field(error, "operation.")
    fields = fields_of(kind, values, desk.choices, problems)
    context = {
        **_common(desk, error, problems, (field.name for field in fields)),
        "kind": str(kind.model_fields["type"].default),
        "help": _paragraphs(kind),
        "title": title,
        "fields": fields,
    }
    return page(request, "new_node.html", context, 200 if error is None else error.status)


async def _node_page(
    request: Request, refused: AttendantError | WebError | None = None, posted: _Posted | None = None
) -> Response:
    """The window; with what was refused, filled as it was sent."""
    desk = await _desk(request)
    name, node = _place(request, desk)
    error = None if refused is None else as_web_error(refused)
    problems = _problems_of_draft(desk, name) if posted is None else {}
    refused_fields = _problems_by_field(error, f"nodes.{name}.")
    for field, messages in refused_fields.items():
        problems.setdefault(field, []).extend(messages)
    operation = node.operation
    stored = operation.model_dump(mode="json", exclude_none=True)
    above = menus_before(desk.draft, name)
    in_menu = operation.takes_number()
    fields = _fields(desk, type(operation), stored if posted is None else posted.parameters, problems, in_menu)
    exits = _exits(desk.draft, name, node, posted, problems)
    shown = [*(f"operation.{one.name}" for one in fields), *(f"links.{exit.name}" for exit in exits)]
    context = {
        **_common(desk, error, refused_fields, shown if posted else ()),
        "node": name,
        "kind": operation.type,
        "help": _paragraphs(type(operation)),
        "title": node.title if posted is None else posted.title,
        "fields": fields,
        "interval": _interval(desk.draft, above, posted) if in_menu and above else None,
        "menus_above": above,
        "exits": exits,
        "is_start": name == desk.draft.start,
        "is_menu": isinstance(operation, Menu),
        "has_entry": "extension_entry" in node.links,
        "keys": [(key, f"{key} ({_title(desk.draft, node.links[key])})" if key in node.links else key) for key in KEYS],
        "free_keys": [key for key in KEYS if key not in node.links and key != "#"],
        "other_menus": [(other, _title(desk.draft, other)) for other in menus(desk.draft, name)],
        "choices": desk.choices,
    }
    return page(request, "node.html", context, 200 if error is None else error.status)


def _common(desk: _Desk, error: WebError | None, refused: Iterable[str], shown: Iterable[str]) -> dict[str, Any]:
    """`refused` are the fields at fault, `shown` those that say so themselves; for the others, the form as a whole does."""
    elsewhere = error is not None and (not error.fields or not set(refused) <= set(shown))
    return {"scenario": desk.stored, "general_error": error.message if error is not None and elsewhere else ""}


def _fields(
    desk: _Desk, kind: type[Operation], values: Mapping[str, Any], problems: Mapping[str, Sequence[str]], in_menu: bool
) -> list[FormField]:
    by_parameter = {field.removeprefix("operation."): messages for field, messages in problems.items()}
    return fields_of(kind, values, desk.choices, by_parameter, _NO_INTERVAL if in_menu else frozenset())


def _interval(draft: Scenario, above: Sequence[NodeId], posted: _Posted | None) -> str:
    menu = draft.nodes[above[0]].operation
    assert isinstance(menu, Menu)
    return f"{menu.wait_seconds:g}" if posted is None else posted.interval


def _exits(
    draft: Scenario, name: NodeId, node: Node, posted: _Posted | None, problems: Mapping[str, Sequence[str]]
) -> list[Exit]:
    """Keys that are linked, and every other exit there is. A menu's extension entry is linked by its own button."""
    operation = node.operation
    shown: list[str] = [key for key in KEYS if key in node.links]
    shown += sorted(operation.required_exits()) + sorted(operation.optional_exits() - operation.required_exits() - {*KEYS})
    shown += sorted(node.links.keys() - {*shown})
    targets = node.links if posted is None else posted.targets
    return [
        Exit(
            exit,
            f"Key {exit}" if exit in KEYS else exit_words(exit).capitalize(),
            targets.get(exit, ""),
            _targets_for(draft, operation, exit),
            _note(operation, exit),
            problems.get(f"links.{exit}", ()),
        )
        for exit in shown
    ]


def _targets_for(draft: Scenario, operation: Operation, exit: str) -> list[Option]:
    """The nodes that fit: those that take a number behind an exit that hands one over, all others elsewhere (UIS-20)."""
    hands_over = exit in operation.NUMBER_EXITS
    return [(name, _title(draft, name)) for name, node in draft.nodes.items() if node.operation.takes_number() == hands_over]


def _note(operation: Operation, exit: str) -> str:
    unused = operation.unused_exits().get(exit)
    if unused is not None:
        return f"Never taken: {unused}."
    if exit in operation.optional_exits() and exit not in KEYS:
        return "May stay without a link."
    return ""


def _title(draft: Scenario, name: NodeId) -> str:
    node = draft.nodes.get(name)
    return name if node is None else f"{node.title or operation_words(node.operation.type)} · {name}"


def _problems_of_draft(desk: _Desk, name: NodeId) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for problem in desk.problems:
        if problem.node == name:
            found.setdefault(problem.field, []).append(problem.message)
    return found


def _problems_by_field(error: WebError | None, prefix: str) -> dict[str, list[str]]:
    """What was refused, by field of the form; list items count as their list."""
    found: dict[str, list[str]] = {}
    for problem in () if error is None else error.fields:
        place = problem.field.removeprefix(prefix)
        parts = place.split(".")
        whole = ".".join(part for part in parts if not part.isdigit()) if parts[0] != "links" else place
        found.setdefault(whole, []).append(problem.message)
    return found


def _paragraphs(kind: type[Operation]) -> list[str]:
    return [" ".join(part.split()) for part in (kind.__doc__ or "").split("\n\n")]


def _place(request: Request, desk: _Desk) -> tuple[NodeId, Node]:
    name = NodeId(str(request.path_params["node"]))
    if name not in desk.draft.nodes:
        raise NotFound(f'"{desk.stored.name}" has no node "{name}" in its draft')
    return name, desk.draft.nodes[name]


def _kind(name: str) -> type[Operation]:
    if name not in BY_TYPE:
        raise NotFound("there is no such operation")
    return BY_TYPE[name]


def _parameters(draft: Scenario, name: NodeId, form: FormData) -> dict[str, Any]:
    """What was posted; what the form does not show in a menu stays as it is."""
    operation = draft.nodes[name].operation
    posted = read_parameters(type(operation), form)
    if not operation.takes_number():
        return posted
    kept = operation.model_dump(mode="json", exclude_none=True)
    return {**posted, **{field: value for field, value in kept.items() if field in _NO_INTERVAL}}


def _targets(form: FormData) -> dict[str, str]:
    return {name.removeprefix("exit."): _text(form, name) for name in form if name.startswith("exit.")}


def _revision(form: FormData) -> int:
    text = _text(form, "revision")
    if not text.isdigit() or not 0 < int(text) < 2**31:
        raise WebError(400, "bad_request", "The form has no revision: load the page again.")
    return int(text)


def _text(form: FormData, name: str) -> str:
    value = form.get(name, "")
    return value.strip() if isinstance(value, str) else ""


def _texts(form: FormData, name: str) -> list[str]:
    return [value for value in form.getlist(name) if isinstance(value, str) and value]
