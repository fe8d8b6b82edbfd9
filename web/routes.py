"""Every address, in one list. What is open to anyone says so."""

from __future__ import annotations

from pathlib import Path

from starlette.routing import BaseRoute, Mount, Route, WebSocketRoute
from starlette.staticfiles import StaticFiles

from web.call_models import CallList, CallModel, CallQuery, RecordingState
from web.callback_models import CallbackList, CallbackModel, CallbackQuery
from web.campaign_operations import CAMPAIGN_OPERATIONS
from web.cost_operations import COST_OPERATIONS
from web.forwarding_operations import FORWARDING_OPERATIONS
from web.missed_operations import MISSED_OPERATIONS
from web.notice_operations import NOTICE_OPERATIONS
from web.number_operations import NUMBER_OPERATIONS
from web.openapi import ApiOperation
from web.people_operations import PEOPLE_OPERATIONS
from web.prompt_models import NewSpeech, NewUpload, PromptList, PromptModel, SoundUpload, TitleChange, VoiceList
from web.scenario_operations import SCENARIO_OPERATIONS
from web.security import for_configuring, for_people, for_programs, for_the_team
from web.setup_operations import SETUP_OPERATIONS
from web.state_operations import STATE_OPERATIONS
from web.user_operations import USER_OPERATIONS
from web.views import (
    api,
    api_callbacks,
    api_calls,
    api_prompts,
    api_scenarios,
    api_setup,
    api_voicemails,
    blocked_numbers,
    calls,
    campaigns,
    contacts,
    costs,
    desk,
    editor,
    entry,
    forwarding,
    groups,
    live,
    missed_calls,
    numbers,
    outbox,
    prompts,
    rates,
    recordings,
    scenarios,
    schedules,
    setup,
    team,
    telephone,
    transfers,
    trunks,
    voicemails,
)

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

_CALLBACK = f"{_API}/callbacks/{{id:int}}"
_CALLBACKS = (
    ApiOperation(
        "GET",
        f"{_API}/callbacks",
        api_callbacks.get_callbacks,
        "List callbacks, those asked for last first",
        CallbackList,
        query=CallbackQuery,
    ),
    ApiOperation("GET", _CALLBACK, api_callbacks.get_one_callback, "One callback", CallbackModel),
    ApiOperation(
        "POST",
        f"{_CALLBACK}/cancel",
        api_callbacks.post_callback_cancel,
        "Take somebody who waits for his callback out of the line",
        CallbackModel,
        errors=(409,),
    ),
    ApiOperation(
        "POST",
        f"{_CALLBACK}/retry",
        api_callbacks.post_callback_retry,
        "Have somebody called as soon as it is his turn, in the place he had",
        CallbackModel,
        errors=(409,),
    ),
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
    ApiOperation(
        "DELETE",
        f"{_API}/calls/{{id}}/recordings/{{recording}}",
        recordings.delete_one_recording,
        "Delete a recording and its file",
        status=204,
        errors=(409,),
    ),
    ApiOperation(
        "POST",
        f"{_API}/calls/{{id}}/recording/pause",
        recordings.pause_recording,
        "Pause the recording of a live call",
        RecordingState,
        errors=(409,),
    ),
    ApiOperation(
        "POST",
        f"{_API}/calls/{{id}}/recording/resume",
        recordings.resume_recording,
        "Record a live call again",
        RecordingState,
        errors=(409,),
    ),
    *_PROMPTS,
    *SCENARIO_OPERATIONS,
    *NUMBER_OPERATIONS,
    *FORWARDING_OPERATIONS,
    *CAMPAIGN_OPERATIONS,
    *NOTICE_OPERATIONS,
    *MISSED_OPERATIONS,
    *SETUP_OPERATIONS,
    *_CALLBACKS,
    *PEOPLE_OPERATIONS,
    *USER_OPERATIONS,
    *STATE_OPERATIONS,
    *COST_OPERATIONS,
)


