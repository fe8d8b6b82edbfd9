"""A set-up as files: a folder that can be kept under version control, or the same in one zip file.

    setup.json                            says what this is
    operators/2001.json, groups/…         one document each, in the folder of its kind
    prompts/en/welcome.json               what is known of an own prompt
    prompts/en/welcome.mp3                and its sound, as it was sent

The names of the files are for people: what a document is about stands in it. The same content gives the same bytes: fields are
sorted, every field is written, and there is one file for each thing, so that a change is a small difference.
"""

from __future__ import annotations

import hashlib
import json
import os
import stat
from collections import Counter
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any, BinaryIO, Final

from controller.actions.carried_prompts import original
from controller.actions.fields import invalid
from controller.actions.packing import LARGEST_ARCHIVE_BYTES, opened
from controller.actions.setups.documents import KINDS, PROMPTS, Kind
from controller.errors import Refused
from controller.prompts.facts import LARGEST_FILE_BYTES
from controller.prompts.files import PromptFolder
from controller.storage import Session
from ivr.serialization import MAX_BYTES

MARK: Final = "setup.json"
MARKED: Final = {"format": "attendant set-up", "version": 1}
MOST_FILES: Final = 20_000
_LONGEST_FILE_NAME: Final = 100
"""In bytes, of what is made of a name: other systems allow 255 in all."""


def setup_files(session: Session, folder: PromptFolder) -> dict[str, bytes]:
    """The files of this installation's set-up, by their paths. Raises Refused: a prompt's file has disappeared."""
    files = {MARK: _json(MARKED)}
    for kind in KINDS:
        documents = [*kind.here(session)]
        if kind is PROMPTS:
            files |= {_beside(prompt.file): _json(kind.written(prompt)) for prompt in documents}
            files |= {prompt.file: original(folder, prompt) for prompt in documents}
        else:
            files |= _files_of(kind, documents)
    return files


def read_zip(file: BinaryIO) -> dict[str, bytes]:
    """The files of a zip file. Raises InvalidInput: none that can be read, too large, or with a file twice."""
    with opened(file) as archive:
        names = archive.names()
        _not_too_many(len(names))
        name, times = Counter(names).most_common(1)[0] if names else ("", 0)
        if times > 1:
            raise invalid("file", f'"{name[:100]}" is there twice in the archive')
        return {name: archive.read(name, _most(name)) for name in names if _is_read(name)}


def read_folder(folder: Path) -> dict[str, bytes]:
    """The files of a folder, but for hidden ones and notes (*.md).

    Raises InvalidInput: too large, or a file that is none, such as a link; OSError.
    """
    files, left = {}, LARGEST_ARCHIVE_BYTES
    for path in _paths(folder):
        name = path.relative_to(folder).as_posix()
        most = min(_most(name), left)
        with path.open("rb") as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise invalid(name, f"it is larger than {most:,} bytes")
        files[name] = content
        left -= len(content)
    return files


def write_folder(folder: Path, files: Mapping[str, bytes]) -> list[str]:
    """Make the folder hold these files and no others; hidden ones and notes stay. Returns what was removed.

    Raises Refused: the folder holds something else than a set-up; InvalidInput as `read_folder`; OSError.
    """
    folder.mkdir(parents=True, exist_ok=True)
    before = {path.relative_to(folder).as_posix(): path for path in _paths(folder)}
    if before and MARK not in before:
        raise Refused(f"{folder} holds other files and no {MARK}: choose an empty folder, or one with a set-up")
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        if name not in before or file.read_bytes() != content:
            file.write_bytes(content)
    removed = sorted(before.keys() - files.keys())
    for name in removed:
        before[name].unlink()
    return removed


def _paths(folder: Path) -> list[Path]:
    """In a fixed order."""
    found = []
    for place, folders, names in os.walk(folder, onerror=_raise):
        folders[:] = sorted(name for name in folders if not name.startswith("."))
        for name in [*folders, *sorted(names)]:
            path = Path(place, name)
            if (name in folders and not path.is_symlink()) or not _is_read(name):
                continue
            if not stat.S_ISREG(path.lstat().st_mode):
                raise invalid(path.relative_to(folder).as_posix(), "it is a link or a device: only files are read")
            found.append(path)
            _not_too_many(len(found))
    return found


def _raise(error: OSError) -> None:
    raise error


def _not_too_many(files: int) -> None:
    if files > MOST_FILES:
        raise invalid("file", f"a set-up has at most {MOST_FILES:,} files")


def _is_read(name: str) -> bool:
    hidden = any(part.startswith(".") and part != ".." for part in name.split("/"))
    return not hidden and not name.endswith(".md")


def _most(name: str) -> int:
    return MAX_BYTES if name.endswith(".json") else LARGEST_FILE_BYTES


def _files_of(kind: Kind[Any], documents: Iterable[Any]) -> dict[str, bytes]:
    """File names differ in more than capitals, for some systems do not tell those apart."""
    files: dict[str, bytes] = {}
    taken: set[str] = set()
    for document in documents:
        name = kind.name(document)
        shown = _file_name(name)
        if shown != name or shown.casefold() in taken:
            shown = f"{shown}-{hashlib.sha256(name.encode()).hexdigest()[:8]}"
        taken.add(shown.casefold())
        files[f"{kind.folder}/{shown}.json"] = _json(kind.written(document))
    return files


def _file_name(name: str) -> str:
    kept = "".join(letter if letter.isalnum() or letter in " +-_" else "_" for letter in name).strip()
    while len(kept.encode()) > _LONGEST_FILE_NAME:
        kept = kept[:-1]
    return kept


def _beside(sound: str) -> str:
    return f"{sound.rpartition('.')[0]}.json"


def _json(data: Any) -> bytes:
    return (json.dumps(data, ensure_ascii=False, indent=2, sort_keys=True) + "\n").encode()
