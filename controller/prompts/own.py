"""Reads which prompts of its own the installation has."""

from __future__ import annotations

from controller.prompts.files import PromptFolder
from controller.prompts.library import OwnPrompts
from controller.storage import Session
from controller.storage.prompts import prompt_keys


def load_own(session: Session, folder: PromptFolder) -> OwnPrompts:
    """What is in the database, and whether the files are still there."""
    keys = prompt_keys(session)
    there = frozenset(key for key in keys if folder.is_there(*key))
    return OwnPrompts(there, frozenset(keys) - there)
