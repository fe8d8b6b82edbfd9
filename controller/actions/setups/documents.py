"""What a set-up says of each kind of thing: one JSON document each, made of what the kind's action takes.

A field that is added to an action's draft is in the documents at once; what storage gives must have it by the same name.
"""

from __future__ import annotations

import json
from abc import ABC, abstractmethod
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from typing import Annotated, Any, ClassVar, Final, Generic, TypeAlias, TypeVar

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, Field, TypeAdapter, ValidationError, WrapSerializer

from controller.actions.campaigns import CampaignDraft
from controller.actions.carried_prompts import CarriedPrompt, carried
from controller.actions.contacts import BlockDraft, blocked_pattern
from controller.actions.fields import dialled_number
from controller.actions.groups import MemberDraft
from controller.actions.numbers import NumberLine, NumberSettings
from controller.actions.operators import OperatorDraft
from controller.actions.scenarios import read_document
from controller.actions.trunks import TrunkDraft
from controller.errors import FieldProblem, InvalidInput
from controller.schedules import Schedule
from controller.storage import Session
from controller.storage.campaigns import CampaignView, campaign_view, campaign_views, find_campaign
from controller.storage.contacts import BlockedNumber, BlockKind, all_blocked, find_blocked
from controller.storage.forwarding import Forwarding, list_phones
from controller.storage.groups import GroupTerms, GroupView, Strategy, find_group, list_groups
from controller.storage.numbers import NumberView, find_number, get_number, number_views, numbers_by_campaign
from controller.storage.operators import RING_SECONDS, OperatorView, find_operator, operator_view, operator_views
from controller.storage.prompts import list_prompts
from controller.storage.scenarios import all_scenarios, get_version
from controller.storage.schedules import list_schedules
from controller.storage.trunks import list_trunks
from ivr.graph import Scenario
from ivr.lines import LinePrompts
from ivr.prompts import PromptRef
from ivr.serialization import from_data, to_data

D = TypeVar("D")
Data: TypeAlias = dict[str, Any]
MOST_PROBLEMS: Final = 50
"""So many of one document are told."""
USER: Final = "user"
"""The noun of what documents name, and no set-up has."""
_SECRETS: Final = frozenset({"secret"})


@dataclass(frozen=True, slots=True, kw_only=True)
class OperatorDocument(OperatorDraft):
    """An operator, without his secret."""

    extension: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NumberDocument(NumberSettings, NumberLine):
    """A number with its settings and its line. `own_trunk`: as of a phone."""

    number: str
    line_name: str
    own_trunk: bool = False


def _unfold(value: Any) -> Any:
    return {"extension": value} if isinstance(value, str) else value


def _fold(member: MemberDraft, written: Any) -> Any:
    return member.extension if member == MemberDraft(member.extension) else written(member)


@dataclass(frozen=True, slots=True)
class GroupDocument:
    """A group with its members in order; a member with nothing special is an extension alone."""

    name: str
    strategy: Strategy = "ring_all"
    ring_seconds: int = RING_SECONDS
    terms: GroupTerms = field(default_factory=GroupTerms)
    members: Sequence[Annotated[MemberDraft, BeforeValidator(_unfold), WrapSerializer(_fold)]] = ()


@dataclass(frozen=True, slots=True)
class ScheduleDocument:
    """A schedule by its name."""

    name: str
    schedule: Schedule


@dataclass(frozen=True, slots=True)
class PhoneDocument:
    """A common phone that missed calls may be forwarded to. `own_trunk`: it is a number of our own trunk, as an administrator has
    said, which needs no other confirmation; of any other phone the confirmation is not written.
    """

    number: str
    own_trunk: bool = False


@dataclass(frozen=True, slots=True)
class BlockDocument(BlockDraft):
    """An entry of the block list without its hits; `expires_at` names its zone."""

    expires_at: AwareDatetime | None = None


class PromptDocument(CarriedPrompt):
    """An own prompt; the hash of its sound is not written, for the sound is beside it."""

    content_hash: str = Field("", exclude=True)


