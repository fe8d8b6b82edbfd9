"""What the files of a set-up say: documents, and all that is wrong with them."""

from __future__ import annotations

import io
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, BinaryIO, Final

from controller.actions.carried_prompts import digest
from controller.actions.setups.documents import KINDS, PROMPTS, Kind, PromptDocument
from controller.actions.setups.files import MARK, MARKED
from controller.errors import FieldProblem, InvalidInput

_PLACE: Final = re.compile(r"(?P<folder>[a-z]+)/(?:(?P<language>[a-z]{2})/)?(?P<name>[^/\\]+)")


@dataclass(frozen=True, slots=True)
class Entry:
    """A document with the path of its file."""

    file: str
    document: Any


@dataclass(frozen=True, slots=True)
class Setup:
    """A set-up that was read: by noun and name its documents, and what is not readable of them.

    `named` are all things of which there is a file, whether it could be read or not. `sounds` are the files of prompts as they
    were sent.
    """

    documents: dict[str, dict[str, Entry]] = field(default_factory=dict)
    sounds: dict[tuple[str, str], bytes] = field(default_factory=dict)
    named: set[tuple[str, str]] = field(default_factory=set)
    problems: list[FieldProblem] = field(default_factory=list)

    def of(self, kind: Kind[Any]) -> dict[str, Entry]:
        """The documents of a kind by the things' names."""
        return self.documents.setdefault(kind.noun, {})

    def sound_of(self, prompt: PromptDocument) -> BinaryIO:
        """Its file, to be converted."""
        return io.BytesIO(self.sounds[prompt.key])


def read_setup(files: Mapping[str, bytes]) -> Setup:
    """The set-up in these files. What is wrong with a document is in `problems`.

    Raises InvalidInput: the files are no set-up at all.
    """
    _check_mark(files)
    setup = Setup()
    claimed = {MARK}
    for path in sorted(files):
        kind = _kind_of(path)
        if kind is not None:
            claimed.add(path)
            _read_document(setup, kind, path, files[path])
    for entry in [*setup.of(PROMPTS).values()]:
        claimed |= _read_sound(setup, entry, files)
    for path in sorted(files.keys() - claimed):
        setup.problems.append(FieldProblem(path[:200], _stray(path)))
    return setup


def parsed(content: bytes) -> Any:
    """JSON, in which no field is there twice. Raises ValueError."""
    try:
        return json.loads(content, object_pairs_hook=_once, parse_constant=_no_number)
    except RecursionError:
        raise ValueError("it is nested too deeply") from None


def problems_in(file: str, error: InvalidInput) -> Iterator[FieldProblem]:
    """What is wrong with a document, with its file."""
    for problem in error.problems or (FieldProblem("", str(error)),):
        yield FieldProblem(": ".join(part for part in (file, problem.field) if part), problem.message)


def _check_mark(files: Mapping[str, bytes]) -> None:
    if MARK not in files:
        said = f"there is no {MARK}, so this is no set-up"
        raise InvalidInput(f"{MARK}: {said}", [FieldProblem(MARK, said)])
    try:
        mark = parsed(files[MARK])
    except ValueError as error:
        mark = f"no JSON: {error}"
    if mark != MARKED:
        said = f"this Attendant reads {json.dumps(MARKED)}"
        raise InvalidInput(f"{MARK}: {said}", [FieldProblem(MARK, said)])


def _kind_of(path: str) -> Kind[Any] | None:
    place = _PLACE.fullmatch(path)
    if place is None or not place["name"].endswith(".json"):
        return None
    found = next((kind for kind in KINDS if kind.folder == place["folder"]), None)
    return found if (found is PROMPTS) == (place["language"] is not None) else None


def _read_document(setup: Setup, kind: Kind[Any], path: str, content: bytes) -> None:
    try:
        data = parsed(content)
    except ValueError as error:
        setup.problems.append(FieldProblem(path, f"no JSON: {error}"))
        setup.named.add((kind.noun, _likely_name(kind, path, None)))
        return
    setup.named.add((kind.noun, _likely_name(kind, path, data)))
    try:
        document = kind.read(data)
    except InvalidInput as error:
        setup.problems.extend(problems_in(path, error))
        return
    name = kind.name(document)
    setup.named.add((kind.noun, name))
    if name != name.strip():
        setup.problems.append(FieldProblem(f"{path}: {kind.key}", "write it without blanks around it"))
        return
    first = setup.of(kind).setdefault(name, Entry(path, document))
    if first.file != path:
        setup.problems.append(FieldProblem(f"{path}: {kind.key}", f'{first.file} is of the {kind.noun} "{name}" too'))


def _likely_name(kind: Kind[Any], path: str, data: Any) -> str:
    """What a document is about that can't be read: as it says, or as its file is called."""
    *_, folder, file = path.split("/")
    given = data.get(kind.key) if isinstance(data, dict) else None
    name = given if isinstance(given, str) else file.removesuffix(".json")
    return f"{name}:{folder}" if kind is PROMPTS else name


def _read_sound(setup: Setup, entry: Entry, files: Mapping[str, bytes]) -> set[str]:
    """Put the sound's hash into the prompt's document; the path of its file."""
    prompt: PromptDocument = entry.document
    if prompt.file not in files:
        setup.problems.append(FieldProblem(f"{entry.file}: format", f"the sound {prompt.file} is missing"))
        del setup.of(PROMPTS)[PROMPTS.name(prompt)]
        return set()
    setup.sounds[prompt.key] = files[prompt.file]
    known = prompt.model_copy(update={"content_hash": digest(files[prompt.file])})
    setup.of(PROMPTS)[PROMPTS.name(prompt)] = Entry(entry.file, known)
    return {prompt.file}


def _stray(path: str) -> str:
    if path.startswith("prompts/") and not path.endswith(".json"):
        return "no prompt has this sound: put a .json of its name and format beside it"
    folders = ", ".join(kind.folder for kind in KINDS)
    return f"it does not belong to a set-up: write .json files in {folders}"


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f'"{twice[:100]}" is there twice')
    return found


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no number")
