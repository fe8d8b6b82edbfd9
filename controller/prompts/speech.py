"""Text to speech by whatever engine this machine has: espeak-ng, festival or piper. All work offline and are programs of their
own; none is needed. The text goes in by standard input, never as an argument.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from controller.errors import FieldProblem, InvalidInput
from controller.prompts.builtin import LANGUAGES

SPEECH_SECONDS: Final = 120
LIST_SECONDS: Final = 10
LONGEST_TEXT: Final = 2000
HOW_TO_ADD: Final = (
    "No speech engine was found on this machine. Install one where Attendant runs and load this page again: espeak-ng (small, "
    "English and Russian, sounds like a robot), festival with a voice such as festvox-ru, or piper with its voices "
    "(*.onnx, named like ru_RU-irina-medium) in the folder voices of the data folder."
)
_FESTIVAL_VOICES: Final = Path("/usr/share/festival/voices")
_FESTIVAL_LANGUAGES: Final = {"english": "en", "us": "en", "russian": "ru"}


@dataclass(frozen=True, slots=True)
class Voice:
    """Somebody who can speak. `id` is "engine:voice", for programs; `command` writes to the file named after it."""

    id: str
    title: str
    language: str
    command: tuple[str, ...]


def find_voices(piper_folder: Path, search_path: str | None = None) -> list[Voice]:
    """All voices of this machine, best engine first. Blocks for as long as the engines take to list theirs.

    `search_path` is where programs are looked for, PATH if it is None.
    """
    finders: Sequence[tuple[str, Callable[[str], Iterator[Voice]]]] = (
        ("piper", lambda program: _piper(program, piper_folder)),
        ("text2wave", _festival),
        ("espeak-ng", _espeak),
    )
    path = _usual_path() if search_path is None else search_path
    found = ((find, shutil.which(program, path=path)) for program, find in finders)
    return [voice for find, program in found if program for voice in find(program)]


def _usual_path() -> str:
    """PATH, and where a Python package's program stands: beside the interpreter."""
    return os.pathsep.join((os.environ.get("PATH", ""), str(Path(sys.executable).parent)))


def speak(text: str, voice: Voice, into: Path) -> None:
    """Write the text, spoken, as a WAV file. Blocks for up to SPEECH_SECONDS.

    Raises InvalidInput when the engine fails or gives nothing.
    """
    try:
        run = subprocess.run([*voice.command, str(into)], input=text.encode(), capture_output=True, timeout=SPEECH_SECONDS)
    except (subprocess.TimeoutExpired, OSError) as error:
        raise _speechless(f'the voice "{voice.title}" did not answer: {type(error).__name__}') from error
    if run.returncode != 0 or not into.is_file():
        said = run.stderr.decode(errors="replace").strip().rpartition("\n")[2][:200]
        raise _speechless(f'the voice "{voice.title}" could not speak it: {said or "it gives no reason"}')


def _speechless(message: str) -> InvalidInput:
    return InvalidInput(f"text: {message}", [FieldProblem("text", message)])


def _espeak(program: str) -> Iterator[Voice]:
    for language in LANGUAGES:
        for line in _espeak_voices(program, language).splitlines()[1:]:
            columns = line.split()
            # Those of another synthesizer need its data besides.
            if len(columns) >= 5 and not columns[4].startswith("mb/") and columns[1].partition("-")[0] == language:
                title = f"{columns[3].replace('_', ' ')} (espeak-ng)"
                yield Voice(f"espeak-ng:{columns[1]}", title, language, (program, "--stdin", "-s", "150", "-v", columns[1], "-w"))


def _espeak_voices(program: str, language: str) -> str:
    """Its table of voices, the first line being a heading; empty when it gives none."""
    try:
        return subprocess.run([program, f"--voices={language}"], capture_output=True, text=True, timeout=LIST_SECONDS).stdout
    except (subprocess.TimeoutExpired, OSError):
        return ""


def _festival(program: str) -> Iterator[Voice]:
    for folder in sorted(_FESTIVAL_VOICES.glob("*/*")):
        language = _FESTIVAL_LANGUAGES.get(folder.parent.name)
        if language is not None:
            command = (program, "-eval", f"(voice_{folder.name})", "-o")
            yield Voice(f"festival:{folder.name}", f"{folder.name} (festival)", language, command)


def _piper(program: str, folder: Path) -> Iterator[Voice]:
    for model in sorted(folder.glob("*.onnx")):
        language = model.name[:2]
        if language in LANGUAGES:
            command = (program, "--model", str(model), "--output_file")
            yield Voice(f"piper:{model.stem}", f"{model.stem} (piper)", language, command)
