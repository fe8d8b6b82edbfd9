"""Users, passwords, browser sessions and API tokens."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from sqlmodel import Session, select

from controller.actions import users
from controller.errors import InvalidInput, NotFound, Refused
from controller.storage import Database
from controller.storage.audit import AuditEntry
from controller.storage.users import ApiToken, WebSession, list_api_tokens

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
BY_ANN: Any = {"acting_user": "ann", "at": NOON}
PASSWORD = "correct horse battery"


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        yield session


def test_the_right_password_lets_in_and_nothing_else_does(session: Session) -> None:
    users.create_user(session, "eve", PASSWORD, "supervisor", **BY_ANN)
    found = users.verify_login(session, "eve", PASSWORD)
    assert found is not None and (found.login, found.role) == ("eve", "supervisor")
    for login, password in (("eve", PASSWORD + "!"), ("eve", ""), ("Eve", PASSWORD), ("nobody", PASSWORD), ("eve", "\ud800")):
        assert users.verify_login(session, login, password) is None


def test_an_unknown_login_costs_a_password_check_too(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    users.create_user(session, "eve", PASSWORD, "operator", **BY_ANN)
    checked: list[str] = []
    matches = users._matches
    monkeypatch.setattr(users, "_matches", lambda hashed, given: checked.append(hashed) or matches(hashed, given))
    users.verify_login(session, "eve", "wrong password")
    users.verify_login(session, "nobody", "wrong password")
    known, unknown = checked
    assert known.rsplit("$", 2)[0] == unknown.rsplit("$", 2)[0]


def test_passwords_are_stored_hashed_and_in_no_log(session: Session) -> None:
    user = users.create_user(session, "eve", PASSWORD, "operator", **BY_ANN)
    assert user.password_hash.startswith("$argon2id$")
    assert all(PASSWORD not in str(entry.model_dump()) for entry in session.exec(select(AuditEntry)))


@pytest.mark.parametrize("password", ["", "short", "x" * 201])
def test_passwords_that_are_too_short_or_too_long_are_refused(session: Session, password: str) -> None:
    with pytest.raises(InvalidInput) as refused:
        users.create_user(session, "eve", password, "operator", **BY_ANN)
    assert refused.value.problems[0].field == "password"


@pytest.mark.parametrize("login", ["", "two words", "line\n", "x" * 65, "-eve"])
def test_logins_are_plain(session: Session, login: str) -> None:
    with pytest.raises(InvalidInput):
        users.create_user(session, login, PASSWORD, "operator", **BY_ANN)


def test_logins_are_used_once(session: Session) -> None:
    users.create_user(session, "eve", PASSWORD, "operator", **BY_ANN)
    with pytest.raises(Refused):
        users.create_user(session, "eve", PASSWORD, "operator", **BY_ANN)


def test_generated_passwords_differ_and_may_be_used(session: Session) -> None:
    first, second = users.generate_password(), users.generate_password()
    assert first != second
    users.create_user(session, "eve", first, "administrator", **BY_ANN)
    assert users.verify_login(session, "eve", first) is not None


def test_a_new_password_replaces_the_old_and_logs_out_everywhere(session: Session) -> None:
    user = users.create_user(session, "eve", PASSWORD, "operator", **BY_ANN)
    token = users.start_web_session(session, user.id, timedelta(hours=1), at=NOON)
    users.change_password(session, "eve", "another password", **BY_ANN)
    assert users.verify_login(session, "eve", PASSWORD) is None
    assert users.verify_login(session, "eve", "another password") is not None
    assert users.web_session_user(session, token, NOON) is None
    with pytest.raises(NotFound):
        users.change_password(session, "nobody", "another password", **BY_ANN)


def test_a_disabled_user_stays_out_until_enabled(session: Session) -> None:
    user = users.create_user(session, "eve", PASSWORD, "operator", **BY_ANN)
    token = users.start_web_session(session, user.id, timedelta(hours=1), at=NOON)
    users.set_disabled(session, "eve", True, **BY_ANN)
    assert users.verify_login(session, "eve", PASSWORD) is None
    assert users.web_session_user(session, token, NOON) is None
    users.set_disabled(session, "eve", False, **BY_ANN)
    assert users.verify_login(session, "eve", PASSWORD) is not None


def test_a_browser_is_known_by_its_token_until_it_expires_or_logs_out(session: Session) -> None:
    user = users.create_user(session, "eve", PASSWORD, "operator", **BY_ANN)
    token = users.start_web_session(session, user.id, timedelta(hours=1), at=NOON)
    other = users.start_web_session(session, user.id, timedelta(hours=1), at=NOON)
    found = users.web_session_user(session, token, NOON + timedelta(minutes=59))
    assert found is not None and found.login == "eve"
    assert users.web_session_user(session, token, NOON + timedelta(minutes=60)) is None
    assert users.web_session_user(session, "made up", NOON) is None
    users.end_web_session(session, token)
    assert users.web_session_user(session, token, NOON) is None
    assert users.web_session_user(session, other, NOON) is not None
    assert token not in {row.id for row in session.exec(select(WebSession))}


def test_expired_sessions_are_removed_when_somebody_logs_in(session: Session) -> None:
    user = users.create_user(session, "eve", PASSWORD, "operator", **BY_ANN)
    users.start_web_session(session, user.id, timedelta(hours=1), at=NOON)
    users.start_web_session(session, user.id, timedelta(hours=1), at=NOON + timedelta(days=1))
    assert len(session.exec(select(WebSession)).all()) == 1


def test_a_token_opens_until_it_is_revoked_and_is_stored_hashed(session: Session) -> None:
    token = users.create_token(session, "crm", **BY_ANN)
    found = users.verify_token(session, token)
    assert found is not None and found.name == "crm"
    assert users.verify_token(session, token + "x") is None
    assert token not in str([row.model_dump() for row in (*session.exec(select(ApiToken)), *session.exec(select(AuditEntry)))])
    users.note_token_use(session, found.id, at=NOON)
    assert [row.last_used_at for row in list_api_tokens(session)] == [NOON]
    users.revoke_token(session, "crm", **BY_ANN)
    users.revoke_token(session, "crm", **BY_ANN)
    assert users.verify_token(session, token) is None
    with pytest.raises(Refused, match="choose another"):
        users.create_token(session, "crm", **BY_ANN)
    with pytest.raises(NotFound):
        users.revoke_token(session, "erp", **BY_ANN)


@pytest.mark.covers("SKZ-26")
def test_a_user_has_an_address_for_his_notices_or_none(session: Session) -> None:
    users.create_user(session, "eve", PASSWORD, "operator", **BY_ANN)
    users.set_email(session, "eve", " eve@example.com ", **BY_ANN)
    user = users.find_user(session, "eve")
    assert user is not None and (user.email, user.address) == ("eve@example.com", "eve@example.com")
    for wrong in ("", "eve", "eve@a, bob@b"):
        with pytest.raises(InvalidInput) as refused:
            users.set_email(session, "eve", wrong, **BY_ANN)
        assert refused.value.problems[0].field == "email" and user.email == "eve@example.com"
    users.set_disabled(session, "eve", True, **BY_ANN)
    assert user.address is None
    users.set_email(session, "eve", None, **BY_ANN)
    assert user.email is None
    with pytest.raises(NotFound):
        users.set_email(session, "bob", None, **BY_ANN)
