"""A whole set-up as files: what goes out comes in as it was, once; and what is wrong is said at once, and changes nothing."""

from __future__ import annotations

import io
import json
import shutil
import warnings
import zipfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import fields, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import settings as hypothesis_settings
from hypothesis import strategies as st

from controller.actions import packing
from controller.actions.campaigns import CampaignDraft, create_campaign
from controller.actions.confirmations import confirm_for_good, enter_code, make_code
from controller.actions.contacts import BlockDraft, ContactDraft, block_number, create_contact
from controller.actions.forwarding import add_common_phone
from controller.actions.groups import MemberDraft, create_group, set_members, set_terms
from controller.actions.numbers import NumberLine, NumberSettings, create_number
from controller.actions.operators import create_operator
from controller.actions.packing import pack
from controller.actions.prompts import PromptDetails, add_prompt
from controller.actions.scenarios import KnownPrompts, create_scenario, publish, save_draft
from controller.actions.schedules import create_schedule
from controller.actions.setups import (
    Change,
    Taken,
    read_folder,
    read_setup,
    read_zip,
    setup_files,
    sounds_to_convert,
    take_in,
    write_folder,
)
from controller.actions.setups import files as setup_file_rules
from controller.actions.setups.documents import KINDS, PromptDocument, ScenarioDocument
from controller.actions.setups.taking_in import MOST_TOLD
from controller.actions.trunks import TrunkDraft, create_trunk
from controller.errors import AttendantError, InvalidInput, Refused
from controller.prompts.files import PromptFolder
from controller.schedules import Schedule
from controller.settings import Settings
from controller.storage import Database
from controller.storage.contacts import all_blocked, count_block_hit
from controller.storage.forwarding import Forwarding, ForwardingPhone, list_phones
from controller.storage.groups import GroupTerms, find_group
from controller.storage.models import METADATA
from controller.storage.numbers import InboundNumber
from controller.storage.operators import RungNumber, find_operator
from controller.storage.scenarios import find_scenario
from controller.storage.trunks import find_trunk
from controller.storage.users import User
from ivr.lines import STANDARD_PROMPTS, LinePrompts
from ivr.prompts import PromptRef
from ivr.serialization import MAX_BYTES
from tests.fixtures.databases import copied_sqlite, folder_of_the_process
from tests.fixtures.installations import Installation
from tests.ivr.builders import group, hang_up, insert, menu, message, node

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
BY: Any = {"acting_user": "ann", "at": NOON}
LANGUAGES = ("en", "ru")
STANDARD = {"beep", *map(str, STANDARD_PROMPTS.by_slot().values())}
KNOWN = KnownPrompts(frozenset({(name, language) for name in STANDARD for language in LANGUAGES}), frozenset(LANGUAGES))
SETTINGS = Settings.load({})
OFFICE = Schedule.model_validate({"zone": "Europe/Moscow", "week": {"monday": [{"start": "09:00", "end": "18:00"}]}})
TERMS = GroupTerms(5, 60, 600, 3, True, 90, False, True)
NUISANCE = "+4930999999"
OWN_PHONE, OTHER_PHONE = "+74951110002", "+79161112233"
Files = Mapping[str, bytes]


class Office(Installation):
    """An installation that set-ups leave and come to."""

    def files(self) -> dict[str, bytes]:
        with self.database.session(read_only=True) as session:
            return setup_files(session, self.folder)

    def take_in(self, files: Files, **how: Any) -> Taken:
        setup = read_setup(files)
        with self.database.session() as session:
            sounds = {one.key: self.prepared(setup.sounds[one.key], one.format) for one in sounds_to_convert(session, setup)}
            return take_in(session, self.folder, setup, sounds, KNOWN, SETTINGS, **BY, **how)

    def refuses(self, files: Files) -> dict[str, str]:
        """Each problem's message by its field; nothing has changed."""
        before = self.everything()
        with pytest.raises(InvalidInput) as refused:
            self.take_in(files)
        assert self.everything() == before
        assert len(str(refused.value)) < 500
        return {problem.field: problem.message for problem in refused.value.problems}


def with_ann(office: Office) -> Office:
    """There is the user ann."""
    with office.database.session() as session:
        session.add(User(login="ann", password_hash="", role="administrator", created_at=NOON))
    return office


@pytest.fixture
def new_office(tmp_path: Path) -> Iterator[Callable[[str], Office]]:
    made: list[Office] = []

    def make(name: str) -> Office:
        made.append(with_ann(Office(tmp_path / name)))
        return made[-1]

    yield make
    for office in made:
        office.database.close()


@pytest.fixture
def empty(new_office: Callable[[str], Office]) -> Office:
    return new_office("empty")


@pytest.fixture
def full(tmp_path: Path) -> Iterator[Office]:
    original = furnished_once()
    office = Office(tmp_path / "full", copied_sqlite(Path(original.database.engine.url.database or ""), tmp_path))
    shutil.copytree(original.folder.root, office.folder.root, dirs_exist_ok=True)
    yield office
    office.database.close()


@cache
def furnished_once() -> Office:
    """Made once in a process, to be copied."""
    office = furnished(with_ann(Office(folder_of_the_process() / "furnished")))
    office.database.close()
    return office


