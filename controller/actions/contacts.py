"""The address book and the block list."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

from controller.actions.fields import checked_name, checked_pattern, checked_zone, invalid
from controller.addresses import phone_number
from controller.errors import Refused
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.contacts import (
    BlockAction,
    BlockedNumber,
    BlockKind,
    Contact,
    ContactView,
    contact_view,
    find_blocked,
    get_blocked,
    get_contact,
    owners_of,
    replace_numbers,
    replace_tags,
)
from controller.storage.operators import find_operator

MOST_NUMBERS = 20
MOST_TAGS = 50
LONGEST_COMMENT = 500


@dataclass(frozen=True, slots=True)
class ContactDraft:
    """What is known of a contact; numbers as people write them. `owner` is the extension of his personal manager, `time_zone` an
    IANA name: whose clock decides when he calls, where a schedule goes by callers' (None: not known).
    """

    name: str
    numbers: Sequence[str] = ()
    tags: Sequence[str] = ()
    owner: str | None = None
    position: str = ""
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class BlockDraft:
    """An entry of the block list: a number as people write it, or, with the kind "prefix", what numbers begin with ("+7495")."""

    number: str
    kind: BlockKind = "exact"
    action: BlockAction = "reject"
    comment: str = ""
    expires_at: datetime | None = None


def create_contact(session: Session, draft: ContactDraft, region: str | None, *, acting_user: str, at: datetime) -> ContactView:
    """`region` is as for `controller.addresses.phone_number`.

    Raises InvalidInput: a bad name, position, number, tag, owner or time zone; Refused: another contact has the number.
    """
    contact = Contact(name=checked_name("name", draft.name))
    session.add(contact)
    session.flush()
    return _fill(session, contact, draft, region, "contact.create", acting_user, at)


def change_contact(
    session: Session, id: int, draft: ContactDraft, region: str | None, *, acting_user: str, at: datetime
) -> ContactView:
    """Replace all that is known of a contact. Raises as `create_contact`, and NotFound."""
    contact = get_contact(session, id)
    contact.name = checked_name("name", draft.name)
    return _fill(session, contact, draft, region, "contact.change", acting_user, at)


def delete_contact(session: Session, id: int, *, acting_user: str, at: datetime) -> None:
    """Raises NotFound."""
    contact = get_contact(session, id)
    session.delete(contact)
    add_audit(session, at, acting_user, "contact.delete", f"contact {id}", name=contact.name)
    session.flush()


def blocked_pattern(number: str, kind: BlockKind, region: str | None) -> str:
    """A number, or what numbers begin with, as the block list keeps it. Raises InvalidInput: it is none."""
    if kind == "exact":
        return _checked_number("number", number, region)
    said = "write + and the first digits of the numbers, beginning with the country code"
    return checked_pattern("number", number.strip(), r"\+[0-9]{1,14}", said)


def block_number(
    session: Session, draft: BlockDraft, region: str | None, *, may_be_over: bool = False, acting_user: str, at: datetime
) -> BlockedNumber:
    """`may_be_over`: an expiry that is past is kept, and the entry blocks nobody.

    Raises InvalidInput: a bad number, comment or expiry; Refused: it is on the list.
    """
    pattern = _checked_entry(session, draft, region, None, None if may_be_over else at)
    entry = BlockedNumber(
        pattern=pattern,
        kind=draft.kind,
        action=draft.action,
        comment=draft.comment,
        created_at=at,
        expires_at=draft.expires_at,
    )
    session.add(entry)
    add_audit(session, at, acting_user, "block.add", f"block {draft.kind} {pattern}", treatment=draft.action)
    session.flush()
    return entry


def change_block(
    session: Session, id: int, draft: BlockDraft, region: str | None, *, may_be_over: bool = False, acting_user: str, at: datetime
) -> BlockedNumber:
    """Replace an entry; its hits stay. `may_be_over` and what is raised are as of `block_number`; raises NotFound, too."""
    entry = get_blocked(session, id)
    entry.pattern = _checked_entry(session, draft, region, id, None if may_be_over else at)
    entry.kind, entry.action, entry.comment, entry.expires_at = draft.kind, draft.action, draft.comment, draft.expires_at
    add_audit(session, at, acting_user, "block.change", f"block {draft.kind} {entry.pattern}", treatment=draft.action)
    session.flush()
    return entry


def unblock_number(session: Session, id: int, *, acting_user: str, at: datetime) -> None:
    """Raises NotFound."""
    entry = get_blocked(session, id)
    session.delete(entry)
    add_audit(session, at, acting_user, "block.remove", f"block {entry.kind} {entry.pattern}", hits=entry.hits)
    session.flush()


def _fill(
    session: Session, contact: Contact, draft: ContactDraft, region: str | None, action: str, actor: str, at: datetime
) -> ContactView:
    numbers = _checked_numbers(draft.numbers, region)
    tags = _checked_tags(draft.tags)
    contact.owner_id = _checked_owner(session, draft.owner)
    contact.position = checked_name("position", draft.position) if draft.position.strip() else ""
    contact.time_zone = checked_zone("time_zone", draft.time_zone)
    for number, holder in owners_of(session, numbers).items():
        if holder.id != contact.id:
            raise Refused(f'the number {number} belongs to the contact "{holder.name}" ({holder.id}) already')
    replace_numbers(session, contact.id, numbers)
    replace_tags(session, contact.id, tags)
    zone = contact.time_zone
    add_audit(
        session, at, actor, action, f"contact {contact.id}", name=contact.name, numbers=numbers, owner=draft.owner, time_zone=zone
    )
    session.flush()
    return contact_view(session, contact.id)


def _checked_numbers(given: Sequence[str], region: str | None) -> list[str]:
    if len(given) > MOST_NUMBERS:
        raise invalid("numbers", f"a contact has at most {MOST_NUMBERS} numbers")
    numbers: list[str] = []
    for place, text in enumerate(given):
        number = _checked_number(f"numbers.{place}", text, region)
        if number in numbers:
            raise invalid(f"numbers.{place}", f"the number {number} is given twice")
        numbers.append(number)
    return numbers


def _checked_number(field: str, text: str, region: str | None) -> str:
    number = phone_number(text, region)
    if number is None:
        raise invalid(field, 'write a phone number with its country code, for example "+7 495 111-22-33"')
    return number


def _checked_tags(given: Sequence[str]) -> list[str]:
    if len(given) > MOST_TAGS:
        raise invalid("tags", f"a contact has at most {MOST_TAGS} tags")
    return sorted({checked_name(f"tags.{place}", tag) for place, tag in enumerate(given)})


def _checked_owner(session: Session, extension: str | None) -> int | None:
    if extension is None:
        return None
    operator = find_operator(session, extension)
    if operator is None:
        raise invalid("owner", f"there is no operator {extension}")
    return operator.id


def _checked_entry(session: Session, draft: BlockDraft, region: str | None, id: int | None, at: datetime | None) -> str:
    """The pattern to keep; `at` is what the expiry must be after, None: anything."""
    pattern = blocked_pattern(draft.number, draft.kind, region)
    if len(draft.comment) > LONGEST_COMMENT or not draft.comment.isprintable():
        raise invalid("comment", f"write at most {LONGEST_COMMENT} characters on one line")
    if draft.expires_at is not None:
        _check_expiry(draft.expires_at, at)
    found = find_blocked(session, pattern, draft.kind)
    if found is not None and found.id != id:
        raise Refused(f"{pattern} is on the block list already")
    return pattern


def _check_expiry(expires_at: datetime, after: datetime | None) -> None:
    try:
        expires_at.astimezone(UTC)
    except OverflowError:
        raise invalid("expires_at", "there is no such moment in UTC") from None
    if after is not None and expires_at <= after:
        raise invalid("expires_at", "this moment is over")
