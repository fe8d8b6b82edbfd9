"""Operators and groups."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import Session

from controller.actions.operators import create_group, create_operator, set_members
from controller.errors import InvalidInput, NotFound, Refused
from controller.storage import Database
from controller.storage.groups import find_group, group_names, list_groups

BY_ANN: Any = {"acting_user": "ann", "at": datetime(2026, 5, 4, 12, tzinfo=UTC)}


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        yield session


def test_operators_get_secrets_of_their_own_that_fit_a_configuration_file(session: Session) -> None:
    secrets = [create_operator(session, extension, "Eve", **BY_ANN).sip_secret for extension in ("2001", "2002")]
    assert len(set(secrets)) == 2
    assert all(secret.isalnum() and len(secret) >= 20 for secret in secrets)


@pytest.mark.parametrize(("extension", "name"), [("1", "Eve"), ("20a", "Eve"), ("2001", ""), ("2001", "Eve\n[hacked]")])
def test_extensions_and_names_that_would_harm_the_configuration_are_refused(session: Session, extension: str, name: str) -> None:
    with pytest.raises(InvalidInput):
        create_operator(session, extension, name, **BY_ANN)


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
