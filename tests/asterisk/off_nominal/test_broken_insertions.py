"""Inserted scenarios that were broken behind the editor's back: the caller goes on, whatever the database holds."""

from __future__ import annotations

import pytest

from controller.storage import Session
from controller.storage.scenarios import StoredScenario, find_scenario, get_version
from ivr.interpreter import MAX_DEPTH
from tests.fixtures.publishing import document, serve
from tests.fixtures.sounds import THANKS
from tests.fixtures.system import System
from tests.ivr.builders import hang_up, insert, message

pytestmark = pytest.mark.asterisk
NUMBER = "8061"
ROOT = {"outer": insert("Inner", {"next": "thanks"}), "thanks": message({"next": "end"}, "thanks"), "end": hang_up()}


def change(system: System, what: str) -> None:
    with system.database.session() as session:
        inner = find_scenario(session, "Inner")
        assert inner is not None
        if what == "deleted":
            session.delete(inner)
        else:
            _put_into_a_circle(session, inner)


def _put_into_a_circle(session: Session, inner: StoredScenario) -> None:
    assert inner.published_version_id is not None
    get_version(session, inner.published_version_id).document = document({"round": insert("Inner", {})})


@pytest.mark.covers("UIS-40")
@pytest.mark.parametrize("what", ["deleted", "in a circle"])
async def test_a_caller_goes_on_behind_an_inserted_scenario_that_is_no_more_or_inserts_itself(system: System, what: str) -> None:
    serve(system, {"Inner": {"inner": message({}, "warning")}, "Root": ROOT}, NUMBER)
    change(system, what)
    await system.restart()
    caller, call = await system.call(NUMBER)
    await call.hears_tone(THANKS.frequency)
    await call.ended()
    record = await system.call_record(caller)
    assert [step.node for step in record.steps if step.node in ROOT] == ["outer", "thanks", "end"]
    assert len(record.steps) == (3 if what == "deleted" else 3 + MAX_DEPTH)
    assert (record.call.outcome, record.call.ended_by) == ("ended", "scenario")
