"""The call's detail record."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from controller.calls.trail import Trail
from controller.ids import CallId
from controller.storage.journal_changes import StepEntered, StepLeft
from ivr.events import DigitReceived, Event, PlaybackFinished, PlaybackId, RoutingEnded, VisitId
from ivr.graph import ScenarioBundle
from ivr.interpreter import MASK, advance, start
from tests.ivr.builders import authorization, hang_up, in_menu, insert, menu, message, scenario

NOW = datetime(2026, 1, 1, tzinfo=UTC)


def recorded(bundle: ScenarioBundle, *events: Event) -> list[StepEntered | StepLeft]:
    """What the journal gets of a call."""
    trail, found = Trail(CallId("01CALL"), bundle), []
    transition = start(bundle)
    for event in (*events, None):
        trail.note_commands(transition.commands)
        found += trail.changes(transition.moves, NOW)
        if event is not None:
            transition = advance(transition.run, event)
    return [change for change in found if isinstance(change, StepEntered | StepLeft)]


@pytest.mark.covers("UIS-28", "UIS-41", "UIS-49")
def test_t06_a_wrong_extension_is_recorded_with_the_second_of_silence_and_the_menu_again() -> None:
    links = {"wait_expired": "end", "incorrect_input": "end", "extension_entry": "dialled"}
    dialled = in_menu({"wrong_number": "choice", "failed": "choice"})
    bundle = ScenarioBundle(scenario("choice", choice=menu(links), dialled=dialled, end=hang_up()))
    typed = [DigitReceived(key) for key in ("2", "9", "#")]  # type: ignore[arg-type]
    silence = PlaybackFinished(PlaybackId("2.2"))
    changes = recorded(bundle, *typed, RoutingEnded(VisitId(2), "unknown_number"), silence)
    left = [(step.exit, step.digits, step.prompts) for step in changes if isinstance(step, StepLeft)]
    assert left == [("extension_entry", "29#", ("choose",)), ("wrong_number", "", ("second-of-silence",))]
    assert [step.node for step in changes if isinstance(step, StepEntered)] == ["choice", "dialled", "choice"]


@pytest.mark.covers("UIS-6", "UIS-41")
def test_a_code_is_recorded_masked() -> None:
    bundle = ScenarioBundle(scenario(start=authorization({"yes": "end", "no": "start"}), end=hang_up()))
    changes = recorded(bundle, *(DigitReceived(key) for key in ("0", "0", "7", "#")))  # type: ignore[arg-type]
    assert [step.digits for step in changes if isinstance(step, StepLeft)] == [MASK * 4, ""]


@pytest.mark.covers("UIS-40", "UIS-41")
def test_steps_of_an_inserted_scenario_are_recorded_with_its_name() -> None:
    inner = {"Night": scenario(start=message({}))}
    bundle = ScenarioBundle(scenario(start=insert("Night", {"next": "end"}), end=hang_up()), inner)
    changes = recorded(bundle, PlaybackFinished(PlaybackId("2.1")))
    assert [step.node for step in changes if isinstance(step, StepEntered)] == ["start", "Night / start", "end"]
