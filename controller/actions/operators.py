"""Operators: their accounts, numbers and phones."""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final, get_args

from controller.actions.fields import checked_name, checked_seconds, checked_zone, dialled_number, invalid
from controller.actions.usage import refuse_if_named
from controller.errors import FieldProblem, InvalidInput, Refused
from controller.settings import EXTENSION_PATTERN
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.campaigns import campaigns_of_operator
from controller.storage.groups import groups_of
from controller.storage.operators import (
    RING_SECONDS,
    CallMode,
    Operator,
    OperatorView,
    RungNumber,
    find_operator,
    get_operator,
    operator_view,
    replace_operator_numbers,
)

MOST_NUMBERS: Final = 5
LONGEST_RING: Final = 300


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
