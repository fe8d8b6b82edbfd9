"""Operators, groups and trunks as the API gives and takes them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict
from typing import Annotated, Any, Final

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from controller.actions.groups import (
    HIGHEST_LEVEL,
    HIGHEST_PRIORITY,
    HIGHEST_WEIGHT,
    LONGEST_PAUSE,
    LONGEST_TALK,
    LONGEST_WAIT,
    LONGEST_WRAP_UP,
    SHORTEST_PAUSE,
    MemberDraft,
)
from controller.actions.operators import LONGEST_RING, MOST_NUMBERS, OperatorDraft
from controller.actions.trunks import TrunkDraft
from controller.storage.groups import GroupTerms, GroupView, Strategy
from controller.storage.operators import RING_SECONDS, CallMode, Operator, OperatorView, RungNumber
from controller.storage.trunks import Transport, Trunk, TrunkState

MOST_MEMBERS = 1000
CALL_MODES = (
    "sip_phone: a telephone or program with his SIP account; browser: the page My desk; "
    "own_number: as sip_phone, but calls that he asks for begin at the first of his further numbers"
)


class FurtherNumberModel(BaseModel):
    """A number outside where an operator is rung."""

    model_config = ConfigDict(extra="forbid")

    number: str = Field(min_length=1, max_length=40, description="as the trunk dials it, perhaps with a + before it")
    ring_seconds: int = Field(RING_SECONDS, ge=1, le=LONGEST_RING)


class OperatorChange(BaseModel):
    """What may be changed of an operator."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64)
    ring_seconds: int = Field(
        RING_SECONDS, ge=1, le=LONGEST_RING, description="how long his phone rings when he is wanted in particular"
    )
    numbers: list[FurtherNumberModel] = Field(
        default_factory=list, max_length=MOST_NUMBERS, description="rung after his phone, one after another, in this order"
    )

    inbound: bool = Field(True, description="works with inbound calls: groups ring him, and he has do not disturb")
    team: bool = Field(True, description="sees his colleagues: he can transfer to them, not only to numbers outside")
    time_zone: str | None = Field(
        None,
        max_length=64,
        description="IANA name, for schedules that go by operators' clocks; null: the schedule's, or else the installation's",
    )

    call_mode: CallMode = Field("sip_phone", description=CALL_MODES)

    def draft(self) -> OperatorDraft:
        """The same for the action."""
        return OperatorDraft(
            self.name, self.ring_seconds, self.rung_numbers(), self.inbound, self.team, self.time_zone, self.call_mode
        )

    def rung_numbers(self) -> list[RungNumber]:
        """The numbers for the action."""
        return [RungNumber(one.number, one.ring_seconds) for one in self.numbers]


class NewOperator(OperatorChange):
    """An operator to be created."""

    extension: str = Field(min_length=1, max_length=8, description="short number and SIP user; never changes")


class OperatorItem(BaseModel):
    """An operator with his further numbers in order."""

    id: int
    extension: str
    name: str
    ring_seconds: int
    numbers: list[FurtherNumberModel]
    inbound: bool
    team: bool
    time_zone: str | None
    call_mode: CallMode


class OperatorList(BaseModel):
    """All operators, by extension."""

    operators: list[OperatorItem]


class SipAccountModel(BaseModel):
    """How an operator's phone registers."""

    host: str
    port: int
    user: str
    password: str


class OperatorCreated(OperatorItem):
    """A new operator, and how his phone registers."""

    sip_account: SipAccountModel


class GroupMemberChange(BaseModel):
    """An operator to be in a group; his extension alone will do."""

    model_config = ConfigDict(extra="forbid")

    extension: str = Field(min_length=1, max_length=8)
    weight: int = Field(1, ge=1, le=HIGHEST_WEIGHT, description='his share with "weighted_random"')
    level: int = Field(1, ge=1, le=HIGHEST_LEVEL, description='with "levels" the lowest comes first')


def _member(value: Any) -> Any:
    return {"extension": value} if isinstance(value, str) else value


TERM_LIMITS: Final[Mapping[str, int]] = {
    "ring_seconds": LONGEST_RING,
    "wrap_up_seconds": LONGEST_WRAP_UP,
    "longest_wait": LONGEST_WAIT,
    "longest_talk": LONGEST_TALK,
    "priority": HIGHEST_PRIORITY,
    "announce_every": LONGEST_PAUSE,
}
"""The most that each term of a group, or of a campaign, may be."""


class GroupTermsModel(BaseModel):
    """What a group's calls are subject to; lengths are seconds."""

    wrap_up_seconds: int = Field(
        0, ge=0, le=LONGEST_WRAP_UP, description="after a conversation, before the operator is offered anything"
    )
    longest_wait: int | None = Field(None, ge=1, le=LONGEST_WAIT, description="of a caller; null: as his scenario or number says")
    longest_talk: int | None = Field(None, ge=1, le=LONGEST_TALK, description="of a conversation; null: no limit")
    priority: int = Field(0, ge=0, le=HIGHEST_PRIORITY, description="where groups share operators, the higher is served first")
    sticky_owner: bool = Field(False, description="the caller's own operator is rung first")
    announce_every: int | None = Field(
        None,
        ge=SHORTEST_PAUSE,
        le=LONGEST_PAUSE,
        description="how often callers are told how they stand while all are busy; null: never",
    )
    announce_place: bool = Field(True, description="they are told their place in line")
    announce_wait: bool = Field(True, description="they are told the expected wait, once that can be said")

    def terms(self) -> GroupTerms:
        """The same for the action."""
        return GroupTerms(**{name: getattr(self, name) for name in GroupTermsModel.model_fields})


