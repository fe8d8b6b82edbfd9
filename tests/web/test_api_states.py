"""Operators' states, transfers and calls that operators ask for, in the API."""

from __future__ import annotations

from typing import Any

import pytest

from controller.actions.operators import OperatorDraft, change_operator, create_operator
from controller.bus import OperatorsChanged
from controller.errors import Refused
from controller.storage.audit import list_audit
from controller.storage.operator_states import NewState, add_states
from tests.fixtures.web import NOON, Site
from web.app import create_app
from web.services import WebServices, services  # noqa: F401

BY: dict[str, Any] = {"acting_user": "test", "at": NOON}
STATE = "/api/v1/operators/2001/state"


@pytest.fixture
async def anna(site: Site) -> int:
    return (await site.database.run(create_operator, "2001", "Anna", **BY)).id


@pytest.mark.covers("SKZ-61", "SKZ-63")
async def test_an_operator_is_kept_from_calls_and_logged_out_and_who_did_it_is_known(site: Site, anna: int) -> None:
    program = site.program()
    before = (await program.get(STATE)).json()
    assert (before["state"], before["logged_in"], before["do_not_disturb"]) == ("offline", True, False)
    answer = await program.put(STATE, json={"state": "do_not_disturb", "reason": "lunch"})
    assert (answer.status_code, answer.json()["do_not_disturb"]) == (200, True)
    answer = await program.put(STATE, json={"state": "offline"})
    assert (answer.json()["logged_in"], answer.json()["do_not_disturb"]) == (False, False)
    audit = await site.database.read(list_audit)
    assert [(one.action, one.actor, one.detail) for one in reversed(audit)][-2:] == [
        ("operator.state", "token reports", {"state": "do_not_disturb", "reason": "lunch"}),
        ("operator.state", "token reports", {"state": "offline", "reason": ""}),
    ]


@pytest.mark.covers("SKZ-61")
async def test_the_newest_state_and_those_before_it_are_given(site: Site, anna: int) -> None:
    states = [NewState("2001", NOON, "available", "", "phone"), NewState("2001", NOON, "do_not_disturb", "lunch", "ann")]
    await site.database.run(add_states, [*states, NewState("removed", NOON, "offline", "", "phone")])
    program = site.program()
    now = (await program.get(STATE)).json()
    assert (now["state"], now["reason"], now["changed_by"], now["since"]) == (
        "do_not_disturb",
        "lunch",
        "ann",
        "2026-05-04T12:00:00Z",
    )
    changes = (await program.get(f"{STATE}/changes", params={"limit": 10})).json()["changes"]
    assert [one["state"] for one in changes] == ["do_not_disturb", "available"]
    assert (await program.get("/api/v1/operators/states")).json()["operators"] == [now]
    page = (await (await site.browser()).get("/live")).text
    assert "Anna" in page and "Do not disturb: lunch" in page


@pytest.mark.covers("SKZ-63")
async def test_t42_an_operator_without_inbound_calls_has_no_switch(site: Site, anna: int) -> None:
    await site.database.run(change_operator, anna, OperatorDraft("Anna", inbound=False), **BY)
    program = site.program()
    assert (await program.get(STATE)).json()["do_not_disturb"] is None
    answer = await program.put(STATE, json={"state": "do_not_disturb"})
    assert answer.status_code == 409 and "no do not disturb" in answer.text
    assert (await program.put(STATE, json={"state": "offline"})).status_code == 200


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"state": "talking"}, "state"),
        ({"state": "offline", "reason": "lunch"}, "reason"),
        ({"state": "do_not_disturb", "reason": "a\nb"}, "reason"),
        ({"state": "do_not_disturb", "reason": "x" * 65}, "reason"),
        ({"state": "available", "more": 1}, "more"),
    ],
)
async def test_what_is_no_state_is_refused_with_the_field_named(site: Site, anna: int, body: Any, field: str) -> None:
    answer = await site.program().put(STATE, json=body)
    assert answer.status_code == 422
    assert [one["field"] for one in answer.json()["error"]["fields"]] == [field]


async def test_who_is_nobody_has_no_state(site: Site) -> None:
    assert (await site.program().get("/api/v1/operators/2999/state")).status_code == 404
    assert (await site.program().put("/api/v1/operators/2999/state", json={"state": "offline"})).status_code == 404
    assert (await site.stranger().get(STATE)).status_code == 401


class Switchboard:
    """Takes what the live engine would; `refusal` is what it says."""

    def __init__(self, refusal: str = "") -> None:
        self.refusal = refusal
        self.asked: list[tuple[Any, ...]] = []

    async def transfer(self, call: str, to: str, consulting: bool) -> None:
        self._take(call, to, consulting)

    async def conclude(self, call: str, completes: bool) -> None:
        self._take(call, completes)

    def place(self, operator: str, number: str, at_mobile: bool | None) -> str:
        self._take(operator, number, at_mobile)
        return "01NEW"

    def _take(self, *asked: Any) -> None:
        self.asked.append(asked)
        if self.refusal:
            raise Refused(self.refusal)