_NUMBER_PAGES = (
    Route("/numbers", for_people(numbers.show_numbers), methods=["GET"]),
    Route("/numbers/new", for_configuring(numbers.show_new_number), methods=["GET"]),
    Route("/numbers/new", for_configuring(numbers.add_number), methods=["POST"]),
    Route("/numbers/{id:int}", for_configuring(numbers.show_number), methods=["GET"]),
    Route("/numbers/{id:int}", for_configuring(numbers.change_number), methods=["POST"]),
    Route("/numbers/{id:int}/call", for_configuring(numbers.call_number), methods=["POST"]),
    Route("/numbers/{id:int}/sms", for_configuring(numbers.message_number), methods=["POST"]),
    Route("/numbers/{id:int}/confirm", for_configuring(numbers.confirm), methods=["POST"]),
    Route("/numbers/{id:int}/confirm-for-good", for_configuring(numbers.confirm_for_good), methods=["POST"]),
    Route("/numbers/{id:int}/delete", for_configuring(numbers.take_away), methods=["POST"]),
)
_TRUNK_PAGES = (
    Route("/trunks", for_people(trunks.show_trunks), methods=["GET"]),
    Route("/trunks/new", for_configuring(trunks.show_new_trunk), methods=["GET"]),
    Route("/trunks/new", for_configuring(trunks.add_trunk), methods=["POST"]),
    Route("/trunks/{id:int}", for_configuring(trunks.show_trunk), methods=["GET"]),
    Route("/trunks/{id:int}", for_configuring(trunks.change_trunk), methods=["POST"]),
    Route("/trunks/{id:int}/connect", for_configuring(trunks.connect), methods=["POST"]),
    Route("/trunks/{id:int}/disconnect", for_configuring(trunks.disconnect), methods=["POST"]),
    Route("/trunks/{id:int}/delete", for_configuring(trunks.take_away), methods=["POST"]),
)
_CAMPAIGN_PAGES = (
    Route("/campaigns", for_people(campaigns.show_campaigns), methods=["GET"]),
    Route("/campaigns/new", for_people(campaigns.show_new_campaign), methods=["GET"]),
    Route("/campaigns/new", for_people(campaigns.add_campaign), methods=["POST"]),
    Route("/campaigns/{id:int}", for_people(campaigns.show_campaign), methods=["GET"]),
    Route("/campaigns/{id:int}", for_people(campaigns.change_campaign), methods=["POST"]),
    Route("/campaigns/{id:int}/delete", for_people(campaigns.take_away), methods=["POST"]),
    Route("/campaigns/{id:int}/leads", for_people(campaigns.show_leads), methods=["GET"]),
    Route("/campaigns/{id:int}/leads", for_people(campaigns.add_lead), methods=["POST"]),
    Route("/campaigns/{id:int}/leads/{lead:int}/delete", for_people(campaigns.take_lead_away), methods=["POST"]),
)
_NOTICE_PAGES = (
    Route("/voicemails", for_people(voicemails.show_voicemails), methods=["GET"]),
    Route("/voicemails/{id}/audio", for_people(api_voicemails.get_voicemail_audio), methods=["GET"]),
    Route("/voicemails/{id}/heard", for_people(voicemails.set_heard), methods=["POST"]),
    Route("/voicemails/{id}/not-heard", for_people(voicemails.set_not_heard), methods=["POST"]),
    Route("/voicemails/{id}/delete", for_people(voicemails.take_away), methods=["POST"]),
    Route("/outbox", for_people(outbox.show_outbox), methods=["GET"]),
    Route("/outbox/{id}/retry", for_people(outbox.retry), methods=["POST"]),
    Route("/outbox/{id}/delete", for_people(outbox.take_away), methods=["POST"]),
    Route("/schedules", for_people(schedules.show_schedules), methods=["GET"]),
    Route("/schedules/new", for_configuring(schedules.show_new_schedule), methods=["GET"]),
    Route("/schedules/new", for_configuring(schedules.add_schedule), methods=["POST"]),
    Route("/schedules/{id:int}", for_configuring(schedules.show_schedule), methods=["GET"]),
    Route("/schedules/{id:int}", for_configuring(schedules.change_schedule), methods=["POST"]),
    Route("/schedules/{id:int}/delete", for_configuring(schedules.take_away), methods=["POST"]),
)
_MISSED_PAGES = (
    Route("/missed-calls", for_people(missed_calls.show_missed_calls), methods=["GET"]),
    Route("/missed-calls/{id}", for_people(missed_calls.show_missed_call), methods=["GET"]),
    Route("/missed-calls/{id}", for_people(missed_calls.change_missed_call), methods=["POST"]),
    Route("/missed-calls/{id}/done", for_people(missed_calls.set_done), methods=["POST"]),
    Route("/missed-calls/{id}/open", for_people(missed_calls.set_open), methods=["POST"]),
    Route("/missed-calls/{id}/call-back", for_people(missed_calls.call_back), methods=["POST"]),
)
_PEOPLE_PAGES = (
    Route("/team", for_the_team(team.show_team), methods=["GET"]),
    Route("/team/new", for_the_team(team.show_new_operator), methods=["GET"]),
    Route("/team/new", for_the_team(team.add_operator), methods=["POST"]),
    Route("/team/{id:int}", for_the_team(team.show_operator), methods=["GET"]),
    Route("/team/{id:int}/edit", for_the_team(team.show_operator_form), methods=["GET"]),
    Route("/team/{id:int}/edit", for_the_team(team.change_operator), methods=["POST"]),
    Route("/team/{id:int}/delete", for_the_team(team.take_away), methods=["POST"]),
    Route("/team/{id:int}/secret", for_the_team(team.renew_secret), methods=["POST"]),
    Route("/team/{id:int}/call", for_the_team(team.call_colleague), methods=["POST"]),
    Route("/groups", for_the_team(groups.show_groups), methods=["GET"]),
    Route("/groups/new", for_configuring(groups.show_new_group), methods=["GET"]),
    Route("/groups/new", for_configuring(groups.add_group), methods=["POST"]),
    Route("/groups/{id:int}", for_configuring(groups.show_group), methods=["GET"]),
    Route("/groups/{id:int}", for_configuring(groups.change_group), methods=["POST"]),
    Route("/groups/{id:int}/delete", for_configuring(groups.take_away), methods=["POST"]),
    Route("/contacts", for_people(contacts.show_contacts), methods=["GET"]),
    Route("/contacts/new", for_people(contacts.show_new_contact), methods=["GET"]),
    Route("/contacts/new", for_people(contacts.add_contact), methods=["POST"]),
    Route("/contacts/{id:int}", for_people(contacts.show_contact), methods=["GET"]),
    Route("/contacts/{id:int}", for_people(contacts.change_contact), methods=["POST"]),
    Route("/contacts/{id:int}/delete", for_people(contacts.take_away), methods=["POST"]),
    Route("/blocked-numbers", for_people(blocked_numbers.show_blocked_numbers), methods=["GET"]),
    Route("/blocked-numbers", for_people(blocked_numbers.add_blocked_number), methods=["POST"]),
    Route("/blocked-numbers/{id:int}", for_people(blocked_numbers.show_blocked_number), methods=["GET"]),
    Route("/blocked-numbers/{id:int}", for_people(blocked_numbers.change_blocked_number), methods=["POST"]),
    Route("/blocked-numbers/{id:int}/delete", for_people(blocked_numbers.take_away), methods=["POST"]),
)
_COST_PAGES = (
    Route("/costs", for_people(costs.show_costs), methods=["GET"]),
    Route("/costs/prices", for_people(costs.add_price), methods=["POST"]),
    Route("/rates", for_people(rates.show_rates), methods=["GET"]),
    Route("/rates", for_people(rates.add_rate), methods=["POST"]),
    Route("/rates/import", for_people(rates.import_file), methods=["POST"]),
    Route("/rates/{id:int}", for_people(rates.show_rate), methods=["GET"]),
    Route("/rates/{id:int}", for_people(rates.change_one_rate), methods=["POST"]),
    Route("/rates/{id:int}/delete", for_people(rates.take_away), methods=["POST"]),
)

