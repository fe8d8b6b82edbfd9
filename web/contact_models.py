"""The address book and the block list as the API gives and takes them."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from pydantic import AfterValidator, AwareDatetime, BaseModel, ConfigDict, Field, StringConstraints

from controller.actions.contacts import LONGEST_COMMENT, MOST_NUMBERS, MOST_TAGS, BlockDraft, ContactDraft
from controller.storage.contacts import BlockAction, BlockedNumber, BlockKind, ContactView

_LARGEST_KEY = 2**31 - 1


def _printable(value: str) -> str:
    if not value.isprintable():
        raise ValueError("write letters, digits and signs on one line")
    return value


SearchText = Annotated[str, StringConstraints(strip_whitespace=True), AfterValidator(_printable)]


class ContactQuery(BaseModel):
    """Which contacts to list, in the order they were made."""

    model_config = ConfigDict(extra="forbid")

    search: SearchText = Field("", max_length=64, description="part of the name or of a number")
    limit: int = Field(50, ge=1, le=200)
    after: int = Field(0, ge=0, le=_LARGEST_KEY, description="id of the last contact of the page before")


class ContactChange(BaseModel):
    """A contact to be stored."""

    model_config = ConfigDict(extra="forbid")

    name: str = Field(min_length=1, max_length=64)
    position: str = Field("", max_length=64, description='what he is there, for example "Buyer, Acme"')
    numbers: list[str] = Field(default_factory=list, max_length=MOST_NUMBERS, description="as people write them")
    tags: list[str] = Field(default_factory=list, max_length=MOST_TAGS)
    owner: str | None = Field(None, description="extension of the personal manager")
    time_zone: str | None = Field(
        None,
        max_length=64,
        description="IANA name, for schedules that go by callers' clocks; null: that of his number, where it lies in one alone",
    )

    def draft(self) -> ContactDraft:
        """The same for the action."""
        return ContactDraft(self.name, self.numbers, self.tags, self.owner, self.position, self.time_zone)


class ContactModel(BaseModel):
    """A contact; numbers are international (E.164), or short internal ones."""

    id: int
    name: str
    position: str
    numbers: list[str]
    tags: list[str]
    owner: str | None
    time_zone: str | None


class ContactList(BaseModel):
    """Contacts in the order they were made."""

    contacts: list[ContactModel]


class PageQuery(BaseModel):
    """Which page to list."""

    model_config = ConfigDict(extra="forbid")

    limit: int = Field(50, ge=1, le=200)
    after: int = Field(0, ge=0, le=_LARGEST_KEY, description="id of the last entry of the page before")


class BlockChange(BaseModel):
    """An entry of the block list to be stored."""

    model_config = ConfigDict(extra="forbid")

    number: str = Field(min_length=1, max_length=40, description='a number, or for "prefix" what numbers begin with: "+7495"')
    kind: BlockKind = "exact"
    action: BlockAction = Field("reject", description="what these callers get")
    comment: str = Field("", max_length=LONGEST_COMMENT)
    expires_at: AwareDatetime | None = Field(None, description="null: for ever")

    def draft(self) -> BlockDraft:
        """The same for the action."""
        return BlockDraft(self.number, self.kind, self.action, self.comment, self.expires_at)


class BlockModel(BaseModel):
    """An entry of the block list. Times are UTC."""

    id: int
    number: str
    kind: BlockKind
    action: BlockAction
    comment: str
    created_at: datetime
    expires_at: datetime | None
    hits: int = Field(description="how many calls it stopped")


class BlockList(BaseModel):
    """The block list in the order it was made, expired entries included."""

    blocked: list[BlockModel]


def contact_model(contact: ContactView) -> ContactModel:
    """One contact."""
    numbers, tags = list(contact.numbers), list(contact.tags)
    return ContactModel(
        id=contact.id,
        name=contact.name,
        position=contact.position,
        numbers=numbers,
        tags=tags,
        owner=contact.owner,
        time_zone=contact.time_zone,
    )


def block_model(entry: BlockedNumber) -> BlockModel:
    """One entry."""
    return BlockModel(number=entry.pattern, **entry.model_dump(exclude={"pattern"}))
