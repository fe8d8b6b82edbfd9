"""Prompts: what a scenario may play, and which sound files that is."""

from __future__ import annotations

from controller.prompts.builtin import LANGUAGES
from controller.prompts.library import PromptLibrary

__all__ = ["LANGUAGES", "PromptLibrary"]
