"""Who calls: contacts with their numbers, tags and personal manager, and the block list.

Numbers are kept as `controller.addresses.phone_number` gives them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, TypeAlias

import sqlalchemy as sa
from sqlalchemy import Column, ForeignKey, String, UniqueConstraint, delete, update
from sqlmodel import Field, Session, SQLModel, col, func, or_, select

from controller.addresses import phone_number
from controller.storage.columns import UtcDateTime
from controller.storage.operators import Operator
from controller.storage.rows import by_id

BlockKind: TypeAlias = Literal["exact", "prefix"]
BlockAction: TypeAlias = Literal["reject", "busy", "message"]


class Contact(SQLModel, table=True):
    """A person or organisation of the address book; `position` is what he is there, `time_zone` an IANA name (None: not
    known), `owner_id` the personal manager (UIS-38, SKZ-24).
    """

    __tablename__ = "contacts"

    id: int = Field(default=None, primary_key=True)
    name: str
    position: str = ""
    time_zone: str | None = None
    owner_id: int | None = Field(
        default=None, sa_column=Column(ForeignKey("operators.id", ondelete="SET NULL"), nullable=True, index=True)
    )

    @property
    def called(self) -> str:
        """His name, and what he is (SKZ-77)."""
        return f"{self.name}, {self.position}" if self.position else self.name


class ContactNumber(SQLModel, table=True):
    """A number belongs to one contact; `position` counts from 1."""

    __tablename__ = "contact_numbers"

    number: str = Field(primary_key=True)
    contact_id: int = Field(sa_column=Column(ForeignKey("contacts.id", ondelete="CASCADE"), nullable=False, index=True))
    position: int


class ContactTag(SQLModel, table=True):
    __tablename__ = "contact_tags"

    contact_id: int = Field(sa_column=Column(ForeignKey("contacts.id", ondelete="CASCADE"), primary_key=True))
    tag: str = Field(primary_key=True, index=True)


class BlockedNumber(SQLModel, table=True):
    """An entry of the block list (UIS-43): a number, or what numbers begin with, and what its callers get."""

    __tablename__ = "blocked_numbers"
    __table_args__ = (UniqueConstraint("pattern", "kind"),)

    id: int = Field(default=None, primary_key=True)
    pattern: str
    kind: BlockKind = Field(sa_type=String)
    action: BlockAction = Field(sa_type=String)
    comment: str = ""
    created_at: datetime = Field(sa_type=UtcDateTime)
    expires_at: datetime | None = Field(default=None, sa_type=UtcDateTime)
    hits: int = 0


@dataclass(frozen=True, slots=True)
class BlockEntry:
    """An entry of the block list, as calls need it."""

    id: int
    pattern: str
    kind: BlockKind
    action: BlockAction
    expires_at: datetime | None = None

    def in_force(self, at: datetime) -> bool:
        """Whether it counts for calls of this moment."""
        return self.expires_at is None or self.expires_at > at


@dataclass(frozen=True, slots=True)
class ContactView:
    """A contact with all that belongs to him; numbers in order, tags by name. `owner` is an extension."""

    id: int
    name: str
    owner: str | None
    numbers: tuple[str, ...]
    tags: tuple[str, ...]
    position: str = ""
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class CallerFacts:
    """What is known of a caller. `owner` is the extension of his manager; `blocked` is the entry in force of the block list."""

    known: bool = False
    owner: str | None = None
    tags: frozenset[str] = frozenset()
    blocked: BlockedNumber | None = None


def caller_facts(session: Session, number: str, at: datetime, region: str | None = None) -> CallerFacts:
    """What a scenario or a rule may ask of a caller; `number` is as Asterisk gives it, `region` as for `phone_number`.

    A withheld number, or none, is nobody's: not known, not blocked. Only reads; `count_block_hit` is for who acts on a block.
    """
    normal = phone_number(number, region)
    if normal is None:
        return CallerFacts()
    blocked = _block_of(session, normal, at)
    owner = session.exec(
        select(ContactNumber.contact_id, Operator.extension)
        .join(Contact, col(Contact.id) == ContactNumber.contact_id)
        .outerjoin(Operator, col(Operator.id) == Contact.owner_id)
        .where(ContactNumber.number == normal)
    ).first()
    if owner is None:
        return CallerFacts(blocked=blocked)
    tags = session.exec(select(ContactTag.tag).where(ContactTag.contact_id == owner[0]))
    return CallerFacts(True, owner[1], frozenset(tags), blocked)


def block_entries(session: Session, at: datetime) -> list[BlockEntry]:
    """What of the block list is in force at that moment, in the order it was made."""
    one = BlockedNumber
    columns = sa.select(col(one.id), col(one.pattern), col(one.kind), col(one.action), col(one.expires_at))
    return [BlockEntry(*row) for row in session.execute(columns.where(_in_force(at)).order_by(col(one.id)))]


def count_block_hit(session: Session, id: int) -> None:
    """A caller was blocked by this entry."""
    session.exec(update(BlockedNumber).where(col(BlockedNumber.id) == id).values(hits=BlockedNumber.hits + 1))


def list_contacts(session: Session, search: str = "", limit: int = 50, after: int = 0) -> list[ContactView]:
    """Contacts in the order they were made, those whose name or number has `search` in it; `after` is the last id of the page
    before."""
    query = select(Contact).where(col(Contact.id) > after).order_by(col(Contact.id)).limit(limit)
    if search:
        with_number = select(ContactNumber.contact_id).where(col(ContactNumber.number).contains(search, autoescape=True))
        named = func.lower(Contact.name).contains(search.lower(), autoescape=True)
        query = query.where(or_(named, col(Contact.id).in_(with_number)))
    return _views(session, session.exec(query).all())


def get_contact(session: Session, id: int) -> Contact:
    """Raises NotFound."""
    return by_id(session, Contact, id, f"contact {id}")


def contact_view(session: Session, id: int) -> ContactView:
    """Raises NotFound."""
    return _views(session, [get_contact(session, id)])[0]


def owners_of(session: Session, numbers: Iterable[str]) -> dict[str, Contact]:
    """The contacts that have these numbers, by number."""
    query = (
        select(ContactNumber.number, Contact)
        .join(Contact, col(Contact.id) == ContactNumber.contact_id)
        .where(col(ContactNumber.number).in_(list(numbers)))
    )
    return {number: contact for number, contact in session.exec(query)}


def contacts_of_callers(session: Session, numbers: Iterable[str], region: str | None) -> dict[str, Contact]:
    """The contacts who have these numbers, by the numbers as they were given; `region` is as for `phone_number`."""
    normal = {number: phone_number(number, region) for number in set(numbers)}
    owners = owners_of(session, {one for one in normal.values() if one is not None})
    return {number: owners[one] for number, one in normal.items() if one in owners}


def names_of_callers(session: Session, numbers: Iterable[str], region: str | None) -> dict[str, str]:
    """The names, with their positions, of the contacts who have these numbers, by the numbers as they were given (SKZ-77)."""
    return {number: contact.called for number, contact in contacts_of_callers(session, numbers, region).items()}


def zones_of_callers(session: Session, numbers: Iterable[str], region: str | None) -> dict[str, str]:
    """The time zones that are stored for the contacts who have these numbers, by the numbers as they were given."""
    zones = {number: contact.time_zone for number, contact in contacts_of_callers(session, numbers, region).items()}
    return {number: zone for number, zone in zones.items() if zone is not None}


def replace_numbers(session: Session, contact_id: int, numbers: Sequence[str]) -> None:
    """Make these the contact's numbers, in this order."""
    session.exec(delete(ContactNumber).where(col(ContactNumber.contact_id) == contact_id))
    session.add_all(
        ContactNumber(contact_id=contact_id, number=number, position=place) for place, number in enumerate(numbers, start=1)
    )
    session.flush()


