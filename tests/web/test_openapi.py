"""The API's description is whole and true."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from starlette.routing import Route

from controller.softphone import tones
from tests.fixtures.missed import missed_call
from tests.fixtures.soundfiles import wav_file
from tests.fixtures.web import NOON, Site, left_voicemail
from tests.web.test_api_notices import OFFICE
from tests.web.test_api_scenarios import GOOD
from web.errors import ErrorAnswer
from web.routes import OPERATIONS, make_routes

RATE = {"prefix": "7495", "per_minute": "1.25", "valid_from": "2026-05-01"}


@pytest.fixture
async def described(site: Site) -> dict[str, Any]:
    answer = await site.stranger().get("/api/v1/openapi.json")
    document: dict[str, Any] = answer.json()
    return document


async def test_every_address_of_the_api_is_described(described: dict[str, Any]) -> None:
    routed = {
        (re.sub(r":\w+\}", "}", route.path), method.lower())
        for route in make_routes()
        if isinstance(route, Route) and route.path.startswith("/api/")
        for method in (route.methods or set()) - {"HEAD"}
    }
    assert routed == {(path, method) for path, item in described["paths"].items() for method in item}


async def test_it_is_openapi_3_1_and_every_reference_leads_somewhere(described: dict[str, Any]) -> None:
    assert described["openapi"] == "3.1.0"
    named = set(described["components"]["schemas"])
    references = set(re.findall(r'"\$ref": "#/components/schemas/([^"]+)"', json.dumps(described)))
    assert references <= named and {"ErrorAnswer", "CallModel", "ScenarioModel", "Node", "Menu"} <= references
    names = [operation["operationId"] for item in described["paths"].values() for operation in item.values()]
    assert len(names) == len(set(names))


async def test_every_error_has_the_one_shape_and_only_two_addresses_are_open(described: dict[str, Any]) -> None:
    for path, item in described["paths"].items():
        for operation in item.values():
            closed = path not in ("/api/v1/health", "/api/v1/openapi.json")
            assert ("401" in operation["responses"]) is closed and (operation.get("security") == []) is not closed
            for status, answer in operation["responses"].items():
                if status >= "400" and (path, status) != ("/api/v1/health", "503") and "content" in answer:
                    assert answer["content"]["application/json"]["schema"] == {"$ref": "#/components/schemas/ErrorAnswer"}


async def test_documents_are_described_as_they_are_written(described: dict[str, Any]) -> None:
    schemas = described["components"]["schemas"]
    assert schemas["Menu"]["properties"]["prompt"]["items"] == {"type": "string"}
    for model, field in (("DraftChange", "document"), ("ScenarioModel", "draft"), ("VersionModel", "document")):
        assert schemas[model]["properties"][field]["$ref"] == "#/components/schemas/ScenarioDocument"
    assert set(schemas["ScenarioDocument"]["required"]) == {"schema_version", "start", "nodes"}


async def test_filters_are_described(described: dict[str, Any]) -> None:
    parameters = described["paths"]["/api/v1/calls"]["get"]["parameters"]
    names = [parameter["name"] for parameter in parameters]
    assert names == ["live", "caller", "called", "operator", "outcome", "from", "to", "limit", "cursor"]


async def test_real_answers_are_as_described(site: Site, described: dict[str, Any], tmp_path: Path) -> None:
    id = site.install_demo()
    site.add_talk("01TALK")
    site.add_recording("01TALK", "01TALK.wav")
    site.add_arriving("02NEW")
    await left_voicemail(site, "01TALK")
    await site.database.run(lambda session: session.add(missed_call(NOON, "01TALK", owner_user_id=1)))
    program = site.program()
    bodies: dict[str, list[Any]] = {
        "post_scenario": [{"name": "New", "document": GOOD}, {"name": "New"}, {"name": ""}],
        "post_validate_document": [{"document": GOOD}, {"document": 1}],
        "put_draft": [{"document": GOOD, "revision": 1}, {"document": GOOD, "revision": 1}],
        "post_publish": [{}, {"revision": 1}],
        "post_edits": [
            {"revision": 2, "edits": [{"edit": "add_node", "operation": {"type": "hang_up"}}]},
            {"revision": 3, "edits": [{"edit": "remove_node", "node": "nowhere"}]},
            {"edits": []},
        ],
        "post_undo": [{"revision": 2}, {"revision": 0}],
        "patch_scenario": [{"name": "Other"}, {"name": ""}],
        "post_speech": [{"text": "Hello", "voice": "none", "title": "Hello"}, {"text": ""}],
        "patch_prompt": [{"title": "Hello"}, {}],
        "put_heard": [{"heard": True}, {"heard": 1}],
        "post_retry": [{}, {"recipient": "nobody"}],
        "post_schedule": [{"name": "Office", "schedule": OFFICE}, {"name": "Office", "schedule": OFFICE}, {"name": "Shop"}],
        "put_schedule": [{"name": "Shop", "schedule": {}}],
        "post_contact": [{"name": "Anna", "numbers": ["+49301234567"]}, {"name": "Bob", "numbers": ["nobody"]}],
        "put_contact": [{"name": "Anna", "tags": ["vip"]}],
        "post_blocked_number": [{"number": "+49301234567"}, {"number": "+49301234567"}],
        "post_operator": [
            {"extension": "2045", "name": "Anna"},
            {"extension": "1", "name": ""},
            {"extension": "2045", "name": "A"},
        ],
        "put_operator": [{"name": "Eve", "numbers": [{"number": "+7 495 111-22-33"}]}, {"name": "Eve", "numbers": [{}]}],
        "put_user": [{"email": "ann@example.com", "extension": None}, {"email": "ann", "extension": None}, {}],
        "post_group": [{"name": "Night", "members": ["2045"]}, {"name": "Night"}, {"name": "Day", "members": ["1"]}],
        "put_group": [{"name": "Late", "strategy": "linear"}, {}],
        "post_trunk": [
            {"name": "Carrier", "host": "192.0.2.1"},
            {"name": "Carrier", "host": "192.0.2.1"},
            {"name": "", "host": "a b"},
        ],
        "put_trunk": [{"name": "Carrier", "host": "sip.example.com"}, {}],
        "put_state": [
            {"state": "do_not_disturb", "reason": "lunch"},
            {"state": "offline", "reason": "lunch"},
            {"state": "talking"},
        ],
        "post_transfer": [{"to": "2002"}, {"to": "campaign"}, {"to": ""}],
        "post_call": [{"operator": "2001", "number": "+49301234567"}, {"operator": "9999", "number": "112"}, {}],
        "patch_missed_call": [{"note": "calls at 5"}, {"owner": {"user": "nobody"}}],
        "post_rate": [RATE, RATE, {**RATE, "per_minute": "1,5"}],
        "put_rate": [{**RATE, "valid_from": "2026-06-01"}, {}],
        "put_trunk_prices": [{"prices": [{"valid_from": "2026-05-01", "amount": "990"}]}, {"prices": [{}]}],
        "put_blocked_number": [{"number": "+49", "kind": "prefix"}],
        "post_campaign": [{"name": "Spring", "operators": ["2001"]}, {"name": "Spring"}, {"name": "Autumn", "numbers": ["1"]}],
        "put_campaign": [{"name": "Spring", "transfer_numbers": ["+74951112233"]}, {}],
        "post_lead": [{"number": "+49301234567"}, {"number": "+49301234567"}, {"number": ""}],
    }
    sound = wav_file(tmp_path / "welcome.wav", tones.sine(440, 8000, 8000)).read_bytes()
    for operation in OPERATIONS:
        for ids in (
            {"id": "01TALK", "recording": "01TALK-r1", "name": "welcome", "language": "en", "extension": "2001", "login": "ann"},
            {"id": "02NEW", "recording": "none", "name": "goodbye", "language": "ru", "extension": "9999", "login": "nobody"},
        ):
            if "{id:int}" in operation.path:
                ids = {"id": str(id) if ids["id"] == "01TALK" else "99", "number": "1", "lead": "1"}
            path = operation.documented_path.format(**ids)
            for body in bodies.get(operation.view.__name__, [None]):
                sent: dict[str, Any] = {} if body is None else {"json": body}
                if operation.upload is not None:
                    sent = {"files": {"file": ("welcome.wav", sound)}, "data": {"name": ids["name"], "language": "en"}}
                answer = await program.request(operation.method, path, **sent)
                declared = described["paths"][operation.documented_path][operation.method.lower()]["responses"]
                assert str(answer.status_code) in declared, (path, answer.text)
                _conforms(answer, ErrorAnswer if answer.status_code >= 400 else operation.answer)


def _conforms(answer: httpx.Response, model: Any) -> None:
    """Nothing is missing, nothing is of another type, nothing is there that was not declared."""
    if model is not None:
        assert json.loads(model.model_validate_json(answer.content, strict=True).model_dump_json(by_alias=True)) == answer.json()
