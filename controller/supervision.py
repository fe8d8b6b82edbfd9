"""Parts that run for as long as the process does: whoever starts one is told of its failure, and it goes on."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine
from typing import Final

log = logging.getLogger(__name__)

RESTART_AFTER: Final = 1.0
"""Seconds between the end of a part and its next start."""


async def for_ever(part: Callable[[], Coroutine[None, None, None]]) -> None:
    """Run a part of the process until cancelled; if it ever fails, say so and start it again."""
    while True:
        try:
            await part()
        except Exception:
            log.exception("a part of the process failed and is started again")
        await asyncio.sleep(RESTART_AFTER)
