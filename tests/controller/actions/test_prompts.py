"""The audio library: who may add what, under which name, and what can't be taken away."""

from __future__ import annotations

import io
import os
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from controller.actions.prompts import (
    PromptDetails,
    add_prompt,
    name_from_title,
    remove_prompt,
    replace_sound,
    retitle_prompt,
    store_recorded,
    title_from_file,
    uses_of_prompt,
)
from controller.actions.scenarios import KnownPrompts, create_scenario, publish, save_draft, validate_draft
from controller.errors import InvalidInput, NotFound, Refused
from controller.prompts.facts import FORMATS, LARGEST_FILE_BYTES, PreparedSound, SoundFacts
from controller.prompts.files import LEFT_SECONDS, PromptFolder
from controller.prompts.own import load_own
from controller.storage import Database, Session
from controller.storage.audit import list_audit
from controller.storage.prompts import StoredPrompt, find_prompt, list_prompts, prompt_titles
from tests.fixtures.soundfiles import tone_file, wav_file

NOON = datetime(2026, 5, 4, 12, tzinfo=UTC)
BY_ANN: Any = {"acting_user": "ann", "at": NOON}
LATER: Any = {"acting_user": "ben", "at": NOON + timedelta(hours=1)}
MOST = 20


@pytest.fixture
def session(database: Database) -> Iterator[Session]:
    with database.session() as session:
        yield session


@pytest.fixture
def folder(tmp_path: Path) -> PromptFolder:
    return PromptFolder(tmp_path / "prompts")


def sound(folder: PromptFolder, content: bytes = b"sound", format: str = "mp3") -> PreparedSound:
    """As if it had been converted."""
    place = folder.new_place()
    for name in ("original", *(f"sound.{extension}" for extension in FORMATS)):
        (place / name).write_bytes(content)
    return PreparedSound(place, place / "original", SoundFacts(format, 1.5, -20.0, [0.0, 0.5]), content.hex())


def upload(
    session: Session,
    folder: PromptFolder,
    title: str = "Welcome",
    language: str = "en",
    name: str | None = None,
    most: int = MOST,
) -> StoredPrompt:
    details = PromptDetails(title, language, "uploaded", name, original_name=f"{title}.mp3")
    return add_prompt(session, folder, sound(folder), details, most, **BY_ANN)


@pytest.mark.covers("UIS-47")
def test_a_prompt_is_kept_with_its_files_and_its_original(session: Session, folder: PromptFolder) -> None:
    prompt = upload(session, folder, "Welcome!")
    assert (prompt.name, prompt.title, prompt.kind, prompt.original_name) == ("welcome", "Welcome!", "uploaded", "Welcome!.mp3")
    assert (prompt.length_seconds, prompt.loudness, prompt.waveform) == (1.5, -20.0, [0.0, 0.5])
    assert sorted(file.name for file in (folder.root / "en").iterdir()) == ["welcome.alaw", "welcome.ulaw", "welcome.wav16"]
    assert folder.original("welcome", "en", "mp3").read_bytes() == b"sound"
    assert load_own(session, folder).there == {("welcome", "en")} and prompt_titles(session) == {"welcome": "Welcome!"}
    assert (list_audit(session)[0].action, list_audit(session)[0].subject) == ("prompt.add", "prompt welcome:en")


@pytest.mark.parametrize(
    ("title", "name"),
    [
        ("Welcome", "welcome"),
        ("Добро пожаловать, Щука!", "dobro-pozhalovat-shchuka"),
        ("../../x", "x"),
        ("/etc/passwd", "etc-passwd"),
        ("...", "prompt"),
        ("日本", "prompt"),
        ("a" * 200, "a" * 60),
        ("Second of silence", "second-of-silence-2"),
    ],
)
def test_names_are_made_of_titles(session: Session, folder: PromptFolder, title: str, name: str) -> None:
    assert name_from_title(title) == name.removesuffix("-2")
    assert upload(session, folder, title[:64]).name == name


def test_the_same_title_again_gets_another_name_but_not_in_another_language(session: Session, folder: PromptFolder) -> None:
    assert [upload(session, folder).name for _ in range(3)] == ["welcome", "welcome-2", "welcome-3"]
    assert upload(session, folder, language="ru").name == "welcome"