def furnished(office: Office) -> Office:
    """One of everything, with no setting left as standard."""
    with office.database.session() as session:
        numbers = (RungNumber("+74951112233", 15), RungNumber("102", 30))
        rights = {"inbound": False, "team": False}
        create_operator(
            session,
            "2001",
            "Anna",
            ring_seconds=11,
            numbers=numbers,
            time_zone="Asia/Omsk",
            call_mode="own_number",
            **rights,
            **BY,
        )
        create_operator(session, "2002", "Boris Борис", **BY)
        create_group(session, "Sales / VIP", "levels", 7, **BY)
        set_terms(session, "Sales / VIP", TERMS, **BY)
        set_members(session, "Sales / VIP", ["2002", MemberDraft("2001", 3, 2)], **BY)
        create_group(session, "sales _ vip", **BY)
        create_schedule(session, "Office", OFFICE, **BY)
        for language, kind in (("en", "uploaded"), ("ru", "recorded")):
            details = PromptDetails("Welcome", language, kind, "welcome", "welcome.mp3")  # type: ignore[arg-type]
            add_prompt(session, office.folder, office.prepared(f"sound {language}".encode()), details, 20, **BY)
        inner = {
            "when": node("schedule", {"open": "who", "closed": "end"}, schedule="Office"),
            "who": node("caller_list", {"known": "end", "unknown": "end", "vip": "staff"}, tags=[{"exit": "vip", "tag": "vip"}]),
            "staff": node("dial_extension", {"failed": "end", "wrong_number": "end"}, extension="2001"),
            "end": hang_up(),
        }
        outer = {
            "choice": menu({"1": "sales", "2": "in", "wait_expired": "end", "incorrect_input": "choice"}, prompt="welcome"),
            "sales": group({"failed": "end"}, "Sales / VIP"),
            "in": insert("Z inner", {"next": "end"}),
            "end": hang_up(),
        }
        create_contact(session, ContactDraft("Client", ["+4930123456"], ["vip"]), None, **BY)
        publish_new(session, "Z inner", document("when", inner))
        main = publish_new(session, "Main", document("choice", outer))
        save_draft(session, main, document("end", {"end": hang_up()}), 1, **BY)
        create_scenario(session, "In work", document("a", {"a": insert("Nowhere", {}), "b": group({}, "Nobody")}), **BY)
        prompts = LinePrompts(None, PromptRef("welcome"), PromptRef("welcome", "ru"), PromptRef("beep"), PromptRef("welcome"))
        trunk = TrunkDraft("Carrier", "sip.example.com", 5070, "tcp", "office", "s3cret", True, "+74951110001", 2, False)
        create_trunk(session, replace(trunk, domain="users.example.com", inbound=False, clip_no_screening=True), **BY)
        confirm_for_good(session, add_common_phone(session, OWN_PHONE, **BY).id, **BY)
        phone = add_common_phone(session, OTHER_PHONE, **BY).id
        assert enter_code(session, phone, make_code(session, phone, **BY)[1], 3, **BY) == "confirmed"
        forwarding = Forwarding("common", OTHER_PHONE, 15, 2, "called")
        chosen = NumberSettings("ru", "Main", "Z inner", "Office", "Sales / VIP", 120, prompts, forwarding, "ann", 90)
        line = NumberLine(3, False, False, "Website", "Carrier")
        number = create_number(session, "+74951110001", "Main line", chosen, KNOWN, line=line, **BY)
        confirm_for_good(session, number.id, InboundNumber, **BY)
        transfers = ("+74951110003", "sip:queue@sip.example.com:5070")
        serving = (["+74951110001"], ["2002", "2001"], ["Sales / VIP"], "lead_selection", transfers)
        create_campaign(
            session, CampaignDraft("Spring", *serving, "linear", 9, TERMS, hide_numbers=True, recordings_days=90), **BY
        )
        block_number(session, BlockDraft(NUISANCE), None, **BY)
        blocked = BlockDraft(NUISANCE, "prefix", "message", "Sells windows", NOON + timedelta(days=30))
        count_block_hit(session, block_number(session, blocked, None, **BY).id)
    return office


def publish_new(session: Any, name: str, made: dict[str, Any]) -> int:
    stored = create_scenario(session, name, made, **BY)
    publish(session, stored.id, KNOWN, **BY)
    return stored.id


def document(start: str, nodes: Mapping[str, Any]) -> dict[str, Any]:
    return {"schema_version": 2, "start": start, "nodes": dict(nodes)}


def changed(files: Files, path: str, **values: Any) -> dict[str, bytes]:
    """The files, one of them with other values."""
    return {**files, path: json.dumps({**json.loads(files[path]), **values}).encode()}


SALES = "groups/Sales _ VIP-cca66a30.json"
MAIN, INNER = "scenarios/Main.json", "scenarios/Z inner.json"
NUMBER, TRUNK, OPERATOR = "numbers/+74951110001.json", "trunks/Carrier.json", "operators/2001.json"
CAMPAIGN, PHONE = "campaigns/Spring.json", f"phones/{OWN_PHONE}.json"
BLOCKED, BLOCKED_BEGINNING = f"blocked/{NUISANCE}.json", f"blocked/prefix {NUISANCE}.json"


def test_export_into_an_empty_installation_and_export_again_give_the_same_bytes(full: Office, empty: Office) -> None:
    files = full.files()
    taken = empty.take_in(files)
    assert empty.files() == files
    assert not taken.changed and not taken.unchanged and len(taken.published) == 2
    assert set(taken.created) == {
        "trunk Carrier",
        "schedule Office",
        "prompt welcome:en",
        "prompt welcome:ru",
        "operator 2001",
        "operator 2002",
        "group Sales / VIP",
        "group sales _ vip",
        "scenario In work",
        "scenario Main",
        "scenario Z inner",
        f"phone {OWN_PHONE}",
        f"phone {OTHER_PHONE}",
        "number +74951110001",
        "campaign Spring",
        f"blocked number {NUISANCE}",
        f"blocked number prefix {NUISANCE}",
    }
    assert empty.folder.original("welcome", "en", "mp3").read_bytes() == b"sound en" and empty.folder.is_there("welcome", "ru")


def test_the_same_set_up_goes_in_and_out_of_every_database(database: Database, full: Office, tmp_path: Path) -> None:
    there, files = with_ann(Office(tmp_path / "there", database)), full.files()
    there.take_in(files)
    before = there.everything()
    assert there.files() == files
    assert not there.take_in(files).created and there.everything() == before
    assert [*there.refuses(changed(files, SALES, ring_seconds=0))] == [f"{SALES}: ring_seconds"]


def test_taking_the_same_set_up_in_again_changes_no_row_and_no_file(full: Office, empty: Office) -> None:
    files = full.files()
    empty.take_in(files)
    for office in (empty, full):
        before = office.everything()
        again = office.take_in(files)
        assert (again.created, again.changed, again.published) == ((), (), ()) and len(again.unchanged) == 17
        assert not again.prompts and not again.directory
        assert office.everything() == before


def test_the_files_have_names_for_people_that_differ_in_more_than_capitals(full: Office) -> None:
    names = [*full.files()]
    assert {SALES, MAIN, INNER, NUMBER, TRUNK, OPERATOR, "prompts/en/welcome.json", "prompts/en/welcome.mp3"} <= {*names}
    assert len({name.casefold() for name in names}) == len(names)


