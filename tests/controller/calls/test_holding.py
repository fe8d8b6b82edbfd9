"""A waiting caller is never left in silence, whatever Asterisk does with what should play."""

from __future__ import annotations

from dataclasses import dataclass, replace

import pytest

from controller.calls import holding
from controller.calls.numbers import Route
from controller.calls.session import CheckUp
from controller.errors import TelephonyUnavailable
from controller.storage.groups import GroupTerms
from controller.telephony.fake_people import FakeCaller
from ivr.graph import ScenarioBundle
from ivr.lines import LinePrompts
from ivr.prompts import PromptRef
from tests.controller.calls.conftest import CallCenter, is_over
from tests.fixtures.waiting import until
from tests.ivr.builders import group, hang_up, message, scenario

LINE = scenario(start=group({"failed": "end"}), end=hang_up())
ARRIVAL = ["sound:en/hello", "sound:en/pls-hold-while-try"]
WAITING = ["sound:en/one-moment-please", "sound:en/queue-thankyou"]


@dataclass(frozen=True, slots=True)
class Waiting:
    """A caller for whom a phone rings."""

    center: CallCenter
    caller: FakeCaller

    @property
    def playbacks(self) -> list[str]:
        return list(self.center.telephony.lines[self.caller.channel].playbacks)

    def has_music(self) -> bool:
        return self.center.telephony.lines[self.caller.channel].music

    async def leaves(self) -> None:
        self.caller.hangup()
        await self.center.at_rest()


async def rung_for(center: CallCenter) -> Waiting:
    """Prompts last until they are told to end."""
    center.serves("100", LINE)
    center.telephony.hold_playbacks = True
    center.telephony.phone("PJSIP/2001").silent()
    await center.has_group("Sales", ["2001"])
    return Waiting(center, center.telephony.call("100"))


@pytest.fixture(autouse=True)
def no_patience(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "SHORTEST_SOUND", 0.0)
    monkeypatch.setattr(holding, "RETRY_AFTER", 0.01)


async def test_the_prompts_have_names_of_their_own_and_follow_each_other(center: CallCenter) -> None:
    waiting = await rung_for(center)
    await until(lambda: waiting.caller.heard == ARRIVAL)
    (arrival,) = waiting.playbacks
    assert "-hold." in arrival
    center.telephony.finish_playback(arrival)
    await until(lambda: waiting.caller.heard == [*ARRIVAL, *WAITING])
    assert not waiting.has_music()
    center.telephony.finish_playback(waiting.playbacks[0])
    await until(waiting.has_music)
    await waiting.leaves()


async def test_music_stops_for_the_next_prompt(center: CallCenter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "MUSIC_SECONDS", 0.01)
    waiting = await rung_for(center)
    for heard in (ARRIVAL, [*ARRIVAL, *WAITING], [*ARRIVAL, *WAITING, *WAITING]):
        await until(lambda heard=heard: waiting.caller.heard == heard and len(waiting.playbacks) == 1)
        assert not waiting.has_music()
        center.telephony.finish_playback(waiting.playbacks[0])
    await waiting.leaves()


async def test_where_a_prompt_fails_there_is_music(center: CallCenter) -> None:
    center.telephony.missing |= {*ARRIVAL, *WAITING}
    waiting = await rung_for(center)
    await until(waiting.has_music)
    assert waiting.caller.heard == []
    await waiting.leaves()


async def test_what_lasts_no_time_at_all_is_not_played_over_and_over(center: CallCenter, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holding, "SHORTEST_SOUND", 5.0)
    waiting = await rung_for(center)
    await until(lambda: len(waiting.playbacks) == 1)
    center.telephony.finish_playback(waiting.playbacks[0])
    await until(waiting.has_music)
    assert waiting.playbacks == []
    await waiting.leaves()


@pytest.mark.parametrize("request_name", ["play", "start_music"])
async def test_what_asterisk_does_not_take_is_tried_again(
    center: CallCenter, request_name: str, caplog: pytest.LogCaptureFixture
) -> None:
    center.telephony.fail_next(request_name, TelephonyUnavailable("no answer"))
    if request_name == "start_music":
        center.telephony.missing |= set(ARRIVAL)
    waiting = await rung_for(center)
    await until(lambda: waiting.caller.heard == WAITING)
    assert "does not play to the waiting caller" in caplog.text
    await waiting.leaves()


async def test_a_prompt_whose_end_was_never_reported_is_followed_all_the_same(center: CallCenter) -> None:
    waiting = await rung_for(center)
    await until(lambda: len(waiting.playbacks) == 1)
    center.telephony.lines[waiting.caller.channel].playbacks.clear()
    check_up(center)
    await until(lambda: waiting.caller.heard == [*ARRIVAL, *WAITING])
    await waiting.leaves()