class GroupChange(GroupTermsModel):
    """A group to be stored."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64)
    strategy: Strategy = "ring_all"
    ring_seconds: int = Field(RING_SECONDS, ge=1, le=LONGEST_RING, description="how long one offer rings")
    members: list[Annotated[GroupMemberChange, BeforeValidator(_member)]] = Field(
        default_factory=list, max_length=MOST_MEMBERS, description="in order"
    )

    def drafts(self) -> list[MemberDraft]:
        """The members for the action."""
        return [MemberDraft(one.extension, one.weight, one.level) for one in self.members]


class GroupMemberModel(BaseModel):
    """An operator in a group."""

    extension: str
    name: str
    weight: int
    level: int


class GroupModel(GroupTermsModel):
    """A group with its operators in order; `version` grows with every change."""

    id: int
    name: str
    strategy: Strategy
    ring_seconds: int
    version: int
    members: list[GroupMemberModel]


class GroupList(BaseModel):
    """All groups, by name."""

    groups: list[GroupModel]


class TrunkChange(BaseModel):
    """A trunk to be stored."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64)
    host: str = Field(min_length=1, max_length=260, description="name or address of the carrier, perhaps with :port behind it")
    port: int = Field(5060, ge=1, le=65535)
    transport: Transport = "udp"
    username: str = Field("", max_length=64, description="empty: the carrier knows us by our address")
    secret: str | None = Field(None, max_length=128, description="null: as it was")
    registers: bool = Field(False, description="the carrier must be told where we are")
    caller_id: str = Field(
        "",
        max_length=40,
        description="the number it knows us by, shown where none of our numbers belongs to it; "
        "empty: the user name, or else the caller's number",
    )
    position: int = Field(1, ge=1, le=1000, description="the enabled trunk with the lowest one takes calls outside")
    enabled: bool = True
    domain: str = Field("", max_length=253, description="the domain of its users; empty: its host")
    inbound: bool = Field(True, description="calls from its address are taken; false: it is for outgoing calls only")
    clip_no_screening: bool = Field(
        False,
        description="the carrier lets us show numbers that are not its own: forwarded calls show what the number's rule says",
    )

    def draft(self) -> TrunkDraft:
        """The same for the action."""
        return TrunkDraft(**self.model_dump())


class TrunkModel(BaseModel):
    """A trunk, without its secret."""

    id: int
    name: str
    host: str
    port: int
    transport: Transport
    username: str
    has_secret: bool
    registers: bool
    caller_id: str
    position: int
    enabled: bool
    domain: str
    inbound: bool
    clip_no_screening: bool
    state: TrunkState = Field(
        description="ready; absent: no response; not_registered: not let in (yet); no_secret: still to be set; disabled; unknown"
    )


class TrunkList(BaseModel):
    """All trunks, in the order they are taken."""

    trunks: list[TrunkModel]


def operator_item(operator: OperatorView) -> OperatorItem:
    """One operator."""
    numbers = [FurtherNumberModel(number=one.number, ring_seconds=one.ring_seconds) for one in operator.numbers]
    return OperatorItem(
        id=operator.id,
        extension=operator.extension,
        name=operator.name,
        ring_seconds=operator.ring_seconds,
        inbound=operator.inbound,
        team=operator.team,
        time_zone=operator.time_zone,
        call_mode=operator.call_mode,
        numbers=numbers,
    )


def sip_account_model(operator: Operator, host: str, port: int) -> SipAccountModel:
    """What is entered into the operator's phone."""
    return SipAccountModel(host=host, port=port, user=operator.extension, password=operator.sip_secret)


def group_model(group: GroupView) -> GroupModel:
    """One group."""
    members = [
        GroupMemberModel(extension=one.extension, name=one.name, weight=one.weight, level=one.level) for one in group.members
    ]
    return GroupModel(
        id=group.id,
        name=group.name,
        strategy=group.strategy,
        ring_seconds=group.ring_seconds,
        version=group.version,
        members=members,
        **asdict(group.terms),
    )


def trunk_model(trunk: Trunk, states: Mapping[int, TrunkState]) -> TrunkModel:
    """One trunk; `states` by id, as far as known."""
    return TrunkModel(has_secret=bool(trunk.secret), state=_state(trunk, states), **trunk.model_dump(exclude={"secret"}))


def _state(trunk: Trunk, states: Mapping[int, TrunkState]) -> TrunkState:
    if not trunk.enabled:
        return "disabled"
    return "no_secret" if trunk.lacks_secret else states.get(trunk.id, "unknown")
