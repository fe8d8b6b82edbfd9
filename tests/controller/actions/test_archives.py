"""Scenarios as archives: everything they name comes along, and hostile archives change nothing."""

from __future__ import annotations

import io
import json
import warnings
import zipfile
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from controller.actions import packing
from controller.actions.archives import Imported, export_archive, import_archive, new_prompts, read_archive
from controller.actions.groups import create_group, set_members
from controller.actions.operators import create_operator
from controller.actions.prompts import PromptDetails, add_prompt
from controller.actions.scenarios import KnownPrompts, create_scenario, publish, save_draft
from controller.actions.schedules import create_schedule
from controller.errors import AttendantError, InvalidInput, Refused
from controller.prompts.facts import LARGEST_FILE_BYTES
from controller.prompts.files import PromptFolder
from controller.schedules import Schedule
from controller.storage import Database
from controller.storage.groups import find_group
from controller.storage.operators import find_operator
from controller.storage.prompts import find_prompt
from controller.storage.scenarios import find_scenario
from tests.fixtures.installations import Installation
from tests.ivr.builders import group, hang_up, insert, menu, message, node

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
BY: Any = {"acting_user": "ann", "at": NOON}
KNOWN = KnownPrompts(
    frozenset({(name, language) for name in ("beep", "second-of-silence", "extension-entry") for language in ("en", "ru")}),
    frozenset({"en", "ru"}),
)
MOST = 20
OFFICE = Schedule.model_validate({"zone": "Europe/Moscow", "week": {"monday": [{"start": "09:00", "end": "18:00"}]}})


class Place(Installation):
    """An installation that archives leave and come to."""

    def export(self, name: str = "Main") -> bytes:
        with self.database.session(read_only=True) as session:
            found = find_scenario(session, name)
            assert found is not None
            return export_archive(session, self.folder, found.id, KNOWN)

    def take_in(self, content: bytes, **how: Any) -> Imported:
        archive = read_archive(io.BytesIO(content))
        with self.database.session() as session:
            sounds = {
                prompt.key: self.prepared(archive.originals[prompt.key], prompt.format)
                for prompt in new_prompts(session, archive)
            }
            return import_archive(session, self.folder, archive, sounds, MOST, KNOWN, **BY, **how)


@pytest.fixture
def new_place(tmp_path: Path) -> Iterator[Callable[[str], Place]]:
    made: list[Place] = []

    def make(name: str) -> Place:
        made.append(Place(tmp_path / name))
        return made[-1]

    yield make
    for place in made:
        place.database.close()


@pytest.fixture
def empty(new_place: Callable[[str], Place]) -> Place:
    return new_place("empty")


@pytest.fixture
def full(new_place: Callable[[str], Place]) -> Place:
    """A scenario that names one of everything, and one that it inserts."""
    made = new_place("full")
    inner = {
        "schema_version": 2,
        "start": "when",
        "nodes": {
            "when": node("schedule", {"open": "staff", "closed": "sorry"}, schedule="Office"),
            "staff": node("dial_extension", {"failed": "sorry", "wrong_number": "sorry"}, extension="2005"),
            "sorry": message({}, "sorry"),
        },
    }
    links = {"1": "sales", "2": "inner", "wait_expired": "end", "incorrect_input": "choice"}
    outer = {
        "schema_version": 2,
        "start": "choice",
        "nodes": {
            "choice": menu(links, prompt="welcome"),
            "sales": group({"failed": "end"}),
            "inner": insert("Inner", {"next": "beep"}),
            "beep": message({"next": "end"}, "beep"),
            "end": hang_up(),
        },
    }
    with made.database.session() as session:
        for extension in ("2001", "2002", "2005", "2009"):
            create_operator(session, extension, f"Operator {extension}", **BY)
        create_group(session, "Sales", "linear", 7, **BY)
        set_members(session, "Sales", ["2002", "2001"], **BY)
        create_group(session, "Unused", **BY)
        create_schedule(session, "Office", OFFICE, **BY)
        for name, language, kind in (("welcome", "en", "uploaded"), ("welcome", "ru", "recorded"), ("sorry", "en", "uploaded")):
            details = PromptDetails(name.title(), language, kind, name, f"{name}.mp3")  # type: ignore[arg-type]
            add_prompt(session, made.folder, made.prepared(f"{name} {language}".encode()), details, MOST, **BY)
        create_scenario(session, "Inner", inner, **BY)
        create_scenario(session, "Main", outer, **BY)
    return made


