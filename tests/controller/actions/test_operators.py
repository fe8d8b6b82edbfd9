"""Operators and groups."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import Session

from controller.actions.contacts import ContactDraft, create_contact
from controller.actions.operators import (
    MemberDraft,
    OperatorDraft,
    change_call_mode,
    change_group,
    change_operator,
    create_group,
    create_operator,
    delete_group,
    delete_operator,
    set_members,
    set_terms,
)
from controller.actions.scenarios import create_scenario
from controller.errors import InvalidInput, NotFound, Refused
from controller.storage import Database
from controller.storage.audit import list_audit
from controller.storage.contacts import contact_view
from controller.storage.groups import GroupTerms, find_group, group_names, list_groups
from controller.storage.operators import RungNumber, find_operator, operator_view

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
def test_extensions_and_group_names_are_used_once(session: Session) -> None:
    create_operator(session, "2001", "Eve", **BY_ANN)
    create_group(session, "Sales", **BY_ANN)
    with pytest.raises(Refused):
        create_operator(session, "2001", "Bob", **BY_ANN)
    with pytest.raises(Refused):
        create_group(session, "Sales", **BY_ANN)


def test_members_keep_their_order_and_are_replaced_as_a_whole(session: Session) -> None:
    for extension in ("2001", "2002", "2003"):
        create_operator(session, extension, f"Operator {extension}", **BY_ANN)
    create_group(session, "Sales", "linear", 15, **BY_ANN)
    create_group(session, "Empty", **BY_ANN)
    set_members(session, "Sales", ["2003", "2001"], **BY_ANN)
    set_members(session, "Sales", ["2002", "2003"], **BY_ANN)
    sales = find_group(session, "Sales")
    assert sales is not None and (sales.strategy, sales.ring_seconds) == ("linear", 15)
    assert [(group.name, [member.extension for member in group.members]) for group in list_groups(session)] == [
        ("Empty", []),
        ("Sales", ["2002", "2003"]),
    ]
    assert group_names(session) == {"Sales", "Empty"}
    assert find_group(session, "Nobody") is None


def test_members_must_be_operators_and_named_once(session: Session) -> None:
    create_operator(session, "2001", "Eve", **BY_ANN)
    create_group(session, "Sales", **BY_ANN)
    for extensions in (["2001", "2001"], ["2001", "2009"]):
        with pytest.raises(InvalidInput):
            set_members(session, "Sales", extensions, **BY_ANN)
    with pytest.raises(NotFound):
        set_members(session, "Nobody", [], **BY_ANN)


@pytest.mark.parametrize(("strategy", "seconds"), [("loudest", 20), ("ring_all", 0), ("ring_all", 301)])
def test_groups_ring_in_a_known_way_for_a_sensible_time(session: Session, strategy: Any, seconds: int) -> None:
    with pytest.raises(InvalidInput):
        create_group(session, "Sales", strategy, seconds, **BY_ANN)


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


def scenario_with(session: Session, operation: dict[str, Any]) -> None:
    links = {exit: "end" for exit in ("failed", "wrong_number")[: 1 if operation["type"] == "forward_to_group" else 2]}
    nodes = {"first": {"operation": operation, "links": links}, "end": {"operation": {"type": "hang_up"}}}
    create_scenario(session, "Reception", {"schema_version": 2, "start": "first", "nodes": nodes}, **BY_ANN)


def test_an_operator_is_removed_only_when_no_group_and_no_scenario_needs_him(session: Session) -> None:
    id = create_operator(session, "2001", "Eve", **BY_ANN).id
    create_group(session, "Sales", **BY_ANN)
    set_members(session, "Sales", ["2001"], **BY_ANN)
    with pytest.raises(Refused, match='the group "Sales"'):
        delete_operator(session, id, **BY_ANN)
    set_members(session, "Sales", [], **BY_ANN)
    scenario_with(session, {"type": "dial_extension", "extension": "2001"})
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


def test_a_group_that_a_scenario_names_keeps_its_name_and_stays(session: Session) -> None:
    id = create_group(session, "Sales", **BY_ANN).id
    scenario_with(session, {"type": "forward_to_group", "group": "Sales"})
    assert change_group(session, id, "Sales", "linear", 30, **BY_ANN).strategy == "linear"
    with pytest.raises(Refused, match='the scenario "Reception"'):
        change_group(session, id, "Shop", "linear", 30, **BY_ANN)
    with pytest.raises(Refused, match='the scenario "Reception"'):
        delete_group(session, id, **BY_ANN)


def test_a_group_that_nothing_needs_is_renamed_and_removed(session: Session) -> None:
    create_group(session, "Sales", **BY_ANN)
    id = create_group(session, "Night", **BY_ANN).id
    with pytest.raises(Refused):
        change_group(session, id, "Sales", "linear", 30, **BY_ANN)
    change_group(session, id, "Late", "linear", 30, **BY_ANN)
    delete_group(session, id, **BY_ANN)
    assert group_names(session) == {"Sales"}


def test_terms_weights_and_levels_out_of_range_are_refused_by_name(session: Session) -> None:
    create_operator(session, "2001", "Eve", **BY_ANN)
    create_group(session, "Sales", **BY_ANN)
    for field, terms in (
        ("wrap_up_seconds", GroupTerms(wrap_up_seconds=3601)),
        ("longest_wait", GroupTerms(longest_wait=0)),
        ("longest_talk", GroupTerms(longest_talk=0)),
        ("priority", GroupTerms(priority=-1)),
        ("announce_every", GroupTerms(announce_every=9)),
        ("announce_every", GroupTerms(announce_every=60, announce_place=False, announce_wait=False)),
    ):
        with pytest.raises(InvalidInput) as refused:
            set_terms(session, "Sales", terms, **BY_ANN)
        assert [problem.field for problem in refused.value.problems] == [field]
    for field, member in (
        ("members.0.weight", MemberDraft("2001", weight=0)),
        ("members.0.level", MemberDraft("2001", level=11)),
    ):
        with pytest.raises(InvalidInput) as refused:
            set_members(session, "Sales", [member], **BY_ANN)
        assert [problem.field for problem in refused.value.problems] == [field]
    sales = find_group(session, "Sales")
    assert sales is not None and (sales.terms, sales.members, sales.version) == (GroupTerms(), (), 1)


def test_every_change_of_a_group_is_a_new_version_of_its_rule(session: Session) -> None:
    create_operator(session, "2001", "Eve", **BY_ANN)
    group = create_group(session, "Sales", **BY_ANN)
    set_terms(session, "Sales", GroupTerms(priority=5), **BY_ANN)
    set_members(session, "Sales", [MemberDraft("2001", 3, 2)], **BY_ANN)
    change_group(session, group.id, "Sales", "levels", 9, **BY_ANN)
    sales = find_group(session, "Sales")
    assert sales is not None and (sales.version, sales.terms.priority, sales.strategy) == (4, 5, "levels")
    assert [(member.weight, member.level) for member in sales.members] == [(3, 2)]
