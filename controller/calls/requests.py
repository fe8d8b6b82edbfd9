"""What is asked of a live call from outside, through its mailbox."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class CheckUp:
    """Events may have been lost: compare what this call waits for with what Asterisk knows."""


@dataclass(frozen=True, slots=True)
class PauseRecording:
    """Leave out what is said from now on, or no longer. `answer` gets the recording's id, or the error that it was."""

    paused: bool
    answer: asyncio.Future[str]


@dataclass(frozen=True, slots=True)
class TransferAsked:
    """Somebody wants the caller transferred; `answer` gets nothing, or Refused."""

    number: str
    consulting: bool
    answer: asyncio.Future[None]


@dataclass(frozen=True, slots=True)
class ConclusionAsked:
    """Somebody wants the operator's consultation to end: `completes` joins caller and target, else the operator has his caller
    again. `answer` gets nothing, or Refused."""

    completes: bool
    answer: asyncio.Future[None]


@dataclass(frozen=True, slots=True)
class Dismiss:
    """The controller stops: the caller goes on in the dialplan."""
