"""Logging: everything to a file that rotates, warnings to the terminal as well."""

from __future__ import annotations

import logging
import sys
from logging.handlers import RotatingFileHandler
from pathlib import Path

_FORMAT = "%(asctime)s %(levelname)-7s %(name)s: %(message)s"
_FILE_BYTES = 10_000_000
_FILES = 5


def set_up_logging(folder: Path) -> Path:
    """Log to `folder`/attendant.log (INFO and above) and to standard error (WARNING and above); returns the file."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "attendant.log"
    to_file = RotatingFileHandler(path, maxBytes=_FILE_BYTES, backupCount=_FILES, encoding="utf-8")
    to_file.setFormatter(logging.Formatter(_FORMAT))
    to_terminal = logging.StreamHandler(sys.stderr)
    to_terminal.setFormatter(logging.Formatter("attendant: %(message)s"))
    to_terminal.setLevel(logging.WARNING)
    logging.basicConfig(level=logging.INFO, handlers=[to_file, to_terminal], force=True)
    for chatty in ("aioswagger11", "aioari", "panoramisk", "uvicorn.access", "alembic"):
        logging.getLogger(chatty).setLevel(logging.WARNING)
    return path