def test_files_are_readable_and_every_setting_stands_in_them(full: Office) -> None:
    written = full.files()[SALES].decode()
    assert written == (
        '{\n  "members": [\n    "2002",\n    {\n      "extension": "2001",\n      "level": 2,\n      "weight": 3\n    }\n  ],\n'
        '  "name": "Sales / VIP",\n  "ring_seconds": 7,\n  "strategy": "levels",\n  "terms": {\n    "announce_every": 90,\n'
        '    "announce_place": false,\n    "announce_wait": true,\n    "longest_talk": 600,\n'
        '    "longest_wait": 60,\n    "priority": 3,\n    "sticky_owner": true,\n    "wrap_up_seconds": 5\n  }\n}\n'
    )
    assert "Boris Борис" in full.files()["operators/2002.json"].decode()


def test_no_secret_leaves_and_operators_get_fresh_ones(full: Office, empty: Office) -> None:
    files = full.files()
    empty.take_in(files)
    with full.database.session(read_only=True) as here, empty.database.session(read_only=True) as there:
        ours, theirs = find_operator(here, "2001"), find_operator(there, "2001")
        assert ours is not None and theirs is not None and theirs.sip_secret and ours.sip_secret != theirs.sip_secret
        everything = b"".join(files.values())
        assert ours.sip_secret.encode() not in everything and b"s3cret" not in everything


def test_operators_and_trunks_that_are_here_keep_their_secrets(full: Office) -> None:
    with full.database.session(read_only=True) as session:
        operator = find_operator(session, "2001")
        assert operator is not None
        before = operator.sip_secret
    files = changed(full.files(), OPERATOR, name="Anna K.")
    taken = full.take_in(changed(files, TRUNK, host="sip.example.org"))
    assert taken.changed == (Change("trunk Carrier", ("host",)), Change("operator 2001", ("name",)))
    with full.database.session(read_only=True) as session:
        operator, trunk = find_operator(session, "2001"), find_trunk(session, "Carrier")
        assert operator is not None and (operator.name, operator.sip_secret) == ("Anna K.", before)
        assert trunk is not None and (trunk.host, trunk.secret) == ("sip.example.org", "s3cret")


def test_a_new_trunk_waits_for_its_secret_and_says_so_every_time(full: Office, empty: Office) -> None:
    files = full.files()
    said = (
        "set the secret of trunk Carrier: until then no calls go through it",
        f"confirm the phone {OTHER_PHONE}: until then no calls are forwarded to it",
    )
    assert empty.take_in(files).notes == said == empty.take_in(files).notes
    with empty.database.session(read_only=True) as session:
        trunk = find_trunk(session, "Carrier")
        assert trunk is not None and trunk.lacks_secret
    assert empty.take_in(changed(files, TRUNK, port=5080)).changed == (Change("trunk Carrier", ("port",)),)


def test_a_phone_to_forward_to_is_confirmed_anew_where_it_comes_to_but_a_number_of_the_own_trunk_is_not(
    full: Office, empty: Office
) -> None:
    assert used_phones(full) == {OWN_PHONE, OTHER_PHONE}
    files = full.files()
    assert json.loads(files[f"phones/{OTHER_PHONE}.json"]) == {"number": OTHER_PHONE, "own_trunk": False}
    empty.take_in(files)
    assert json.loads(empty.files()[NUMBER])["forwarding"]["number"] == OTHER_PHONE
    assert used_phones(empty) == {OWN_PHONE}


def test_a_confirmation_that_is_here_is_not_taken_back_and_a_mark_of_the_own_trunk_comes_later_too(full: Office) -> None:
    files, before = full.files(), full.everything()
    assert full.take_in(changed(files, PHONE, own_trunk=False)).changed == () and full.everything() == before
    taken = full.take_in(changed(files, f"phones/{OTHER_PHONE}.json", own_trunk=True))
    assert taken.changed == (Change(f"phone {OTHER_PHONE}", ("own_trunk",)),) and taken.directory
    assert used_phones(full, NOON + timedelta(days=1000)) == {OWN_PHONE, OTHER_PHONE}


@pytest.mark.covers("SKZ-10")
def test_a_number_is_confirmed_where_it_comes_to_only_as_one_of_the_own_trunk(full: Office, empty: Office) -> None:
    files = changed(full.files(), NUMBER, own_trunk=False, outgoing=True)
    told = "confirm the number +74951110001: until then it is not shown to those who are called"
    assert told in empty.take_in(files).notes and empty.take_in(files).changed == ()
    assert told in empty.take_in(files).notes and json.loads(empty.files()[NUMBER])["own_trunk"] is False
    taken = empty.take_in(changed(files, NUMBER, own_trunk=True))
    assert taken.changed == (Change("number +74951110001", ("own_trunk",)),) and told not in taken.notes
    assert empty.take_in(files).changed == () and json.loads(empty.files()[NUMBER])["own_trunk"] is True


def test_operators_own_phones_stay_and_every_import_says_so_until_all_have_one(full: Office, empty: Office) -> None:
    files = changed(full.files(), NUMBER, forwarding={"mode": "own"})
    said = (
        "the number +74951110001 forwards to operators' own phones, which a set-up does not carry: they are entered and "
        "confirmed here, on the page My desk; operators without one: "
    )
    for trial in (True, False, False):
        assert f"{said}2" in empty.take_in(files, trial=trial).notes
    give_own_phone(empty, "2001", "+79160000001")
    assert f"{said}1" in empty.take_in(files).notes
    give_own_phone(empty, "2002", "+79160000002")
    assert not [note for note in empty.take_in(files).notes if note.startswith(said)]
    assert not [path for path, content in empty.files().items() if b"+7916000000" in content]


def give_own_phone(office: Office, extension: str, number: str) -> None:
    with office.database.session() as session:
        operator = find_operator(session, extension)
        assert operator is not None
        session.add(ForwardingPhone(number=number, operator_id=operator.id, confirmed_at=NOON, approval="approved"))


