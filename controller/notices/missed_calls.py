"""A missed call is kept, and a letter tells of it, in one transaction (SKZ-26, SKZ-27)."""

from __future__ import annotations

from datetime import datetime, tzinfo

from controller.notices.hiding import without_hidden_numbers
from controller.notices.letters import Letter, write_letter
from controller.notices.outbox import enqueue
from controller.storage import Session
from controller.storage.missed_calls import MissedCall

KIND = "missed_call"


def store_missed_call(
    session: Session,
    missed: MissedCall,
    *,
    offered: str,
    name: str,
    language: str,
    zone: tzinfo,
    at: datetime,
    region: str | None = None,
) -> None:
    """Keep it, and put its letter into the outbox if it has a `recipient`. There is one letter for each call.

    `offered` is whose phone was rung first, `name` the caller's, each in words and empty for nobody; `language` is the letter's,
    `zone` the one its times are written in. The letter is without a number that is hidden (LNR-11), whoever gets it; `region` is
    as for `controller.addresses.phone_number`.
    """
    session.add(missed)
    if missed.recipient:
        shown = _letter(missed, offered, name, language, zone)
        enqueue(session, without_hidden_numbers(session, shown, region), at=at)


def occasion(call_id: str) -> str:
    """The letter about a missed call, as the outbox knows it."""
    return f"{KIND}:{call_id}"


def _letter(missed: MissedCall, offered: str, name: str, language: str, zone: tzinfo) -> Letter:
    arrived = missed.arrived_at.astimezone(zone)
    minutes, seconds = divmod(round((missed.ended_at - missed.arrived_at).total_seconds()), 60)
    facts: dict[str, object] = {
        "caller": missed.caller_number,
        "name": name,
        "called": missed.called_number,
        "line": missed.line_name,
        "arrived": f"{arrived:%Y-%m-%d %H:%M} {arrived.tzname()}",
        "waited": f"{minutes}:{seconds:02}",
        "kind": missed.kind,
        "offered": offered,
    }
    subject, body = write_letter(KIND, language, facts)
    return Letter(KIND, language, missed.recipient, subject, body, dedupe_key=occasion(missed.call_id))
