"""Operators."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import Session

from controller.actions.contacts import ContactDraft, create_contact
from controller.actions.groups import create_group, set_members
from controller.actions.operators import OperatorDraft, change_call_mode, change_operator, create_operator, delete_operator
from controller.errors import InvalidInput, NotFound, Refused
from controller.storage import Database
from controller.storage.audit import list_audit
from controller.storage.contacts import contact_view
from controller.storage.operators import RungNumber, find_operator, operator_view
from tests.controller.actions.naming_scenarios import scenario_with

BY_ANN: Any = {"acting_user": "ann", "at": datetime(2026, 5, 4, 12, tzinfo=UTC)}


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        yield session


def test_operators_get_secrets_of_their_own_that_fit_a_configuration_file(session: Session) -> None:
    secrets = [create_operator(session, extension, "Eve", **BY_ANN).sip_secret for extension in ("2001", "2002")]
    assert len(set(secrets)) == 2
    assert all(secret.isalnum() and len(secret) >= 20 for secret in secrets)


@pytest.mark.covers("SKZ-72")
def test_a_call_mode_is_one_of_three_and_a_browser_has_a_secret_of_its_own(session: Session) -> None:
    operator = create_operator(session, "2001", "Eve", **BY_ANN)
    assert (operator.call_mode, operator.account_secret) == ("sip_phone", operator.sip_secret)
    change_call_mode(session, operator.id, "browser", **BY_ANN)
    assert operator.account_secret != operator.sip_secret
    for mode, said in (("own_number", "further number"), ("flash", "one of sip_phone, browser, own_number")):
        with pytest.raises(InvalidInput, match=said):
            change_call_mode(session, operator.id, mode, **BY_ANN)  # type: ignore[arg-type]
        with pytest.raises(InvalidInput, match=said):
            change_operator(session, operator.id, OperatorDraft("Eve", call_mode=mode), **BY_ANN)  # type: ignore[arg-type]
    assert operator_view(session, operator.id).call_mode == "browser"
    draft = OperatorDraft("Eve", numbers=[RungNumber("79161234567")], call_mode="own_number")
    assert change_operator(session, operator.id, draft, **BY_ANN).call_mode == "own_number"
    assert operator.account_secret == operator.sip_secret
    entries = [(entry.action, entry.detail.get("call_mode")) for entry in list_audit(session)]
    assert ("operator.call_mode", "browser") in entries and ("operator.change", "own_number") in entries


@pytest.mark.parametrize(("extension", "name"), [("1", "Eve"), ("20a", "Eve"), ("2001", ""), ("2001", "Eve\n[hacked]")])
def test_extensions_and_names_that_would_harm_the_configuration_are_refused(session: Session, extension: str, name: str) -> None:
    with pytest.raises(InvalidInput):
        create_operator(session, extension, name, **BY_ANN)


@pytest.mark.covers("SKZ-55")
def test_extensions_are_used_once(session: Session) -> None:
    create_operator(session, "2001", "Eve", **BY_ANN)
    with pytest.raises(Refused):
        create_operator(session, "2001", "Bob", **BY_ANN)


@pytest.mark.covers("UIS-36")
@pytest.mark.parametrize("extension", ["1234", "200", "234567", "2a34", "２345", "2345\n", " 2345", ""])
def test_t14_an_extension_that_breaks_the_rule_of_the_lines_is_refused(session: Session, extension: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        create_operator(session, extension, "Eve", **BY_ANN)
    assert [problem.field for problem in refused.value.problems] == ["extension"]
    assert find_operator(session, extension) is None


@pytest.mark.covers("UIS-36")
@pytest.mark.parametrize("extension", ["2345", "23456"])
def test_t14_an_extension_of_four_or_five_digits_that_begins_with_2_is_taken(session: Session, extension: str) -> None:
    assert create_operator(session, extension, "Eve", **BY_ANN).extension == extension


@pytest.mark.covers("UIS-36")
def test_another_rule_of_extensions_may_be_set(session: Session) -> None:
    assert create_operator(session, "701", "Eve", pattern="7[0-9]{2}", **BY_ANN).extension == "701"
    for pattern, extension in (("7[0-9]{2}", "2345"), (".*", "23;45"), (".*", "123456789")):
        with pytest.raises(InvalidInput):
            create_operator(session, extension, "Eve", pattern=pattern, **BY_ANN)


@pytest.mark.covers("UIS-35")
def test_further_numbers_keep_their_order_and_their_time_and_are_replaced_as_a_whole(session: Session) -> None:
    numbers = [RungNumber("+7 (495) 111-22-33", 15), RungNumber("101")]
    id = create_operator(session, "2001", "Eve", ring_seconds=10, numbers=numbers, **BY_ANN).id
    assert operator_view(session, id).numbers == (RungNumber("+74951112233", 15), RungNumber("101", 20))
    changed = change_operator(session, id, OperatorDraft("Eva", 12, [RungNumber("101", 5)]), **BY_ANN)
    assert (changed.name, changed.ring_seconds, changed.numbers) == ("Eva", 12, (RungNumber("101", 5),))
    assert change_operator(session, id, OperatorDraft("Eva"), **BY_ANN).numbers == ()


@pytest.mark.parametrize(
    ("numbers", "field"),
    [
        ([RungNumber("101"), RungNumber("101@evil")], "numbers.1.number"),
        ([RungNumber("1")], "numbers.0.number"),
        ([RungNumber("101&PJSIP/2002")], "numbers.0.number"),
        ([RungNumber("101"), RungNumber("1-01")], "numbers.1.number"),
        ([RungNumber("101", 0)], "numbers.0.ring_seconds"),
        ([RungNumber(f"10{digit}") for digit in range(6)], "numbers"),
    ],
)
def test_a_number_that_would_dial_something_else_is_refused_at_its_place(
    session: Session, numbers: list[RungNumber], field: str
) -> None:
    id = create_operator(session, "2001", "Eve", **BY_ANN).id
    with pytest.raises(InvalidInput) as refused:
        change_operator(session, id, OperatorDraft("Eve", numbers=numbers), **BY_ANN)
    assert [problem.field for problem in refused.value.problems] == [field]
    assert operator_view(session, id).numbers == ()


def test_an_operator_is_removed_only_when_no_group_and_no_scenario_needs_him(session: Session) -> None:
    id = create_operator(session, "2001", "Eve", **BY_ANN).id
    create_group(session, "Sales", **BY_ANN)
    set_members(session, "Sales", ["2001"], **BY_ANN)
    with pytest.raises(Refused, match='the group "Sales"'):
        delete_operator(session, id, **BY_ANN)
    set_members(session, "Sales", [], **BY_ANN)
    scenario_with(session, {"type": "dial_extension", "extension": "2001"}, **BY_ANN)
    with pytest.raises(Refused, match='the scenario "Reception"'):
        delete_operator(session, id, **BY_ANN)


def test_a_removed_operators_contacts_have_no_manager_and_his_numbers_go_with_him(session: Session) -> None:
    id = create_operator(session, "2001", "Eve", numbers=[RungNumber("101")], **BY_ANN).id
    contact = create_contact(session, ContactDraft("Anna", ["+49301234567"], (), "2001"), None, **BY_ANN)
    delete_operator(session, id, **BY_ANN)
    session.expire_all()
    assert contact_view(session, contact.id).owner is None
    with pytest.raises(NotFound):
        operator_view(session, id)
    assert create_operator(session, "2001", "Bob", **BY_ANN).id != id