@pytest.mark.covers("UIS-43")
def test_the_block_list_is_carried_without_its_hits_and_changed_where_it_differs(full: Office) -> None:
    files = full.files()
    expiry = (NOON + timedelta(days=30)).isoformat()
    assert json.loads(files[BLOCKED_BEGINNING]) == {
        "number": NUISANCE,
        "kind": "prefix",
        "action": "message",
        "comment": "Sells windows",
        "expires_at": expiry.replace("+00:00", "Z"),
    }
    before = full.everything()
    assert full.take_in(changed(files, BLOCKED_BEGINNING, expires_at="2026-06-03T15:00:00+03:00")).changed == ()
    assert full.everything() == before
    taken = full.take_in(changed(files, BLOCKED_BEGINNING, action="busy", expires_at=None))
    assert taken.changed == (Change(f"blocked number prefix {NUISANCE}", ("action", "expires_at")),) and taken.directory
    with full.database.session(read_only=True) as session:
        found = {(one.pattern, one.kind): (one.action, one.hits) for one in all_blocked(session)}
    assert found == {(NUISANCE, "exact"): ("reject", 0), (NUISANCE, "prefix"): ("busy", 1)}


def test_an_entry_of_the_block_list_whose_time_is_over_goes_in_and_out_as_it_is_and_the_import_says_so(
    full: Office, empty: Office
) -> None:
    files = changed(full.files(), BLOCKED, expires_at="2020-01-01T00:00:00Z")
    said = f"the time of the blocked number {NUISANCE} is over: it blocks nobody"
    assert said in empty.take_in(files).notes and said in empty.take_in(files).notes
    assert json.loads(empty.files()[BLOCKED])["expires_at"] == "2020-01-01T00:00:00Z"
    assert not empty.take_in(files).changed
    assert full.take_in(files).changed == (Change(f"blocked number {NUISANCE}", ("expires_at",)),)


def used_phones(office: Office, at: datetime = NOON) -> set[str]:
    with office.database.session(read_only=True) as session:
        return {view.row.number for view in list_phones(session) if view.row.is_used(at)}


def test_a_number_s_line_and_forwarding_and_a_campaign_are_changed_where_they_differ(full: Office) -> None:
    files = changed(full.files(), NUMBER, channels=None, trunk=None, forwarding={"mode": "own"}, responsible=None)
    taken = full.take_in(changed(files, CAMPAIGN, operators=["2001"], unknown_callers="refuse"))
    assert [change.what for change in taken.changed] == ["number +74951110001", "campaign Spring"]
    assert {*taken.changed[0].fields} == {"channels", "trunk", "forwarding", "responsible"}
    assert {*taken.changed[1].fields} == {"operators", "unknown_callers"}
    assert json.loads(full.files()[NUMBER])["forwarding"] == Forwarding("own").written()
    assert json.loads(full.files()[CAMPAIGN])["operators"] == ["2001"]


def test_campaigns_may_exchange_their_numbers(full: Office) -> None:
    mine, other = "+74951110001", "+74951110009"
    files = changed({**full.files(), "numbers/9.json": b'{"number": "+74951110009", "line_name": "Nine"}'}, CAMPAIGN)
    full.take_in({**files, "campaigns/Autumn.json": json.dumps({"name": "Autumn", "numbers": [other]}).encode()})
    exchanged = changed(full.files(), "campaigns/Autumn.json", numbers=[mine])
    taken = full.take_in(changed(exchanged, CAMPAIGN, numbers=[other]))
    assert taken.changed == (Change("campaign Autumn", ("numbers",)), Change("campaign Spring", ("numbers",)))
    both = changed(full.files(), CAMPAIGN, numbers=[mine, other])
    assert full.refuses(both) == {f"{CAMPAIGN}: numbers.0": f'{mine} belongs to the campaign "Autumn" already'}


def test_what_differs_is_changed_what_is_not_named_stays_and_only_versions_of_what_changed_grow(full: Office) -> None:
    files = full.files()
    with full.database.session() as session:
        create_operator(session, "2009", "Not in the files", **BY)
    files = changed(files, SALES, members=["2001"], terms={"priority": 9})
    sound = {"prompts/en/welcome.mp3": b"another sound"}
    taken = full.take_in(changed({**files, **sound}, NUMBER, longest_wait=90, schedule=None, off_hours_scenario=None))
    assert set(taken.changed) == {
        Change("group Sales / VIP", ("terms", "members")),
        Change("prompt welcome:en", ("sound",)),
        Change("number +74951110001", ("off_hours_scenario", "schedule", "longest_wait")),
    }
    assert taken.prompts and taken.directory and not taken.created
    assert full.folder.original("welcome", "en", "mp3").read_bytes() == b"another sound"
    with full.database.session(read_only=True) as session:
        sales, other = find_group(session, "Sales / VIP"), find_group(session, "sales _ vip")
        assert sales is not None and sales.terms == GroupTerms(priority=9)
        assert [member.extension for member in sales.members] == ["2001"]
        assert other is not None and other.version == 1
        assert find_operator(session, "2009") is not None


LOCAL = {"number": "102", "ring_seconds": 30}


def test_another_way_of_writing_the_same_is_no_change(full: Office) -> None:
    files = changed(
        full.files(),
        OPERATOR,
        numbers=[{"number": "+7 (495) 111-22-33", "ring_seconds": 15}, LOCAL],
    )
    before = full.everything()
    assert full.take_in(changed(files, TRUNK, caller_id="+7 495 111-00-01", host=" sip.example.com")).changed == ()
    assert full.everything() == before


def test_a_new_title_of_a_prompt_leaves_its_sound_alone(full: Office) -> None:
    taken = full.take_in(changed(full.files(), "prompts/en/welcome.json", title="Hello"))
    assert taken.changed == (Change("prompt welcome:en", ("title",)),) and taken.prompts and not taken.directory


def test_a_trial_says_the_same_and_changes_nothing(full: Office, empty: Office) -> None:
    files, before = full.files(), empty.everything()
    trial = empty.take_in(files, trial=True)
    assert empty.everything() == before
    taken = empty.take_in(files)
    assert (trial.created, trial.changed, trial.notes) == (taken.created, taken.changed, taken.notes)


