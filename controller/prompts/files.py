"""The folder of the installation's own prompts.

    <folder>/<language>/<name>.ulaw, .alaw, .wav16    what callers hear
    <folder>/originals/<language>/<name>.<format>     as it was sent; elsewhere, lest Asterisk take it for a prompt
    <folder>/incoming/…                               what is being prepared

Every file comes into its place whole, by renaming. A name and a language are checked before they get here: they can't lead out
of the folder.
"""

from __future__ import annotations

import hashlib
import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import BinaryIO, Final

from controller.prompts.converting import convert_apart
from controller.prompts.facts import FORMATS, LARGEST_FILE_BYTES, PreparedSound, invalid_file

LEFT_SECONDS: Final = 3600


class PromptFolder:
    """The files. All methods block for as long as the disk does."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def new_place(self) -> Path:
        """A folder for one sound to be prepared in, on the disk of the library. Raises OSError."""
        incoming = self.root / "incoming"
        incoming.mkdir(parents=True, exist_ok=True)
        for left in incoming.iterdir():
            # Of a process that was killed.
            if left.stat().st_mtime < time.time() - LEFT_SECONDS:
                self.discard(left)
        return Path(tempfile.mkdtemp(dir=incoming))

    def prepare(self, place: Path, source: BinaryIO, longest_seconds: float) -> PreparedSound:
        """Read a file and convert it in its place. Blocks for as long as a conversion takes.

        Raises InvalidInput for a file that can't become a prompt; OSError.
        """
        original = place / "original"
        if source.seek(0, os.SEEK_END) > LARGEST_FILE_BYTES:
            raise invalid_file(f"the file is larger than {LARGEST_FILE_BYTES // 1024**2} MB")
        source.seek(0)
        with original.open("w+b") as file:
            shutil.copyfileobj(source, file)
            file.seek(0)
            digest = hashlib.file_digest(file, "sha256").hexdigest()
        return PreparedSound(place, original, convert_apart(original, place, longest_seconds), digest)

    @contextmanager
    def prepared(self, source: BinaryIO, longest_seconds: float) -> Iterator[PreparedSound]:
        """As `prepare`, in a place that is gone at the end of the block. Raises as `prepare`."""
        place = self.new_place()
        try:
            yield self.prepare(place, source, longest_seconds)
        finally:
            self.discard(place)

    def discard(self, place: Path) -> None:
        """Take the place away, with what is left in it."""
        shutil.rmtree(place, ignore_errors=True)

    def place(self, sound: PreparedSound, name: str, language: str) -> None:
        """Make it the prompt of this name; one that was there is replaced, and whoever hears it hears it to its end."""
        self._originals(language).mkdir(parents=True, exist_ok=True)
        (self.root / language).mkdir(parents=True, exist_ok=True)
        for extension in FORMATS:
            os.replace(sound.folder / f"sound.{extension}", self._heard(name, language, extension))
        kept = self.original(name, language, sound.facts.format)
        os.replace(sound.original, kept)
        for other in self._originals_of(name, language):
            if other != kept:
                other.unlink(missing_ok=True)

    def place_all(self, sounds: Sequence[tuple[PreparedSound, str, str]]) -> None:
        """As `place`, of (sound, name, language) each: all of them, or on an OSError none, and what was there is there again."""
        former: list[Path] = []
        try:
            for _, name, language in sounds:
                former.append(self.new_place())
                self._copy(name, language, former[-1])
            try:
                for sound, name, language in sounds:
                    self.place(sound, name, language)
            except OSError:
                for (_, name, language), place in zip(sounds, former, strict=True):
                    self._bring_back(place, name, language)
                raise
        finally:
            for place in former:
                self.discard(place)

    def remove(self, name: str, language: str) -> None:
        """Take the files away, those that are there."""
        for file in self._files_of(name, language):
            file.unlink(missing_ok=True)

    def is_there(self, name: str, language: str) -> bool:
        """Whether Asterisk finds a file to play."""
        return any(self._heard(name, language, extension).is_file() for extension in FORMATS)

    def preview(self, name: str, language: str) -> Path:
        """What callers hear, as a WAV file."""
        return self._heard(name, language, "wav16")

    def original(self, name: str, language: str, format: str) -> Path:
        """The file as it was sent."""
        return self._originals(language) / f"{name}.{format}"

    def _copy(self, name: str, language: str, place: Path) -> None:
        for file in self._files_of(name, language):
            copied = place / file.relative_to(self.root)
            copied.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(file, copied)

    def _bring_back(self, place: Path, name: str, language: str) -> None:
        self.remove(name, language)
        for copied in place.rglob(f"{name}.*"):
            os.replace(copied, self.root / copied.relative_to(place))

    def _files_of(self, name: str, language: str) -> list[Path]:
        heard = (self._heard(name, language, extension) for extension in FORMATS)
        return [*(file for file in heard if file.is_file()), *self._originals_of(name, language)]

    def _heard(self, name: str, language: str, extension: str) -> Path:
        return self.root / language / f"{name}.{extension}"

    def _originals(self, language: str) -> Path:
        return self.root / "originals" / language

    def _originals_of(self, name: str, language: str) -> list[Path]:
        return list(self._originals(language).glob(f"{name}.*"))
