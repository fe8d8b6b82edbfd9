"""Every address, in one list. What is open to anyone says so."""

from __future__ import annotations

from pathlib import Path

from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from web.call_models import CallList, CallModel, CallQuery
from web.notice_operations import NOTICE_OPERATIONS
from web.openapi import ApiOperation
from web.prompt_models import NewSpeech, NewUpload, PromptList, PromptModel, SoundUpload, TitleChange, VoiceList
from web.scenario_operations import SCENARIO_OPERATIONS
from web.security import for_people, for_programs
from web.views import api, api_calls, api_prompts, api_scenarios, calls, editor, entry, live, prompts, recordings, scenarios

_STATIC = Path(__file__).parent / "static"
_API = "/api/v1"

_PROMPT = f"{_API}/prompts/{{name}}/{{language}}"
_PROMPTS = (
    ApiOperation("GET", f"{_API}/prompts", api_prompts.get_prompts, "List prompts", PromptList),
    ApiOperation(
        "POST",
        f"{_API}/prompts",
        api_prompts.post_prompt,
        "Upload a sound file as a prompt",
        PromptModel,
        upload=NewUpload,
        status=201,
        errors=(409, 507),
    ),
    ApiOperation("GET", f"{_API}/prompts/voices", api_prompts.get_voices, "Voices that can speak a text", VoiceList),
    ApiOperation(
        "POST",
        f"{_API}/prompts/speech",
        api_prompts.post_speech,
        "Have a text spoken as a prompt",
        PromptModel,
        body=NewSpeech,
        status=201,
        errors=(409, 507),
    ),
    ApiOperation("GET", _PROMPT, api_prompts.get_one_prompt, "One prompt in one language", PromptModel),
    ApiOperation("PATCH", _PROMPT, api_prompts.patch_prompt, "Give a prompt another title", PromptModel, body=TitleChange),
    ApiOperation("GET", f"{_PROMPT}/audio", api_prompts.get_prompt_audio, "What callers hear, as WAV", audio=True),
    ApiOperation(
        "PUT",
        f"{_PROMPT}/audio",
        api_prompts.put_prompt_audio,
        "Put another sound file in the place of a prompt's",
        PromptModel,
        upload=SoundUpload,
        errors=(409, 507),
    ),
    ApiOperation("GET", f"{_PROMPT}/original", api_prompts.get_prompt_original, "The file as it was sent", audio=True),
    ApiOperation("DELETE", _PROMPT, api_prompts.delete_prompt, "Delete a prompt that is not in use", status=204, errors=(409,)),
)

OPERATIONS = (
    ApiOperation(
        "GET", f"{_API}/health", api.show_health, "How the installation is", api.HealthAnswer, open=True, extra_answers=(503,)
    ),
    ApiOperation("GET", f"{_API}/openapi.json", api.show_openapi, "This document", open=True),
    ApiOperation("GET", f"{_API}/calls", api_calls.get_calls, "List calls, newest first", CallList, query=CallQuery),
    ApiOperation("GET", f"{_API}/calls/{{id}}", api_calls.get_one_call, "One call with its moves", CallModel),
    ApiOperation(
        "GET", f"{_API}/calls/{{id}}/recording", recordings.show_newest_recording, "The newest recording of a call", audio=True
    ),
    ApiOperation(
        "GET", f"{_API}/calls/{{id}}/recordings/{{recording}}", recordings.show_recording, "A recording of a call", audio=True
    ),
    *_PROMPTS,
    *SCENARIO_OPERATIONS,
    *NOTICE_OPERATIONS,
)


def make_routes() -> list[BaseRoute]:
    """The routes of the application."""
    return [
        Route("/login", entry.show_login, methods=["GET"]),
        Route("/login", entry.enter, methods=["POST"]),
        Route("/logout", entry.leave, methods=["POST"]),
        Route("/", for_people(live.home)),
        Route("/live", for_people(live.show_live)),
        Route("/live/events", for_people(live.live_events)),
        Route("/calls", for_people(calls.show_history)),
        Route("/calls/{id}", for_people(calls.show_call)),
        Route("/calls/{id}/recordings/{recording}", for_people(recordings.show_recording)),
        *_scenario_pages(),
        Route("/prompts", for_people(prompts.show_prompts), methods=["GET"]),
        Route("/prompts", for_people(prompts.upload_prompt), methods=["POST"]),
        Route("/prompts/speech", for_people(prompts.speak_prompt), methods=["POST"]),
        Route("/prompts/{name}/{language}/audio", for_people(api_prompts.get_prompt_audio), methods=["GET"]),
        Route("/prompts/{name}/{language}/audio", for_people(prompts.change_audio), methods=["POST"]),
        Route("/prompts/{name}/{language}/original", for_people(api_prompts.get_prompt_original), methods=["GET"]),
        Route("/prompts/{name}/{language}/title", for_people(prompts.change_title), methods=["POST"]),
        Route("/prompts/{name}/{language}/delete", for_people(prompts.take_away), methods=["POST"]),
        Route("/account", for_people(entry.show_account), methods=["GET"]),
        Route("/account", for_people(entry.change_own_password), methods=["POST"]),
        *(_api_route(operation) for operation in OPERATIONS),
        Mount("/static", StaticFiles(directory=_STATIC)),
    ]


def _scenario_pages() -> list[BaseRoute]:
    one = "/scenarios/{id:int}"
    node = f"{one}/nodes/{{node}}"
    return [
        Route("/scenarios", for_people(scenarios.show_scenarios), methods=["GET"]),
        Route("/scenarios", for_people(scenarios.add_scenario), methods=["POST"]),
        Route("/scenarios/import", for_people(scenarios.import_file), methods=["POST"]),
        Route(one, for_people(scenarios.show_scenario)),
        Route(f"{one}/try", for_people(scenarios.try_out)),
        Route(f"{one}/archive", for_people(api_scenarios.get_archive)),
        Route(f"{one}/publish", for_people(scenarios.publish_draft), methods=["POST"]),
        Route(f"{one}/undo", for_people(scenarios.undo), methods=["POST"]),
        Route(f"{one}/name", for_people(scenarios.rename), methods=["POST"]),
        Route(f"{one}/delete", for_people(scenarios.take_away), methods=["POST"]),
        Route(f"{one}/versions/{{number:int}}", for_people(scenarios.show_scenario)),
        Route(f"{one}/versions/{{number:int}}/publish", for_people(scenarios.roll_back), methods=["POST"]),
        Route(f"{one}/new", for_people(editor.show_new_node)),
        Route(f"{one}/nodes", for_people(editor.add_node), methods=["POST"]),
        Route(node, for_people(editor.show_node), methods=["GET"]),
        Route(node, for_people(editor.save_node), methods=["POST"]),
        Route(f"{node}/edit", for_people(editor.edit_node), methods=["POST"]),
    ]


def _api_route(operation: ApiOperation) -> Route:
    endpoint = operation.view if operation.open else for_programs(operation.view)
    return Route(operation.path, endpoint, methods=[operation.method])