async def test_without_news_of_the_search_the_caller_hears_something_soon(
    center: CallCenter, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holding, "FIRST_NEWS_WITHIN", 0.01)
    monkeypatch.setattr(center.distributor, "join", lambda request: None)
    center.serves("100", LINE)
    caller = center.telephony.call("100")
    await until(lambda: caller.heard[:2] == ARRIVAL)
    caller.hangup()
    await center.at_rest()


async def test_a_search_that_ends_at_once_plays_nothing(center: CallCenter) -> None:
    center.serves("100", scenario(start=group({"failed": "sorry"}), sorry=message({"next": "end"}, "goodbye"), end=hang_up()))
    await center.has_group("Sales", [])
    caller = center.telephony.call("100")
    await until(lambda: is_over(caller))
    assert caller.heard == ["sound:en/vm-goodbye"]
    await center.at_rest()
    assert not any(request.method == "start_music" for request in center.telephony.requests)


async def test_what_plays_stops_before_the_two_are_joined(center: CallCenter) -> None:
    waiting = await rung_for(center)
    await until(lambda: len(waiting.playbacks) == 1)
    (arrival,) = waiting.playbacks
    center.telephony.phone("PJSIP/2001").pick_up()
    await until(lambda: bool(waiting.caller.talks_with))
    methods = [request.method for request in center.telephony.requests]
    assert methods.index("stop_playback") < methods.index("bridge") and waiting.playbacks == []
    assert center.telephony.requests[methods.index("stop_playback")].arguments == {"playback": arrival}
    await waiting.leaves()


async def test_a_caller_who_is_handed_over_takes_nothing_of_it_along(center: CallCenter) -> None:
    waiting = await rung_for(center)
    await until(lambda: len(waiting.playbacks) == 1)
    await center.arrivals.close(1)
    assert waiting.caller.continued_at == "fallback,s"
    methods = [request.method for request in center.telephony.requests]
    assert methods.index("stop_playback") < methods.index("continue_in_dialplan")
    waiting.caller.hangup()


def check_up(center: CallCenter) -> None:
    """As after a time without events."""
    (mailbox,) = center.arrivals._live.values()
    mailbox.put_nowait(CheckUp())


ALL_BUSY = ["sound:en/queue-periodic-announce"]
FIRST_IN_LINE = ["sound:en/queue-youarenext"]
MELODY = ["sound:en/auth-thankyou"]


async def told_every_second(center: CallCenter, prompts: LinePrompts) -> Waiting:
    """The only operator takes no calls, and his group tells its callers how they stand."""
    center.arrivals.set_routes({"100": Route("Test line", None, ScenarioBundle(LINE), 1, prompts=prompts)})
    center.telephony.hold_playbacks = True
    center.telephony.phone("PJSIP/2001").silent()
    await center.has_group("Sales", ["2001"])
    await until(lambda: "Sales" in center.distributor.rules)
    rule = center.distributor.rules["Sales"]
    center.distributor.set_rules([replace(rule, terms=GroupTerms(announce_every=1))])
    await center.choose_state("2001", "do_not_disturb", "")
    return Waiting(center, center.telephony.call("100"))


async def hears(waiting: Waiting, *heard: list[str]) -> None:
    """He has heard all of this so far, the last of it still plays."""
    await until(lambda: waiting.caller.heard == [address for one in heard for address in one])


async def goes_on(waiting: Waiting) -> None:
    """What plays is over."""
    await until(lambda: len(waiting.playbacks) == 1)
    waiting.center.telephony.finish_playback(waiting.playbacks[0])


async def test_a_melody_is_cut_short_when_the_caller_is_to_be_told_how_he_stands(center: CallCenter) -> None:
    waiting = await told_every_second(center, LinePrompts(arrival=None, waiting=PromptRef("thank-you")))
    beginning = [ALL_BUSY, FIRST_IN_LINE, MELODY]
    for number in (1, 2):
        await hears(waiting, *beginning[:number])
        await goes_on(waiting)
    await hears(waiting, *beginning, ALL_BUSY)
    await goes_on(waiting)
    await hears(waiting, *beginning, ALL_BUSY, FIRST_IN_LINE)
    await waiting.leaves()


async def test_music_is_cut_short_too_and_words_are_not(center: CallCenter) -> None:
    waiting = await told_every_second(center, LinePrompts(arrival=None))
    for _ in range(2):
        await goes_on(waiting)
        await until(lambda: len(waiting.playbacks) == 1)
    await hears(waiting, ALL_BUSY, FIRST_IN_LINE, WAITING)
    await goes_on(waiting)
    await hears(waiting, ALL_BUSY, FIRST_IN_LINE, WAITING, ALL_BUSY)
    await goes_on(waiting)
    await hears(waiting, ALL_BUSY, FIRST_IN_LINE, WAITING, ALL_BUSY, FIRST_IN_LINE)
    await waiting.leaves()
