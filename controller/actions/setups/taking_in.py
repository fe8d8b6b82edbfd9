"""Taking a set-up in: what is missing is made, what differs is changed, nothing is taken away. All of it, or nothing.

Rules:
- What a document leaves out has its standard value. A thing of which there is no document stays as it is.
- Taking in the same set-up again changes nothing: no version grows, nothing is audited.
- Secrets are not part of it: a new operator gets a fresh one, who is here keeps his; a trunk's stays, a new trunk waits for it.
- Of a scenario the published version counts. Where that is the same, a draft in work stays; else the set-up's becomes the draft,
  which can be undone, and is published.
- A phone that calls are forwarded to must be confirmed here, but for a number of the own trunk.
- Operators' own phones are not part of it, for a code proves a phone where it was typed.
- An entry of the block list whose time is over is taken in as it is, and blocks nobody.
- Users are not part of it: who is named must be here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, fields, replace
from datetime import datetime
from graphlib import CycleError, TopologicalSorter
from itertools import pairwise
from typing import Any, Final, TypeAlias

from controller.actions.campaigns import CampaignDraft, change_campaign, create_campaign
from controller.actions.confirmations import confirm_for_good
from controller.actions.contacts import block_number, change_block
from controller.actions.forwarding import add_common_phone
from controller.actions.groups import change_group, check_terms, create_group, set_members, set_terms
from controller.actions.numbers import change_number, create_number
from controller.actions.operators import OperatorDraft, change_operator, create_operator
from controller.actions.prompts import enter_prompt, exchange_sound, retitle_prompt
from controller.actions.scenarios import KnownPrompts, create_scenario, publish, save_draft
from controller.actions.schedules import change_schedule, create_schedule
from controller.actions.setups.documents import (
    BLOCKED,
    CAMPAIGNS,
    GROUPS,
    KINDS,
    NUMBERS,
    OPERATORS,
    PHONES,
    PROMPTS,
    SCENARIOS,
    SCHEDULES,
    TRUNKS,
    USER,
    BlockDocument,
    GroupDocument,
    Kind,
    NumberDocument,
    OperatorDocument,
    PhoneDocument,
    PromptDocument,
    ScenarioDocument,
    ScheduleDocument,
    refused,
    within,
)
from controller.actions.setups.reading import Entry, Setup, problems_in
from controller.actions.trunks import TrunkDraft, change_trunk, create_trunk
from controller.errors import FieldProblem, InvalidInput, Refused
from controller.prompts.facts import PreparedSound
from controller.prompts.files import PromptFolder
from controller.settings import Settings
from controller.storage import Session, attempt
from controller.storage.campaigns import find_campaign
from controller.storage.contacts import find_blocked
from controller.storage.forwarding import find_common_phone, list_phones
from controller.storage.groups import GroupTerms, find_group
from controller.storage.numbers import InboundNumber, find_number
from controller.storage.operators import find_operator, list_operators
from controller.storage.scenarios import find_scenario
from controller.storage.schedules import find_schedule
from controller.storage.trunks import find_trunk
from controller.storage.users import list_users
from ivr.graph import inserts

MOST_TOLD: Final = 200
"""So many problems are told at once."""
Sounds: TypeAlias = Mapping[tuple[str, str], PreparedSound | InvalidInput]
"""Converted sounds of prompts, or why one can't be."""


@dataclass(frozen=True, slots=True)
class Change:
    """A thing that was changed: "group Sales", and in which fields."""

    what: str
    fields: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Taken:
    """What came of a set-up. `notes` say what is left to do; `published` are ids of scenarios. `prompts` and `directory`: whether
    any of the installation's own prompts, or anything else that calls go by, has changed.
    """

    created: tuple[str, ...]
    changed: tuple[Change, ...]
    unchanged: tuple[str, ...]
    notes: tuple[str, ...]
    published: tuple[int, ...]
    prompts: bool
    directory: bool


