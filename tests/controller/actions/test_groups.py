"""Groups and their members."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import Session

from controller.actions.groups import MemberDraft, change_group, create_group, delete_group, set_members, set_terms
from controller.actions.operators import create_operator
from controller.errors import InvalidInput, NotFound, Refused
from controller.storage import Database
from controller.storage.groups import GroupTerms, find_group, group_names, list_groups
from tests.controller.actions.naming_scenarios import scenario_with

BY_ANN: Any = {"acting_user": "ann", "at": datetime(2026, 5, 4, 12, tzinfo=UTC)}


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        yield session


def test_group_names_are_used_once(session: Session) -> None:
    create_group(session, "Sales", **BY_ANN)
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


def test_a_group_that_a_scenario_names_keeps_its_name_and_stays(session: Session) -> None:
    id = create_group(session, "Sales", **BY_ANN).id
    scenario_with(session, {"type": "forward_to_group", "group": "Sales"}, **BY_ANN)
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
