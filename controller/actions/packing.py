"""Zip files that travel between installations: the same content gives the same bytes, and what comes in is not believed."""

from __future__ import annotations

import io
import zipfile
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import BinaryIO, Final

from controller.actions.fields import invalid
from controller.errors import Refused

LARGEST_ARCHIVE_BYTES: Final = 64 * 1024 * 1024
"""Also of what is in it, together."""
_NO_TIME: Final = (1980, 1, 1, 0, 0, 0)


def pack(files: Mapping[str, bytes]) -> bytes:
    """The files by their paths as a zip file: sorted, not compressed, without times. Raises Refused: too large."""
    written = io.BytesIO()
    with zipfile.ZipFile(written, "w") as archive:
        for name, content in sorted(files.items()):
            entry = zipfile.ZipInfo(name, _NO_TIME)
            entry.create_system, entry.external_attr = 3, 0o644 << 16
            archive.writestr(entry, content)
    packed = written.getvalue()
    if len(packed) > LARGEST_ARCHIVE_BYTES:
        raise Refused(
            f"the archive would be larger than {LARGEST_ARCHIVE_BYTES // 1024**2} MB: its prompts are too many or too long"
        )
    return packed


class OpenedArchive:
    """A zip file that is being read. What its directory says of sizes is not believed."""

    def __init__(self, archive: zipfile.ZipFile) -> None:
        self._archive = archive
        self._left = LARGEST_ARCHIVE_BYTES

    def names(self) -> list[str]:
        """The paths of its files, one that is there twice twice."""
        return [name for name in self._archive.namelist() if not name.endswith("/")]

    def read(self, name: str, most: int) -> bytes:
        """A file. Raises InvalidInput: more than `most` bytes, or all that were read are more than LARGEST_ARCHIVE_BYTES."""
        most = min(most, self._left)
        with self._archive.open(name) as file:
            content = file.read(most + 1)
        if len(content) > most:
            raise invalid("file", f'"{name}" is larger than {most:,} bytes')
        self._left -= len(content)
        return content


@contextmanager
def opened(file: BinaryIO) -> Iterator[OpenedArchive]:
    """A zip file to be read. Raises InvalidInput: too large, or none that can be read, however late that shows."""
    if file.seek(0, io.SEEK_END) > LARGEST_ARCHIVE_BYTES:
        raise invalid("file", f"the archive is larger than {LARGEST_ARCHIVE_BYTES // 1024**2} MB")
    file.seek(0)
    try:
        with zipfile.ZipFile(file) as archive:
            yield OpenedArchive(archive)
    # What the library raises for archives that are broken, encrypted, or compressed in a way that it does not know.
    except (zipfile.BadZipFile, zlib.error, EOFError, OSError, RuntimeError, NotImplementedError, ValueError) as error:
        raise invalid("file", f"this is no archive that can be read: {error}") from None