def sounds_to_convert(session: Session, setup: Setup) -> list[PromptDocument]:
    """The prompts of a set-up whose sound must be converted before it is taken in."""
    here = {PROMPTS.name(prompt): prompt for prompt in PROMPTS.here(session)}
    wanted: list[PromptDocument] = [entry.document for entry in setup.of(PROMPTS).values()]
    return [prompt for prompt in wanted if prompt.key in setup.sounds and _needs_sound(here.get(PROMPTS.name(prompt)), prompt)]


def take_in(
    session: Session,
    folder: PromptFolder,
    setup: Setup,
    sounds: Sounds,
    known: KnownPrompts,
    settings: Settings,
    *,
    trial: bool = False,
    acting_user: str,
    at: datetime,
) -> Taken:
    """Take a set-up in; with `trial` only say what would come of it. `sounds` are of `sounds_to_convert`.

    Raises InvalidInput with all that is wrong, each with its file and field; Refused; OSError: the disk did not take the prompts.
    Then nothing has changed.
    """
    intake = _Intake(session, setup, sounds, known, settings, acting_user, at)
    for kind in KINDS:
        intake.take(kind)
    if intake.problems:
        raise refused(_told(intake.problems))
    taken = intake.taken()
    if trial:
        session.rollback()
    else:
        folder.place_all(intake.to_place)
    return taken


class _AlreadySo(Exception):
    """A thing is as it is wanted."""