def test_the_published_version_counts_and_a_draft_in_work_stays(full: Office, empty: Office) -> None:
    files = full.files()
    assert json.loads(files[MAIN])["scenario"]["start"] == "choice"
    assert full.take_in(files).notes == ("the draft of scenario Main is another one, and stays",)
    empty.take_in(files)
    with empty.database.session() as session:
        found = find_scenario(session, "Main")
        assert found is not None and found.draft["start"] == "choice"
        save_draft(session, found.id, document("end", {"end": hang_up("busy")}), 1, **BY)
        session.refresh(found)
        publish(session, found.id, KNOWN, **BY)
    assert empty.take_in(files).changed == (Change("scenario Main", ("scenario",)),)
    assert empty.files() == files


def test_scenarios_may_change_which_of_them_inserts_the_other(empty: Office) -> None:
    end, inserting = document("end", {"end": hang_up()}), lambda name: document("in", {"in": insert(name, {})})
    mark = {"setup.json": b'{"format": "attendant set-up", "version": 1}'}
    empty.take_in(mark | scenario_files(A=inserting("B"), B=end))
    assert empty.take_in(mark | scenario_files(A=end, B=inserting("A"))).changed == (
        Change("scenario A", ("scenario",)),
        Change("scenario B", ("scenario",)),
    )


def scenario_files(**made: dict[str, Any]) -> dict[str, bytes]:
    return {f"scenarios/{name}.json": json.dumps({"name": name, "scenario": one}).encode() for name, one in made.items()}


def test_two_operators_of_one_extension_are_named_with_both_files(full: Office) -> None:
    files = full.files()
    problems = full.refuses({**files, "operators/copy.json": files[OPERATOR]})
    assert problems == {"operators/copy.json: extension": 'operators/2001.json is of the operator "2001" too'}


def test_an_unknown_group_and_an_unknown_operator_are_named_at_their_fields(full: Office) -> None:
    files = changed(full.files(), SALES, members=["2002", "2099"])
    assert full.refuses(changed(files, NUMBER, group="Nobody")) == {
        f"{SALES}: members.1": 'there is no operator "2099"',
        f"{NUMBER}: group": 'there is no group "Nobody"',
    }
    inner = json.loads(full.files()[INNER])["scenario"]
    inner["nodes"]["staff"]["operation"]["extension"] = "2077"
    assert full.refuses(changed(full.files(), INNER, scenario=inner)) == {
        f"{INNER}: scenario.nodes.staff.operation.extension": 'there is no operator "2077"'
    }


def test_a_user_who_is_not_here_is_named_at_the_number_that_he_is_responsible_for(full: Office) -> None:
    files = changed(full.files(), NUMBER, responsible="eve", trunk="Gone", forwarding={"mode": "common", "number": "+7495"})
    assert full.refuses(files) == {
        f"{NUMBER}: responsible": 'there is no user "eve": users are not part of a set-up, create him first',
        f"{NUMBER}: trunk": 'there is no trunk "Gone"',
        f"{NUMBER}: forwarding.number": 'there is no phone "+7495"',
    }


def test_what_a_campaign_names_is_named_at_its_fields(full: Office) -> None:
    files = changed(full.files(), CAMPAIGN, numbers=["8000"], operators=["2001", "2077"], groups=["Nobody"])
    assert full.refuses(files) == {
        f"{CAMPAIGN}: numbers.0": 'there is no number "8000"',
        f"{CAMPAIGN}: operators.1": 'there is no operator "2077"',
        f"{CAMPAIGN}: groups.0": 'there is no group "Nobody"',
    }


def test_a_circle_of_scenarios_is_named_at_every_node_of_it(full: Office) -> None:
    inner = json.loads(full.files()[INNER])["scenario"]
    inner["nodes"]["end"] = insert("Main", {})
    said = "scenarios would insert each other in a circle: Main > Z inner > Main"
    assert full.refuses(changed(full.files(), INNER, scenario=inner)) == {
        f"{MAIN}: scenario.nodes.in.operation.scenario": said,
        f"{INNER}: scenario.nodes.end.operation.scenario": said,
    }


def test_a_circle_with_a_scenario_that_is_only_here_is_refused(empty: Office) -> None:
    with empty.database.session() as session:
        create_scenario(session, "Here", document("in", {"in": insert("There", {})}), **BY)
    files = {"setup.json": b'{"format": "attendant set-up", "version": 1}'}
    there = scenario_files(There=document("in", {"in": insert("Here", {})}))
    problems = empty.refuses({**files, **there})
    assert "There > Here > There" in problems["scenarios/There.json: scenario.nodes.in.operation.scenario"]


def test_all_problems_are_said_at_once_and_none_that_only_follows_from_another(full: Office, empty: Office) -> None:
    files = changed(full.files(), OPERATOR, ring_seconds=0)
    files = changed(files, SALES, strategy="magic", ring_seconds="7", colour="red")
    files = changed(files, NUMBER, line_name="", prompts={"waiting": "unheard", "arrivall": "beep"})
    files = changed(files, TRUNK, secret="mine")
    files = {
        **files,
        "schedules/Office.json": b'{"name": "Office",\n<<<<<<< ours',
        "readme.txt": b"",
        "operator/2003.json": b"{}",
    }
    assert empty.refuses(files) == {
        f"{SALES}: strategy": "Input should be 'ring_all', 'linear', 'random', 'weighted_random', 'longest_idle', 'round_robin', "
        "'fewest_calls' or 'levels'",
        f"{SALES}: ring_seconds": "Input should be a valid integer",
        f"{NUMBER}: prompts.arrivall": "there is no such field here",
        f"{TRUNK}: secret": "there is no such field here",
        f"{OPERATOR}: ring_seconds": "use 1 to 300 seconds",
        "schedules/Office.json": "no JSON: Expecting property name enclosed in double quotes: line 2 column 1 (char 19)",
        "readme.txt": "it does not belong to a set-up: write .json files in "
        "trunks, schedules, prompts, operators, groups, scenarios, phones, numbers, campaigns, blocked",
        "operator/2003.json": "it does not belong to a set-up: write .json files in "
        "trunks, schedules, prompts, operators, groups, scenarios, phones, numbers, campaigns, blocked",
    }


def test_of_very_many_problems_some_are_told_and_the_others_counted(empty: Office) -> None:
    problems = empty.refuses({"setup.json": MARK, **{f"operators/{number}.json": b"{" for number in range(MOST_TOLD + 3)}})
    assert len(problems) == MOST_TOLD + 1 and problems[""] == "and 3 more problems"


