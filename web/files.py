"""Files of the data folder that are given out."""

from __future__ import annotations

from pathlib import Path


def inside(folder: Path, path: str) -> Path | None:
    """The file of a stored path; None when it is not there, or not inside the folder."""
    root = folder.resolve()
    file = (root / path).resolve()
    return file if file.is_relative_to(root) and file.is_file() else None