class _Intake:
    """Brings the documents of a set-up into the database, and notes what is wrong with which."""

    def __init__(
        self,
        session: Session,
        setup: Setup,
        sounds: Sounds,
        known: KnownPrompts,
        settings: Settings,
        actor: str,
        at: datetime,
    ) -> None:
        self._session = session
        self._setup = setup
        self._sounds = sounds
        self._known = known
        self._settings = settings
        self._by: dict[str, Any] = {"acting_user": actor, "at": at}
        self._here: dict[str, dict[str, Any]] = {
            kind.noun: {kind.name(document): document for document in kind.here(session)} for kind in KINDS
        }
        self._here[USER] = dict.fromkeys(user.login for user in list_users(session))
        self._left_out = {(noun, name) for noun, name in setup.named if name not in setup.documents.get(noun, {})}
        self.problems: list[FieldProblem] = list(setup.problems)
        self.to_place: list[tuple[PreparedSound, str, str]] = []
        self._created: list[str] = []
        self._changed: list[Change] = []
        self._unchanged: list[str] = []
        self._published: list[int] = []
        self._touched: set[str] = set()

    def take(self, kind: Kind[Any]) -> None:
        """Take in the documents of a kind; what goes wrong with one is noted, and the others are taken in."""
        entries = self._setup.of(kind)
        for name in self._in_order(entries) if kind is SCENARIOS else entries:
            entry, here = entries[name], self._here[kind.noun].get(name)
            if not self._all_there(kind, entry):
                self._left_out.add((kind.noun, name))
                continue
            differences = [] if here is None else kind.differences(here, entry.document)
            what = f"{kind.noun} {name}"
            try:
                if here is not None and not differences:
                    raise _AlreadySo
                with attempt(self._session):
                    self._store(kind, name, entry.document, here)
            except _AlreadySo:
                self._unchanged.append(what)
            except Refused as error:
                self.problems += problems_in(entry.file, _invalid(error))
                self._left_out.add((kind.noun, name))
            else:
                self._touched.add(kind.noun)
                if here is None:
                    self._created.append(what)
                else:
                    self._changed.append(Change(what, tuple(differences)))
        if kind is PROMPTS:
            self._known = replace(self._known, names=self._known.names | self._missing_prompts())

    def _missing_prompts(self) -> set[tuple[str, str]]:
        """Those whose own problem is told already, so that it is not told again of all that play them."""
        return {
            (name, language)
            for noun, thing in self._left_out
            if noun == PROMPTS.noun
            for name, _, language in [thing.partition(":")]
        }

    def _store(self, kind: Kind[Any], name: str, wanted: Any, here: Any) -> None:
        """Raises _AlreadySo: it was only written in another way, such as a number with blanks."""
        placed = len(self.to_place)
        _STORES[kind.noun](self, wanted, here)
        if here is None or kind is SCENARIOS:
            return
        if not kind.differences(here, kind.one(self._session, name)):
            del self.to_place[placed:]
            raise _AlreadySo

    def taken(self) -> Taken:
        """What came of it."""
        return Taken(
            tuple(self._created),
            tuple(self._changed),
            tuple(self._unchanged),
            (
                *self._secrets_to_set(),
                *self._phones_to_confirm(),
                *self._own_phones_to_enter(),
                *self._numbers_to_confirm(),
                *self._drafts_in_work(),
                *self._blocks_that_are_over(),
            ),
            tuple(self._published),
            PROMPTS.noun in self._touched,
            bool(self._touched - {PROMPTS.noun}),
        )

    def store_operator(self, wanted: OperatorDocument, here: OperatorDocument | None) -> None:
        if here is None:
            given = {part.name: getattr(wanted, part.name) for part in fields(OperatorDraft)}
            create_operator(self._session, wanted.extension, **given, pattern=self._settings.extension_pattern, **self._by)
        else:
            change_operator(self._session, _id(find_operator, self._session, wanted.extension), wanted, **self._by)

    def store_group(self, wanted: GroupDocument, here: GroupDocument | None) -> None:
        main = (wanted.name, wanted.strategy, wanted.ring_seconds)
        _check_terms(wanted.terms)
        if here is None:
            create_group(self._session, *main, **self._by)
            here = GroupDocument(*main)
        elif main != (here.name, here.strategy, here.ring_seconds):
            change_group(self._session, _id(find_group, self._session, wanted.name), *main, **self._by)
        if wanted.terms != here.terms:
            set_terms(self._session, wanted.name, wanted.terms, **self._by)
        if [*wanted.members] != [*here.members]:
            set_members(self._session, wanted.name, wanted.members, **self._by)

    def store_schedule(self, wanted: ScheduleDocument, here: ScheduleDocument | None) -> None:
        if here is None:
            create_schedule(self._session, wanted.name, wanted.schedule, **self._by)
        else:
            id = _id(find_schedule, self._session, wanted.name)
            change_schedule(self._session, id, wanted.name, wanted.schedule, **self._by)

    def store_prompt(self, wanted: PromptDocument, here: PromptDocument | None) -> None:
        if here is not None and here.title != wanted.title:
            retitle_prompt(self._session, wanted.name, wanted.language, wanted.title, **self._by)
        if not _needs_sound(here, wanted):
            return
        sound, most = self._sounds.get(wanted.key), self._settings.most_uploaded_prompts
        if sound is None:
            raise Refused("the library has changed meanwhile: take the set-up in again")
        if isinstance(sound, InvalidInput):
            raise sound
        if sound.facts.format != wanted.format:
            raise refused([FieldProblem("format", f"the file is not {wanted.format} but {sound.facts.format}")])
        if here is None:
            enter_prompt(self._session, sound, wanted.details(), most, **self._by)
        else:
            exchange_sound(self._session, sound, wanted.name, wanted.details(), most, **self._by)
        self.to_place.append((sound, wanted.name, wanted.language))

    def store_scenario(self, wanted: ScenarioDocument, here: ScenarioDocument | None) -> None:
        try:
            self._store_scenario(wanted, here)
        except InvalidInput as error:
            parts = ((one.field if one.field == "name" else within("scenario", one.field), one.message) for one in error.problems)
            raise refused(FieldProblem(*part) for part in parts) from None

    def _store_scenario(self, wanted: ScenarioDocument, here: ScenarioDocument | None) -> None:
        if here is None:
            stored = create_scenario(self._session, wanted.name, wanted.scenario, **self._by)
        else:
            stored = _found(find_scenario(self._session, wanted.name))
            if here.draft != wanted.scenario:
                save_draft(self._session, stored.id, wanted.scenario, stored.draft_revision, **self._by)
                self._session.refresh(stored)
        if wanted.published:
            publish(self._session, stored.id, self._known, tags_must_exist=False, **self._by)
            self._published.append(stored.id)

    def store_phone(self, wanted: PhoneDocument, here: PhoneDocument | None) -> None:
        if here is None:
            add_common_phone(self._session, wanted.number, **self._by)
        if wanted.own_trunk:
            confirm_for_good(self._session, _id(find_common_phone, self._session, wanted.number), **self._by)

    def store_number(self, wanted: NumberDocument, here: NumberDocument | None) -> None:
        named = (wanted.number, wanted.line_name, wanted, self._known)
        how = {"line": wanted, "confirm_later": True, **self._by}
        if here is None:
            create_number(self._session, *named, **how)
        else:
            change_number(self._session, _id(find_number, self._session, wanted.number), *named, **how)
        if wanted.own_trunk and (here is None or not here.own_trunk):
            confirm_for_good(self._session, _id(find_number, self._session, wanted.number), InboundNumber, **self._by)

    def store_campaign(self, wanted: CampaignDraft, here: CampaignDraft | None) -> None:
        _check_terms(wanted.terms)
        self._let_numbers_go(wanted)
        if here is None:
            create_campaign(self._session, wanted, **self._by)
        else:
            change_campaign(self._session, _id(find_campaign, self._session, wanted.name), wanted, **self._by)

    def _let_numbers_go(self, wanted: CampaignDraft) -> None:
        """Another campaign whose turn is still to come has no numbers any more that are wanted here, and not by it."""
        entries = self._setup.of(CAMPAIGNS)
        for other in CAMPAIGNS.here(self._session):
            if other.name == wanted.name or other.name not in entries:
                continue
            going = {*other.numbers} & {*wanted.numbers} - {*entries[other.name].document.numbers}
            if going:
                kept = replace(other, numbers=[number for number in other.numbers if number not in going])
                change_campaign(self._session, _id(find_campaign, self._session, other.name), kept, **self._by)

    def store_trunk(self, wanted: TrunkDraft, here: TrunkDraft | None) -> None:
        if here is None:
            create_trunk(self._session, wanted, secret_later=True, **self._by)
        else:
            id = _id(find_trunk, self._session, wanted.name)
            change_trunk(self._session, id, wanted, secret_later=True, **self._by)

    def store_block(self, wanted: BlockDocument, here: BlockDocument | None) -> None:
        how = {"may_be_over": True, **self._by}
        if here is None:
            block_number(self._session, wanted, None, **how)
        else:
            id: int = _found(find_blocked(self._session, wanted.number, wanted.kind)).id
            change_block(self._session, id, wanted, None, **how)

    def _all_there(self, kind: Kind[Any], entry: Entry) -> bool:
        """Whether all that a document names will be there; what nobody knows is noted."""
        able = True
        for reference in kind.references(entry.document):
            thing = (reference.noun, reference.name)
            if thing in self._left_out:
                able = False
            elif thing not in self._setup.named and reference.name not in self._here[reference.noun]:
                said = f'there is no {reference.noun} "{reference.name}"'
                if reference.noun == USER:
                    said = f"{said}: users are not part of a set-up, create him first"
                self.problems.append(FieldProblem(f"{entry.file}: {reference.field}", said))
                able = False
        return able

    def _in_order(self, entries: Mapping[str, Entry]) -> list[str]:
        """Scenarios as they can be published, those that are inserted first; those of a circle are noted and left out."""
        inner = {name: {*inserts(entry.document.graph())} & entries.keys() for name, entry in sorted(entries.items())}
        while True:
            try:
                return [*TopologicalSorter({name: sorted(among) for name, among in inner.items()}).static_order()]
            except CycleError as error:
                circle: list[str] = [*reversed(error.args[1])]
                self._note_circle(circle, entries)
                inner = {name: among - {*circle} for name, among in inner.items() if name not in circle}

    def _note_circle(self, circle: list[str], entries: Mapping[str, Entry]) -> None:
        start = circle.index(min(circle))
        way = [*circle[start:-1], *circle[:start], circle[start]]
        said = f"scenarios would insert each other in a circle: {' > '.join(way)}"
        for outer, inserted in pairwise(way):
            self._left_out.add((SCENARIOS.noun, outer))
            for id, node in entries[outer].document.graph().nodes.items():
                if inserted in node.operation.scenarios():
                    where = f"{entries[outer].file}: scenario.nodes.{id}.operation.scenario"
                    self.problems.append(FieldProblem(where, said))

    def _secrets_to_set(self) -> Iterator[str]:
        for name in self._setup.of(TRUNKS):
            if _found(find_trunk(self._session, name)).lacks_secret:
                yield f"set the secret of trunk {name}: until then no calls go through it"

    def _phones_to_confirm(self) -> Iterator[str]:
        named = {entry.document.forwarding.number for entry in self._setup.of(NUMBERS).values()} - {None}
        for number in sorted(named | self._setup.of(PHONES).keys()):
            if _found(find_common_phone(self._session, number)).state(self._by["at"]) != "confirmed":
                yield f"confirm the phone {number}: until then no calls are forwarded to it"

    def _own_phones_to_enter(self) -> Iterator[str]:
        used = {view.operator.id for view in list_phones(self._session) if view.operator and view.row.is_used(self._by["at"])}
        without = [operator for operator in list_operators(self._session) if operator.id not in used]
        for number, entry in self._setup.of(NUMBERS).items():
            if entry.document.forwarding.mode == "own" and without:
                yield (
                    f"the number {number} forwards to operators' own phones, which a set-up does not carry: they are entered and "
                    f"confirmed here, on the page My desk; operators without one: {len(without):,}"
                )

    def _numbers_to_confirm(self) -> Iterator[str]:
        for number, entry in self._setup.of(NUMBERS).items():
            if entry.document.outgoing and _found(find_number(self._session, number)).state(self._by["at"]) != "confirmed":
                yield f"confirm the number {number}: until then it is not shown to those who are called"

    def _drafts_in_work(self) -> Iterator[str]:
        for name, entry in self._setup.of(SCENARIOS).items():
            here: ScenarioDocument | None = self._here[SCENARIOS.noun].get(name)
            if here is not None and here.scenario == entry.document.scenario and here.draft != here.scenario and here.published:
                yield f"the draft of scenario {name} is another one, and stays"

    def _blocks_that_are_over(self) -> Iterator[str]:
        for name, entry in self._setup.of(BLOCKED).items():
            if entry.document.expires_at is not None and entry.document.expires_at <= self._by["at"]:
                yield f"the time of the blocked number {name} is over: it blocks nobody"


