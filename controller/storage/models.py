"""All tables together, for whoever needs to know every one of them."""

from __future__ import annotations

from sqlmodel import SQLModel

from controller.storage import (
    audit,
    callbacks,
    calls,
    contacts,
    desks,
    forwarding,
    groups,
    numbers,
    operator_states,
    operators,
    outbox,
    prompts,
    recordings,
    scenarios,
    schedules,
    trunks,
    users,
    voicemails,
)

TABLES = (
    users.User,
    users.WebSession,
    users.ApiToken,
    scenarios.StoredScenario,
    scenarios.ScenarioVersion,
    scenarios.FormerDraft,
    numbers.InboundNumber,
    operators.Operator,
    operators.OperatorNumber,
    operator_states.OperatorSwitches,
    operator_states.OperatorStateChange,
    trunks.Trunk,
    groups.Group,
    groups.GroupMember,
    calls.Call,
    calls.CallLeg,
    calls.CallStep,
    calls.RoutingDecision,
    recordings.Recording,
    prompts.StoredPrompt,
    audit.AuditEntry,
    outbox.OutboxLetter,
    voicemails.Voicemail,
    schedules.StoredSchedule,
    contacts.Contact,
    contacts.ContactNumber,
    contacts.ContactTag,
    contacts.BlockedNumber,
    callbacks.Callback,
    desks.Desk,
    forwarding.ForwardingPhone,
    forwarding.GivenCode,
)
METADATA = SQLModel.metadata
