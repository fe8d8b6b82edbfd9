"""Where prompts are made, off the event loop and few at a time: from files that were sent, and from text."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import BinaryIO, Final

from controller.prompts.facts import PreparedSound
from controller.prompts.files import PromptFolder
from controller.prompts.speech import Voice, speak

AT_ONCE: Final = 2


class Workshop:
    """Prepares sounds for the library; the longest may last `longest_seconds`."""

    def __init__(self, folder: PromptFolder, longest_seconds: float) -> None:
        self.folder = folder
        self._longest_seconds = longest_seconds
        self._turns = asyncio.Semaphore(AT_ONCE)

    @asynccontextmanager
    async def prepared(self, source: BinaryIO) -> AsyncIterator[PreparedSound]:
        """A file, converted; gone at the end of the block unless it was placed.

        Raises InvalidInput for a file that can't become a prompt; OSError.
        """
        async with self._place() as place:
            async with self._turns:
                sound = await asyncio.to_thread(self.folder.prepare, place, source, self._longest_seconds)
            yield sound

    @asynccontextmanager
    async def spoken(self, text: str, voice: Voice) -> AsyncIterator[PreparedSound]:
        """A text, spoken. Raises InvalidInput for a text that the voice can't speak; OSError."""
        async with self._place() as place:
            async with self._turns:
                sound = await asyncio.to_thread(self._speak, place, text, voice)
            yield sound

    @asynccontextmanager
    async def _place(self) -> AsyncIterator[Path]:
        place = await asyncio.to_thread(self.folder.new_place)
        try:
            yield place
        finally:
            await asyncio.to_thread(self.folder.discard, place)

    def _speak(self, place: Path, text: str, voice: Voice) -> PreparedSound:
        spoken = place / "spoken.wav"
        speak(text, voice, spoken)
        with spoken.open("rb") as file:
            return self.folder.prepare(place, file, self._longest_seconds)
