"""A caller hangs up in the middle of each operation: the record ends there, and nothing of the call stays behind."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest

from controller.actions.contacts import ContactDraft, create_contact
from controller.softphone import PhoneCall, SoftPhone, tones
from controller.softphone.phone import RATE, SOUND_FOUND
from tests.fixtures.branching import BY
from tests.fixtures.crm import Crm, crm
from tests.fixtures.sounds import MENU, WARNING
from tests.fixtures.system import System, eventually
from tests.ivr.builders import authorization, group, hang_up, in_menu, insert, menu, message, node, scenario

__all__ = ["crm"]
pytestmark = pytest.mark.asterisk
NUMBER, OUTSIDE = "8120", "74951234567"
BYE = {"goodbye": hang_up()}


@dataclass(frozen=True)
class Scene:
    """What a moment may need."""

    system: System
    call: PhoneCall
    crm: Crm
    outside: SoftPhone


async def hears_the_prompt(scene: Scene) -> None:
    await scene.call.hears_tone(MENU.frequency)


async def has_typed_a_digit(scene: Scene) -> None:
    await scene.call.hears_tone(MENU.frequency)
    await scene.call.press("2")
    await scene.call.hears_silence()


async def the_prompt_is_over(scene: Scene) -> None:
    await scene.call.hears_tone(MENU.frequency)
    await scene.call.hears_silence()


async def a_number_outside_is_rung(scene: Scene) -> None:
    await scene.outside.ringing()


async def an_operator_is_rung(scene: Scene) -> None:
    await eventually(lambda: scene.system.engine.presence.states.get("2001"), "nobody is rung", until="ringing")


async def the_other_system_is_asked(scene: Scene) -> None:
    await eventually(lambda: len(scene.crm.asked), "nobody asks", until=1)


async def the_warning_is_heard(scene: Scene) -> None:
    await scene.call.hears_tone(WARNING.frequency)


async def the_music_plays(scene: Scene) -> None:
    await scene.call.hears_tone(MENU.frequency)

    def music() -> bool:
        last = scene.call.heard[-RATE // 2 :]
        return tones.loudness(last) > SOUND_FOUND and tones.strength(last, MENU.frequency, RATE) < 0.2

    await eventually(music, "no music is heard")


def links(*exits: str) -> dict[str, str]:
    return dict.fromkeys(exits, "goodbye")


def in_prompt(operation: dict[str, Any], parameter: str) -> dict[str, Any]:
    """The same, with a prompt that is known by its tone."""
    return {**operation, "operation": {**operation["operation"], parameter: ["menu"]}}


CODE = in_prompt(authorization(links("yes", "no"), "007"), "prompt")
DIALLED = in_prompt(node("dial_extension", links("failed", "wrong_number")), "prompt")
MOMENTS: dict[str, tuple[dict[str, Any], Callable[[Scene], Awaitable[None]]]] = {
    "a message": (message(links("next"), "menu"), hears_the_prompt),
    "a menu": (menu(links("1", "wait_expired", "incorrect_input"), 5, "menu"), hears_the_prompt),
    "a menu that waits for a key": (menu(links("1", "wait_expired", "incorrect_input"), 20, "menu"), the_prompt_is_over),
    "the pause of a menu that is repeated": (
        menu(links("1", "incorrect_input"), 20, "menu", repeat="cyclic"),
        the_prompt_is_over,
    ),
    "the digits of an extension in a menu": (
        menu({**links("1", "wait_expired", "incorrect_input"), "extension_entry": "dialled"}, 20, "menu"),
        has_typed_a_digit,
    ),
    "the prompt of a code": (CODE, hears_the_prompt),
    "the digits of a code": (CODE, has_typed_a_digit),
    "the prompt of an extension": (DIALLED, hears_the_prompt),
    "the digits of an extension": (DIALLED, has_typed_a_digit),
    "an extension rings": (node("dial_extension", links("failed", "wrong_number"), extension="2001"), an_operator_is_rung),
    "the manager is rung": (node("personal_manager", links("failed")), an_operator_is_rung),
    "a group is rung": (group(links("failed"), "Sales"), an_operator_is_rung),
    "the music while all operators are busy": (
        group(links("failed"), "Sales", arrival=[], all_busy=["menu"], waiting=[]),
        the_music_plays,
    ),
    "a number outside is rung": (node("forward_to_external", links("failed"), number=OUTSIDE), a_number_outside_is_rung),
    "the greeting of a voicemail": (in_prompt(node("voicemail", links("next")), "greeting"), hears_the_prompt),
    "an offer to call back": (
        in_prompt(node("callback_offer", links("declined", "not_possible"), group="Sales"), "prompt"),
        hears_the_prompt,
    ),
    "a lookup": (node("http_lookup", links("failed"), url="LOOKUP", timeout_seconds=20), the_other_system_is_asked),
    "an inserted scenario": (insert("Inner", links("next")), the_warning_is_heard),
}


@pytest.mark.covers("UIS-1", "UIS-3", "UIS-41")
@pytest.mark.parametrize("moment", MOMENTS)
async def test_a_caller_hangs_up_in(system: System, crm: Crm, moment: str) -> None:
    operation, comes = MOMENTS[moment]
    crm.handler = crm.hangs(never := asyncio.Event())
    if operation["operation"]["type"] == "http_lookup":
        operation = {**operation, "operation": {**operation["operation"], "url": crm.url}}
    outside = await system.phone_outside(OUTSIDE)
    if operation["operation"]["type"] in ("callback_offer", "forward_to_external"):
        await system.has_trunk()
    inner = ("Inner", scenario("warning", warning=message({}, "warning")))
    dialled = {"dialled": in_menu(links("failed", "wrong_number"))} if "extension_entry" in operation["links"] else {}
    await system.serve(inner, (NUMBER, scenario("here", here=operation, **dialled, **BYE)))
    if comes in (an_operator_is_rung, the_music_plays):
        await system.operator("2001")
    if comes is the_music_plays:
        await system.engine.choose_state("2001", "do_not_disturb", "break")
        await system.operator_is("2001", "do_not_disturb")
    caller = await system.caller()
    await system.database.run(create_contact, ContactDraft("Ivan", [f"+{caller.number}"], (), "2001"), None, **BY)
    call = await caller.phone.dial(NUMBER)
    if moment != "a lookup":
        await call.answered()
    await comes(Scene(system, call, crm, outside))
    await call.hangup()
    record = await system.call_record(caller)
    never.set()
    assert record.call.ended_by == "caller"
    assert [step.exit for step in record.steps] == [None] * len(record.steps), "he has not gone on"
    assert record.steps[0].node == "here" and all(step.left_at is not None for step in record.steps)
    await system.lines_have_ended(caller)
