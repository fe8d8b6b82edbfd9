"""Conversion in a process of its own, so that a hostile file can take neither our memory, nor our time, nor our life.

    python -m controller.prompts.converting SOURCE FOLDER LONGEST_SECONDS

prints one JSON object: the facts of `SoundFacts`, or {"refused": why}. It limits itself before it reads the file; who started it
kills it after the time limit.
"""

from __future__ import annotations

import json
import os
import resource
import subprocess
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Final

from controller.errors import AttendantError
from controller.prompts.facts import SoundFacts, invalid_file

CONVERSION_SECONDS: Final = 60
"""Of the clock. A file of ten minutes takes about five."""
MEMORY_BYTES: Final = 1 << 30
LARGEST_FILE_BYTES: Final = 100_000_000
_CHECKOUT: Final = Path(__file__).resolve().parent.parent.parent
_UNREADABLE: Final = "the file can't be read as sound"


def convert_apart(source: Path, folder: Path, longest_seconds: float) -> SoundFacts:
    """As `audio.convert`, in another process. Blocks for up to CONVERSION_SECONDS.

    Raises InvalidInput for a file that can't become a prompt; AttendantError when the converter can't be started.
    """
    command = [sys.executable, "-m", "controller.prompts.converting", str(source), str(folder), str(longest_seconds)]
    # It has no need of our passwords.
    environment = {name: value for name, value in os.environ.items() if not name.startswith(("ATTENDANT_", "PG"))}
    try:
        run = subprocess.run(
            command, cwd=_CHECKOUT, env=environment, stdin=subprocess.DEVNULL, capture_output=True, timeout=CONVERSION_SECONDS
        )
    except subprocess.TimeoutExpired:
        raise invalid_file(f"{_UNREADABLE} within {CONVERSION_SECONDS} seconds") from None
    except OSError as error:
        raise AttendantError(f"the sound converter can't be started: {error}") from error
    return _read_answer(run.stdout)


def _read_answer(output: bytes) -> SoundFacts:
    try:
        answer = json.loads(output)
    except ValueError:
        # It was killed at its limits, or by the file itself.
        raise invalid_file(_UNREADABLE) from None
    if "refused" in answer:
        raise invalid_file(answer["refused"])
    return SoundFacts(**answer)


def main(source: str, folder: str, longest_seconds: str) -> None:
    """What the process does."""
    resource.setrlimit(resource.RLIMIT_CPU, (CONVERSION_SECONDS, CONVERSION_SECONDS))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_FSIZE, (LARGEST_FILE_BYTES, LARGEST_FILE_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    os.nice(10)
    from controller.prompts.audio import UnusableSound, convert

    try:
        print(json.dumps(asdict(convert(Path(source), Path(folder), float(longest_seconds)))))
    except UnusableSound as error:
        print(json.dumps({"refused": str(error)}))
    except MemoryError:
        print(json.dumps({"refused": f"{_UNREADABLE}: it needs too much memory"}))


if __name__ == "__main__":
    main(*sys.argv[1:])
