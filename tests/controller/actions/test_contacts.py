"""The address book and the block list, and what a call is told of its caller."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session

from controller.actions.contacts import (
    BlockDraft,
    ContactDraft,
    block_number,
    change_block,
    change_contact,
    create_contact,
    delete_contact,
    unblock_number,
)
from controller.actions.operators import create_operator
from controller.errors import InvalidInput, NotFound, Refused
from controller.storage import Database
from controller.storage.audit import list_audit
from controller.storage.contacts import (
    BlockEntry,
    CallerFacts,
    block_entries,
    caller_facts,
    count_block_hit,
    get_blocked,
    list_blocked,
    list_contacts,
    zones_of_callers,
)
from controller.storage.operators import find_operator

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
BY_ANN: Any = {"acting_user": "ann", "at": NOON}
EVE = "+74951112233"


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        create_operator(session, "2001", "Eve", **BY_ANN)
        yield session


def contact(session: Session, *numbers: str, region: str | None = "RU", **parts: Any) -> int:
    return create_contact(session, ContactDraft("Client", numbers, **parts), region, **BY_ANN).id


def block(session: Session, number: str, kind: Any = "exact", **parts: Any) -> int:
    return block_number(session, BlockDraft(number, kind, **parts), "RU", **BY_ANN).id


def test_a_caller_is_known_by_any_of_his_numbers_however_they_are_written(session: Session) -> None:
    contact(session, "8 (495) 111-22-33", "+49 30 1234567", tags=("vip", " debtor "), owner="2001")
    expected = CallerFacts(known=True, owner="2001", tags=frozenset({"vip", "debtor"}))
    for number in ("+74951112233", "74951112233", "84951112233", "4951112233", "+49301234567"):
        assert caller_facts(session, number, NOON, "RU") == expected, number
    assert caller_facts(session, EVE, NOON) == expected


@pytest.mark.covers("UIS-39")
@pytest.mark.parametrize("number", ["", "anonymous", "+79990000000", "2001", "unknown", "\0", "+" * 30])
def test_t_17_an_unknown_or_withheld_number_is_nobodys(session: Session, number: str) -> None:
    contact(session, EVE, owner="2001")
    assert caller_facts(session, number, NOON, "RU") == CallerFacts()


@pytest.mark.covers("UIS-39")
def test_t_17_a_contact_without_manager_or_whose_manager_was_removed_has_none(session: Session) -> None:
    contact(session, EVE)
    assert caller_facts(session, EVE, NOON) == CallerFacts(known=True)
    contact(session, "+79990000000", owner="2001")

    session.delete(find_operator(session, "2001"))
    session.flush()
    session.expire_all()
    assert caller_facts(session, "+79990000000", NOON) == CallerFacts(known=True)


def test_a_short_internal_number_is_a_number_too(session: Session) -> None:
    contact(session, "2005")
    assert caller_facts(session, "2005", NOON).known


def test_the_time_zone_of_a_contact_is_known_for_each_of_his_numbers_and_may_be_taken_back(session: Session) -> None:
    id = contact(session, EVE, "+49301234567", time_zone="Asia/Vladivostok")
    contact(session, "+79990000000")
    asked = ["84951112233", "+49301234567", "+79990000000", "+79991111111", "anonymous"]
    assert zones_of_callers(session, asked, "RU") == dict.fromkeys(asked[:2], "Asia/Vladivostok")
    assert list_audit(session)[1].detail["time_zone"] == "Asia/Vladivostok"
    change_contact(session, id, ContactDraft("Client", (EVE,)), "RU", **BY_ANN)
    assert zones_of_callers(session, asked, "RU") == {}


def test_contacts_are_listed_found_replaced_and_removed(session: Session) -> None:
    first = contact(session, EVE, tags=("a",))
    second = create_contact(session, ContactDraft("Анна 100%", ("+49301234567",)), None, **BY_ANN).id
    assert [one.id for one in list_contacts(session)] == [first, second]
    assert [one.id for one in list_contacts(session, after=first)] == [second]
    assert [one.id for one in list_contacts(session, "4951112")] == [first]
    assert [one.id for one in list_contacts(session, "0%")] == [second]
    changed = change_contact(session, first, ContactDraft("Eve", ("+79990000000", EVE), (), "2001"), None, **BY_ANN)
    assert (changed.name, changed.numbers, changed.tags, changed.owner) == ("Eve", ("+79990000000", EVE), (), "2001")
    delete_contact(session, first, **BY_ANN)
    assert caller_facts(session, EVE, NOON) == CallerFacts()
    with pytest.raises(NotFound):
        delete_contact(session, first, **BY_ANN)


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (ContactDraft("", (EVE,)), "name"),
        (ContactDraft("A", ("nobody",)), "numbers.0"),
        (ContactDraft("A", (EVE, "8 495 1112233")), "numbers.1"),
        (ContactDraft("A", ("",)), "numbers.0"),
        (ContactDraft("A", tuple(f"+7495111{n:04}" for n in range(21))), "numbers"),
        (ContactDraft("A", tags=("a\nb",)), "tags.0"),
        (ContactDraft("A", tags=tuple(map(str, range(51)))), "tags"),
        (ContactDraft("A", owner="2099"), "owner"),
        (ContactDraft("A", time_zone="Mars/Olympus"), "time_zone"),
        (ContactDraft("A", time_zone="../../etc/passwd"), "time_zone"),
        (ContactDraft("A", time_zone=""), "time_zone"),
    ],
)
def test_bad_contacts_are_refused_at_their_field(session: Session, draft: ContactDraft, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        create_contact(session, draft, "RU", **BY_ANN)
    assert [problem.field for problem in refused.value.problems] == [field]


def test_a_number_belongs_to_one_contact(session: Session) -> None:
    contact(session, EVE)
    with pytest.raises(Refused, match='belongs to the contact "Client"'):
        contact(session, "84951112233")


@pytest.mark.covers("UIS-43")
def test_a_number_or_a_beginning_is_blocked_and_the_closest_entry_counts(session: Session) -> None:
    whole = block(session, "8 495 111-22-33", action="busy")
    short = block(session, "+7", "prefix", action="reject")
    long = block(session, "+7495", "prefix", action="message", comment="spam")

    def blocked_by(number: str) -> int | None:
        found = caller_facts(session, number, NOON, "RU").blocked
        return None if found is None else found.id

    assert [blocked_by(one) for one in (EVE, "+74951112234", "89990000000", "+49301234567", "", "anonymous")] == [
        whole,
        long,
        short,
        None,
        None,
        None,
    ]


@pytest.mark.covers("UIS-43")
def test_calls_are_given_the_entries_in_force_alone_and_no_rows_are_kept_of_them(session: Session) -> None:
    ends = NOON + timedelta(days=1)
    whole, soon = block(session, EVE), block(session, "+7495", "prefix", action="busy", expires_at=ends)
    session.expunge_all()
    assert block_entries(session, NOON) == [
        BlockEntry(whole, EVE, "exact", "reject"),
        BlockEntry(soon, "+7495", "prefix", "busy", ends),
    ]
    assert [one.id for one in block_entries(session, ends)] == [whole]
    assert not session.identity_map


def test_a_blocked_contact_is_known_and_blocked_and_hits_are_counted(session: Session) -> None:
    contact(session, EVE, tags=("vip",))
    id = block(session, EVE)
    facts = caller_facts(session, EVE, NOON)
    assert facts.known and facts.blocked is not None and facts.blocked.action == "reject"
    for _ in range(2):
        count_block_hit(session, id)
    session.expire_all()
    assert get_blocked(session, id).hits == 2


@pytest.mark.covers("UIS-43")
def test_an_entry_ends_when_it_expires(session: Session) -> None:
    end = NOON + timedelta(hours=1)
    block(session, EVE, expires_at=end)
    assert caller_facts(session, EVE, end - timedelta(seconds=1)).blocked is not None
    assert caller_facts(session, EVE, end).blocked is None


def test_entries_are_changed_and_removed(session: Session) -> None:
    id = block(session, EVE)
    changed = change_block(session, id, BlockDraft("+7495", "prefix", "busy", "why"), "RU", **BY_ANN)
    assert (changed.pattern, changed.kind, changed.action, changed.comment) == ("+7495", "prefix", "busy", "why")
    unblock_number(session, id, **BY_ANN)
    assert list_blocked(session) == []


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        (BlockDraft("nobody"), "number"),
        (BlockDraft("7495", "prefix"), "number"),
        (BlockDraft("+", "prefix"), "number"),
        (BlockDraft("+7%", "prefix"), "number"),
        (BlockDraft(EVE, comment="x" * 501), "comment"),
        (BlockDraft(EVE, expires_at=NOON), "expires_at"),
    ],
)
def test_bad_entries_are_refused_at_their_field(session: Session, draft: BlockDraft, field: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        block_number(session, draft, "RU", **BY_ANN)
    assert [problem.field for problem in refused.value.problems] == [field]


def test_a_number_is_on_the_list_once(session: Session) -> None:
    block(session, EVE)
    with pytest.raises(Refused, match="already"):
        block(session, "84951112233")
