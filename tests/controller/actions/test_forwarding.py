"""Phones to forward to: entered, confirmed, approved."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from controller.actions.confirmations import (
    CODE_PAUSE,
    CODE_VALID,
    LIMIT_SPAN,
    MOST_CODES,
    MOST_CODES_OF_ONE,
    MOST_TRIES,
    confirm_for_good,
    enter_code,
    make_code,
    months_later,
    withdraw_code,
)
from controller.actions.forwarding import add_common_phone, decide_request, remove_phone, set_own_phone
from controller.actions.numbers import NumberSettings, add_number, change_number
from controller.actions.operators import create_operator
from controller.actions.scenarios import KnownPrompts
from controller.errors import InvalidInput, NotFound, Refused
from controller.storage import Database, Session
from controller.storage.audit import list_audit
from controller.storage.forwarding import Forwarding, ForwardingPhone, get_phone, list_phones
from controller.storage.operators import Operator
from ivr.lines import STANDARD_PROMPTS

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
BY_ANN: Any = {"acting_user": "ann", "at": NOON}
OFFICE, MOBILE = "+74951234567", "79161234567"
MONTHS = 3
KNOWN = KnownPrompts(frozenset((str(prompt), "en") for prompt in STANDARD_PROMPTS.by_slot().values()), frozenset({"en"}))


def at(moment: datetime, user: str = "ann") -> Any:
    return {"acting_user": user, "at": moment}


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as opened:
        create_operator(opened, "2001", "Eve", **BY_ANN)
        yield opened


def common(session: Session) -> ForwardingPhone:
    return add_common_phone(session, OFFICE, **BY_ANN)


def own(session: Session, number: str = MOBILE) -> ForwardingPhone:
    return set_own_phone(session, "2001", number, **BY_ANN)


def confirm(session: Session, phone: ForwardingPhone, moment: datetime = NOON) -> None:
    _, code = make_code(session, phone.id, **at(moment))
    assert enter_code(session, phone.id, code, MONTHS, **at(moment)) == "confirmed"


def other(code: str) -> str:
    return f"{(int(code) + 1) % 1_000_000:06}"


@pytest.mark.covers("SKZ-10", "SKZ-11", "SKZ-33")
def test_a_number_is_confirmed_by_its_code_for_three_months(session: Session) -> None:
    phone = common(session)
    assert (phone.state(NOON), phone.is_used(NOON)) == ("unconfirmed", False)
    number, code = make_code(session, phone.id, **BY_ANN)
    assert number == OFFICE and len(code) == 6 and code.isdigit() and code not in phone.code_hash
    assert enter_code(session, phone.id, f" {code} ", MONTHS, **BY_ANN) == "confirmed"
    end = datetime(2026, 8, 4, 12, tzinfo=UTC)
    assert phone.expires_at == end and phone.is_used(end - timedelta(seconds=1))
    assert (phone.state(end), phone.is_used(end)) == ("expired", False)
    assert [phone.expires_soon(end - timedelta(days=days)) for days in (15, 14, 0)] == [False, True, False]
    assert enter_code(session, phone.id, code, MONTHS, **BY_ANN) == "none", "a code is for once"
    assert code not in str([entry.detail for entry in list_audit(session)])


@pytest.mark.covers("SKZ-11")
def test_a_confirmation_may_be_renewed_early_and_after_its_end(session: Session) -> None:
    phone = common(session)
    confirm(session, phone)
    for later in (timedelta(days=30), timedelta(days=300)):
        confirm(session, phone, NOON + later)
        assert phone.expires_at == months_later(NOON + later, MONTHS)


@pytest.mark.covers("SKZ-10")
def test_a_wrong_code_confirms_nothing_and_after_five_the_right_one_is_void(session: Session) -> None:
    phone = common(session)
    _, code = make_code(session, phone.id, **BY_ANN)
    for _ in range(MOST_TRIES):
        assert enter_code(session, phone.id, other(code), MONTHS, **BY_ANN) == "wrong"
    assert enter_code(session, phone.id, code, MONTHS, **BY_ANN) == "none"
    assert get_phone(session, phone.id).state(NOON) == "unconfirmed"


@pytest.mark.covers("SKZ-10")
def test_a_code_is_valid_for_ten_minutes_and_the_next_one_voids_it(session: Session) -> None:
    phone = common(session)
    assert enter_code(session, phone.id, "", MONTHS, **BY_ANN) == "none"
    _, first = make_code(session, phone.id, **BY_ANN)
    assert enter_code(session, phone.id, first, MONTHS, **at(NOON + CODE_VALID)) == "none"
    _, second = make_code(session, phone.id, **at(NOON + CODE_PAUSE))
    if first != second:
        assert enter_code(session, phone.id, first, MONTHS, **at(NOON + CODE_PAUSE)) == "wrong"
    assert enter_code(session, phone.id, second, MONTHS, **at(NOON + CODE_PAUSE)) == "confirmed"


@pytest.mark.covers("SKZ-10")
def test_a_number_is_not_called_again_and_again(session: Session) -> None:
    phone = common(session)
    make_code(session, phone.id, **BY_ANN)
    with pytest.raises(Refused, match="just now"):
        make_code(session, phone.id, **at(NOON + CODE_PAUSE / 2, "bob"))
    for code in range(1, MOST_CODES):
        make_code(session, phone.id, **at(NOON + code * CODE_PAUSE))
    remove_phone(session, phone.id, **BY_ANN)
    again = common(session)
    with pytest.raises(Refused, match="too many"):
        make_code(session, again.id, **at(NOON + MOST_CODES * CODE_PAUSE, "bob"))
    make_code(session, again.id, **at(NOON + LIMIT_SPAN + MOST_CODES * CODE_PAUSE))


def test_one_user_has_so_many_numbers_called_and_no_more(session: Session) -> None:
    phones = [add_common_phone(session, f"749511122{number:02}", **BY_ANN) for number in range(MOST_CODES_OF_ONE + 1)]
    for phone in phones[:-1]:
        make_code(session, phone.id, **BY_ANN)
    with pytest.raises(Refused, match="too many"):
        make_code(session, phones[-1].id, **BY_ANN)
    make_code(session, phones[-1].id, **at(NOON, "bob"))


def test_a_call_that_could_not_be_placed_does_not_count(session: Session) -> None:
    phone = common(session)
    _, code = make_code(session, phone.id, **BY_ANN)
    withdraw_code(session, phone.id, NOON)
    assert enter_code(session, phone.id, code, MONTHS, **BY_ANN) == "none"
    make_code(session, phone.id, **BY_ANN)


@pytest.mark.covers("SKZ-34")
def test_t37_an_own_number_is_used_when_it_is_confirmed_and_approved(session: Session) -> None:
    phone = own(session)
    with pytest.raises(Refused, match="before its operator has confirmed"):
        decide_request(session, phone.id, True, **BY_ANN)
    confirm(session, phone)
    assert (phone.approval, phone.is_used(NOON)) == ("requested", False)
    decide_request(session, phone.id, True, **BY_ANN)
    assert phone.is_used(NOON)
    confirm(session, phone, NOON + timedelta(days=80))
    assert phone.approval == "approved", "renewing needs no second approval"
    decide_request(session, phone.id, False, **BY_ANN)
    assert not phone.is_used(NOON)
    confirm(session, phone, NOON + timedelta(days=81))
    assert phone.approval == "requested", "he may ask again"


@pytest.mark.covers("SKZ-34")
def test_another_number_needs_both_steps_again_and_the_same_none(session: Session) -> None:
    phone = own(session)
    confirm(session, phone)
    decide_request(session, phone.id, True, **BY_ANN)
    assert own(session, "7 916 123-45-67").is_used(NOON)
    changed = own(session, "79160000000")
    assert (changed.state(NOON), changed.approval) == ("unconfirmed", "none")
    assert [view.row.number for view in list_phones(session)] == ["79160000000"]


def test_a_number_of_our_trunk_is_confirmed_for_good_and_an_operators_is_not(session: Session) -> None:
    phone = common(session)
    confirm_for_good(session, phone.id, **BY_ANN)
    assert phone.is_used(NOON + timedelta(days=10_000)) and not phone.expires_soon(NOON)
    with pytest.raises(Refused, match="he confirms it himself"):
        confirm_for_good(session, own(session).id, **BY_ANN)
    with pytest.raises(Refused, match="needs no approval"):
        decide_request(session, phone.id, True, **BY_ANN)


def test_what_is_no_number_or_is_there_already_is_refused(session: Session) -> None:
    common(session)
    for wrong in ("", "+", "call me", "1" * 21):
        with pytest.raises(InvalidInput) as found:
            add_common_phone(session, wrong, **BY_ANN)
        assert [problem.field for problem in found.value.problems] == ["number"]
    with pytest.raises(Refused, match="there already"):
        common(session)
    with pytest.raises(InvalidInput) as found:
        set_own_phone(session, "2009", MOBILE, **BY_ANN)
    assert [problem.field for problem in found.value.problems] == ["operator"]
    with pytest.raises(NotFound):
        make_code(session, 99, **BY_ANN)


@pytest.mark.covers("SKZ-31", "SKZ-33", "SKZ-35")
def test_a_number_forwards_to_a_confirmed_phone_only_and_keeps_that_from_being_removed(session: Session) -> None:
    phone, id = common(session), add_number(session, "8000", "Main", **BY_ANN).id

    def forward(**rule: Any) -> None:
        change_number(session, id, "8000", "Main", NumberSettings(forwarding=Forwarding(**rule)), KNOWN, **BY_ANN)

    wrong: list[tuple[dict[str, Any], str]] = [
        ({"mode": "common"}, "number"),
        ({"mode": "common", "number": "111"}, "number"),
        ({"mode": "common", "number": OFFICE}, "number"),
        ({"mode": "own", "number": OFFICE}, "number"),
        ({"mode": "own", "wait_seconds": 4}, "wait_seconds"),
        ({"attempts": 6}, "attempts"),
    ]
    for rule, field in wrong:
        with pytest.raises(InvalidInput) as found:
            forward(**rule)
        assert [problem.field for problem in found.value.problems] == [f"forwarding.{field}"]
    confirm(session, phone)
    forward(mode="common", number=OFFICE, wait_seconds=40, attempts=3, shows="called")
    with pytest.raises(Refused, match="8000"):
        remove_phone(session, phone.id, **BY_ANN)
    forward(mode="own")
    remove_phone(session, phone.id, **BY_ANN)
    assert list_phones(session) == []


def test_an_operator_who_is_removed_takes_his_phone_along(session: Session) -> None:
    phone = own(session)
    session.delete(session.get(Operator, phone.operator_id))
    session.flush()
    session.expire_all()
    assert list_phones(session) == []


@pytest.mark.parametrize(
    ("moment", "months", "later"),
    [("2026-11-30", 3, "2027-02-28"), ("2026-05-04", 3, "2026-08-04"), ("2026-12-31", 24, "2028-12-31")],
)
def test_months_are_those_of_the_calendar(moment: str, months: int, later: str) -> None:
    assert months_later(datetime.fromisoformat(moment), months) == datetime.fromisoformat(later)
