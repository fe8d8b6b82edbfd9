"""Campaigns, their employees, transfer numbers and leads."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlmodel import Session

from controller.actions.campaigns import (
    CampaignDraft,
    add_lead,
    change_campaign,
    create_campaign,
    delete_campaign,
    remove_lead,
)
from controller.actions.groups import MemberDraft, create_group, delete_group, set_members
from controller.actions.numbers import add_number
from controller.actions.operators import create_operator, delete_operator
from controller.actions.trunks import TrunkDraft, create_trunk
from controller.errors import InvalidInput, NotFound, Refused
from controller.storage import Database
from controller.storage.audit import list_audit
from controller.storage.campaigns import campaign_view, campaign_views
from controller.storage.groups import GroupTerms, find_group
from controller.storage.leads import count_leads, list_leads
from controller.storage.numbers import find_number, numbers_by_campaign
from controller.storage.operators import find_operator

BY_ANN: Any = {"acting_user": "ann", "at": datetime(2026, 5, 4, 12, tzinfo=UTC)}
SPRING = CampaignDraft(
    "Spring",
    numbers=["8001"],
    operators=["2003", "2001"],
    groups=["Sales"],
    unknown_callers="refuse",
    transfer_numbers=["+7 495 111-22-33", "SIP:Queue@PBX.example.com:5060", "sip:night@[::1]:5062"],
    strategy="levels",
    ring_seconds=12,
    terms=GroupTerms(wrap_up_seconds=5, longest_wait=60, priority=3, sticky_owner=True),
    recordings_days=30,
)


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        for extension in ("2001", "2002", "2003"):
            create_operator(session, extension, f"Operator {extension}", **BY_ANN)
        create_group(session, "Sales", **BY_ANN)
        set_members(session, "Sales", [MemberDraft("2002", weight=3, level=2), MemberDraft("2001", level=9)], **BY_ANN)
        for number in ("8001", "8002"):
            add_number(session, number, "Line", **BY_ANN)
        create_trunk(session, TrunkDraft("PBX", "PBX.example.com"), **BY_ANN)
        create_trunk(session, TrunkDraft("Own", "::1", 5062), **BY_ANN)
        yield session


def fields_at_fault(session: Session, **changed: Any) -> list[str]:
    with pytest.raises(InvalidInput) as refusal:
        create_campaign(session, replace(SPRING, **changed), **BY_ANN)
    return [problem.field for problem in refusal.value.problems]


@pytest.mark.covers("PRJ-1", "LNR-5", "LNR-6", "LNR-12")
def test_a_campaign_keeps_what_was_said_of_it(session: Session) -> None:
    made = create_campaign(session, SPRING, **BY_ANN)
    assert campaign_views(session) == [made]
    assert (made.name, made.unknown_callers, made.strategy, made.ring_seconds) == ("Spring", "refuse", "levels", 12)
    assert (made.terms, made.recordings_days, made.version) == (SPRING.terms, 30, 1)
    assert (made.operators, made.groups) == (("2003", "2001"), ("Sales",))
    assert made.transfer_numbers == ("+74951112233", "sip:Queue@pbx.example.com", "sip:night@[::1]:5062")
    assert numbers_by_campaign(session) == {made.id: ["8001"]}
    assert list_audit(session)[0].action == "campaign.create"


@pytest.mark.covers("PRJ-1", "LNR-12")
def test_its_line_has_the_operators_and_then_the_members_of_its_groups_each_once(session: Session) -> None:
    line = create_campaign(session, SPRING, **BY_ANN).line
    assert [(one.extension, one.weight, one.level) for one in line.members] == [("2003", 1, 1), ("2001", 1, 1), ("2002", 3, 2)]
    assert (line.strategy, line.ring_seconds, line.terms, line.version) == ("levels", 12, SPRING.terms, 1)


def test_no_group_can_be_taken_for_a_campaigns_line(session: Session) -> None:
    with pytest.raises(InvalidInput):
        create_group(session, create_campaign(session, SPRING, **BY_ANN).line.name, **BY_ANN)


def test_every_change_of_its_employees_is_another_version_of_its_line(session: Session) -> None:
    made = create_campaign(session, SPRING, **BY_ANN)
    set_members(session, "Sales", ["2002"], **BY_ANN)
    assert campaign_view(session, made.id).version == 2
    changed = change_campaign(session, made.id, replace(SPRING, name="Autumn", numbers=["8002"], groups=[]), **BY_ANN)
    assert (changed.version, changed.name, changed.line.name) == (3, "Autumn", made.line.name)
    assert [one.extension for one in changed.members] == ["2003", "2001"]
    assert numbers_by_campaign(session) == {made.id: ["8002"]}
    set_members(session, "Sales", ["2001"], **BY_ANN)
    assert campaign_view(session, made.id).version == 3


def test_what_is_wrong_is_named_all_at_once_and_nothing_is_kept(session: Session) -> None:
    faults = fields_at_fault(
        session,
        numbers=["8001", "8099"],
        operators=["2001", "2001", "2099"],
        groups=["Nobody"],
        transfer_numbers=["+74951112233", "+7 495 1112233", "x"],
    )
    assert faults == [
        "operators.1",
        "operators.2",
        "groups.0",
        "numbers.1",
        "transfer_numbers.1",
        "transfer_numbers.2",
    ]
    assert campaign_views(session) == [] and numbers_by_campaign(session) == {}


@pytest.mark.parametrize(
    ("field", "changed"),
    [
        ("name", {"name": ""}),
        ("name", {"name": "two\nlines"}),
        ("unknown_callers", {"unknown_callers": "ignore"}),
        ("strategy", {"strategy": "best"}),
        ("ring_seconds", {"ring_seconds": 0}),
        ("longest_wait", {"terms": GroupTerms(longest_wait=0)}),
        ("recordings_days", {"recordings_days": 0}),
        ("recordings_days", {"recordings_days": 36_501}),
        ("transfer_numbers", {"transfer_numbers": [f"+7495111{number:04}" for number in range(11)]}),
    ],
)
def test_bad_settings_are_refused_by_name(session: Session, field: str, changed: dict[str, Any]) -> None:
    assert fields_at_fault(session, **changed) == [field]


@pytest.mark.covers("LNR-5")
@pytest.mark.parametrize(
    "target",
    [
        "sip:queue@elsewhere.example.com",
        "sip:queue@pbx.example.com:5070",
        "sips:queue@pbx.example.com",
        "tel:+74951112233",
        "http://pbx.example.com/",
        "PJSIP/2001",
        "sip:pbx.example.com",
        "sip:a:secret@pbx.example.com",
        "sip:queue@pbx.example.com;transport=tls",
        "sip:queue@pbx.example.com?Subject=x",
        "sip:queue@pbx.example.com\r\nX-Evil: 1",
        "sip:queue%0d%0a@pbx.example.com",
        "sip:2001&PJSIP/2002@pbx.example.com",
        "sip:queue@pbx.example.com/2001",
        "<sip:queue@pbx.example.com>",
        "*1",
        "",
    ],
)
def test_only_phone_numbers_and_plain_sip_addresses_on_a_trunk_are_transfer_numbers(session: Session, target: str) -> None:
    assert fields_at_fault(session, transfer_numbers=["+74951112233", target]) == ["transfer_numbers.1"]


def test_a_number_belongs_to_one_campaign_and_a_name_too(session: Session) -> None:
    create_campaign(session, SPRING, **BY_ANN)
    assert fields_at_fault(session, name="Autumn") == ["numbers.0"]
    with pytest.raises(Refused, match='already a campaign "Spring"'):
        create_campaign(session, SPRING, **BY_ANN)


def test_who_is_assigned_to_a_campaign_can_not_be_removed(session: Session) -> None:
    create_campaign(session, SPRING, **BY_ANN)
    operator, group = find_operator(session, "2003"), find_group(session, "Sales")
    assert operator is not None and group is not None
    with pytest.raises(Refused, match='campaign "Spring"'):
        delete_operator(session, operator.id, **BY_ANN)
    with pytest.raises(Refused, match='campaign "Spring"'):
        delete_group(session, group.id, **BY_ANN)


@pytest.mark.covers("LNR-4")
def test_leads_are_known_by_their_number_however_it_is_written(session: Session) -> None:
    spring = create_campaign(session, SPRING, **BY_ANN)
    autumn = create_campaign(session, CampaignDraft("Autumn"), **BY_ANN)
    lead = add_lead(session, spring.id, "8 (495) 111-22-33", "selection", "RU", **BY_ANN)
    assert (lead.number, lead.type, lead.call_id) == ("+74951112233", "selection", None)
    with pytest.raises(Refused, match="a lead of the campaign"):
        add_lead(session, spring.id, "+74951112233", "direct", None, **BY_ANN)
    add_lead(session, autumn.id, "+74951112233", "direct", None, **BY_ANN)
    for number, type in (("anonymous", "direct"), ("+74951112244", "cold")):
        with pytest.raises(InvalidInput):
            add_lead(session, spring.id, number, type, None, **BY_ANN)  # type: ignore[arg-type]
    with pytest.raises(NotFound):
        remove_lead(session, autumn.id, lead.id, **BY_ANN)
    remove_lead(session, spring.id, lead.id, **BY_ANN)
    assert count_leads(session) == {autumn.id: 1}


def test_a_campaign_that_is_removed_takes_its_leads_with_it_and_leaves_its_numbers(session: Session) -> None:
    spring = create_campaign(session, SPRING, **BY_ANN)
    add_lead(session, spring.id, "+74951112233", "direct", None, **BY_ANN)
    delete_campaign(session, spring.id, **BY_ANN)
    session.expire_all()
    assert list_leads(session, spring.id) == []
    number = find_number(session, "8001")
    assert number is not None and number.campaign_id is None
    for act in (delete_campaign, lambda *given, **by: change_campaign(*given, SPRING, **by)):
        with pytest.raises(NotFound):
            act(session, spring.id, **BY_ANN)
    assert create_campaign(session, SPRING, **BY_ANN).id != spring.id
