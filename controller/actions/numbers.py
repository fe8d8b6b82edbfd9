"""Our numbers: the calls they take, and what serves their callers.

LNR-1, SKZ-26, SKZ-28, SKZ-30, SKZ-31, SKZ-35, SKZ-36, SKZ-40, SKZ-41, SKZ-52, UIS-42, UIS-46.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Protocol

from controller.actions.fields import checked_name, checked_pattern, days_problems, invalid
from controller.actions.scenarios import KnownPrompts
from controller.errors import FieldProblem, InvalidInput, NotFound, Refused
from controller.naming import named_by
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.forwarding import NO_FORWARDING, Forwarding, find_common_phone
from controller.storage.groups import find_group
from controller.storage.numbers import InboundNumber, find_number, get_number, list_numbers
from controller.storage.prompts import lock_prompts, prompt_keys
from controller.storage.scenarios import find_scenario, get_scenario
from controller.storage.schedules import find_schedule
from controller.storage.trunks import find_trunk
from controller.storage.users import find_user
from ivr.lines import LONGEST_WAIT, STANDARD_PROMPTS, LinePrompts

SHORTEST_WAIT: Final = 1
MOST_WAIT: Final = 3600
MOST_CHANNELS: Final = 1000
LONGEST_SOURCE: Final = 64
SHORTEST_RING: Final = 5
LONGEST_RING: Final = 120
MOST_ATTEMPTS: Final = 5


class _Row(Protocol):
    @property
    def id(self) -> int: ...


@dataclass(frozen=True, slots=True)
class NumberSettings:
    """What serves a number's callers. Scenarios, schedule and group by their names; None: none. `longest_wait` in seconds;
    `responsible` is the login of who is told of missed calls. Recordings stay for `recordings_days`; None: as those of others.
    """

    language: str | None = None
    scenario: str | None = None
    off_hours_scenario: str | None = None
    schedule: str | None = None
    group: str | None = None
    longest_wait: int = LONGEST_WAIT
    prompts: LinePrompts = STANDARD_PROMPTS
    forwarding: Forwarding = NO_FORWARDING
    responsible: str | None = None
    recordings_days: int | None = None


@dataclass(frozen=True)
class NumberLine:
    """The calls that a number takes: see `storage.numbers.InboundNumber`. `trunk` by its name; None: none. They are its own, and
    never given to all numbers together. It has no slots, so that a document can be both this and `NumberSettings`.
    """

    channels: int | None = None
    incoming: bool = True
    outgoing: bool = True
    source: str = ""
    trunk: str | None = None


ANY_CALLS: Final = NumberLine()


def add_number(
    session: Session,
    number: str,
    line_name: str,
    *,
    language: str | None = None,
    scenario_id: int | None = None,
    acting_user: str,
    at: datetime,
) -> InboundNumber:
    """A number of ours with standard settings, answered by a scenario once that is published.

    Raises InvalidInput: a bad number, name or language; Refused: the number is there already; NotFound: no such scenario.
    """
    number, line_name = _checked_number(number), checked_name("line_name", line_name)
    _check_language(language)
    _is_free(session, number, None)
    if scenario_id is not None:
        get_scenario(session, scenario_id)
    added = InboundNumber(number=number, line_name=line_name, language=language, scenario_id=scenario_id)
    session.add(added)
    add_audit(session, at, acting_user, "number.add", f"number {number}", line_name=line_name, scenario_id=scenario_id)
    session.flush()
    return added


def create_number(
    session: Session,
    number: str,
    line_name: str | None,
    settings: NumberSettings,
    prompts: KnownPrompts,
    *,
    line: NumberLine = ANY_CALLS,
    template: str = "{number}",
    confirm_later: bool = False,
    acting_user: str,
    at: datetime,
) -> InboundNumber:
    """A number of ours with its settings. `prompts` is what ships with Attendant. Without a line name it has one by the template
    (see `controller.naming`). With `confirm_later` its common phone may be one that was never confirmed, and nothing is forwarded
    to it until it is.

    Raises InvalidInput with every field that is wrong; Refused: the number is there already.
    """
    values = _checked_settings(session, settings, prompts, confirm_later=confirm_later)
    of_line = _checked_line(session, line)
    if line_name is None:
        taken = {one.line_name for one in list_numbers(session)}
        line_name = named_by(template, _checked_number(number), line.trunk, taken)
    added = add_number(session, number, line_name, acting_user=acting_user, at=at)
    added.sqlmodel_update({**values, **of_line})
    session.flush()
    return added


def change_number(
    session: Session,
    id: int,
    number: str,
    line_name: str | None,
    settings: NumberSettings,
    prompts: KnownPrompts,
    *,
    line: NumberLine = ANY_CALLS,
    for_all: bool = False,
    confirm_later: bool = False,
    acting_user: str,
    at: datetime,
) -> InboundNumber:
    """Replace what is known of a number; with `for_all` all others get its settings too, and keep names and lines (SKZ-30).
    Without a line name it keeps its own.

    `confirm_later` is as for `create_number`. Calls that come from now on use them. A number that is another than before has to
    be confirmed anew (SKZ-10). Raises InvalidInput with every field that is wrong; Refused: the number is taken; NotFound.
    """
    found = get_number(session, id).row
    values = _checked_settings(session, settings, prompts, confirm_later=confirm_later)
    number = _checked_number(number)
    line_name = found.line_name if line_name is None else checked_name("line_name", line_name)
    of_line = _checked_line(session, line)
    _is_free(session, number, id)
    if number != found.number:
        found.forget_confirmation()
    found.sqlmodel_update({"number": number, "line_name": line_name, **of_line})
    for each in list_numbers(session) if for_all else [found]:
        each.sqlmodel_update(values)
    given = {"line_name": line_name, "for_all": for_all, **values, **of_line}
    add_audit(session, at, acting_user, "number.change", f"number {number}", **given)
    session.flush()
    return found


def change_all_numbers(
    session: Session, settings: NumberSettings, prompts: KnownPrompts, *, acting_user: str, at: datetime
) -> Sequence[InboundNumber]:
    """Give every number these settings; each keeps its number, name and line (SKZ-30). Raises InvalidInput."""
    values = _checked_settings(session, settings, prompts)
    numbers = list_numbers(session)
    for each in numbers:
        each.sqlmodel_update(values)
    add_audit(session, at, acting_user, "number.change_all", "all numbers", **values)
    session.flush()
    return numbers


def remove_number(session: Session, id: int, *, acting_user: str, at: datetime) -> None:
    """The number is not ours any more; who calls it is told so. Calls stay in the history. Raises NotFound."""
    found = get_number(session, id).row
    session.delete(found)
    add_audit(session, at, acting_user, "number.remove", f"number {found.number}", line_name=found.line_name)
    session.flush()


def attach_scenario(session: Session, number: str, scenario_id: int | None, *, acting_user: str, at: datetime) -> None:
    """Have a number answered by a scenario, or by none. Raises NotFound."""
    found = find_number(session, number)
    if found is None:
        raise NotFound(f"there is no number {number}")
    if scenario_id is not None:
        get_scenario(session, scenario_id)
    found.scenario_id = scenario_id
    add_audit(session, at, acting_user, "number.attach", f"number {number}", scenario_id=scenario_id)
    session.flush()


def _checked_number(number: str) -> str:
    return checked_pattern("number", number, r"\+?[0-9]{1,20}", "write 1 to 20 digits, perhaps with a + before them")


def _check_language(language: str | None) -> None:
    if language is not None:
        checked_pattern("language", language, r"[a-z]{2}", "write two small letters, such as en")


def _is_free(session: Session, number: str, id: int | None) -> None:
    found = find_number(session, number)
    if found is not None and found.id != id:
        raise Refused(f"the number {number} is there already")


def _checked_settings(
    session: Session, settings: NumberSettings, prompts: KnownPrompts, *, confirm_later: bool = False
) -> dict[str, object]:
    """The columns of a number. Raises InvalidInput with every field that is wrong."""
    lock_prompts(session)  # what is looked for now must still be there at the commit
    problems = [
        *_own_problems(settings, prompts),
        *_prompt_problems(settings.prompts, prompts.names | prompt_keys(session)),
        *_forwarding_problems(session, settings.forwarding, confirm_later),
    ]

    def id_of(field: str, kind: str, name: str | None, find: Callable[[Session, str], _Row | None]) -> int | None:
        found = None if name is None else find(session, name)
        if name is not None and found is None:
            problems.append(FieldProblem(field, f'there is no {kind} "{name}"'))
        return None if found is None else found.id

    values: dict[str, object] = {
        "language": settings.language,
        "scenario_id": id_of("scenario", "scenario", settings.scenario, find_scenario),
        "off_hours_scenario_id": id_of("off_hours_scenario", "scenario", settings.off_hours_scenario, find_scenario),
        "schedule_id": id_of("schedule", "schedule", settings.schedule, find_schedule),
        "group_id": id_of("group", "group", settings.group, find_group),
        "longest_wait": settings.longest_wait,
        "prompts": settings.prompts.written(),
        "forwarding": settings.forwarding.written(),
        "responsible_id": id_of("responsible", "user", settings.responsible, find_user),
        "recordings_days": settings.recordings_days,
    }
    if problems:
        raise InvalidInput(f"{problems[0].field}: {problems[0].message}", problems)
    return values


def _checked_line(session: Session, line: NumberLine) -> dict[str, object]:
    """The columns of a number's line. Raises InvalidInput."""
    if line.channels is not None and not 1 <= line.channels <= MOST_CHANNELS:
        raise invalid("channels", f"use 1 to {MOST_CHANNELS}, or none for any number of calls")
    trunk = None if line.trunk is None else find_trunk(session, line.trunk)
    if line.trunk is not None and trunk is None:
        raise invalid("trunk", f'there is no trunk "{line.trunk}"')
    return {
        "channels": line.channels,
        "incoming": line.incoming,
        "outgoing": line.outgoing,
        "source": checked_name("source", line.source, LONGEST_SOURCE) if line.source.strip() else "",
        "trunk_id": None if trunk is None else trunk.id,
    }