def test_export_import_export_gives_identical_bytes(full: Place, empty: Place) -> None:
    exported = full.export()
    imported = empty.take_in(exported)
    assert empty.export() == exported == full.export()
    assert set(imported.added) == {
        "operator 2001",
        "operator 2002",
        "operator 2005",
        "group Sales",
        "schedule Office",
        "prompt sorry:en",
        "prompt welcome:en",
        "prompt welcome:ru",
        "scenario Inner",
        "scenario Main",
    }
    assert imported.kept == () and imported.published == ()


def test_what_comes_in_is_what_went_out_and_secrets_stay(full: Place, empty: Place) -> None:
    exported = full.export()
    empty.take_in(exported)
    with full.database.session(read_only=True) as here, empty.database.session(read_only=True) as there:
        ours, theirs = find_operator(here, "2001"), find_operator(there, "2001")
        assert ours is not None and theirs is not None and ours.name == theirs.name
        assert ours.sip_secret != theirs.sip_secret and ours.sip_secret.encode() not in exported
        found = find_group(there, "Sales")
        assert found is not None and (found.strategy, found.ring_seconds) == ("linear", 7)
        assert [member.extension for member in found.members] == ["2002", "2001"]
        prompt = find_prompt(there, "welcome", "ru")
        assert prompt is not None and (prompt.title, prompt.kind, prompt.original_name) == ("Welcome", "recorded", "welcome.mp3")
        assert find_operator(there, "2009") is None and find_group(there, "Unused") is None
    assert empty.folder.original("welcome", "en", "mp3").read_bytes() == b"welcome en"
    assert empty.folder.is_there("welcome", "ru")


def test_importing_again_changes_nothing_and_what_is_here_stays_as_it_is(full: Place, empty: Place) -> None:
    exported = full.export()
    empty.take_in(exported)
    with empty.database.session() as session:
        set_members(session, "Sales", [], **BY)
    before = empty.everything()
    again = empty.take_in(exported)
    assert again.added == () and "group Sales" in again.kept and "scenario Main" in again.kept
    assert empty.everything() == before


def test_a_changed_draft_is_replaced_and_can_be_had_back_by_undoing(full: Place, empty: Place) -> None:
    empty.take_in(full.export())
    with empty.database.session() as session:
        found = find_scenario(session, "Main")
        assert found is not None
        save_draft(session, found.id, {"schema_version": 2, "start": "end", "nodes": {"end": hang_up()}}, 1, **BY)
    assert empty.take_in(full.export()).added == ("draft of scenario Main",)
    assert empty.export() == full.export()


def test_the_scenario_may_come_in_under_another_name(full: Place, empty: Place) -> None:
    assert empty.take_in(full.export(), name="Copy").scenario.name == "Copy"
    assert b'"scenario": "Copy"' in empty.export("Copy")


def test_a_draft_that_names_what_is_not_there_is_not_exported_and_the_field_is_named(full: Place) -> None:
    with full.database.session() as session:
        lacking = {"a": group({"failed": "b"}, "Nobody"), "b": message({}, "unheard"), "c": insert("Nowhere", {})}
        create_scenario(session, "Lacking", {"schema_version": 2, "start": "a", "nodes": lacking}, **BY)
    with pytest.raises(InvalidInput) as refused:
        full.export("Lacking")
    assert [problem.field for problem in refused.value.problems] == [
        "scenarios.Lacking.nodes.a.operation.group",
        "scenarios.Lacking.nodes.b.operation",
        "scenarios.Lacking.nodes.c.operation.scenario",
    ]