_STORES: Final[Mapping[str, Callable[[_Intake, Any, Any], None]]] = {
    OPERATORS.noun: _Intake.store_operator,
    GROUPS.noun: _Intake.store_group,
    SCHEDULES.noun: _Intake.store_schedule,
    PROMPTS.noun: _Intake.store_prompt,
    SCENARIOS.noun: _Intake.store_scenario,
    PHONES.noun: _Intake.store_phone,
    NUMBERS.noun: _Intake.store_number,
    CAMPAIGNS.noun: _Intake.store_campaign,
    TRUNKS.noun: _Intake.store_trunk,
    BLOCKED.noun: _Intake.store_block,
}


def _told(problems: Sequence[FieldProblem]) -> list[FieldProblem]:
    more = len(problems) - MOST_TOLD
    return [*problems[:MOST_TOLD], *([FieldProblem("", f"and {more:,} more problems")] if more > 0 else [])]


def _check_terms(terms: GroupTerms) -> None:
    try:
        check_terms(terms)
    except InvalidInput as error:
        raise refused(FieldProblem(within("terms", one.field), one.message) for one in error.problems) from None


def _needs_sound(here: PromptDocument | None, wanted: PromptDocument) -> bool:
    return here is None or {*PROMPTS.differences(here, wanted)} - {"title"} != set()


def _invalid(error: Refused) -> InvalidInput:
    return error if isinstance(error, InvalidInput) else InvalidInput(str(error))


def _found(thing: Any) -> Any:
    """What was here when the set-up was compared. Raises Refused: it is gone."""
    if thing is None:
        raise Refused("it was removed meanwhile: take the set-up in again")
    return thing


def _id(find: Callable[[Session, str], Any], session: Session, name: str) -> int:
    id: int = _found(find(session, name)).id
    return id