BAD: dict[str, tuple[dict[str, Any], str]] = {
    "a field twice": ({OPERATOR: b'{"extension": "2001", "name": "A", "name": "B"}'}, OPERATOR),
    "not a number": ({OPERATOR: b'{"extension": "2001", "name": "A", "ring_seconds": NaN}'}, OPERATOR),
    "no JSON at all": ({OPERATOR: b"\xff\xfe\x00"}, OPERATOR),
    "nested too deeply": ({OPERATOR: b"[" * 200_000}, OPERATOR),
    "a list": ({OPERATOR: b"[]"}, OPERATOR),
    "without its name": ({OPERATOR: b'{"name": "A"}'}, f"{OPERATOR}: extension"),
    "a name with blanks around it": ({"groups/X.json": b'{"name": " X"}'}, "groups/X.json: name"),
    "a bad extension": ({"operators/x.json": b'{"name": "A", "extension": "x"}'}, "operators/x.json: extension"),
    "an unknown schedule": (
        {"schedules/X.json": b'{"name": "X", "schedule": {"zone": "Mars"}}'},
        "schedules/X.json: schedule.zone",
    ),
    "an unknown operation": (
        scenario_files(X=document("a", {"a": node("teleport")})),
        "scenarios/X.json: scenario.nodes.a.operation",
    ),
    "a published scenario with mistakes": (
        scenario_files(X=document("a", {"a": message({}, "unheard")})),
        "scenarios/X.json: scenario.nodes.a.operation",
    ),
    "a scenario without a node": (scenario_files(X=document("a", {})), "scenarios/X.json: scenario.nodes"),
    "a name on two lines": (scenario_files(**{"X\nY": document("a", {"a": hang_up()})}), "scenarios/X\nY.json: name"),
    "an unknown language": (
        {"numbers/1.json": b'{"number": "1", "line_name": "L", "language": "xx"}'},
        "numbers/1.json: language",
    ),
    "a trunk that needs a name": ({"trunks/T.json": b'{"name": "T", "host": "h", "registers": true}'}, "trunks/T.json: username"),
    "a phone that is not written as it is dialled": (
        {"phones/x.json": b'{"number": "+7 495 111"}'},
        "phones/x.json: number",
    ),
    "a number with too many channels": (
        {"numbers/1.json": b'{"number": "1", "line_name": "L", "channels": 1001}'},
        "numbers/1.json: channels",
    ),
    "a term of a group out of its range": (
        {"groups/X.json": b'{"name": "X", "terms": {"priority": 101}}'},
        "groups/X.json: terms.priority",
    ),
    "a term of a campaign out of its range": (
        {"campaigns/X.json": b'{"name": "X", "terms": {"announce_every": 1}}'},
        "campaigns/X.json: terms.announce_every",
    ),
    "a transfer to where no trunk leads": (
        {"campaigns/X.json": b'{"name": "X", "transfer_numbers": ["sip:queue@elsewhere.example.com"]}'},
        "campaigns/X.json: transfer_numbers.0",
    ),
    "a blocked number that is none": ({"blocked/x.json": b'{"number": "unknown"}'}, "blocked/x.json: number"),
    "a blocked number with blanks": ({"blocked/x.json": b'{"number": "+7 495 111-22-33"}'}, "blocked/x.json: number"),
    "a beginning without +": ({"blocked/x.json": b'{"number": "7495", "kind": "prefix"}'}, "blocked/x.json: number"),
    "an unknown treatment": ({"blocked/x.json": b'{"number": "+74951112233", "action": "insult"}'}, "blocked/x.json: action"),
    "a comment on two lines": ({"blocked/x.json": b'{"number": "+74951112233", "comment": "a\\nb"}'}, "blocked/x.json: comment"),
    "an expiry without its zone": (
        {"blocked/x.json": b'{"number": "+74951112233", "expires_at": "2030-01-01T00:00:00"}'},
        "blocked/x.json: expires_at",
    ),
    "an expiry that no calendar has": (
        {"blocked/x.json": b'{"number": "+74951112233", "expires_at": "9999-12-31T23:59:59-10:00"}'},
        "blocked/x.json: expires_at",
    ),
    "the hits of a blocked number": ({"blocked/x.json": b'{"number": "+74951112233", "hits": 3}'}, "blocked/x.json: hits"),
    "a number blocked twice": (
        {"blocked/x.json": b'{"number": "+4930999999", "kind": "prefix"}'},
        "blocked/x.json: number",
    ),
    "a prompt without its sound": ({"prompts/en/welcome.mp3": None}, "prompts/en/welcome.json: format"),
    "a sound without its prompt": ({"prompts/en/other.mp3": b"x"}, "prompts/en/other.mp3"),
    "a prompt that leads out": (
        {
            "prompts/en/x.json": b'{"name": "../../x", "language": "en", "title": "T", "kind": "uploaded", "format": "mp3", '
            b'"original_name": ""}'
        },
        "prompts/en/x.json: name",
    ),
    "a prompt that is built in": (
        {
            "prompts/en/beep.json": b'{"name": "beep", "language": "en", "title": "T", "kind": "uploaded", "format": "mp3", '
            b'"original_name": ""}',
            "prompts/en/beep.mp3": b"x",
        },
        "prompts/en/beep.json: name",
    ),
    "a path that leads out": ({"../../x.json": b"{}"}, "../../x.json"),
    "a path that leads out of a folder": ({"operators/../../x.json": b"{}"}, "operators/../../x.json"),
    "an absolute path": ({"/etc/passwd": b"x"}, "/etc/passwd"),
    "a document too deep": ({"operators/a/b.json": b"{}"}, "operators/a/b.json"),
    "no mark": ({"setup.json": None}, "setup.json"),
    "another version": ({"setup.json": b'{"format": "attendant set-up", "version": 2}'}, "setup.json"),
    "a mark that is no JSON": ({"setup.json": b"{"}, "setup.json"),
}


@pytest.mark.parametrize("case", BAD)
def test_a_bad_file_is_refused_at_its_field_and_nothing_is_changed(full: Office, case: str) -> None:
    files, field = BAD[case]
    given = {path: content for path, content in {**full.files(), **files}.items() if content is not None}
    assert [*full.refuses(given)] == [field]