@pytest.mark.parametrize(
    ("file_name", "title"),
    [("../../x", "x"), ("C:\\sounds\\Hello there.wav", "Hello there"), (".mp3", "mp3"), ("a\x00b\n.wav", "ab"), ("", "Prompt")],
)
def test_titles_are_made_of_file_names(file_name: str, title: str) -> None:
    assert title_from_file(file_name) == title


@pytest.mark.parametrize(
    ("changed", "field"),
    [
        ({"title": ""}, "title"),
        ({"title": "a\nb"}, "title"),
        ({"title": "x" * 65}, "title"),
        ({"language": "de"}, "language"),
        ({"language": "../x"}, "language"),
        ({"name": "../../x"}, "name"),
        ({"name": "a.b"}, "name"),
        ({"name": "goodbye"}, "name"),
        ({"name": ""}, "name"),
    ],
)
def test_bad_values_are_refused_with_their_field(
    session: Session, folder: PromptFolder, changed: dict[str, str], field: str
) -> None:
    with pytest.raises(InvalidInput) as refused:
        upload(session, folder, **changed)
    assert [problem.field for problem in refused.value.problems] == [field]
    assert not list_prompts(session) and not (folder.root / "en").exists()


def test_a_name_that_is_taken_is_refused(session: Session, folder: PromptFolder) -> None:
    upload(session, folder, name="menu")
    with pytest.raises(Refused, match='already a prompt "menu"'):
        upload(session, folder, name="menu")


@pytest.mark.covers("T-36", "SKZ-42")
def test_t36_the_21st_uploaded_file_is_refused(session: Session, folder: PromptFolder) -> None:
    for number in range(MOST):
        upload(session, folder, f"File {number}")
    with pytest.raises(Refused, match="20 uploaded files already"):
        upload(session, folder, "One more")
    spoken = PromptDetails("Spoken", "en", "speech", text="Hello")
    add_prompt(session, folder, sound(folder), spoken, MOST, **BY_ANN)
    with pytest.raises(Refused, match="20 uploaded"):
        replace_sound(session, folder, sound(folder), "spoken", PromptDetails("", "en", "uploaded"), MOST, **BY_ANN)
    remove_prompt(session, "file-7", "en", **BY_ANN)
    upload(session, folder, "One more")


@pytest.mark.covers("T-36", "SKZ-42")
def test_two_at_once_can_not_both_take_the_last_place(database: Database, folder: PromptFolder) -> None:
    def one(title: str) -> str:
        try:
            with database.session() as session:
                return upload(session, folder, title, most=1).name
        except Refused:
            return "refused"

    with ThreadPoolExecutor(4) as threads:
        assert sorted(threads.map(one, "abcd"))[1:] == ["refused"] * 3


@pytest.mark.covers("T-36", "SKZ-42")
def test_t36_exactly_ten_megabytes_are_taken_and_one_byte_more_is_not(folder: PromptFolder) -> None:
    header = 44
    seconds_of_sound = bytes(LARGEST_FILE_BYTES - header)
    file = wav_file(folder.new_place() / "a.wav", seconds_of_sound, 44100)
    assert file.stat().st_size == LARGEST_FILE_BYTES
    with file.open("rb") as source:
        assert folder.prepare(folder.new_place(), source, 600).facts.length_seconds == pytest.approx(118.9, abs=0.1)
    with pytest.raises(InvalidInput, match="larger than 10 MB"):
        folder.prepare(folder.new_place(), io.BytesIO(file.read_bytes() + b"\x00"), 600)


@pytest.mark.covers("UIS-47")
def test_another_sound_takes_the_place_of_the_old_one(session: Session, folder: PromptFolder) -> None:
    upload(session, folder)
    details = PromptDetails("", "en", "uploaded", original_name="new.wav")
    prompt = replace_sound(session, folder, sound(folder, b"new", "wav"), "welcome", details, MOST, **LATER)
    assert (prompt.title, prompt.original_name, prompt.original_format) == ("Welcome", "new.wav", "wav")
    assert (prompt.created_at, prompt.updated_at) == (NOON, NOON + timedelta(hours=1))
    assert [file.name for file in (folder.root / "originals" / "en").iterdir()] == ["welcome.wav"]
    assert folder.preview("welcome", "en").read_bytes() == b"new"