def test_a_prompt_whose_file_is_gone_is_named(full: Place) -> None:
    full.folder.remove("sorry", "en")
    with pytest.raises(Refused, match=r'"Sorry" \(en\)'):
        full.export()


def test_another_sound_of_the_same_name_is_not_replaced_silently(full: Place, empty: Place) -> None:
    with empty.database.session() as session:
        details = PromptDetails("Other", "ru", "uploaded", "welcome")
        add_prompt(session, empty.folder, empty.prepared(b"another"), details, MOST, **BY)
    refused_and_unchanged(empty, full.export(), "prompts.2.name")


def test_publishing_publishes_what_is_inserted_first(new_place: Callable[[str], Place], empty: Place) -> None:
    source = new_place("source")
    with source.database.session() as session:
        create_scenario(session, "Z", {"schema_version": 2, "start": "end", "nodes": {"end": hang_up()}}, **BY)
        nodes = {"in": insert("Z", {"next": "end"}), "end": hang_up()}
        create_scenario(session, "A", {"schema_version": 2, "start": "in", "nodes": nodes}, **BY)
        create_scenario(session, "Main", {"schema_version": 2, "start": "in", "nodes": nodes | {"in": insert("A", {})}}, **BY)
    published = empty.take_in(source.export(), publishing=True).published
    assert [version.number for version in published] == [1, 1, 1]
    assert empty.take_in(source.export(), publishing=True).published == ()


def manifest_of(content: bytes) -> dict[str, Any]:
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        read: dict[str, Any] = json.loads(archive.read("attendant.json"))
        return read


def rewritten(
    content: bytes, change: Callable[[dict[str, Any]], object] = lambda _: None, /, without: str = "", **more: bytes
) -> bytes:
    """The archive with another manifest, without a file, and with more files."""
    made = io.BytesIO()
    with zipfile.ZipFile(io.BytesIO(content)) as old, zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as new:
        manifest = manifest_of(content)
        change(manifest)
        for name in old.namelist():
            if name != without:
                new.writestr(name, json.dumps(manifest) if name == "attendant.json" else old.read(name))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", UserWarning)  # of a second file of one name, which is what is wanted here
            for name, added in more.items():
                new.writestr(name, added)
    return made.getvalue()


def refused_and_unchanged(place: Place, content: bytes, field: str) -> None:
    before = place.everything()
    with pytest.raises(InvalidInput) as refused:
        place.take_in(content)
    assert refused.value.problems[0].field == field, refused.value
    assert len(str(refused.value)) < 500
    assert place.everything() == before


def _node(name: str, scenario: str = "Main", **changed: Any) -> Callable[[dict[str, Any]], object]:
    return lambda manifest: manifest["scenarios"][scenario]["nodes"][name].update(changed)


