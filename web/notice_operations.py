"""The API's addresses for voicemails, letters, schedules, contacts and the block list."""

from __future__ import annotations

from pydantic import BaseModel

from web.contact_models import (
    BlockChange,
    BlockList,
    BlockModel,
    ContactChange,
    ContactList,
    ContactModel,
    ContactQuery,
    PageQuery,
)
from web.notice_models import (
    HeardChange,
    LetterList,
    LetterModel,
    LetterQuery,
    LetterRetry,
    VoicemailList,
    VoicemailModel,
    VoicemailQuery,
)
from web.openapi import ApiOperation, View
from web.schedule_models import ScheduleChange, ScheduleList, ScheduleModel, ScheduleState, StateQuery
from web.views import api_contacts, api_schedules, api_voicemails

_API = "/api/v1"
_VOICEMAIL = f"{_API}/voicemails/{{id}}"
_LETTER = f"{_API}/outbox/{{id}}"
_SCHEDULE = f"{_API}/schedules/{{id:int}}"
_CONTACT = f"{_API}/contacts/{{id:int}}"
_BLOCKED = f"{_API}/blocked-numbers/{{id:int}}"


def _creates(path: str, view: View, summary: str, answer: type[BaseModel], body: type[BaseModel]) -> ApiOperation:
    return ApiOperation("POST", path, view, summary, answer, body=body, status=201, errors=(409,))


def _replaces(path: str, view: View, summary: str, answer: type[BaseModel], body: type[BaseModel]) -> ApiOperation:
    return ApiOperation("PUT", path, view, summary, answer, body=body, errors=(409,))


def _removes(path: str, view: View, summary: str) -> ApiOperation:
    return ApiOperation("DELETE", path, view, summary, status=204, errors=(409,))


NOTICE_OPERATIONS = (
    ApiOperation(
        "GET", f"{_API}/voicemails", api_voicemails.get_voicemails, "List voicemails", VoicemailList, query=VoicemailQuery
    ),
    ApiOperation("GET", _VOICEMAIL, api_voicemails.get_one_voicemail, "One voicemail", VoicemailModel),
    ApiOperation("GET", f"{_VOICEMAIL}/audio", api_voicemails.get_voicemail_audio, "What the caller said", audio=True),
    ApiOperation(
        "PUT",
        f"{_VOICEMAIL}/heard",
        api_voicemails.put_heard,
        "Mark a voicemail as dealt with, or not",
        VoicemailModel,
        body=HeardChange,
    ),
    _removes(_VOICEMAIL, api_voicemails.remove_voicemail, "Remove a voicemail and its file"),
    ApiOperation(
        "GET", f"{_API}/outbox", api_voicemails.get_letters, "List letters, newest first", LetterList, query=LetterQuery
    ),
    ApiOperation("GET", _LETTER, api_voicemails.get_one_letter, "One letter", LetterModel),
    ApiOperation(
        "POST",
        f"{_LETTER}/retry",
        api_voicemails.post_retry,
        "Try a letter again at once",
        LetterModel,
        body=LetterRetry,
        body_required=False,
        errors=(409,),
    ),
    _removes(_LETTER, api_voicemails.remove_letter, "Take a letter out of the outbox"),
    ApiOperation("GET", f"{_API}/schedules", api_schedules.get_schedules, "List schedules", ScheduleList),
    _creates(f"{_API}/schedules", api_schedules.post_schedule, "Create a schedule", ScheduleModel, ScheduleChange),
    ApiOperation("GET", _SCHEDULE, api_schedules.get_one_schedule, "One schedule", ScheduleModel),
    ApiOperation(
        "GET",
        f"{_SCHEDULE}/state",
        api_schedules.get_schedule_state,
        "Whether a schedule is open by the clock of its own zone, and when it opens next",
        ScheduleState,
        query=StateQuery,
    ),
    _replaces(_SCHEDULE, api_schedules.put_schedule, "Replace a schedule", ScheduleModel, ScheduleChange),
    _removes(_SCHEDULE, api_schedules.remove_schedule, "Remove a schedule that nothing uses"),
    ApiOperation("GET", f"{_API}/contacts", api_contacts.get_contacts, "List contacts", ContactList, query=ContactQuery),
    _creates(f"{_API}/contacts", api_contacts.post_contact, "Create a contact", ContactModel, ContactChange),
    ApiOperation("GET", _CONTACT, api_contacts.get_one_contact, "One contact", ContactModel),
    _replaces(_CONTACT, api_contacts.put_contact, "Replace a contact", ContactModel, ContactChange),
    _removes(_CONTACT, api_contacts.remove_contact, "Remove a contact"),
    ApiOperation(
        "GET", f"{_API}/blocked-numbers", api_contacts.get_blocked_numbers, "List blocked numbers", BlockList, query=PageQuery
    ),
    _creates(f"{_API}/blocked-numbers", api_contacts.post_blocked_number, "Block a number", BlockModel, BlockChange),
    ApiOperation("GET", _BLOCKED, api_contacts.get_one_blocked_number, "One entry of the block list", BlockModel),
    _replaces(_BLOCKED, api_contacts.put_blocked_number, "Replace an entry of the block list", BlockModel, BlockChange),
    _removes(_BLOCKED, api_contacts.remove_blocked_number, "Unblock a number"),
)