def test_a_sound_that_is_not_what_its_file_says_is_refused(full: Office, empty: Office) -> None:
    setup = read_setup(full.files())
    before = empty.everything()
    with pytest.raises(InvalidInput, match=r"prompts/en/welcome\.json: format"), empty.database.session() as session:
        sounds = {key: empty.prepared(sound, "wav") for key, sound in setup.sounds.items()}
        take_in(session, empty.folder, setup, sounds, KNOWN, SETTINGS, **BY)
    assert empty.everything() == before


def test_a_sound_that_cannot_be_converted_is_told_with_the_other_problems(full: Office, empty: Office) -> None:
    setup = read_setup(changed(full.files(), OPERATOR, ring_seconds=0))
    with pytest.raises(InvalidInput) as refused, empty.database.session() as session:
        sounds = {key: InvalidInput("no sound") for key in setup.sounds}
        take_in(session, empty.folder, setup, sounds, KNOWN, SETTINGS, **BY)
    told = {problem.field: problem.message for problem in refused.value.problems}
    assert told["prompts/ru/welcome.json"] == "no sound" and f"{OPERATOR}: ring_seconds" in told


def test_a_prompt_without_its_sound_is_the_only_problem_of_those_who_play_it(full: Office, empty: Office) -> None:
    files = full.files()
    del files["prompts/en/welcome.mp3"]
    assert empty.refuses(files) == {"prompts/en/welcome.json: format": "the sound prompts/en/welcome.mp3 is missing"}


