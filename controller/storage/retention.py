"""Which recordings are kept for how long: a number's own days, then its campaign's, then the installation's (SKZ-52)."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import datetime
from typing import Final

from sqlalchemy import func
from sqlmodel import Session, col, select

from controller.storage.calls import Call
from controller.storage.campaigns import Campaign
from controller.storage.numbers import InboundNumber
from controller.storage.recordings import Recording

_DAYS: Final = func.coalesce(InboundNumber.recordings_days, Campaign.recordings_days)
_NUMBERS: Final = col(InboundNumber.campaign_id) == col(Campaign.id)


def days_of_numbers(session: Session) -> Sequence[int]:
    """The days that numbers have by themselves or by their campaign, each once, fewest first."""
    wanted = select(_DAYS).select_from(InboundNumber).outerjoin(Campaign, _NUMBERS)
    return session.exec(wanted.where(_DAYS.is_not(None)).distinct().order_by(_DAYS)).all()


def recordings_since_before(
    session: Session, moment: datetime, but: Collection[str], limit: int, *, own_days: int | None
) -> Sequence[Recording]:
    """Recordings that began before the moment, but for those ids; oldest first. They are of calls to numbers that have these days
    by themselves or by their campaign; None: of all other calls.
    """
    numbers = select(InboundNumber.number).outerjoin(Campaign, _NUMBERS)
    if own_days is None:
        of_these = col(Call.called_number).not_in(numbers.where(_DAYS.is_not(None)))
    else:
        of_these = col(Call.called_number).in_(numbers.where(_DAYS == own_days))
    wanted = (col(Recording.started_at) < moment) & col(Recording.id).not_in(but) & of_these
    return session.exec(select(Recording).join(Call).where(wanted).order_by(col(Recording.started_at)).limit(limit)).all()
