"""Operations that only choose a way: schedule, caller list, HTTP lookup, language, personal manager, number outside."""

from __future__ import annotations

import pytest
from pydantic import ValidationError

from ivr.commands import CancelTimer, CheckCaller, CheckSchedule, LookUp, RouteToExternal, RouteToManager, SetLanguage, StartTimer
from ivr.events import CallerChecked, DigitReceived, LookupAnswered, RoutingEnded, ScheduleChecked, TimerExpired, TimerId, VisitId
from ivr.operations import CallerList, ForwardToExternal, HttpLookup, InsertScenario, PersonalManager, Schedule, TagBranch
from ivr.operations import SetLanguage as Language
from ivr.operations.base import Insert, Leave, Stay
from tests.ivr.operations.walking import VISIT, after

FORMER = VisitId(6)


@pytest.mark.parametrize("state", ["open", "closed", "holiday"])
def test_a_schedule_is_left_by_its_state(state: str) -> None:
    assert after(Schedule(schedule="Office")).commands == (CheckSchedule(VISIT, "Office"),)
    assert after(Schedule(), ScheduleChecked(VISIT, state)) == Leave(state)  # type: ignore[arg-type]


def test_a_holiday_without_a_link_is_closed() -> None:
    assert after(Schedule(), ScheduleChecked(VISIT, "holiday"), linked=frozenset({"open", "closed"})) == Leave("closed")


CALLERS = CallerList(tags=(TagBranch(exit="vip", tag="VIP клиент"), TagBranch(exit="debtor", tag="Должник")))


@pytest.mark.covers("UIS-43")
@pytest.mark.parametrize(
    ("caller", "exit"),
    [
        (CallerChecked(VISIT, blocked=True, known=True, tags=frozenset({"VIP клиент"})), "blocked"),
        (CallerChecked(VISIT, known=True, tags=frozenset({"Должник", "VIP клиент"})), "vip"),
        (CallerChecked(VISIT, known=True, tags=frozenset({"Должник"})), "debtor"),
        (CallerChecked(VISIT, known=True), "known"),
        (CallerChecked(VISIT), "unknown"),
    ],
)
def test_a_caller_leaves_by_the_first_that_fits(caller: CallerChecked, exit: str) -> None:
    assert after(CALLERS).commands == (CheckCaller(VISIT, None, ("VIP клиент", "Должник")),)
    assert after(CALLERS, caller) == Leave(exit)


def test_without_a_link_the_block_list_does_not_count_and_is_not_asked() -> None:
    asked = CheckCaller(VISIT, None, ("VIP клиент", "Должник"), with_blocked=False)
    assert after(CALLERS, linked=CALLERS.required_exits()).commands == (asked,)
    assert after(CALLERS, CallerChecked(VISIT, blocked=True), linked=CALLERS.required_exits()) == Leave("unknown")


def test_two_exits_of_one_name_are_refused() -> None:
    for exits in (("vip", "vip"), ("known",)):
        with pytest.raises(ValidationError):
            CallerList(tags=tuple(TagBranch(exit=exit, tag="any") for exit in exits))
    for answers in (("vip", "vip"), ("operator",)):
        with pytest.raises(ValidationError):
            HttpLookup(url="http://crm", answers=answers)


ASK = HttpLookup(url="https://crm.example.org/route", answers=("vip", "debtor"))
TIDY = (CancelTimer(TimerId("7.1")),)


@pytest.mark.covers("UIS-45")
def test_another_system_names_the_exit() -> None:
    question = LookUp(VISIT, "https://crm.example.org/route", 3, ("vip", "debtor"))
    assert after(ASK).commands == (question, StartTimer(TimerId("7.1"), 3))
    assert after(ASK, LookupAnswered(VISIT, exit="debtor")) == Leave("debtor", TIDY)


@pytest.mark.covers("UIS-45")
def test_another_system_names_the_operator_whose_number_is_handed_over() -> None:
    assert after(ASK, LookupAnswered(VISIT, operator="2045")) == Leave("operator", TIDY, "2045")


@pytest.mark.covers("UIS-45")
@pytest.mark.parametrize(
    "answer",
    [
        LookupAnswered(VISIT),
        LookupAnswered(VISIT, exit="nowhere"),
        LookupAnswered(VISIT, exit="failed"),
        LookupAnswered(VISIT, operator=""),
        LookupAnswered(VISIT, operator="2" * 1000),
    ],
)
def test_any_other_answer_is_failed(answer: LookupAnswered) -> None:
    assert after(ASK, answer) == Leave("failed", TIDY)


@pytest.mark.covers("UIS-45")
def test_an_operator_without_a_link_and_no_answer_in_time_are_failed() -> None:
    assert after(ASK, LookupAnswered(VISIT, operator="2045"), linked=ASK.required_exits()) == Leave("failed", TIDY)
    assert after(ASK, TimerExpired(TimerId("7.1"))) == Leave("failed")


@pytest.mark.parametrize(
    "url", ["", "crm.example.org", "ftp://x", "http://", "http:///path", "http://a b", "javascript:alert(1)"]
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        HttpLookup(url=url)


def test_the_language_is_changed_and_the_call_goes_on() -> None:
    assert after(Language(language="ru")) == Leave("next", (SetLanguage("ru"),))


@pytest.mark.covers("UIS-38")
def test_the_personal_manager_of_the_caller_is_searched() -> None:
    assert after(PersonalManager()).commands == (RouteToManager(VISIT),)


@pytest.mark.covers("SKZ-5")
def test_a_number_outside_is_rung() -> None:
    assert after(ForwardToExternal(number="+74951234567")).commands == (RouteToExternal(VISIT, "+74951234567", 30),)
    assert after(ForwardToExternal(number="112"), RoutingEnded(VISIT, "no_answer")) == Leave("failed")
    for number in ("", "sip:x@y", "8 495", "+", "*67"):
        with pytest.raises(ValidationError):
            ForwardToExternal(number=number)


@pytest.mark.covers("UIS-40")
def test_another_scenario_is_inserted_by_its_name() -> None:
    assert after(InsertScenario(scenario="Night")) == Insert("Night")


@pytest.mark.parametrize("operation", [Schedule(), CALLERS, ASK, PersonalManager()])
def test_answers_for_a_former_visit_and_keys_change_nothing(
    operation: Schedule | CallerList | HttpLookup | PersonalManager,
) -> None:
    for event in (
        ScheduleChecked(FORMER, "open"),
        CallerChecked(FORMER),
        LookupAnswered(FORMER),
        RoutingEnded(FORMER, "no_answer"),
        DigitReceived("1"),
    ):
        entered = after(operation)
        assert isinstance(entered, Stay)
        assert after(operation, event) == Stay(entered.running)