def test_a_disk_that_fails_half_way_leaves_the_rows_and_sounds_that_were_there(
    full: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = {**full.files(), "prompts/en/welcome.mp3": b"other", "prompts/ru/welcome.mp3": b"other"}
    before, place, placed = full.everything(), PromptFolder.place, []

    def fail_at_the_second(folder: PromptFolder, *sound: Any) -> None:
        placed.append(sound)
        place(folder, *sound)
        if len(placed) == 2:
            raise OSError(28, "No space left on device")

    monkeypatch.setattr(PromptFolder, "place", fail_at_the_second)
    with pytest.raises(OSError, match="No space"):
        full.take_in(files)
    assert len(placed) == 2 and full.everything() == before


def test_a_folder_holds_the_set_up_and_what_is_gone_leaves_it(full: Office, tmp_path: Path) -> None:
    folder, files = tmp_path / "kept" / "here", full.files()
    (folder / ".git").mkdir(parents=True)
    (folder / ".git" / "config").write_text("[core]")
    (folder / "README.md").write_text("Our telephony")
    assert write_folder(folder, files) == [] and read_folder(folder) == files
    del files["operators/2002.json"]
    assert write_folder(folder, files) == ["operators/2002.json"] and read_folder(folder) == files
    assert (folder / ".git" / "config").exists() and (folder / "README.md").exists()


def test_a_folder_with_other_files_is_not_written_to(full: Office, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("Dear")
    with pytest.raises(Refused, match="holds other files"):
        write_folder(tmp_path, full.files())
    assert (tmp_path / "letter.txt").read_text() == "Dear"


@pytest.mark.parametrize("what", ["a link to a file", "a link to a folder"])
def test_links_in_a_folder_are_not_followed(full: Office, tmp_path: Path, what: str) -> None:
    folder, elsewhere = tmp_path / "folder", tmp_path / "elsewhere"
    write_folder(folder, full.files())
    elsewhere.mkdir()
    (elsewhere / "x.json").write_text("{}")
    path = "operators/x.json" if what == "a link to a file" else "operators/x"
    (folder / path).symlink_to(elsewhere / "x.json" if what == "a link to a file" else elsewhere)
    with pytest.raises(InvalidInput, match=path):
        read_folder(folder)


def test_a_file_that_is_too_large_is_named(full: Office, tmp_path: Path) -> None:
    write_folder(tmp_path / "folder", {**full.files(), OPERATOR: b" " * (MAX_BYTES + 1)})
    with pytest.raises(InvalidInput, match=OPERATOR):
        read_folder(tmp_path / "folder")


def test_all_files_together_are_limited_in_bytes_and_number(
    full: Office, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    files = full.files()
    write_folder(tmp_path / "folder", files)
    packed = pack(files)
    monkeypatch.setattr(setup_file_rules, "MOST_FILES", 3)
    for read in (lambda: read_folder(tmp_path / "folder"), lambda: read_zip(io.BytesIO(packed))):
        with pytest.raises(InvalidInput, match=r"at most 3 files"):
            read()
    monkeypatch.undo()
    monkeypatch.setattr(setup_file_rules, "LARGEST_ARCHIVE_BYTES", 300)
    with pytest.raises(InvalidInput, match="larger than"):
        read_folder(tmp_path / "folder")


def test_a_zip_file_holds_the_same_and_bombs_are_not_unpacked(full: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    files = full.files()
    assert read_zip(io.BytesIO(pack(files))) == files
    assert pack(dict(reversed(files.items()))) == pack(files)
    swollen = io.BytesIO()
    with zipfile.ZipFile(swollen, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(OPERATOR, b" " * (MAX_BYTES + 1))
    with pytest.raises(InvalidInput, match=OPERATOR):
        read_zip(swollen)
    many = io.BytesIO()
    with zipfile.ZipFile(many, "w", zipfile.ZIP_DEFLATED) as archive:
        for number in range(10):
            archive.writestr(f"operators/{number}.json", b" " * 10_000)
    monkeypatch.setattr(packing, "LARGEST_ARCHIVE_BYTES", 50_000)
    with pytest.raises(InvalidInput, match="larger than"):
        read_zip(many)


def test_a_zip_file_with_a_file_twice_is_refused(full: Office) -> None:
    twice = io.BytesIO(pack(full.files()))
    with warnings.catch_warnings(), zipfile.ZipFile(twice, "a") as archive:
        warnings.simplefilter("ignore", UserWarning)
        archive.writestr(OPERATOR, b"{}")
    with pytest.raises(InvalidInput, match="twice"):
        read_zip(twice)


@hypothesis_settings(max_examples=150, deadline=None)
@given(st.binary(max_size=300), st.dictionaries(st.sampled_from([OPERATOR, SALES, MAIN, NUMBER, TRUNK]), st.binary(max_size=80)))
def test_no_bytes_at_all_break_the_reader(noise: bytes, files: dict[str, bytes]) -> None:
    for read in (lambda: read_zip(io.BytesIO(b"PK\x03\x04" + noise)), lambda: read_setup({**files, "setup.json": MARK})):
        try:
            read()
        except AttendantError:
            pass


MARK = b'{"format": "attendant set-up", "version": 1}'

CARRIED: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "trunks": ("trunk", {}),
    "schedules": ("schedule", {"document": "schedule"}),
    "operators": ("operator", {}),
    "operator_numbers": ("operator", {"number": "numbers", "position": "numbers"}),
    "groups": ("group", {}),
    "group_members": ("group", {"operator_id": "members", "position": "members", "weight": "members", "level": "members"}),
    "inbound_numbers": ("number", {"confirmed_at": "own_trunk", "expires_at": "own_trunk"}),
    "forwarding_phones": ("phone", {"confirmed_at": "own_trunk", "expires_at": "own_trunk"}),
    "campaigns": ("campaign", {}),
    "campaign_operators": ("campaign", {"operator_id": "operators", "position": "operators"}),
    "campaign_groups": ("campaign", {"group_id": "groups", "position": "groups"}),
    "campaign_transfer_numbers": ("campaign", {"number": "transfer_numbers", "position": "transfer_numbers"}),
    "blocked_numbers": ("blocked number", {"pattern": "number"}),
    "prompts": ("prompt", {"original_format": "format"}),
    "scenarios": ("scenario", {}),
    "scenario_versions": ("scenario", {"document": "scenario"}),
}
"""The tables of a set-up, each with the kind of its documents, and the fields that columns of other names are in."""
NOT_CARRIED_COLUMNS = {
    "trunks": {"id", "secret"},
    "schedules": {"id", "updated_at"},
    "operators": {"id", "sip_secret"},
    "operator_numbers": {"operator_id"},
    "groups": {"id", "version"},
    "group_members": {"group_id"},
    # A campaign names its numbers.
    "inbound_numbers": {"id", "campaign_id", "code_hash", "code_expires_at", "code_tries"},
    # Operators' own phones are theirs, and a code proves a phone where it was typed.
    "forwarding_phones": {"id", "operator_id", "approval", "code_hash", "code_expires_at", "code_tries"},
    "campaigns": {"id", "version"},
    "campaign_operators": {"campaign_id"},
    "campaign_groups": {"campaign_id"},
    "campaign_transfer_numbers": {"campaign_id"},
    "blocked_numbers": {"id", "created_at", "hits"},
    # The sound tells its length, its loudness and its hash.
    "prompts": {"id", "length_seconds", "loudness", "waveform", "content_hash", "created_at", "updated_at"},
    # Of a scenario the published document is carried, or the only draft.
    "scenarios": {"id", "draft", "draft_revision", "published_version_id", "updated_at"},
    "scenario_versions": {"id", "scenario_id", "number", "published_at", "published_by"},
}
"""Ids, secrets, counters and moments."""
NOT_CARRIED_TABLES = {
    # People who log in, their keys and what they have chosen for themselves.
    "users",
    "web_sessions",
    "api_tokens",
    "desks",
    # The daily business.
    "contacts",
    "contact_numbers",
    "contact_tags",
    "leads",
    # A carrier's table, which comes as CSV, and what this installation pays.
    "rates",
    "trunk_prices",
    # What has happened, and what is still to happen of it.
    "audit",
    "calls",
    "call_legs",
    "call_steps",
    "callbacks",
    "given_codes",
    "missed_calls",
    "operator_state_changes",
    "operator_switches",
    "outbox",
    "recordings",
    "routing_decisions",
    "scenario_former_drafts",
    "voicemails",
}


def test_every_table_and_every_column_is_carried_or_said_not_to_be() -> None:
    """Who adds a column to what a set-up carries adds it to the draft of its action, or to the lists above."""
    tables = {table.name: {column.name for column in table.columns} for table in METADATA.tables.values()}
    assert tables.keys() == CARRIED.keys() | NOT_CARRIED_TABLES
    for name, (noun, elsewhere) in CARRIED.items():
        names = fields_of(noun)
        for column in tables[name] - NOT_CARRIED_COLUMNS[name]:
            field = elsewhere.get(column, column)
            assert field in names or field.removesuffix("_id") in names, f"{name}.{column} is not carried by set-ups"


def fields_of(noun: str) -> set[str]:
    """The fields of a kind's documents, and of the parts in them."""
    written = next(kind for kind in KINDS if kind.noun == noun)
    model = written.document
    if issubclass(model, PromptDocument | ScenarioDocument):
        return {name for name, field in model.model_fields.items() if not field.exclude}
    names = {field.name for field in fields(model)} - written.hidden
    return names | ({field.name for field in fields(GroupTerms)} if "terms" in names else set())


def test_the_example_leaves_no_setting_as_standard(full: Office, tmp_path: Path) -> None:
    """So that a field which is carried but not taken in is found by the tests above."""
    bare = Office(tmp_path / "bare")
    try:
        bare.take_in(
            {
                "setup.json": MARK,
                "operators/1.json": b'{"extension": "2001", "name": "-"}',
                "groups/1.json": b'{"name": "-"}',
                "numbers/1.json": b'{"number": "1", "line_name": "-"}',
                "trunks/1.json": b'{"name": "-", "host": "h"}',
                "phones/1.json": b'{"number": "22"}',
                "campaigns/1.json": b'{"name": "-"}',
                "blocked/1.json": b'{"number": "2001"}',
            }
        )
        standards = {
            OPERATOR: "operators/2001",
            SALES: "groups/-",
            NUMBER: "numbers/1",
            TRUNK: "trunks/-",
            PHONE: "phones/22",
            CAMPAIGN: "campaigns/-",
            BLOCKED_BEGINNING: "blocked/2001",
        }
        for path, standard in standards.items():
            ours, theirs = json.loads(full.files()[path]), json.loads(bare.files()[f"{standard}.json"])
            assert [field for field in ours if ours[field] == theirs[field] and field != "extension"] == []
    finally:
        bare.database.close()
