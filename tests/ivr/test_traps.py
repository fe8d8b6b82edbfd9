"""The traps of the requirements that speak of a scenario, without telephony; T-1 is `test_t01_...`."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ivr.commands import Answer, Command, Play, RouteToExtension, RouteToGroup, SaveVoicemail, StartTimer
from ivr.errors import InvalidDocument
from ivr.events import KEYS, CallerHungUp, Key, PlaybackFinished, RoutingOutcome, TimerExpired, VisitId
from ivr.graph import Scenario
from ivr.interpreter import advance, start
from ivr.operations import OPERATIONS, DialExtension, Menu
from ivr.prompts import SECOND_OF_SILENCE, PromptRef
from ivr.simulator import CallerAction, HangUp, Press, Walk, World, simulate
from ivr.validation import Surroundings, validate
from tests.ivr.builders import authorization, group, hang_up, in_menu, insert, menu, message, node, scenario, voicemail

KEYS_ONLY = {"2": "by_key", "wait_expired": "silent", "incorrect_input": "wrong_key"}
ENDS = {name: hang_up() for name in ("by_key", "silent", "wrong_key", "control")}


def with_extensions(**links: str) -> Scenario:
    """A menu with key 2 and extension entry; `links` change those of the forwarding to the extension."""
    dialled = in_menu({"wrong_number": "choice", "failed": "choice"} | links)
    return scenario("choice", choice=menu(KEYS_ONLY | {"extension_entry": "dialled"}), dialled=dialled, **ENDS)


def keys_only() -> Scenario:
    return scenario("choice", choice=menu(KEYS_ONLY), **ENDS)


def pressing(keys: str, after: float = 4, between: float = 1) -> list[CallerAction]:
    return [Press(between if place else after, digit) for place, digit in enumerate(keys)]  # type: ignore[arg-type]


def exits(walk: Walk) -> list[tuple[str, str | None]]:
    return [(step.node, step.exit) for step in walk.path]


def dialled(walk: Walk) -> list[str]:
    return [command.extension for command in walk.commands if isinstance(command, RouteToExtension)]


@pytest.mark.covers("UIS-24")
def test_t01_a_single_digit_that_is_a_linked_key_follows_the_key_after_the_interval() -> None:
    walk = simulate(with_extensions(), pressing("2"))
    assert exits(walk) == [("choice", "2"), ("by_key", None)]
    assert walk.path[0].left_at == 4 + 5


@pytest.mark.covers("UIS-26")
def test_t02_more_digits_within_the_interval_are_dialled_and_the_first_does_not_fire_its_key() -> None:
    walk = simulate(with_extensions(), pressing("22045", between=4.9))
    assert dialled(walk) == ["22045"]
    assert "by_key" not in [step.node for step in walk.path]


@pytest.mark.covers("UIS-25")
def test_t03_a_single_digit_without_a_link_is_dialled_and_is_no_incorrect_input() -> None:
    walk = simulate(with_extensions(), pressing("7"))
    assert dialled(walk) == ["7"]
    assert exits(walk)[0] == ("choice", "extension_entry")


@pytest.mark.covers("UIS-18", "UIS-19")
def test_t04_without_extension_entry_a_key_without_a_link_is_incorrect_input() -> None:
    assert exits(simulate(keys_only(), pressing("7"))) == [("choice", "incorrect_input"), ("wrong_key", None)]


@pytest.mark.covers("UIS-19")
def test_t05_without_extension_entry_a_linked_key_takes_effect_at_once() -> None:
    assert simulate(keys_only(), pressing("2")).path[0].left_at == 4


@pytest.mark.covers("UIS-23", "UIS-27", "UIS-28", "UIS-49")
def test_t06_an_unknown_extension_gives_a_second_of_silence_and_the_same_menu_again() -> None:
    walk = simulate(with_extensions(), pressing("2999"), World(extensions=frozenset()))
    played = [command.prompts for command in walk.commands if isinstance(command, Play)]
    assert played == [(PromptRef("choose"),), (SECOND_OF_SILENCE,), (PromptRef("choose"),)]
    assert exits(walk)[:3] == [("choice", "extension_entry"), ("dialled", "wrong_number"), ("choice", "wait_expired")]


@pytest.mark.covers("UIS-29")
def test_t07_a_wrong_number_that_was_linked_elsewhere_goes_there() -> None:
    walk = simulate(with_extensions(wrong_number="control"), pressing("2999"), World(extensions=frozenset()))
    assert exits(walk) == [("choice", "extension_entry"), ("dialled", "wrong_number"), ("control", None)]


AROUND = Surroundings(
    frozenset({(name, "en") for name in ("hello", "choose", "second-of-silence", "extension-entry", "authorization")}),
    frozenset({"Sales"}),
    frozenset({"en"}),
)
OTHERS = [kind.model_fields["type"].default for kind in OPERATIONS if kind is not DialExtension]
PARAMETERS = {
    "info_message": {"message": ["hello"]},
    "menu": {"prompt": ["choose"]},
    "authorization": {"code": "1"},
    "forward_to_group": {"group": "Sales"},
    "forward_to_external": {"number": "112"},
    "callback_offer": {"group": "Sales"},
    "http_lookup": {"url": "http://crm.example.org"},
    "set_language": {"language": "en"},
    "insert_scenario": {"scenario": "Other"},
}


@pytest.mark.covers("UIS-20")
@pytest.mark.parametrize("kind", [*OTHERS, "dial_extension"])
def test_t08_extension_entry_leads_only_to_forwarding_to_extension_in_its_menu_variant(kind: str) -> None:
    target = node(kind, **PARAMETERS.get(kind, {}))
    wrong = scenario("choice", choice=menu(KEYS_ONLY | {"extension_entry": "target"}), target=target, **ENDS)
    found = [
        (problem.kind, problem.node, problem.severity) for problem in validate(wrong, AROUND) if "extension" in problem.field
    ]
    assert ("not_a_number_taker", "choice", "error") in found
    assert not [problem for problem in validate(with_extensions(), AROUND) if problem.field == "links.extension_entry"]


@pytest.mark.covers("UIS-21", "UIS-22")
def test_t09_in_a_menu_the_interval_is_the_wait_timeout_of_5_seconds_and_no_message_is_played_before() -> None:
    assert Menu(prompt=(PromptRef("choose"),)).wait_seconds == 5
    assert simulate(with_extensions(), pressing("7")).path[0].left_at == 4 + 5
    before_dialling = simulate(with_extensions(), pressing("7")).commands[:6]
    assert [type(command) for command in before_dialling].count(Play) == 1, "the menu's own prompt and nothing else"
    for own in ({"inter_digit_seconds": 7}, {"prompt": ["hello"]}, {"extension": "2045"}):
        with pytest.raises(InvalidDocument):
            scenario("choice", choice=node("dial_extension", variant="in_menu", **own))


@pytest.mark.covers("UIS-30")
@given(st.lists(st.sampled_from(KEYS), max_size=4), st.floats(0, 9))
def test_t10_a_menu_whose_extension_entry_was_deleted_is_as_before(keys: list[Key], after: float) -> None:
    deleted = with_extensions()
    choice = deleted.nodes["choice"]  # type: ignore[index]
    links = {exit: target for exit, target in choice.links.items() if exit != "extension_entry"}
    deleted = deleted.model_copy(update={"nodes": deleted.nodes | {"choice": choice.model_copy(update={"links": links})}})
    assert simulate(deleted, pressing("".join(keys), after)) == simulate(keys_only(), pressing("".join(keys), after))


@pytest.mark.covers("UIS-17")
def test_t11_no_key_is_wait_expired_and_not_incorrect_input() -> None:
    assert exits(simulate(keys_only())) == [("choice", "wait_expired"), ("silent", None)]
    assert exits(simulate(with_extensions())) == [("choice", "wait_expired"), ("silent", None)]


@pytest.mark.covers("UIS-37")
def test_t12_an_unknown_number_and_an_employee_who_does_not_answer_are_two_exits() -> None:
    asking = scenario(
        "start", start=node("dial_extension", {"failed": "control", "wrong_number": "wrong_key"}, type_ahead=False), **ENDS
    )
    unknown = simulate(asking, pressing("2045#"), World(extensions=frozenset({"2046"})))
    assert exits(unknown)[0] == ("start", "wrong_number")
    silent = simulate(asking, pressing("2046#"), World(extensions=frozenset({"2046"}), routing=("no_answer",)))
    assert exits(silent)[0] == ("start", "failed")


@pytest.mark.covers("UIS-11")
@pytest.mark.parametrize("after", [0, 1, 4, 7, 10, 30])
def test_t15_a_caller_who_hangs_up_at_any_moment_of_the_voicemail_still_gives_one_voicemail(after: float) -> None:
    walk = simulate(scenario(start=voicemail()), [HangUp(after)])
    saved = [command for command in walk.commands if isinstance(command, SaveVoicemail)]
    assert [(voicemail.visit, voicemail.mail_to) for voicemail in saved] == [(1, ("boss@example.org",))]


def test_t15_a_caller_who_hangs_up_during_the_greeting_gives_a_voicemail_without_a_recording() -> None:
    greeted = start(scenario(start=voicemail())).run
    over = advance(greeted, CallerHungUp())
    assert over.commands == (SaveVoicemail(VisitId(1), None, ("boss@example.org",)),)


def test_t16_an_information_message_is_over_before_anybody_is_rung() -> None:
    greeted = scenario(start=message({"next": "sales"}), sales=group({"failed": "control"}), **ENDS)
    begun = start(greeted)
    assert [type(command) for command in begun.commands] == [Answer, Play]
    (play,) = (command for command in begun.commands if isinstance(command, Play))
    assert advance(begun.run, PlaybackFinished(play.playback)).commands == (RouteToGroup(VisitId(2), "Sales", 300),)


@pytest.mark.covers("UIS-38", "UIS-39")
@pytest.mark.parametrize("has_manager", [True, False])
@pytest.mark.parametrize("outcome", ["no_answer", "no_operators", "timeout", "unknown_number"])
def test_t17_without_a_manager_or_with_one_who_is_away_the_call_goes_on_by_failed(
    outcome: RoutingOutcome, has_manager: bool
) -> None:
    managed = scenario(start=node("personal_manager", {"failed": "control"}), **ENDS)
    walk = simulate(managed, world=World(routing=(outcome,), has_manager=has_manager))
    assert exits(walk) == [("start", "failed"), ("control", None)]


@pytest.mark.covers("UIS-7", "UIS-8")
@pytest.mark.parametrize(
    ("typed", "exit"),
    [("007", "yes"), ("7", "no"), ("00", "no"), ("07", "no"), ("0070", "no"), ("007#", "yes"), ("7#", "no"), ("00#7", "no")],
)
def test_t18_codes_are_compared_as_text_and_an_entry_that_stays_short_is_wrong(typed: str, exit: str) -> None:
    guarded = scenario(start=authorization({"yes": "by_key", "no": "control"}), **ENDS)
    assert exits(simulate(guarded, pressing(typed)))[0] == ("start", exit)


@pytest.mark.covers("UIS-40")
def test_t19_a_circle_of_insertions_is_refused_and_named() -> None:
    a = scenario(start=insert("B", {"next": "end"}), end=hang_up())
    b = scenario(start=insert("A", {"next": "end"}), end=hang_up())
    around = Surroundings(frozenset(), frozenset(), frozenset({"en"}), scenarios={"A": a, "B": scenario(start=hang_up())})
    (found,) = validate(b, around, "B")
    assert (found.kind, found.node, found.severity) == ("insert_cycle", "start", "error")
    assert "B > A > B" in found.message


@pytest.mark.covers("SKZ-3")
def test_t21_a_menu_that_is_played_at_any_time_asks_no_schedule() -> None:
    anytime = scenario("choice", choice=menu(KEYS_ONLY, period="at_any_time"), **ENDS)
    assert exits(simulate(anytime, pressing("2"), World(schedule=("closed",))))[0] == ("choice", "2")


@pytest.mark.covers("SKZ-6")
def test_t22_a_key_can_lead_to_another_menu_only_if_there_is_one() -> None:
    lonely = scenario("choice", choice=menu(KEYS_ONLY | {"3": "lower_menu"}), **ENDS)
    assert ("dangling_link", "links.3") in [(problem.kind, problem.field) for problem in validate(lonely, AROUND)]


def silences(repeating: Scenario, times: int) -> list[tuple[Command, ...]]:
    """What follows each wait in which no key was pressed."""
    transition, heard = start(repeating), []
    for _ in range(times):
        (play,) = (command for command in transition.commands if isinstance(command, Play))
        waiting = advance(transition.run, PlaybackFinished(play.playback))
        (timer,) = (command for command in waiting.commands if isinstance(command, StartTimer))
        assert timer.seconds == 5
        transition = advance(waiting.run, TimerExpired(timer.timer))
        heard.append(transition.commands)
    return heard


@pytest.mark.covers("SKZ-7")
def test_t23_a_cyclic_menu_repeats_for_ever_with_pauses_of_5_seconds() -> None:
    repeating = scenario("choice", choice=menu(KEYS_ONLY, wait_seconds=2, repeat="cyclic"), **ENDS)
    for commands in silences(repeating, 200):
        assert [command.prompts for command in commands if isinstance(command, Play)] == [(PromptRef("choose"),)]


@pytest.mark.covers("SKZ-7", "SKZ-8")
def test_t24_the_no_input_action_comes_only_after_the_repetitions() -> None:
    links = KEYS_ONLY | {"wait_expired": "sales"}
    repeating = scenario("choice", choice=menu(links, repeat="times", repeat_times=2), sales=group({"failed": "control"}), **ENDS)
    first, second, third = silences(repeating, 3)
    assert (len(first), len(second), isinstance(first[0], Play), isinstance(second[0], Play)) == (1, 1, True, True)
    assert third == (RouteToGroup(VisitId(2), "Sales", 300),)


@pytest.mark.covers("UIS-32", "SKZ-9")
def test_t25_the_hash_key_of_a_lower_menu_starts_the_parent_from_its_prompt() -> None:
    parent = menu(KEYS_ONLY | {"3": "lower"}, prompt="parent")
    levels = scenario("upper", upper=parent, lower=menu(KEYS_ONLY | {"#": "upper"}, prompt="lower"), **ENDS)
    walk = simulate(levels, [Press(1, "3"), Press(1, "#")])
    played = [str(*command.prompts) for command in walk.commands if isinstance(command, Play)]
    assert played == ["parent", "lower", "parent"]