@pytest.mark.covers("UIS-47")
def test_what_is_recorded_by_phone_is_stored_and_stored_again(session: Session, folder: PromptFolder) -> None:
    store_recorded(session, folder, sound(folder, format="wav"), "greeting-2", "ru", title="Приветствие", **BY_ANN)
    prompt = store_recorded(session, folder, sound(folder, b"again", "wav"), "greeting-2", "ru", **LATER)
    assert (prompt.title, prompt.kind, len(list_prompts(session))) == ("Приветствие", "recorded", 1)
    assert folder.preview("greeting-2", "ru").read_bytes() == b"again"
    with pytest.raises(InvalidInput, match="comes with Attendant"):
        store_recorded(session, folder, sound(folder), "goodbye", "ru", **BY_ANN)


def test_a_title_may_change_and_the_name_stays(session: Session, folder: PromptFolder) -> None:
    upload(session, folder)
    assert retitle_prompt(session, "welcome", "en", " Hello ", **LATER).title == "Hello"
    assert find_prompt(session, "welcome", "en") is not None
    with pytest.raises(NotFound):
        retitle_prompt(session, "welcome", "ru", "Hello", **LATER)


@pytest.mark.covers("UIS-47")
def test_a_prompt_in_use_can_not_be_deleted_and_who_uses_it_is_named(session: Session, folder: PromptFolder) -> None:
    for language in ("en", "ru"):
        upload(session, folder, language=language)
    scenario = create_scenario(session, "Front desk", _playing("welcome"), **BY_ANN)
    prompts = KnownPrompts(frozenset(), frozenset({"en", "ru"}))
    assert not [problem for problem in validate_draft(session, scenario.id, prompts) if problem.severity == "error"]
    publish(session, scenario.id, prompts, **BY_ANN)
    save_draft(session, scenario.id, _playing("welcome:ru"), 1, **BY_ANN)
    assert uses_of_prompt(session, "welcome", "en") == ['scenario "Front desk" (published)']
    with pytest.raises(Refused, match=r'in use and can\'t be deleted: scenario "Front desk" \(draft\), .*\(published\)'):
        remove_prompt(session, "welcome", "ru", **BY_ANN)
    publish(session, scenario.id, prompts, **BY_ANN)
    remove_prompt(session, "welcome", "en", **BY_ANN)
    assert find_prompt(session, "welcome", "en") is None


def test_a_disk_that_does_not_take_the_files_changes_nothing(database: Database, folder: PromptFolder) -> None:
    (folder.root / "originals").mkdir(parents=True)
    (folder.root / "originals" / "en").write_text("in the way")
    with pytest.raises(OSError), database.session() as session:
        upload(session, folder)
    with database.session() as session:
        assert not list_prompts(session) and not list_audit(session)


def test_files_go_with_their_prompt_and_no_others(session: Session, folder: PromptFolder) -> None:
    for title in ("Welcome", "Welcome back"):
        upload(session, folder, title)
    folder.remove("welcome", "en")
    assert folder.is_there("welcome-back", "en") and not folder.is_there("welcome", "en")
    assert load_own(session, folder).missing == {("welcome", "en")}
    folder.remove("welcome", "en")


def test_a_file_goes_all_the_way_from_mp3_into_its_place(session: Session, folder: PromptFolder) -> None:
    source = tone_file(folder.new_place() / "a", "mp3")
    with source.open("rb") as file:
        prepared = folder.prepare(folder.new_place(), file, 600)
    prompt = add_prompt(session, folder, prepared, PromptDetails("Tone", "en", "uploaded"), MOST, **BY_ANN)
    assert prompt.length_seconds == pytest.approx(2.0, abs=0.12) and len(prompt.content_hash) == 64
    assert folder.original("tone", "en", "mp3").read_bytes() == source.read_bytes()


def test_what_a_killed_process_left_is_cleared_away(folder: PromptFolder) -> None:
    left, fresh = folder.new_place(), folder.new_place()
    os.utime(left, (0, os.stat(left).st_mtime - LEFT_SECONDS - 60))
    folder.new_place()
    assert not left.exists() and fresh.exists()


def _playing(prompt: str) -> dict[str, Any]:
    operation = {"type": "info_message", "message": [prompt]}
    nodes = {"hello": {"operation": operation, "links": {"next": "bye"}}, "bye": {"operation": {"type": "hang_up"}}}
    return {"schema_version": 1, "start": "hello", "nodes": nodes}
