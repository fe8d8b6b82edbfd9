"""Operators and their groups."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from typing import Final, get_args

from controller.actions.fields import checked_name, checked_seconds, checked_zone, dialled_number, invalid
from controller.actions.usage import refuse_if_named, scenarios_that_name
from controller.errors import FieldProblem, InvalidInput, NotFound, Refused
from controller.settings import EXTENSION_PATTERN
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.campaigns import campaigns_of_group, campaigns_of_operator, count_change_of_group
from controller.storage.groups import (
    Group,
    GroupTerms,
    Membership,
    Strategy,
    find_group,
    get_group,
    groups_of,
    lock_group,
    replace_members,
)
from controller.storage.numbers import numbers_of_group
from controller.storage.operators import (
    RING_SECONDS,
    CallMode,
    Operator,
    OperatorView,
    RungNumber,
    find_operator,
    get_operator,
    list_operators,
    operator_view,
    replace_operator_numbers,
)

MOST_NUMBERS: Final = 5
LONGEST_RING: Final = 300
LONGEST_WRAP_UP: Final = 3600
LONGEST_WAIT: Final = 3600
LONGEST_TALK: Final = 86400
HIGHEST_PRIORITY: Final = 100
SHORTEST_PAUSE: Final = 10
LONGEST_PAUSE: Final = 3600
"""Seconds between two announcements."""
HIGHEST_WEIGHT: Final = 100
HIGHEST_LEVEL: Final = 10


@dataclass(frozen=True, slots=True)
class MemberDraft:
    """An operator to be a member, with his weight (1 to HIGHEST_WEIGHT) and level (1 to HIGHEST_LEVEL)."""

    extension: str
    weight: int = 1
    level: int = 1


@dataclass(frozen=True, slots=True)
class OperatorDraft:
    """What may be changed of an operator. `numbers` are rung in this order after his phone, as they are dialled through the
    trunk; `ring_seconds` is his phone's own time. `inbound`: he works with inbound calls; `team`: he sees his colleagues.
    `time_zone`: whose clock his working time goes by, None the schedule's or installation's (SKZ-29). `call_mode`: what he
    telephones with (SKZ-72); "own_number" is the first of `numbers`.
    """

    name: str
    ring_seconds: int = RING_SECONDS
    numbers: Sequence[RungNumber] = ()
    inbound: bool = True
    team: bool = True
    time_zone: str | None = None
    call_mode: CallMode = "sip_phone"


def create_operator(
    session: Session,
    extension: str,
    name: str,
    *,
    ring_seconds: int = RING_SECONDS,
    numbers: Sequence[RungNumber] = (),
    inbound: bool = True,
    team: bool = True,
    time_zone: str | None = None,
    call_mode: CallMode = "sip_phone",
    pattern: str = EXTENSION_PATTERN,
    acting_user: str,
    at: datetime,
) -> Operator:
    """A new operator with a generated SIP secret; `pattern` is the installation's rule of extensions (UIS-36).

    Raises InvalidInput: a bad extension, name, time, number, time zone or call mode; Refused: the extension is taken.
    """
    if re.fullmatch(r"[0-9]{1,8}", extension) is None or re.fullmatch(pattern, extension) is None:
        raise invalid("extension", f"it must be digits that match {pattern}")
    draft = _checked(OperatorDraft(name, ring_seconds, numbers, inbound, team, time_zone, call_mode))
    if find_operator(session, extension) is not None:
        raise Refused(f"there is already an operator {extension}")
    operator = Operator(
        extension=extension,
        name=draft.name,
        sip_secret=_new_secret(),
        ring_seconds=draft.ring_seconds,
        inbound=draft.inbound,
        team=draft.team,
        time_zone=draft.time_zone,
        call_mode=draft.call_mode,
    )
    session.add(operator)
    add_audit(session, at, acting_user, "operator.create", f"operator {extension}", name=draft.name)
    session.flush()
    replace_operator_numbers(session, operator.id, draft.numbers)
    return operator


def change_operator(session: Session, id: int, draft: OperatorDraft, *, acting_user: str, at: datetime) -> OperatorView:
    """Replace what may be changed of an operator. Raises InvalidInput: as `create_operator`; NotFound."""
    operator, draft = get_operator(session, id), _checked(draft)
    operator.name, operator.ring_seconds = draft.name, draft.ring_seconds
    operator.inbound, operator.team, operator.time_zone = draft.inbound, draft.team, draft.time_zone
    operator.call_mode = draft.call_mode
    replace_operator_numbers(session, id, draft.numbers)
    numbers = [one.number for one in draft.numbers]
    changed = {"name": draft.name, "numbers": numbers, "call_mode": draft.call_mode}
    add_audit(session, at, acting_user, "operator.change", f"operator {operator.extension}", **changed)
    session.flush()
    return operator_view(session, id)


def change_call_mode(session: Session, id: int, mode: CallMode, *, acting_user: str, at: datetime) -> None:
    """What an operator telephones with from now on; he chooses it himself (SKZ-72).

    Raises InvalidInput: there is no such mode, or none of his numbers to be called at; NotFound.
    """
    operator, view = get_operator(session, id), operator_view(session, id)
    _check_call_mode(mode, view.numbers)
    operator.call_mode = mode
    add_audit(session, at, acting_user, "operator.call_mode", f"operator {operator.extension}", call_mode=mode)
    session.flush()


def renew_secret(session: Session, id: int, *, acting_user: str, at: datetime) -> Operator:
    """Give an operator's phone a new secret; with the old one it can't register any more. Raises NotFound."""
    operator = get_operator(session, id)
    operator.sip_secret = _new_secret()
    add_audit(session, at, acting_user, "operator.renew_secret", f"operator {operator.extension}")
    session.flush()
    return operator


def delete_operator(session: Session, id: int, *, acting_user: str, at: datetime) -> None:
    """His contacts have no manager then, and calls keep his name.

    Raises Refused: he is in a group or a campaign, or a scenario names his extension; NotFound.
    """
    operator = get_operator(session, id)
    groups = groups_of(session, id)
    if groups:
        names = ", ".join(f'"{name}"' for name in groups)
        raise Refused(f"operator {operator.extension} can't be removed: he is in the group {names}")
    campaigns = campaigns_of_operator(session, id)
    if campaigns:
        names = ", ".join(f'"{name}"' for name in campaigns)
        raise Refused(f"operator {operator.extension} can't be removed: he is assigned to the campaign {names}")
    refuse_if_named(session, "extension", operator.extension, f"operator {operator.extension}", "removed")
    session.delete(operator)
    add_audit(session, at, acting_user, "operator.delete", f"operator {operator.extension}", name=operator.name)
    session.flush()


def create_group(
    session: Session,
    name: str,
    strategy: Strategy = "ring_all",
    ring_seconds: int = RING_SECONDS,
    *,
    acting_user: str,
    at: datetime,
) -> Group:
    """A new group without members.

    Raises InvalidInput: a bad name, strategy or time (1 to 300 s); Refused: the name is taken.
    """
    name = _checked_group(session, name, strategy, ring_seconds, None)
    group = Group(name=name, strategy=strategy, ring_seconds=ring_seconds)
    session.add(group)
    add_audit(session, at, acting_user, "group.create", f"group {name}", strategy=strategy, ring_seconds=ring_seconds)
    session.flush()
    return group


def change_group(
    session: Session, id: int, name: str, strategy: Strategy, ring_seconds: int, *, acting_user: str, at: datetime
) -> Group:
    """Another name, strategy or time; the next decision uses it.

    Raises InvalidInput: as `create_group`; Refused: the name is taken, or a scenario uses the old one; NotFound.
    """
    group = get_group(session, id)
    name = _checked_group(session, name, strategy, ring_seconds, id)
    if name != group.name:
        refuse_if_named(session, "group", group.name, f'the group "{group.name}"', "given another name")
    group.name, group.strategy, group.ring_seconds = name, strategy, ring_seconds
    group.version += 1
    add_audit(session, at, acting_user, "group.change", f"group {name}", strategy=strategy, ring_seconds=ring_seconds)
    session.flush()
    return group


def delete_group(session: Session, id: int, *, acting_user: str, at: datetime) -> None:
    """Raises Refused: a scenario, a number or a campaign uses it; NotFound."""
    group = get_group(session, id)
    users = users_of_group(session, group)
    if users:
        raise Refused(f'the group "{group.name}" can\'t be removed: it is used by {", ".join(users)}')
    session.delete(group)
    add_audit(session, at, acting_user, "group.delete", f"group {group.name}")
    session.flush()


def users_of_group(session: Session, group: Group) -> list[str]:
    """The scenarios that forward to it, the numbers that it answers, and the campaigns that it is assigned to."""
    scenarios = [f'the scenario "{name}"' for name in scenarios_that_name(session, "group", group.name)]
    numbers = [f"the number {row.number}" for row in numbers_of_group(session, group.id)]
    return [*scenarios, *numbers, *(f'the campaign "{name}"' for name in campaigns_of_group(session, group.id))]


def set_members(
    session: Session, group_name: str, members: Sequence[str | MemberDraft], *, acting_user: str, at: datetime
) -> None:
    """Make these operators the members of a group, in this order; an extension alone has weight and level 1.

    Raises InvalidInput: an extension twice or unknown, a bad weight or level; NotFound: no such group.
    """
    group = _locked_group(session, group_name)
    drafts = [MemberDraft(member) if isinstance(member, str) else member for member in members]
    extensions = [draft.extension for draft in drafts]
    if len(set(extensions)) != len(extensions):
        raise invalid("members", "an operator is named twice")
    ids = {operator.extension: operator.id for operator in list_operators(session)}
    unknown = [extension for extension in extensions if extension not in ids]
    if unknown:
        raise invalid("members", f"there is no operator {', '.join(unknown)}")
    for place, draft in enumerate(drafts):
        _within(f"members.{place}.weight", draft.weight, 1, HIGHEST_WEIGHT)
        _within(f"members.{place}.level", draft.level, 1, HIGHEST_LEVEL)
    replace_members(session, group.id, [Membership(ids[draft.extension], draft.weight, draft.level) for draft in drafts])
    group.version += 1
    count_change_of_group(session, group.id)
    add_audit(session, at, acting_user, "group.set_members", f"group {group_name}", members=[asdict(draft) for draft in drafts])
    session.flush()


def set_terms(session: Session, group_name: str, terms: GroupTerms, *, acting_user: str, at: datetime) -> None:
    """What the group's calls are subject to from the next decision on.

    Raises InvalidInput: a value out of its range; NotFound: no such group.
    """
    group = _locked_group(session, group_name)
    check_terms(terms)
    group.sqlmodel_update(asdict(terms))
    group.version += 1
    add_audit(session, at, acting_user, "group.set_terms", f"group {group_name}", **asdict(terms))
    session.flush()


def _locked_group(session: Session, name: str) -> Group:
    group = lock_group(session, name)
    if group is None:
        raise NotFound(f'there is no group "{name}"')
    return group


def check_terms(terms: GroupTerms) -> None:
    """Raises InvalidInput: a value out of its range."""
    _within("wrap_up_seconds", terms.wrap_up_seconds, 0, LONGEST_WRAP_UP)
    _within("longest_wait", terms.longest_wait, 1, LONGEST_WAIT)
    _within("longest_talk", terms.longest_talk, 1, LONGEST_TALK)
    _within("priority", terms.priority, 0, HIGHEST_PRIORITY)
    _within("announce_every", terms.announce_every, SHORTEST_PAUSE, LONGEST_PAUSE)
    if terms.announce_every is not None and not (terms.announce_place or terms.announce_wait):
        raise invalid("announce_every", "choose what callers are told: their place, the expected wait, or both")


def check_strategy(strategy: Strategy, ring_seconds: int) -> None:
    """Raises InvalidInput: no strategy, or a time out of its range (1 to 300 s)."""
    if strategy not in get_args(Strategy):
        raise invalid("strategy", f"use one of {', '.join(get_args(Strategy))}")
    checked_seconds("ring_seconds", ring_seconds, LONGEST_RING)


def _new_secret() -> str:
    """Letters and digits only: it is copied into configuration files and phones."""
    return secrets.token_hex(12)


def _checked(draft: OperatorDraft) -> OperatorDraft:
    name = checked_name("name", draft.name)
    checked_seconds("ring_seconds", draft.ring_seconds, LONGEST_RING)
    if len(draft.numbers) > MOST_NUMBERS:
        raise invalid("numbers", f"write at most {MOST_NUMBERS} numbers")
    numbers: list[RungNumber] = []
    problems: list[FieldProblem] = []
    for place, one in enumerate(draft.numbers):
        number = dialled_number(one.number)
        if number is None:
            problems.append(FieldProblem(f"numbers.{place}.number", "write 2 to 20 digits, perhaps with a + before them"))
        elif number in (before.number for before in numbers):
            problems.append(FieldProblem(f"numbers.{place}.number", "it is there twice"))
        else:
            checked_seconds(f"numbers.{place}.ring_seconds", one.ring_seconds, LONGEST_RING)
            numbers.append(RungNumber(number, one.ring_seconds))
    if problems:
        raise InvalidInput(f"{problems[0].field}: {problems[0].message}", problems)
    _check_call_mode(draft.call_mode, numbers)
    return replace(draft, name=name, numbers=numbers, time_zone=checked_zone("time_zone", draft.time_zone))


def _check_call_mode(mode: str, numbers: Sequence[RungNumber]) -> None:
    if mode not in get_args(CallMode):
        raise invalid("call_mode", f"use one of {', '.join(get_args(CallMode))}")
    if mode == "own_number" and not numbers:
        raise invalid("call_mode", "it needs a further number, where he is called first")


def _checked_group(session: Session, name: str, strategy: Strategy, ring_seconds: int, id: int | None) -> str:
    name = checked_name("name", name)
    check_strategy(strategy, ring_seconds)
    found = find_group(session, name)
    if found is not None and found.id != id:
        raise Refused(f'there is already a group "{name}"')
    return name


def _within(field: str, value: int | None, lowest: int, highest: int) -> None:
    if value is not None and not lowest <= value <= highest:
        raise invalid(field, f"use {lowest} to {highest}")