class ScenarioDocument(BaseModel):
    """A scenario as it is published, or, when it never was, its draft. `draft` is what people edit, and not written."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    published: bool = True
    scenario: Data
    draft: Data = Field(default_factory=dict, exclude=True)

    def graph(self) -> Scenario:
        """The scenario itself."""
        return from_data(self.scenario)


@dataclass(frozen=True, slots=True)
class Reference:
    """What a document names: an object of another kind, or a user, by its name, in a field."""

    field: str
    noun: str
    name: str


class Kind(ABC, Generic[D]):
    """A kind of things of which a set-up has documents.

    `noun` names it to people, `folder` is where its files are, `key` the field that holds a thing's name.
    """

    noun: ClassVar[str]
    folder: ClassVar[str]
    key: ClassVar[str] = "name"
    document: ClassVar[Any]
    hidden: ClassVar[frozenset[str]] = frozenset()

    def name(self, document: D) -> str:
        """What a thing is known by."""
        return str(getattr(document, self.key))

    def read(self, data: Any) -> D:
        """A document from parsed JSON. Raises InvalidInput with every field at fault."""
        try:
            read = self._adapter.validate_json(json.dumps(data), strict=True)
        except ValidationError as error:
            raise refused(
                FieldProblem(".".join(map(str, item["loc"])), item["msg"].removeprefix("Value error, "))
                for item in error.errors(include_url=False, include_input=False)[:MOST_PROBLEMS]
            ) from None
        unknown = [*_unknown(data, self.written(read), "")]
        if unknown:
            raise refused(FieldProblem(field, "there is no such field here") for field in unknown[:MOST_PROBLEMS])
        return read

    def written(self, document: D) -> Data:
        """The document as plain data; every field is there."""
        data: Data = self._adapter.dump_python(document, mode="json", exclude=set(self.hidden))
        return data

    def differences(self, here: D, wanted: D) -> list[str]:
        """The fields in which a thing is other than wanted."""
        before, after = self.written(here), self.written(wanted)
        return [field for field in after if before[field] != after[field]]

    def references(self, document: D) -> Iterable[Reference]:
        """What must be there for this document to be taken in."""
        return ()

    @cached_property
    def _adapter(self) -> TypeAdapter[D]:
        return TypeAdapter(self.document)

    @abstractmethod
    def here(self, session: Session) -> Iterable[D]:
        """The documents of all that this installation has, in a fixed order."""

    def one(self, session: Session, name: str) -> D:
        """The document of a thing that is there. Kinds that may be many look for it alone."""
        return next(document for document in self.here(session) if self.name(document) == name)


class Operators(Kind[OperatorDocument]):
    noun, folder, key, document = "operator", "operators", "extension", OperatorDocument

    def here(self, session: Session) -> Iterable[OperatorDocument]:
        return map(self._document, operator_views(session))

    def one(self, session: Session, name: str) -> OperatorDocument:
        found = find_operator(session, name)
        assert found is not None
        return self._document(operator_view(session, found.id))

    def _document(self, view: OperatorView) -> OperatorDocument:
        return OperatorDocument(**_by_name(OperatorDocument, view))


class Groups(Kind[GroupDocument]):
    noun, folder, document = "group", "groups", GroupDocument

    def here(self, session: Session) -> Iterable[GroupDocument]:
        return map(self._document, list_groups(session))

    def one(self, session: Session, name: str) -> GroupDocument:
        found = find_group(session, name)
        assert found is not None
        return self._document(found)

    def _document(self, view: GroupView) -> GroupDocument:
        members = [MemberDraft(**_by_name(MemberDraft, member)) for member in view.members]
        return GroupDocument(**_by_name(GroupDocument, view, members=members))

    def references(self, document: GroupDocument) -> Iterable[Reference]:
        return [Reference(f"members.{place}", "operator", one.extension) for place, one in enumerate(document.members)]


class Schedules(Kind[ScheduleDocument]):
    noun, folder, document = "schedule", "schedules", ScheduleDocument

    def here(self, session: Session) -> Iterable[ScheduleDocument]:
        for stored in list_schedules(session):
            yield ScheduleDocument(stored.name, Schedule.model_validate_json(json.dumps(stored.document)))


class Prompts(Kind[PromptDocument]):
    noun, folder, document = "prompt", "prompts", PromptDocument

    def name(self, document: PromptDocument) -> str:
        return str(PromptRef(*document.key))

    def here(self, session: Session) -> Iterable[PromptDocument]:
        for stored in list_prompts(session):
            yield PromptDocument(**dict(carried(stored)), content_hash=stored.content_hash)

    def differences(self, here: PromptDocument, wanted: PromptDocument) -> list[str]:
        sound = ["sound"] if here.content_hash != wanted.content_hash else []
        return [*super().differences(here, wanted), *sound]


class Scenarios(Kind[ScenarioDocument]):
    noun, folder, document = "scenario", "scenarios", ScenarioDocument

    def read(self, data: Any) -> ScenarioDocument:
        read = super().read(data)
        try:
            return read.model_copy(update={"scenario": to_data(read_document(read.scenario))})
        except InvalidInput as error:
            raise refused(FieldProblem(within("scenario", one.field), one.message) for one in error.problems) from None

    def here(self, session: Session) -> Iterable[ScenarioDocument]:
        for stored in all_scenarios(session):
            published = None if stored.published_version_id is None else get_version(session, stored.published_version_id)
            document = stored.draft if published is None else published.document
            given, draft = (to_data(from_data(one)) for one in (document, stored.draft))
            yield ScenarioDocument(name=stored.name, published=published is not None, scenario=given, draft=draft)

    def differences(self, here: ScenarioDocument, wanted: ScenarioDocument) -> list[str]:
        """A draft in work is no difference; nothing is taken back that was published."""
        if wanted.published:
            return super().differences(here, wanted)
        return ["scenario"] if here.draft != wanted.scenario else []

    def references(self, document: ScenarioDocument) -> Iterable[Reference]:
        """Of a published one; drafts may name what is not there."""
        if not document.published:
            return
        for id, node in document.graph().nodes.items():
            for mention in node.operation.mentions():
                noun = _NOUNS.get(mention.kind)
                if noun is not None:
                    yield Reference(f"scenario.nodes.{id}.operation.{mention.field}", noun, mention.name)


class Phones(Kind[PhoneDocument]):
    noun, folder, key, document = "phone", "phones", "number", PhoneDocument

    def read(self, data: Any) -> PhoneDocument:
        read = super().read(data)
        if dialled_number(read.number) != read.number:
            raise refused([FieldProblem("number", "write it as it is dialled: 2 to 20 digits, perhaps with a + before them")])
        return read

    def here(self, session: Session) -> Iterable[PhoneDocument]:
        for view in list_phones(session):
            if view.operator is None:
                yield PhoneDocument(view.row.number, view.row.confirmed_for_good)

    def differences(self, here: PhoneDocument, wanted: PhoneDocument) -> list[str]:
        return _but_for_own_trunk(super().differences(here, wanted), wanted)


class Numbers(Kind[NumberDocument]):
    noun, folder, key, document = "number", "numbers", "number", NumberDocument

    def here(self, session: Session) -> Iterable[NumberDocument]:
        return map(self._document, number_views(session))

    def one(self, session: Session, name: str) -> NumberDocument:
        found = find_number(session, name)
        assert found is not None
        return self._document(get_number(session, found.id))

    def _document(self, view: NumberView) -> NumberDocument:
        prompts, forwarding = LinePrompts.read(view.row.prompts), Forwarding.read(view.row.forwarding)
        given = {"prompts": prompts, "forwarding": forwarding, "own_trunk": view.row.confirmed_for_good}
        return NumberDocument(**_by_name(NumberDocument, _NumberRow(view), **given))

    def differences(self, here: NumberDocument, wanted: NumberDocument) -> list[str]:
        return _but_for_own_trunk(super().differences(here, wanted), wanted)

    def references(self, document: NumberDocument) -> Iterable[Reference]:
        for slot, noun in _NUMBER_REFERENCES.items():
            name = getattr(document, slot)
            if name is not None:
                yield Reference(slot, noun, name)
        if document.forwarding.number is not None:
            yield Reference("forwarding.number", PHONES.noun, document.forwarding.number)


class Campaigns(Kind[CampaignDraft]):
    """Leads are of the daily business."""

    noun, folder, document = "campaign", "campaigns", CampaignDraft

    def here(self, session: Session) -> Iterable[CampaignDraft]:
        numbers = numbers_by_campaign(session)
        return [self._document(view, numbers.get(view.id, [])) for view in campaign_views(session)]

    def one(self, session: Session, name: str) -> CampaignDraft:
        found = find_campaign(session, name)
        assert found is not None
        return self._document(campaign_view(session, found.id), numbers_by_campaign(session).get(found.id, []))

    def _document(self, view: CampaignView, numbers: Sequence[str]) -> CampaignDraft:
        return CampaignDraft(**_by_name(CampaignDraft, view, numbers=numbers))

    def references(self, document: CampaignDraft) -> Iterable[Reference]:
        for slot, noun in _CAMPAIGN_REFERENCES.items():
            for place, name in enumerate(getattr(document, slot)):
                yield Reference(f"{slot}.{place}", noun, name)


class Trunks(Kind[TrunkDraft]):
    """The secrets of carriers stay where they are."""

    noun, folder, document, hidden = "trunk", "trunks", TrunkDraft, _SECRETS

    def here(self, session: Session) -> Iterable[TrunkDraft]:
        return [
            TrunkDraft(**{**_by_name(TrunkDraft, trunk), "secret": None})
            for trunk in sorted(list_trunks(session), key=lambda trunk: trunk.name)
        ]


class Blocked(Kind[BlockDocument]):
    """A number and the numbers that begin with it may both be on the list."""

    noun, folder, key, document = "blocked number", "blocked", "number", BlockDocument

    def name(self, document: BlockDocument) -> str:
        return document.number if document.kind == "exact" else f"{document.kind} {document.number}"

    def read(self, data: Any) -> BlockDocument:
        read = super().read(data)
        if blocked_pattern(read.number, read.kind, None) != read.number:
            raise refused(
                [FieldProblem("number", "write it as it is kept: the digits alone, with + and the country code before them")]
            )
        return read

    def here(self, session: Session) -> Iterable[BlockDocument]:
        return map(self._document, all_blocked(session))

    def one(self, session: Session, name: str) -> BlockDocument:
        *beginning, number = name.split(" ")
        kind: BlockKind = "prefix" if beginning else "exact"
        found = find_blocked(session, number, kind)
        assert found is not None
        return self._document(found)

    def _document(self, row: BlockedNumber) -> BlockDocument:
        return BlockDocument(**_by_name(BlockDocument, row, number=row.pattern))


OPERATORS, GROUPS, SCHEDULES, PROMPTS = Operators(), Groups(), Schedules(), Prompts()
SCENARIOS, PHONES, NUMBERS, CAMPAIGNS, TRUNKS, BLOCKED = Scenarios(), Phones(), Numbers(), Campaigns(), Trunks(), Blocked()
KINDS: Final[tuple[Kind[Any], ...]] = (
    TRUNKS,
    SCHEDULES,
    PROMPTS,
    OPERATORS,
    GROUPS,
    SCENARIOS,
    PHONES,
    NUMBERS,
    CAMPAIGNS,
    BLOCKED,
)
"""In the order in which they are taken in: what is named before what names it."""
_NOUNS: Final[Mapping[str, str]] = {
    "group": "group",
    "schedule": "schedule",
    "extension": "operator",
    "scenario": "scenario",
}
_NUMBER_REFERENCES: Final[Mapping[str, str]] = {
    "scenario": "scenario",
    "off_hours_scenario": "scenario",
    "schedule": "schedule",
    "group": "group",
    "trunk": "trunk",
    "responsible": USER,
}
_CAMPAIGN_REFERENCES: Final[Mapping[str, str]] = {"numbers": "number", "operators": "operator", "groups": "group"}


class _NumberRow:
    """A number's row, and above it the names of what it refers to."""

    def __init__(self, view: NumberView) -> None:
        self._view = view

    def __getattr__(self, name: str) -> Any:
        return getattr(self._view, name) if hasattr(self._view, name) else getattr(self._view.row, name)


