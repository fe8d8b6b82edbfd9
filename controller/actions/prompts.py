"""The audio library: prompts that people upload, speak into a phone or have spoken from text (UIS-47, UIS-48, SKZ-42).

Files and row change together: files come into their place just before the commit, and go only after it (see `remove_prompt`).
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from controller.actions.fields import checked_name, checked_pattern, invalid
from controller.errors import Refused
from controller.prompts.builtin import BUILTIN, LANGUAGES
from controller.prompts.facts import PreparedSound
from controller.prompts.files import PromptFolder
from controller.storage import Session
from controller.storage.audit import add_audit
from controller.storage.numbers import list_numbers
from controller.storage.prompts import (
    PromptKind,
    StoredPrompt,
    count_uploaded,
    documents_by_scenario,
    find_prompt,
    get_prompt,
    lock_prompts,
    prompt_keys,
)
from ivr.lines import LinePrompts
from ivr.prompts import PromptRef
from ivr.serialization import from_data

LONGEST_NAME: Final = 64
_NAME: Final = rf"[a-z0-9][a-z0-9_-]{{0,{LONGEST_NAME - 1}}}"
_SOUNDS: Final = "a b v g d e e zh z i y k l m n o p r s t u f kh ts ch sh shch _ y _ e yu ya"
_LATIN: Final = dict(zip("абвгдеёжзийклмнопрстуфхцчшщъыьэюя", _SOUNDS.replace("_", "").split(" "), strict=True))


@dataclass(frozen=True, slots=True)
class PromptDetails:
    """What a prompt shall be called. Without a `name` one is made of the title. `text` and `voice` are of speech."""

    title: str
    language: str
    kind: PromptKind
    name: str | None = None
    original_name: str = ""
    text: str | None = None
    voice: str | None = None


def add_prompt(
    session: Session,
    folder: PromptFolder,
    sound: PreparedSound,
    details: PromptDetails,
    most_uploaded: int,
    *,
    acting_user: str,
    at: datetime,
) -> StoredPrompt:
    """A new prompt.

    Raises InvalidInput: a bad title, name or language; Refused: the name is taken, or `most_uploaded` files are there already;
    OSError: the disk did not take the files.
    """
    prompt = enter_prompt(session, sound, details, most_uploaded, acting_user=acting_user, at=at)
    folder.place(sound, prompt.name, prompt.language)
    return prompt


def enter_prompt(
    session: Session,
    sound: PreparedSound,
    details: PromptDetails,
    most_uploaded: int,
    *,
    acting_user: str,
    at: datetime,
) -> StoredPrompt:
    """A new prompt whose files the caller places, before the commit. Raises as `add_prompt`."""
    title, language = checked_name("title", details.title), checked_language(details.language)
    lock_prompts(session)
    _check_number(session, details.kind, most_uploaded)
    name = _new_name(session, details.name, title, language)
    prompt = StoredPrompt(
        name=name, language=language, title=title, kind=details.kind, created_at=at, **_sound(details, sound, at)
    )
    session.add(prompt)
    add_audit(session, at, acting_user, "prompt.add", f"prompt {name}:{language}", kind=details.kind, title=title)
    session.flush()
    return prompt


def replace_sound(
    session: Session,
    folder: PromptFolder,
    sound: PreparedSound,
    name: str,
    details: PromptDetails,
    most_uploaded: int,
    *,
    acting_user: str,
    at: datetime,
) -> StoredPrompt:
    """Another sound under the same name: whatever plays the prompt plays this from now on. Title and name stay.

    Raises NotFound; Refused: it would be one uploaded file more than allowed; OSError: the disk did not take the files.
    """
    prompt = exchange_sound(session, sound, name, details, most_uploaded, acting_user=acting_user, at=at)
    folder.place(sound, name, prompt.language)
    return prompt


def exchange_sound(
    session: Session,
    sound: PreparedSound,
    name: str,
    details: PromptDetails,
    most_uploaded: int,
    *,
    acting_user: str,
    at: datetime,
) -> StoredPrompt:
    """Another sound whose files the caller places, before the commit. Raises as `replace_sound`."""
    lock_prompts(session)
    prompt = get_prompt(session, name, details.language)
    if prompt.kind != "uploaded":
        _check_number(session, details.kind, most_uploaded)
    prompt.sqlmodel_update({"kind": details.kind, **_sound(details, sound, at)})
    add_audit(session, at, acting_user, "prompt.replace", f"prompt {name}:{prompt.language}", kind=details.kind)
    session.flush()
    return prompt


def store_recorded(
    session: Session,
    folder: PromptFolder,
    sound: PreparedSound,
    name: str,
    language: str,
    *,
    title: str | None = None,
    acting_user: str,
    at: datetime,
) -> StoredPrompt:
    """What somebody has spoken into a phone: a new prompt, or another sound for the one of this name and language.

    Raises InvalidInput: a bad name, title or language, or a name that ships with Attendant.
    """
    checked_language(language)
    details = PromptDetails(title or name, language, "recorded", name, original_name="by phone")
    if find_prompt(session, name, language) is None:
        return add_prompt(session, folder, sound, details, 0, acting_user=acting_user, at=at)
    return replace_sound(session, folder, sound, name, details, 0, acting_user=acting_user, at=at)


def retitle_prompt(session: Session, name: str, language: str, title: str, *, acting_user: str, at: datetime) -> StoredPrompt:
    """Another title. The name stays, for scenarios know the prompt by it. Raises InvalidInput, NotFound."""
    prompt = get_prompt(session, name, language)
    prompt.title, prompt.updated_at = checked_name("title", title), at
    add_audit(session, at, acting_user, "prompt.retitle", f"prompt {name}:{language}", title=prompt.title)
    session.flush()
    return prompt


def remove_prompt(session: Session, name: str, language: str, *, acting_user: str, at: datetime) -> None:
    """Forget a prompt; after the commit its files are to be removed with `PromptFolder.remove`.

    Raises Refused, naming who uses it; NotFound.
    """
    lock_prompts(session)
    prompt = get_prompt(session, name, language)
    used = uses_of_prompt(session, name, language)
    if used:
        raise Refused(f'"{prompt.title}" is in use and can\'t be deleted: {", ".join(used)}')
    session.delete(prompt)
    add_audit(session, at, acting_user, "prompt.remove", f"prompt {name}:{language}", title=prompt.title)
    session.flush()


def uses_of_prompt(session: Session, name: str, language: str) -> list[str]:
    """Who plays it, in words: 'scenario "Sales" (draft)'."""
    return all_uses(session).get((name, language), [])


def all_uses(session: Session) -> dict[tuple[str, str], list[str]]:
    """Who plays which prompt. One named without a language is used in every language that a call may have."""
    uses: dict[tuple[str, str], list[str]] = {}
    for scenario, state, document in documents_by_scenario(session):
        named = {prompt for node in from_data(document).nodes.values() for prompt in node.operation.prompts()}
        for key in {key for prompt in named for key in _keys(prompt)}:
            uses.setdefault(key, []).append(f'scenario "{scenario}" ({state})')
    for row in list_numbers(session):
        for slot, prompt in LinePrompts.read(row.prompts).by_slot().items():
            for key in _keys(prompt) if prompt is not None else ():
                uses.setdefault(key, []).append(f"number {row.number} ({slot.replace('_', ' ')})")
    return uses


def _keys(prompt: PromptRef) -> list[tuple[str, str]]:
    return [(prompt.name, language) for language in ((prompt.language,) if prompt.language else LANGUAGES)]


def name_from_title(title: str) -> str:
    """A name of the library made of a title, or of a file's name: nothing but small letters, digits and dashes is left of it."""
    latin = "".join(_LATIN.get(letter, letter) for letter in title.lower())
    return re.sub(r"[^a-z0-9]+", "-", latin).strip("-")[: LONGEST_NAME - 4].rstrip("-") or "prompt"


