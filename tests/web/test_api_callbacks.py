"""Callbacks in the API."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from controller.bus import CallbacksChanged
from controller.ids import CallId
from controller.storage.audit import list_audit
from controller.storage.callbacks import add_callback, claim_callback, close_callback
from tests.fixtures.callbacks import callback
from tests.fixtures.web import NOON, Site

EARLIER = NOON - timedelta(minutes=5)


async def asked(site: Site, **values: Any) -> int:
    """Somebody asked for a callback; returns its id."""
    return (await site.database.run(add_callback, callback(EARLIER, **values))).id


async def test_callbacks_are_listed_by_state_newest_first(site: Site) -> None:
    first, second = await asked(site), await asked(site, number="+74951112244")
    await site.database.run(close_callback, first, "done", "", NOON)
    program = site.program()
    listed = (await program.get("/api/v1/callbacks")).json()["callbacks"]
    assert [one["id"] for one in listed] == [second, first]
    assert listed[0] == {
        "id": second,
        "state": "waiting",
        "number": "+74951112244",
        "caller_name": "Ivan",
        "group": "Sales",
        "called_number": "8000",
        "line_name": "Main line",
        "call_id": "01ASKED",
        "asked_at": "2026-05-04T11:55:00Z",
        "place_at": "2026-05-04T11:55:00Z",
        "due_at": "2026-05-04T11:55:00Z",
        "attempts": 0,
        "last_call_id": None,
        "detail": "",
        "ended_at": None,
    }
    done = (await program.get("/api/v1/callbacks", params={"state": "done"})).json()["callbacks"]
    assert [(one["id"], one["due_at"], one["ended_at"]) for one in done] == [(first, None, "2026-05-04T12:00:00Z")]
    older = (await program.get("/api/v1/callbacks", params={"before": second, "limit": 1})).json()["callbacks"]
    assert [one["id"] for one in older] == [first]
    assert (await program.get(f"/api/v1/callbacks/{second}")).json() == listed[0]


async def test_who_waits_is_cancelled_once_and_the_engine_hears_of_it(site: Site) -> None:
    id, program = await asked(site), site.program()
    async with site.bus.subscribe() as notices:
        cancelled = (await program.post(f"/api/v1/callbacks/{id}/cancel")).json()
        assert await anext(notices) == CallbacksChanged()
    assert (cancelled["state"], cancelled["ended_at"]) == ("cancelled", "2026-05-04T12:00:00Z")
    refused = await program.post(f"/api/v1/callbacks/{id}/cancel")
    assert (refused.status_code, refused.json()["error"]["message"]) == (409, f"callback {id} is cancelled already")
    assert next(entry.action for entry in await site.database.read(list_audit)) == "callback.cancel"


async def test_who_is_over_is_called_again_in_his_old_place_with_all_attempts(site: Site) -> None:
    id, program = await asked(site), site.program()
    await site.database.run(claim_callback, id, CallId("01BACK"), NOON)
    await site.database.run(close_callback, id, "failed", "he did not answer", NOON)
    async with site.bus.subscribe() as notices:
        again = (await program.post(f"/api/v1/callbacks/{id}/retry")).json()
        assert await anext(notices) == CallbacksChanged()
    assert (again["state"], again["attempts"], again["detail"], again["ended_at"]) == ("waiting", 0, "", None)
    assert (again["place_at"], again["due_at"]) == ("2026-05-04T11:55:00Z", "2026-05-04T12:00:00Z")


@pytest.mark.parametrize("change", ["cancel", "retry"])
async def test_who_is_being_called_can_be_neither_cancelled_nor_called_again(site: Site, change: str) -> None:
    id, program = await asked(site), site.program()
    await site.database.run(claim_callback, id, CallId("01BACK"), NOON)
    refused = await program.post(f"/api/v1/callbacks/{id}/{change}")
    assert (refused.status_code, refused.json()["error"]["message"]) == (409, f"callback {id} is being made at this moment")
    assert (await program.get(f"/api/v1/callbacks/{id}")).json()["state"] == "calling"


async def test_a_number_waits_once_for_a_group(site: Site) -> None:
    first, program = await asked(site), site.program()
    await site.database.run(close_callback, first, "failed", "", NOON)
    second = await asked(site)
    assert await asked(site) == second
    refused = await program.post(f"/api/v1/callbacks/{first}/retry")
    assert refused.status_code == 409 and f"callback {second}" in refused.json()["error"]["message"]
    assert await asked(site, group_name="Support") not in (first, second)


@pytest.mark.parametrize("path", ["/api/v1/callbacks/99", "/api/v1/callbacks/99/cancel", "/api/v1/callbacks/99/retry"])
async def test_what_does_not_exist_is_not_found(site: Site, path: str) -> None:
    program = site.program()
    answer = await (program.post(path) if path.endswith(("cancel", "retry")) else program.get(path))
    assert answer.status_code == 404


async def test_a_bad_query_is_refused_with_its_field(site: Site) -> None:
    answer = await site.program().get("/api/v1/callbacks", params={"state": "lost"})
    assert answer.status_code in (400, 422) and "state" in answer.text