def served_by(site: Site, switchboard: Switchboard) -> Site:
    given = site.app.state.services
    assert isinstance(given, WebServices)
    values = {name: getattr(given, name) for name in WebServices.__dataclass_fields__}
    taken = {"transfer": switchboard.transfer, "conclude_transfer": switchboard.conclude, "place_call": switchboard.place}
    site.app = create_app(WebServices(**{**values, **taken}))
    return site


@pytest.mark.covers("SKZ-66")
async def test_a_live_call_is_transferred_and_the_audit_log_knows_who_wanted_it(site: Site) -> None:
    switchboard = Switchboard()
    program = served_by(site, switchboard).program()
    site.add_arriving("01LIVE")
    answer = await program.post("/api/v1/calls/01LIVE/transfer", json={"to": "2002", "consulting": True})
    assert (answer.status_code, switchboard.asked) == (204, [("01LIVE", "2002", True)])
    newest = (await site.database.read(list_audit))[0]
    assert (newest.action, newest.actor, newest.subject) == ("call.transfer", "token reports", "call 01LIVE")


async def test_a_transfer_that_is_refused_says_why_and_is_not_in_the_audit_log(site: Site) -> None:
    program = served_by(site, Switchboard("he is talking")).program()
    site.add_arriving("01LIVE")
    answer = await program.post("/api/v1/calls/01LIVE/transfer", json={"to": "2002"})
    assert answer.status_code == 409 and "he is talking" in answer.text
    assert (await program.post("/api/v1/calls/01NONE/transfer", json={"to": "2002"})).status_code == 404
    bad = await program.post("/api/v1/calls/01LIVE/transfer", json={"to": "*41"})
    assert bad.status_code == 422 and bad.json()["error"]["fields"][0]["field"] == "to"
    assert "call.transfer" not in [one.action for one in await site.database.read(list_audit)]


@pytest.mark.covers("SKZ-66")
@pytest.mark.parametrize(("way", "completes"), [("back", False), ("complete", True)])
async def test_a_consultation_is_ended_and_the_audit_log_knows_who_wanted_it(site: Site, way: str, completes: bool) -> None:
    switchboard = Switchboard()
    program = served_by(site, switchboard).program()
    site.add_arriving("01LIVE")
    site.add_arriving("01OVER", ended_at=NOON)
    answer = await program.post(f"/api/v1/calls/01LIVE/transfer/{way}")
    assert (answer.status_code, switchboard.asked) == (202, [("01LIVE", completes)])
    newest = (await site.database.read(list_audit))[0]
    assert (newest.action, newest.actor, newest.subject) == (f"call.transfer_{way}", "token reports", "call 01LIVE")
    over = await program.post(f"/api/v1/calls/01OVER/transfer/{way}")
    assert over.status_code == 409 and "the call is over" in over.text
    switchboard.refusal = "nobody consults"
    refused = await program.post(f"/api/v1/calls/01LIVE/transfer/{way}")
    assert refused.status_code == 409 and "nobody consults" in refused.text
    assert (await program.post(f"/api/v1/calls/01NONE/transfer/{way}")).status_code == 404
    assert (await site.database.read(list_audit))[0].id == newest.id, "what was refused is not noted"


@pytest.mark.covers("SKZ-75")
async def test_a_call_for_an_operator_is_begun(site: Site, anna: int) -> None:
    switchboard = Switchboard()
    program = served_by(site, switchboard).program()
    answer = await program.post("/api/v1/calls", json={"operator": "2001", "number": "+49301234567"})
    assert (answer.status_code, answer.json()) == (201, {"id": "01NEW"})
    assert switchboard.asked == [("2001", "+49301234567", None)]
    assert (await program.post("/api/v1/calls", json={"operator": "2999", "number": "+49301234567"})).status_code == 404
    bad = await program.post("/api/v1/calls", json={"operator": "2001", "number": "x"})
    assert bad.status_code == 422 and bad.json()["error"]["fields"][0]["field"] == "number"


async def test_the_live_page_is_told_of_new_states(site: Site) -> None:
    from web.views.live import _events

    stream = _events(site.bus)
    assert (await anext(stream)).startswith("retry")
    site.bus.send(OperatorsChanged())
    assert (await anext(stream)).startswith("event: calls")
    await stream.aclose()


@pytest.mark.covers("SKZ-77")
async def test_a_caller_who_is_a_contact_is_named_with_the_line(site: Site) -> None:
    program = site.program()
    created = await program.post(
        "/api/v1/contacts", json={"name": "Jean Picard", "position": "Buyer, Acme", "numbers": ["+49301234567"]}
    )
    assert created.status_code == 201
    site.add_arriving("01LIVE", caller_number="+49301234567", line_name="Sales line")
    site.add_arriving("02LIVE", caller_number="+49309999999", line_name="Sales line")
    calls = (await program.get("/api/v1/calls", params={"live": True})).json()["calls"]
    assert {one["caller"]: (one["contact"], one["line"]) for one in calls} == {
        "+49301234567": ("Jean Picard, Buyer, Acme", "Sales line"),
        "+49309999999": (None, "Sales line"),
    }
    page = (await (await site.browser()).get("/live")).text
    assert "Jean Picard, Buyer, Acme" in page and "+49309999999" in page and "Sales line" in page