def replace_tags(session: Session, contact_id: int, tags: Iterable[str]) -> None:
    """Make these the contact's tags."""
    session.exec(delete(ContactTag).where(col(ContactTag.contact_id) == contact_id))
    session.add_all(ContactTag(contact_id=contact_id, tag=tag) for tag in tags)
    session.flush()


def tag_names(session: Session) -> frozenset[str]:
    """Every tag that a contact carries."""
    return frozenset(session.exec(select(ContactTag.tag).distinct()))


def list_blocked(session: Session, limit: int = 50, after: int = 0) -> Sequence[BlockedNumber]:
    """The block list in the order it was made, expired entries included; `after` is the last id of the page before."""
    query = select(BlockedNumber).where(col(BlockedNumber.id) > after).order_by(col(BlockedNumber.id)).limit(limit)
    return session.exec(query).all()


def all_blocked(session: Session) -> Sequence[BlockedNumber]:
    """The whole block list, expired entries included, by kind and pattern."""
    return session.exec(select(BlockedNumber).order_by(col(BlockedNumber.kind), col(BlockedNumber.pattern))).all()


def get_blocked(session: Session, id: int) -> BlockedNumber:
    """Raises NotFound."""
    return by_id(session, BlockedNumber, id, f"entry {id} on the block list")


def find_blocked(session: Session, pattern: str, kind: BlockKind) -> BlockedNumber | None:
    return session.exec(select(BlockedNumber).where(BlockedNumber.pattern == pattern, BlockedNumber.kind == kind)).first()


def _in_force(at: datetime) -> sa.ColumnElement[bool]:
    return or_(col(BlockedNumber.expires_at).is_(None), col(BlockedNumber.expires_at) > at)


def _block_of(session: Session, number: str, at: datetime) -> BlockedNumber | None:
    """The entry in force that fits best: the number itself before a beginning, a longer beginning before a shorter."""
    beginnings = [number[:length] for length in range(1, len(number) + 1)]
    exact = (col(BlockedNumber.kind) == "exact") & (col(BlockedNumber.pattern) == number)
    prefix = (col(BlockedNumber.kind) == "prefix") & col(BlockedNumber.pattern).in_(beginnings)
    found = session.exec(select(BlockedNumber).where(exact | prefix, _in_force(at))).all()
    return max(found, key=lambda entry: (entry.kind == "exact", len(entry.pattern)), default=None)


def _views(session: Session, contacts: Sequence[Contact]) -> list[ContactView]:
    ids = [contact.id for contact in contacts]
    extensions = dict(
        session.exec(
            select(Operator.id, Operator.extension).where(col(Operator.id).in_({contact.owner_id for contact in contacts}))
        ).all()
    )
    numbers: dict[int, list[str]] = {id: [] for id in ids}
    tags: dict[int, list[str]] = {id: [] for id in ids}
    for number in session.exec(
        select(ContactNumber).where(col(ContactNumber.contact_id).in_(ids)).order_by(col(ContactNumber.position))
    ):
        numbers[number.contact_id].append(number.number)
    for tag in session.exec(select(ContactTag).where(col(ContactTag.contact_id).in_(ids)).order_by(col(ContactTag.tag))):
        tags[tag.contact_id].append(tag.tag)
    return [
        ContactView(
            contact.id,
            contact.name,
            extensions.get(contact.owner_id) if contact.owner_id is not None else None,
            tuple(numbers[contact.id]),
            tuple(tags[contact.id]),
            contact.position,
            contact.time_zone,
        )
        for contact in contacts
    ]
