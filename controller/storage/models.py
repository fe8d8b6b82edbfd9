"""All tables together, for whoever needs to know every one of them."""

from __future__ import annotations

from sqlmodel import SQLModel

from controller.storage import audit, calls, groups, numbers, operators, prompts, recordings, scenarios, users

TABLES = (
    users.User,
    users.WebSession,
    users.ApiToken,
    scenarios.StoredScenario,
    scenarios.ScenarioVersion,
    numbers.InboundNumber,
    operators.Operator,
    groups.Group,
    groups.GroupMember,
    calls.Call,
    calls.CallLeg,
    calls.CallStep,
    recordings.Recording,
    prompts.StoredPrompt,
    audit.AuditEntry,
)
METADATA = SQLModel.metadata