SALES = "prompts/en/sorry.mp3"
HOSTILE: dict[str, tuple[Callable[[bytes], bytes], str]] = {
    "no archive": (lambda _: b"PK nonsense", "file"),
    "nothing": (lambda _: b"", "file"),
    "cut off": (lambda given: given[: len(given) // 2], "file"),
    "no manifest": (lambda given: rewritten(given, without="attendant.json"), "file"),
    "manifest is not JSON": (lambda given: rewritten(given, without="attendant.json", **{"attendant.json": b"{"}), "file"),
    "manifest nests too deeply": (
        lambda given: rewritten(given, without="attendant.json", **{"attendant.json": b"[" * 200_000}),
        "file",
    ),
    "manifest is a list": (lambda given: rewritten(given, without="attendant.json", **{"attendant.json": b"[]"}), ""),
    "a file too many": (lambda given: rewritten(given, **{"readme.txt": b""}), "file"),
    "a path that leads out": (lambda given: rewritten(given, **{"../../x": b"x"}), "file"),
    "an absolute path": (lambda given: rewritten(given, **{"/etc/passwd": b"x"}), "file"),
    "a file missing": (lambda given: rewritten(given, without=SALES), "file"),
    "a file twice": (lambda given: rewritten(given, **{SALES: b"x"}), "file"),
    "a bomb": (lambda given: rewritten(given, without=SALES, **{SALES: b"\0" * (LARGEST_FILE_BYTES + 1)}), "file"),
    "a prompt name that leads out": (
        lambda given: rewritten(given, lambda m: m["prompts"][0].update(name="../../x")),
        "prompts.0.name",
    ),
    "a prompt format that leads out": (
        lambda given: rewritten(given, lambda m: m["prompts"][0].update(format="../x")),
        "prompts.0.format",
    ),
    "two prompts of one name": (
        lambda given: rewritten(given, lambda m: m["prompts"].append(m["prompts"][0])),
        "prompts.3",
    ),
    "two groups of one name": (lambda given: rewritten(given, lambda m: m["groups"].append(m["groups"][0])), "groups.1"),
    "another version": (lambda given: rewritten(given, lambda m: m.update(version=2)), "version"),
    "an unknown field": (lambda given: rewritten(given, lambda m: m.update(more=1)), "more"),
    "an unknown group": (
        lambda given: rewritten(given, lambda m: m.update(groups=[])),
        "scenarios.Main.nodes.sales.operation.group",
    ),
    "an unknown member": (
        lambda given: rewritten(given, lambda m: m["groups"][0]["members"].append("2999")),
        "groups.0.members",
    ),
    "an unknown strategy": (
        lambda given: rewritten(given, lambda m: m["groups"][0].update(strategy="magic")),
        "groups.0.strategy",
    ),
    "a bad ring time": (lambda given: rewritten(given, lambda m: m["groups"][0].update(ring_seconds=0)), "groups.0.ring_seconds"),
    "a bad extension": (
        lambda given: rewritten(given, lambda m: m["operators"][2].update(extension="x")),
        "operators.2.extension",
    ),
    "a bad schedule": (
        lambda given: rewritten(given, lambda m: m["schedules"][0]["schedule"].update(zone="Mars/Base")),
        "schedules.0.schedule.zone",
    ),
    "an unknown operation": (
        lambda given: rewritten(given, _node("end", operation={"type": "teleport"})),
        "scenarios.Main.nodes.end.operation",
    ),
    "a bad value deep inside": (
        lambda given: rewritten(given, _node("when", "Inner", operation={"type": "menu", "prompt": [], "wait_seconds": 0})),
        "scenarios.Inner.nodes.when.operation.prompt",
    ),
    "an unknown prompt": (
        lambda given: rewritten(given, _node("beep", operation={"type": "info_message", "message": ["nothing"]})),
        "scenarios.Main.nodes.beep.operation",
    ),
    "a circle": (
        lambda given: rewritten(given, _node("sorry", "Inner", operation={"type": "insert_scenario", "scenario": "Main"})),
        "scenarios.Main.nodes.inner.operation.scenario",
    ),
    "a scenario that nobody inserts": (
        lambda given: rewritten(given, lambda m: m["scenarios"].update(Spare=m["scenarios"]["Main"])),
        "scenarios.Spare",
    ),
    "the scenario itself missing": (lambda given: rewritten(given, lambda m: m["scenarios"].pop("Main")), "scenario"),
    "a name with a line break": (
        lambda given: rewritten(
            given, lambda m: (m.update(scenario="a\nb"), m["scenarios"].update({"a\nb": m["scenarios"].pop("Main")}))
        ),
        "scenarios.a\nb.name",
    ),
}


@pytest.mark.parametrize("case", HOSTILE)
def test_a_hostile_archive_is_refused_with_the_field_named_and_nothing_is_changed(full: Place, empty: Place, case: str) -> None:
    make, field = HOSTILE[case]
    refused_and_unchanged(empty, make(full.export()), field)


def test_an_archive_that_is_too_large_is_not_read(empty: Place, monkeypatch: pytest.MonkeyPatch, full: Place) -> None:
    content = full.export()
    monkeypatch.setattr(packing, "LARGEST_ARCHIVE_BYTES", 1000)
    refused_and_unchanged(empty, content, "file")
    with pytest.raises(Refused, match="larger than"):
        full.export()


def test_small_files_that_swell_together_are_refused(full: Place, empty: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    swollen = rewritten(full.export(), without=SALES, **{SALES: b"\0" * 60_000})
    monkeypatch.setattr(packing, "LARGEST_ARCHIVE_BYTES", 50_000)
    assert len(swollen) < 50_000
    refused_and_unchanged(empty, swollen, "file")


def test_a_sound_that_is_not_what_the_manifest_says_is_refused(full: Place, empty: Place) -> None:
    archive = read_archive(io.BytesIO(full.export()))
    sounds = {key: empty.prepared(original, "wav") for key, original in archive.originals.items()}
    before = empty.everything()
    with pytest.raises(InvalidInput, match=r"prompts\.0\.format"), empty.database.session() as session:
        import_archive(session, empty.folder, archive, sounds, MOST, KNOWN, **BY)
    assert empty.everything() == before


def test_a_disk_that_fails_half_way_leaves_neither_rows_nor_files(
    full: Place, empty: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    before, place, placed = empty.everything(), PromptFolder.place, []

    def fail_at_the_second(folder: PromptFolder, *sound: Any) -> None:
        placed.append(sound)
        if len(placed) == 2:
            raise OSError(28, "No space left on device")
        place(folder, *sound)

    monkeypatch.setattr(PromptFolder, "place", fail_at_the_second)
    with pytest.raises(OSError, match="No space"):
        empty.take_in(full.export())
    assert empty.everything() == before


def test_too_many_uploads_are_refused_whole(full: Place, empty: Place, monkeypatch: pytest.MonkeyPatch) -> None:
    before = empty.everything()
    monkeypatch.setitem(globals(), "MOST", 1)
    with pytest.raises(Refused, match="uploaded files already"):
        empty.take_in(full.export())
    assert empty.everything() == before


def test_a_published_scenario_is_exported_as_its_draft(full: Place) -> None:
    with full.database.session() as session:
        found = find_scenario(session, "Main")
        assert found is not None
        save_draft(session, found.id, {"schema_version": 2, "start": "end", "nodes": {"end": hang_up()}}, 1, **BY)
        session.refresh(found)
        publish(session, found.id, KNOWN, **BY)
    assert list(manifest_of(full.export())["scenarios"]) == ["Main"]


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=300), st.integers(0, 5000), st.integers(0, 255))
def test_no_bytes_at_all_break_the_reader(noise: bytes, place: int, value: int) -> None:
    content = bytearray(_SAMPLE)
    content[place % len(content)] = value
    for hostile in (noise, b"PK\x03\x04" + noise, bytes(content)):
        try:
            read_archive(io.BytesIO(hostile))
        except AttendantError:
            pass


def _sample() -> bytes:
    manifest = {
        "format": "attendant scenario",
        "version": 1,
        "scenario": "Main",
        "scenarios": {"Main": {"schema_version": 2, "start": "end", "nodes": {"end": {"operation": {"type": "hang_up"}}}}},
    }
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("attendant.json", json.dumps(manifest))
    return made.getvalue()


_SAMPLE = _sample()


def test_the_same_content_gives_the_same_bytes_on_every_database(database: Database, full: Place, tmp_path: Path) -> None:
    there = Place(tmp_path / "there", database)
    there.take_in(full.export())
    assert there.export() == full.export()
