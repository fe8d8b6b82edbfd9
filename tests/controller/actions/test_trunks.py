"""Trunks."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import Session

from controller.actions.trunks import TrunkDraft, change_trunk, create_trunk, delete_trunk, set_trunk_enabled
from controller.errors import InvalidInput, NotFound, Refused
from controller.storage import Database
from controller.storage.audit import list_audit
from controller.storage.trunks import get_trunk, list_trunks, usable_trunks

BY_ANN: Any = {"acting_user": "ann", "at": datetime(2026, 5, 4, 12, tzinfo=UTC)}


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        yield session


def test_trunks_are_taken_in_their_order(session: Session) -> None:
    create_trunk(session, TrunkDraft("Second", "sip.example.com", position=2), **BY_ANN)
    create_trunk(session, TrunkDraft("First", "2001:DB8::1", position=1), **BY_ANN)
    create_trunk(session, TrunkDraft("Third", "192.0.2.1", position=2), **BY_ANN)
    assert [(trunk.name, trunk.host) for trunk in list_trunks(session)] == [
        ("First", "2001:db8::1"),
        ("Second", "sip.example.com"),
        ("Third", "192.0.2.1"),
    ]


@pytest.mark.covers("SKZ-13")
@pytest.mark.parametrize(
    ("written", "host", "port"),
    [
        ("pbx.example.com:1122", "pbx.example.com", 1122),
        ("pbx.example.com", "pbx.example.com", 5070),
        (" 192.0.2.1:5080 ", "192.0.2.1", 5080),
        ("[2001:DB8::1]:5080", "2001:db8::1", 5080),
        ("[2001:db8::1]", "2001:db8::1", 5070),
        ("2001:db8::1", "2001:db8::1", 5070),
    ],
)
def test_the_port_may_be_written_behind_the_host(session: Session, written: str, host: str, port: int) -> None:
    trunk = create_trunk(session, TrunkDraft("PBX", written, port=5070), **BY_ANN)
    assert (trunk.host, trunk.port) == (host, port)


@pytest.mark.covers("SKZ-14")
def test_a_trunk_is_disconnected_with_its_settings_and_connected_again(session: Session) -> None:
    id = create_trunk(session, TrunkDraft("PBX", "192.0.2.1", username="office", secret="s3cret"), **BY_ANN).id
    disconnected = set_trunk_enabled(session, id, False, **BY_ANN)
    assert (disconnected.enabled, disconnected.secret) == (False, "s3cret")
    assert set_trunk_enabled(session, id, True, **BY_ANN).enabled
    assert [entry.action for entry in list_audit(session)][:2] == ["trunk.connect", "trunk.disconnect"]
    with pytest.raises(NotFound):
        set_trunk_enabled(session, id + 1, False, **BY_ANN)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("name", ""),
        ("host", "sip.example.com:0"),
        ("host", "sip.example.com:70000"),
        ("host", "sip.example.com:50 60"),
        ("domain", "a b"),
        ("domain", "example.com;lr"),
        ("host", "sip.example.com\n[evil]"),
        ("host", "0.0.0.0/0"),
        ("host", "999.1.1.1"),
        ("host", "a b"),
        ("port", 0),
        ("port", 65536),
        ("transport", "tls"),
        ("username", "a@b"),
        ("username", "a;b"),
        ("secret", "pass word"),
        ("secret", 'a"b'),
        ("secret", "a;b"),
        ("caller_id", "anna"),
        ("position", 0),
    ],
)
def test_what_would_harm_the_configuration_is_refused_at_its_field(session: Session, field: str, value: object) -> None:
    given = {"name": "Carrier", "host": "192.0.2.1", "username": "office", "secret": "s3cret", field: value}
    with pytest.raises(InvalidInput) as refused:
        create_trunk(session, TrunkDraft(**given), **BY_ANN)
    assert [problem.field for problem in refused.value.problems] == [field]
    assert list_trunks(session) == []


def test_who_registers_or_logs_in_needs_what_that_takes(session: Session) -> None:
    with pytest.raises(InvalidInput, match="registers needs one"):
        create_trunk(session, TrunkDraft("Carrier", "192.0.2.1", registers=True), **BY_ANN)
    with pytest.raises(InvalidInput, match="secret"):
        create_trunk(session, TrunkDraft("Carrier", "192.0.2.1", username="office"), **BY_ANN)


def test_a_change_without_a_secret_keeps_it_and_the_audit_never_has_it(session: Session) -> None:
    id = create_trunk(session, TrunkDraft("Carrier", "192.0.2.1", username="office", secret="s3cret-word"), **BY_ANN).id
    changed = change_trunk(
        session, id, TrunkDraft("Carrier", "192.0.2.2", username="office", caller_id="+7 495 1112233"), **BY_ANN
    )
    assert (changed.secret, changed.host, changed.caller_id) == ("s3cret-word", "192.0.2.2", "+74951112233")
    assert "s3cret-word" not in repr([entry.detail for entry in list_audit(session)])


def test_no_calls_go_through_a_trunk_that_is_off_or_whose_secret_is_still_to_be_set(session: Session) -> None:
    draft = TrunkDraft("Carrier", "192.0.2.1", username="office")
    waiting = create_trunk(session, draft, secret_later=True, **BY_ANN)
    create_trunk(session, TrunkDraft("Off", "192.0.2.2", enabled=False), **BY_ANN)
    known_by_address = create_trunk(session, TrunkDraft("Other", "192.0.2.3"), **BY_ANN)
    assert usable_trunks(session) == [known_by_address]
    with pytest.raises(InvalidInput, match="secret"):
        change_trunk(session, waiting.id, draft, **BY_ANN)
    change_trunk(session, waiting.id, replace(draft, secret="s3cret"), **BY_ANN)
    assert usable_trunks(session) == [waiting, known_by_address]


def test_names_are_used_once_and_the_id_of_a_removed_trunk_does_not_come_again(session: Session) -> None:
    id = create_trunk(session, TrunkDraft("Carrier", "192.0.2.1"), **BY_ANN).id
    with pytest.raises(Refused):
        create_trunk(session, TrunkDraft("Carrier", "192.0.2.2"), **BY_ANN)
    delete_trunk(session, id, **BY_ANN)
    with pytest.raises(NotFound):
        get_trunk(session, id)
    assert create_trunk(session, TrunkDraft("Carrier", "192.0.2.1"), **BY_ANN).id != id