def _own_problems(settings: NumberSettings, prompts: KnownPrompts) -> Iterator[FieldProblem]:
    if settings.language is not None and settings.language not in prompts.languages:
        yield FieldProblem("language", f"use one of {', '.join(sorted(prompts.languages))}")
    if settings.off_hours_scenario is not None and settings.schedule is None:
        yield FieldProblem("off_hours_scenario", "without a schedule it is never off-hours: choose a schedule too")
    if not SHORTEST_WAIT <= settings.longest_wait <= MOST_WAIT:
        yield FieldProblem("longest_wait", f"use {SHORTEST_WAIT} to {MOST_WAIT} seconds")
    yield from days_problems(settings.recordings_days)


def _prompt_problems(chosen: LinePrompts, known: frozenset[tuple[str, str]]) -> list[FieldProblem]:
    """One that is there in another language alone is played in that: see `PromptLibrary.media`."""
    names = {name for name, _ in known}
    return [
        FieldProblem(f"prompts.{slot}", f'there is no prompt "{prompt}"')
        for slot, prompt in chosen.by_slot().items()
        if prompt is not None and (prompt not in known if prompt.language else prompt.name not in names)
    ]


def _forwarding_problems(session: Session, chosen: Forwarding, confirm_later: bool) -> Iterator[FieldProblem]:
    """A common phone must have been confirmed once (SKZ-33); when that has expired it is not rung until it is renewed."""
    if not SHORTEST_RING <= chosen.wait_seconds <= LONGEST_RING:
        yield FieldProblem("forwarding.wait_seconds", f"use {SHORTEST_RING} to {LONGEST_RING} seconds")
    if not 1 <= chosen.attempts <= MOST_ATTEMPTS:
        yield FieldProblem("forwarding.attempts", f"use 1 to {MOST_ATTEMPTS}")
    if chosen.mode != "common":
        if chosen.number is not None:
            yield FieldProblem("forwarding.number", "only a common phone has its number here")
    elif chosen.number is None:
        yield FieldProblem("forwarding.number", "say which phone: it is added and confirmed on the page Phones to forward to")
    else:
        phone = find_common_phone(session, chosen.number)
        if phone is None:
            yield FieldProblem("forwarding.number", f"there is no common phone {chosen.number}")
        elif phone.confirmed_at is None and not confirm_later:
            yield FieldProblem("forwarding.number", f"{chosen.number} is not confirmed yet")