_FORWARDING_PAGES = (
    Route(forwarding.ADDRESS, for_people(forwarding.show_phones), methods=["GET"]),
    Route(forwarding.ADDRESS, for_people(forwarding.add_phone), methods=["POST"]),
    Route(f"{forwarding.ADDRESS}/{{id:int}}/call", for_people(forwarding.call_phone), methods=["POST"]),
    Route(f"{forwarding.ADDRESS}/{{id:int}}/sms", for_people(forwarding.message_phone), methods=["POST"]),
    Route(f"{forwarding.ADDRESS}/{{id:int}}/confirm", for_people(forwarding.confirm), methods=["POST"]),
    Route(f"{forwarding.ADDRESS}/{{id:int}}/confirm-for-good", for_people(forwarding.confirm_for_good), methods=["POST"]),
    Route(f"{forwarding.ADDRESS}/{{id:int}}/approve", for_people(forwarding.approve), methods=["POST"]),
    Route(f"{forwarding.ADDRESS}/{{id:int}}/refuse", for_people(forwarding.refuse), methods=["POST"]),
    Route(f"{forwarding.ADDRESS}/{{id:int}}/delete", for_people(forwarding.take_away), methods=["POST"]),
    Route("/desk/phone", for_people(desk.enter_phone), methods=["POST"]),
    Route("/desk/phone/call", for_people(desk.call_phone), methods=["POST"]),
    Route("/desk/phone/sms", for_people(desk.message_phone), methods=["POST"]),
    Route("/desk/phone/confirm", for_people(desk.confirm_own_phone), methods=["POST"]),
    Route("/desk/phone/delete", for_people(desk.remove_own_phone), methods=["POST"]),
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
        *_NUMBER_PAGES,
        *_TRUNK_PAGES,
        *_CAMPAIGN_PAGES,
        *_NOTICE_PAGES,
        *_MISSED_PAGES,
        *_PEOPLE_PAGES,
        *_FORWARDING_PAGES,
        *_COST_PAGES,
        Route("/setup", for_people(setup.show_setup), methods=["GET"]),
        Route("/setup", for_people(setup.take_setup_in), methods=["POST"]),
        Route("/setup/files", for_people(api_setup.get_setup), methods=["GET"]),
        Route("/desk", for_people(desk.show_desk), methods=["GET"]),
        Route("/desk/events", for_people(desk.desk_events), methods=["GET"]),
        Route("/desk/call", for_people(desk.call_colleague), methods=["POST"]),
        Route("/desk/state", for_people(desk.choose_own_state), methods=["POST"]),
        Route("/desk/end-wrap-up", for_people(desk.end_own_wrap_up), methods=["POST"]),
        Route("/desk/calls/{id}/transfer", for_people(transfers.show_transfer), methods=["GET"]),
        Route("/desk/calls/{id}/transfer", for_people(transfers.transfer), methods=["POST"]),
        Route("/desk/calls/{id}/transfer/back", for_people(transfers.take_back), methods=["POST"]),
        Route("/desk/calls/{id}/transfer/complete", for_people(transfers.complete), methods=["POST"]),
        Route("/desk/call-mode", for_people(desk.choose_call_mode), methods=["POST"]),
        Route("/desk/telephone.json", for_people(telephone.get_account), methods=["GET"]),
        WebSocketRoute("/desk/telephone", telephone.telephone),
        Route("/desk/ringtone", for_people(desk.get_ringtone), methods=["GET"]),
        Route("/desk/ringtone", for_people(desk.upload_ringtone), methods=["POST"]),
        Route("/desk/ringtone/standard", for_people(desk.standard_again), methods=["POST"]),
        Route("/account/links", for_people(entry.link_phone), methods=["POST"]),
        Route("/account/emails", for_people(entry.change_email), methods=["POST"]),
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
        Route("/scenarios", for_configuring(scenarios.add_scenario), methods=["POST"]),
        Route("/scenarios/import", for_configuring(scenarios.import_file), methods=["POST"]),
        Route(one, for_configuring(scenarios.show_scenario)),
        Route(f"{one}/try", for_configuring(scenarios.try_out)),
        Route(f"{one}/archive", for_configuring(api_scenarios.get_archive)),
        Route(f"{one}/publish", for_configuring(scenarios.publish_draft), methods=["POST"]),
        Route(f"{one}/undo", for_configuring(scenarios.undo), methods=["POST"]),
        Route(f"{one}/name", for_configuring(scenarios.rename), methods=["POST"]),
        Route(f"{one}/delete", for_configuring(scenarios.take_away), methods=["POST"]),
        Route(f"{one}/versions/{{number:int}}", for_configuring(scenarios.show_scenario)),
        Route(f"{one}/versions/{{number:int}}/publish", for_configuring(scenarios.roll_back), methods=["POST"]),
        Route(f"{one}/new", for_configuring(editor.show_new_node)),
        Route(f"{one}/nodes", for_configuring(editor.add_node), methods=["POST"]),
        Route(node, for_configuring(editor.show_node), methods=["GET"]),
        Route(node, for_configuring(editor.save_node), methods=["POST"]),
        Route(f"{node}/edit", for_configuring(editor.edit_node), methods=["POST"]),
    ]


def _api_route(operation: ApiOperation) -> Route:
    endpoint = operation.view if operation.open else for_programs(operation.view)
    return Route(operation.path, endpoint, methods=[operation.method])
