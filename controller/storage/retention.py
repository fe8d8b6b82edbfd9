"""Which recordings are kept for how long: a number's own days go before those of the installation (SKZ-52)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlmodel import Session, col, select

from controller.storage.calls import Call
from controller.storage.numbers import InboundNumber
from controller.storage.recordings import Recording


def days_of_numbers(session: Session) -> Sequence[int]:
    """The days that numbers have of their own, each once, fewest first."""
    days = col(InboundNumber.recordings_days)
    own = session.exec(select(days).where(days.is_not(None)).distinct().order_by(days)).all()
    return [one for one in own if one is not None]


def recordings_since_before(
    session: Session, moment: datetime, but: Collection[str], limit: int, *, own_days: int | None
) -> Sequence[Recording]:
    """Recordings that began before the moment, but for those ids; oldest first. They are of calls to numbers that have these days
    of their own; None: of all other calls.
    """
    numbers, days = select(InboundNumber.number), col(InboundNumber.recordings_days)
    if own_days is None:
        of_these = col(Call.called_number).not_in(numbers.where(days.is_not(None)))
    else:
        of_these = col(Call.called_number).in_(numbers.where(days == own_days))
    wanted = (col(Recording.started_at) < moment) & col(Recording.id).not_in(but) & of_these
    return session.exec(select(Recording).join(Call).where(wanted).order_by(col(Recording.started_at)).limit(limit)).all()
