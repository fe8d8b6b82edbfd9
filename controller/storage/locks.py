"""Locks on what no single row stands for."""

from __future__ import annotations

from typing import Final

from sqlalchemy import text
from sqlmodel import Session

# Any numbers that no other program on the server uses: the words in ASCII.
PROMPTS: Final = 0x70726F6D7074
SCENARIOS: Final = 0x7363656E6172
CONFIRMATIONS: Final = 0x636F6E666972


def hold(session: Session, lock: int) -> None:
    """Keep everybody else who holds this lock out until the transaction ends."""
    # On SQLite a transaction that writes is alone from its first statement on.
    if session.get_bind().dialect.name == "postgresql":
        session.connection().execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": lock})
