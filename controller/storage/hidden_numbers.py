"""Whose numbers are shown to administrators alone: callers and leads of campaigns that hide them (LNR-11)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import Final

from sqlmodel import Session, col, select

from controller.addresses import phone_number
from controller.hiding import digits_of, possible_numbers
from controller.storage.calls import Call
from controller.storage.campaigns import Campaign
from controller.storage.leads import Lead

_AT_ONCE: Final = 500


def hidden_among(session: Session, numbers: Iterable[str], region: str | None) -> frozenset[str]:
    """Which of these numbers are hidden, each as its digits alone; `region` is as for `controller.addresses.phone_number`.

    A number is hidden as long as a campaign hides it whose lead it is, or whose number it has called, wherever else it comes up.
    """
    hiding = session.exec(select(Campaign.id).where(Campaign.hide_numbers)).all()
    if not hiding:
        return frozenset()
    forms = {digits: _forms(digits, region) for digits in map(digits_of, numbers) if digits}
    wanted = iter({form for some in forms.values() for form in some})
    found: set[str] = set()
    while batch := list(islice(wanted, _AT_ONCE)):
        found.update(_hidden(session, hiding, batch))
    return frozenset(digits for digits, some in forms.items() if not found.isdisjoint(some))


def hidden_in(session: Session, text: str, region: str | None) -> frozenset[str]:
    """The hidden numbers in a text, each as its digits alone."""
    return hidden_among(session, possible_numbers(text), region)


def _hidden(session: Session, hiding: Sequence[int], forms: Sequence[str]) -> Iterator[str]:
    leads = select(Lead.number).where(col(Lead.campaign_id).in_(hiding), col(Lead.number).in_(forms))
    yield from session.exec(leads)
    calls = select(Call.caller_number).where(col(Call.campaign_id).in_(hiding), col(Call.caller_number).in_(forms))
    yield from session.exec(calls.distinct())


def _forms(digits: str, region: str | None) -> set[str]:
    """How the number may be kept, as it came or for comparison."""
    normal = {phone_number(written, region) for written in (digits, f"+{digits}")}
    known = {form for form in normal if form is not None}
    return {digits, f"+{digits}", *known, *(form.removeprefix("+") for form in known)}