def refused(problems: Iterable[FieldProblem]) -> InvalidInput:
    """An error that says all of these."""
    found = tuple(problems)
    more = f" (and {len(found) - 1} more)" if len(found) > 1 else ""
    return InvalidInput(f"{found[0].field}: {found[0].message}{more}", found)


def within(part: str, field: str) -> str:
    """A field's path within a part."""
    return f"{part}.{field}".rstrip(".")


def _but_for_own_trunk(differences: list[str], wanted: PhoneDocument | NumberDocument) -> list[str]:
    """No confirmation is taken back."""
    return [field for field in differences if field != "own_trunk" or wanted.own_trunk]


def _by_name(document: type[Any], view: object, **given: Any) -> dict[str, Any]:
    return {field.name: given[field.name] if field.name in given else getattr(view, field.name) for field in fields(document)}


def _unknown(given: Any, understood: Any, path: str) -> Iterator[str]:
    """The fields that were given and not understood."""
    if isinstance(given, dict) and isinstance(understood, dict):
        for field, value in given.items():
            where = f"{path}.{field}".lstrip(".")
            if field in understood:
                yield from _unknown(value, understood[field], where)
            else:
                yield where
    elif isinstance(given, list) and isinstance(understood, list):
        for place, (value, known) in enumerate(zip(given, understood, strict=False)):
            yield from _unknown(value, known, f"{path}.{place}")