def title_from_file(file_name: str) -> str:
    """A title for a file of which nothing but the name is known."""
    bare = re.split(r"[/\\]", file_name)[-1].rpartition(".")
    kept = "".join(letter for letter in (bare[0] or bare[2]) if letter.isprintable()).strip()
    return kept[:LONGEST_NAME] or "Prompt"


def checked_language(language: str) -> str:
    """Raises InvalidInput for a language that calls can't have."""
    if language not in LANGUAGES:
        raise invalid("language", f"use one of {', '.join(LANGUAGES)}")
    return language


def _check_number(session: Session, kind: PromptKind, most_uploaded: int) -> None:
    if kind == "uploaded" and count_uploaded(session) >= most_uploaded:
        raise Refused(f"there are {most_uploaded} uploaded files already, and no more are allowed: delete one first")


def _new_name(session: Session, wanted: str | None, title: str, language: str) -> str:
    taken = prompt_keys(session)
    if wanted is not None:
        checked_pattern("name", wanted, _NAME, f"write 1 to {LONGEST_NAME} small letters, digits, - or _")
        if wanted in BUILTIN:
            raise invalid("name", "a prompt that comes with Attendant has this name")
        if (wanted, language) in taken:
            raise Refused(f'there is already a prompt "{wanted}" in the language {language}')
        return wanted
    return _free_name(name_from_title(title), {name for name, its_language in taken if its_language == language} | BUILTIN.keys())


def _free_name(name: str, taken: set[str]) -> str:
    candidates: Sequence[str] = [name, *(f"{name}-{number}" for number in range(2, len(taken) + 3))]
    return next(candidate for candidate in candidates if candidate not in taken)


def _sound(details: PromptDetails, sound: PreparedSound, at: datetime) -> dict[str, Any]:
    return {
        "original_name": re.split(r"[/\\]", details.original_name)[-1][:200],
        "original_format": sound.facts.format,
        "length_seconds": sound.facts.length_seconds,
        "loudness": sound.facts.loudness,
        "waveform": sound.facts.waveform,
        "text": details.text,
        "voice": details.voice,
        "content_hash": sound.content_hash,
        "updated_at": at,
    }
