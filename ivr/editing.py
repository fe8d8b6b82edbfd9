"""Changes of a scenario, one at a time, as the editor and the API make them. Pure: a scenario in, another out.

What comes out can always be read again (`ivr.serialization`); it may still have problems (`ivr.validation`), for a scenario is
built step by step. An edit that makes no sense is refused with the node and field: InvalidDocument.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Annotated, Any, Final, Literal, NoReturn, TypeAlias

from pydantic import BaseModel, ConfigDict, Field, StringConstraints, ValidationError

from ivr.errors import DocumentProblem, InvalidDocument
from ivr.events import Key
from ivr.graph import Node, NodeId, Scenario
from ivr.operations import (
    AnyOperation,
    DialExtension,
    ForwardToExternal,
    ForwardToGroup,
    HangUp,
    InfoMessage,
    Menu,
)
from ivr.prompts import Prompt
from ivr.serialization import read_operation

_Id = Annotated[NodeId, StringConstraints(max_length=64)]
_Title = Annotated[str, StringConstraints(max_length=100)]
_Prompts = Annotated[tuple[Prompt, ...], Field(min_length=1, max_length=20)]
KeyOrSilence: TypeAlias = Key | Literal["wait_expired"]
"""Where an action of a menu hangs: a key, or what happens when none is pressed (SKZ-8)."""
_ENTRY: Final = "extension_entry"


class _Value(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class ToUser(_Value):
    """Connects the caller with an employee; when that fails, he is back in the menu."""

    action: Literal["user"] = "user"
    extension: str


class ToGroup(_Value):
    """Finds an operator of a group; when that fails, the caller is back in the menu."""

    action: Literal["group"] = "group"
    group: str


class ToExternal(_Value):
    """Calls a number outside; when that fails, the caller is back in the menu."""

    action: Literal["external"] = "external"
    number: str


class ToMenu(_Value):
    """Goes to another menu, of which there must be one (SKZ-6)."""

    action: Literal["menu"] = "menu"
    menu: _Id


class ToMessage(_Value):
    """Plays a file and comes back to the menu."""

    action: Literal["play"] = "play"
    message: _Prompts


class Replay(_Value):
    """Plays the menu again."""

    action: Literal["replay"] = "replay"


class ToEnd(_Value):
    """Ends the call."""

    action: Literal["hang_up"] = "hang_up"


KeyAction: TypeAlias = Annotated[
    ToUser | ToGroup | ToExternal | ToMenu | ToMessage | Replay | ToEnd, Field(discriminator="action")
]
"""What a key of a menu does (SKZ-5)."""


class AddNode(_Value):
    """A new operation, linked from nowhere yet. The first menu becomes the one that is played first (SKZ-2); in a scenario that
    only hangs up, any operation does. A menu replays after a wrong key.
    """

    edit: Literal["add_node"] = "add_node"
    operation: dict[str, Any]
    node: _Id | None = Field(None, description="default: made of the operation's type")
    title: _Title = ""


class ChangeNode(_Value):
    """Other parameters, or another title. Links of exits that are no more go as well."""

    edit: Literal["change_node"] = "change_node"
    node: _Id
    operation: dict[str, Any] | None = None
    title: _Title | None = None


class SetInterval(_Value):
    """The wait timeout of a menu, which is the inter-digit interval of its extension entry too: one value, named by either
    (UIS-22).
    """

    edit: Literal["set_interval"] = "set_interval"
    node: _Id
    seconds: float


class Link(_Value):
    """Lead an exit to a node, or nowhere. An extension entry that is taken away goes with its operation (UIS-30)."""

    edit: Literal["link"] = "link"
    node: _Id
    exit: str
    target: _Id | None = None


class AddExtensionEntry(_Value):
    """Callers may dial an extension in this menu: makes the operation and all its links at once (UIS-23)."""

    edit: Literal["add_extension_entry"] = "add_extension_entry"
    menu: _Id


class SetKey(_Value):
    """What a key of a menu does, or what happens when none is pressed."""

    edit: Literal["set_key"] = "set_key"
    menu: _Id
    key: KeyOrSilence
    action: KeyAction


class AddSubmenu(_Value):
    """A menu below another, on one of its keys; "#" leads back (UIS-32), and so does silence."""

    edit: Literal["add_submenu"] = "add_submenu"
    menu: _Id
    key: Key
    prompt: _Prompts
    title: _Title = ""


class RemoveNode(_Value):
    """Take an operation away, with the links that lead to it."""

    edit: Literal["remove_node"] = "remove_node"
    node: _Id


class RenameNode(_Value):
    """Another id; all links follow."""

    edit: Literal["rename_node"] = "rename_node"
    node: _Id
    name: _Id


class SetStart(_Value):
    """The operation that callers come to first."""

    edit: Literal["set_start"] = "set_start"
    node: _Id


Edit: TypeAlias = Annotated[
    AddNode | ChangeNode | SetInterval | Link | AddExtensionEntry | SetKey | AddSubmenu | RemoveNode | RenameNode | SetStart,
    Field(discriminator="edit"),
]


def apply(scenario: Scenario, edits: Iterable[Edit]) -> Scenario:
    """All edits in turn.

    Raises InvalidDocument: one of them makes no sense here; `where` is its field in what would come out.
    """
    for edit in edits:
        try:
            scenario = _apply(scenario, edit)
        except ValidationError as error:
            problems = [DocumentProblem(".".join(map(str, item["loc"])), item["msg"]) for item in error.errors(include_url=False)]
            raise InvalidDocument(problems) from None
    return scenario


def menus(scenario: Scenario, but: NodeId | None = None) -> list[NodeId]:
    """Its menus, without one."""
    return [name for name, node in scenario.nodes.items() if isinstance(node.operation, Menu) and name != but]


def menus_before(scenario: Scenario, extension: NodeId) -> list[NodeId]:
    """The menus whose extension entry leads to this operation."""
    return [name for name in menus(scenario) if scenario.nodes[name].links.get(_ENTRY) == extension]


def _apply(scenario: Scenario, edit: Edit) -> Scenario:
    match edit:
        case AddNode():
            return _add_node(scenario, edit)
        case ChangeNode():
            return _change_node(scenario, edit)
        case SetInterval():
            return _set_interval(scenario, edit)
        case Link():
            return _link(scenario, edit.node, edit.exit, edit.target)
        case AddExtensionEntry():
            return _add_extension_entry(scenario, edit.menu)
        case SetKey():
            return _set_key(scenario, edit)
        case AddSubmenu():
            return _add_submenu(scenario, edit)
        case RemoveNode():
            return _remove_node(scenario, edit.node)
        case RenameNode():
            return _rename_node(scenario, edit)
        case SetStart():
            return _set_start(scenario, edit.node)


def _add_node(scenario: Scenario, edit: AddNode) -> Scenario:
    operation = _operation(edit.operation, "operation")
    name = _free_name(scenario, operation.type) if edit.node is None else edit.node
    if name in scenario.nodes:
        _refuse("node", f'there is already a node "{name}"')
    links = {"incorrect_input": name} if isinstance(operation, Menu) else {}
    only_hangs_up = isinstance(scenario.nodes[scenario.start].operation, HangUp) if scenario.start in scenario.nodes else True
    is_main = isinstance(operation, Menu) and not menus(scenario)
    first = only_hangs_up and (is_main or len(scenario.nodes) == 1) and not operation.takes_number()
    added = _with(scenario, {name: Node(operation=operation, links=links, title=edit.title)})
    return _begin(added, name) if first else added


def _change_node(scenario: Scenario, edit: ChangeNode) -> Scenario:
    node = _node(scenario, edit.node)
    operation: AnyOperation = node.operation
    if edit.operation is not None:
        operation = _operation(edit.operation, f"nodes.{edit.node}.operation")
        if operation.type != node.operation.type:
            _refuse(f"nodes.{edit.node}.operation.type", "an operation does not become another: add a new one")
    links = {exit: target for exit, target in node.links.items() if exit in operation.exits()}
    title = node.title if edit.title is None else edit.title
    changed = Node(operation=operation, links=links, title=title, position=node.position)
    if operation.takes_number() != node.operation.takes_number() and _leading_to(scenario, edit.node):
        _refuse(f"nodes.{edit.node}.operation.variant", "other operations lead here: take their links away first")
    return _with(scenario, {edit.node: changed})


def _set_interval(scenario: Scenario, edit: SetInterval) -> Scenario:
    operation = _node(scenario, edit.node).operation
    changed = [edit.node] if isinstance(operation, Menu) else menus_before(scenario, edit.node)
    if not changed:
        _refuse(f"nodes.{edit.node}", "this is no menu, and no menu's extension entry leads here")
    for name in changed:
        node = scenario.nodes[name]
        parameters = node.operation.model_dump(mode="json", exclude_none=True) | {"wait_seconds": edit.seconds}
        operation = _operation(parameters, f"nodes.{name}.operation")
        scenario = _with(scenario, {name: node.model_copy(update={"operation": operation})})
    return scenario


def _link(scenario: Scenario, name: NodeId, exit: str, target: NodeId | None) -> Scenario:
    node, where = _node(scenario, name), f"nodes.{name}.links.{exit}"
    if target is None:
        links = {each: to for each, to in node.links.items() if each != exit}
        return _without_orphans(_relinked(scenario, name, links), [node.links[exit]] if exit in node.links else [])
    if exit not in node.operation.exits():
        _refuse(where, f'"{node.operation.type}" has no exit "{exit}"')
    if target not in scenario.nodes:
        _refuse(where, f'there is no node "{target}"')
    takes_number = scenario.nodes[target].operation.takes_number()
    if exit in node.operation.NUMBER_EXITS and not takes_number:
        text = "only a forwarding to an extension in its menu variant fits here, for a number is handed over"
        _refuse(where, text)
    if takes_number and exit not in node.operation.NUMBER_EXITS:
        _refuse(where, f'"{target}" needs a number that was dialled, and this exit hands none over')
    before = [node.links[exit]] if exit in node.links and node.links[exit] != target else []
    return _without_orphans(_relinked(scenario, name, {**node.links, exit: target}), before)


def _add_extension_entry(scenario: Scenario, menu: NodeId) -> Scenario:
    node = _menu(scenario, menu)
    if _ENTRY in node.links:
        _refuse(f"nodes.{menu}.links.{_ENTRY}", "callers can dial extensions here already")
    name = _free_name(scenario, "extension")
    dial = Node(
        operation=DialExtension(variant="in_menu"),
        links={"wrong_number": menu, "failed": menu},
        title="Extension",
    )
    return _relinked(_with(scenario, {name: dial}), menu, {**node.links, _ENTRY: name})


def _set_key(scenario: Scenario, edit: SetKey) -> Scenario:
    node = _menu(scenario, edit.menu)
    where = f"nodes.{edit.menu}.links.{edit.key}"
    match edit.action:
        case ToMenu(menu=menu):
            if not menus(scenario, edit.menu):
                _refuse(where, "there is no other menu to lead to: add one first")
            if menu not in menus(scenario, edit.menu):
                _refuse(where, f'"{menu}" is no other menu')
            return _link(scenario, edit.menu, edit.key, menu)
        case Replay():
            return _link(scenario, edit.menu, edit.key, edit.menu)
        case ToEnd():
            ends = (name for name, other in scenario.nodes.items() if other.operation == HangUp())
            target = next(ends, None)
            if target is not None:
                return _link(scenario, edit.menu, edit.key, target)
    operation, exits, base = _small(edit.action, where)
    name = _free_name(scenario, base)
    small = Node(operation=operation, links=dict.fromkeys(exits, edit.menu))
    before = [node.links[edit.key]] if edit.key in node.links else []
    return _without_orphans(_relinked(_with(scenario, {name: small}), edit.menu, {**node.links, edit.key: name}), before)


def _small(action: ToUser | ToGroup | ToExternal | ToMessage | ToEnd, where: str) -> tuple[AnyOperation, tuple[str, ...], str]:
    """The operation that an action needs, its exits that lead back to the menu, and what it is called."""
    try:
        match action:
            case ToUser(extension=extension):
                return DialExtension(extension=extension), ("failed", "wrong_number"), f"user-{extension}"
            case ToGroup(group=group):
                return ForwardToGroup(group=group), ("failed",), "group"
            case ToExternal(number=number):
                return ForwardToExternal(number=number), ("failed",), "external"
            case ToMessage(message=message):
                return InfoMessage(message=message), ("next",), "message"
            case ToEnd():
                return HangUp(), (), "end"
    except ValidationError as error:
        _refuse(where, error.errors(include_url=False)[0]["msg"])


def _add_submenu(scenario: Scenario, edit: AddSubmenu) -> Scenario:
    node = _menu(scenario, edit.menu)
    if edit.key in node.links:
        _refuse(f"nodes.{edit.menu}.links.{edit.key}", f'the key {edit.key} leads to "{node.links[edit.key]}" already')
    name = _free_name(scenario, "menu")
    links = {"#": edit.menu, "wait_expired": edit.menu, "incorrect_input": name}
    lower = Node(operation=Menu(prompt=edit.prompt), links=links, title=edit.title)
    return _relinked(_with(scenario, {name: lower}), edit.menu, {**node.links, edit.key: name})


def _remove_node(scenario: Scenario, name: NodeId) -> Scenario:
    gone = _node(scenario, name)
    if name == scenario.start:
        _refuse("start", f'"{name}" is where callers come in: let another operation be the first one before')
    nodes = {
        other: _with_links(node, {exit: target for exit, target in node.links.items() if target != name})
        for other, node in scenario.nodes.items()
        if other != name
    }
    return _without_orphans(Scenario(start=scenario.start, nodes=nodes), gone.links.values())


def _rename_node(scenario: Scenario, edit: RenameNode) -> Scenario:
    _node(scenario, edit.node)
    if edit.name != edit.node and edit.name in scenario.nodes:
        _refuse("name", f'there is already a node "{edit.name}"')
    names = {edit.node: edit.name}
    nodes = {
        names.get(name, name): _with_links(node, {exit: names.get(target, target) for exit, target in node.links.items()})
        for name, node in scenario.nodes.items()
    }
    return Scenario(start=names.get(scenario.start, scenario.start), nodes=nodes)


def _set_start(scenario: Scenario, name: NodeId) -> Scenario:
    if _node(scenario, name).operation.takes_number():
        _refuse("start", f'"{name}" needs a number that was dialled: it can\'t be the first')
    return _begin(scenario, name)


def _begin(scenario: Scenario, name: NodeId) -> Scenario:
    return Scenario(start=name, nodes=scenario.nodes)


def _with(scenario: Scenario, nodes: Mapping[NodeId, Node]) -> Scenario:
    return Scenario(start=scenario.start, nodes={**scenario.nodes, **nodes})


def _with_links(node: Node, links: Mapping[str, NodeId]) -> Node:
    return Node(operation=node.operation, links=dict(links), title=node.title, position=node.position)


def _relinked(scenario: Scenario, name: NodeId, links: Mapping[str, NodeId]) -> Scenario:
    return _with(scenario, {name: _with_links(scenario.nodes[name], links)})


def _without_orphans(scenario: Scenario, names: Iterable[NodeId]) -> Scenario:
    """Without those of the nodes that only work where a number is handed to them, when nothing hands them one any more."""
    gone = {
        name
        for name in names
        if name in scenario.nodes and scenario.nodes[name].operation.takes_number() and not _leading_to(scenario, name)
    }
    return Scenario(start=scenario.start, nodes={name: node for name, node in scenario.nodes.items() if name not in gone})


def _leading_to(scenario: Scenario, name: NodeId) -> bool:
    return any(name in node.links.values() for other, node in scenario.nodes.items() if other != name)


def _node(scenario: Scenario, name: NodeId) -> Node:
    node = scenario.nodes.get(name)
    return _refuse(f"nodes.{name}", "there is no such node") if node is None else node


def _menu(scenario: Scenario, name: NodeId) -> Node:
    node = _node(scenario, name)
    return node if isinstance(node.operation, Menu) else _refuse(f"nodes.{name}", "this is no menu")


def _operation(parameters: Mapping[str, Any], where: str) -> AnyOperation:
    try:
        return read_operation(parameters)
    except InvalidDocument as error:
        raise InvalidDocument(
            [DocumentProblem(f"{where}.{problem.where}".rstrip("."), problem.message) for problem in error.problems]
        ) from None


def _free_name(scenario: Scenario, base: str) -> NodeId:
    taken = scenario.nodes
    names = (NodeId(base if number == 1 else f"{base}-{number}") for number in range(1, len(taken) + 2))
    return next(name for name in names if name not in taken)


def _refuse(where: str, message: str) -> NoReturn:
    raise InvalidDocument([DocumentProblem(where, message)])
