"""The lines of operators, each from the first ring to its end: rung, kept on record, limited in time, hung up.

Who is rung, and what an answer means, is decided elsewhere (`distributor`); its inbox hears what these lines report and when
their time is over.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Coroutine, Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from typing import Final

from controller.clock import Clock
from controller.errors import AttendantError, TelephonyError
from controller.ids import CallId, ChannelId, operator_leg_id
from controller.routing.lines import AllInUse, NumberLines, OutgoingOff
from controller.routing.matching import Offer
from controller.routing.requests import HandedOver, LineRequest, OperatorLineEnded, PickUpRequest
from controller.routing.rules import Number, Person, RoutedOperator
from controller.storage.journal import CallJournal
from controller.storage.journal_changes import LegAnswered, LegEnded, LegStarted, PaidLine
from controller.telephony import causes
from controller.telephony.events import Gone, LinesJoined
from controller.telephony.mailboxes import Mailbox
from controller.telephony.port import CALL_VARIABLE, TRANSFER_CONTEXT, TRANSFERS_OUTSIDE, TRANSFERS_TO_ALL, Telephony

log = logging.getLogger(__name__)

PROGRESS_WITHIN: Final = 4.0
"""Seconds within which a phone that is alive begins to ring; SIP itself would take 32 to give up."""

OUTSIDE_PROGRESS_WITHIN: Final = 12.0
"""Seconds within which a carrier says something of a call: through a few networks it takes that long."""

WARNED_BEFORE: Final = 30.0
"""Seconds before the end of the longest conversation that the operator is warned; of a short one, at its half."""

WARNING: Final = ("sound:beep",)


@dataclass(frozen=True, slots=True)
class Silent:
    """Nothing was heard of a phone that is being rung: call `give_up_on`."""

    leg: ChannelId


@dataclass(frozen=True, slots=True)
class TalkEndsSoon:
    """A conversation comes near the length that its group allows: call `warn`."""

    leg: ChannelId


@dataclass(frozen=True, slots=True)
class TalkedTooLong:
    """A conversation has the length that its group allows: call `end_talk`."""

    leg: ChannelId


@dataclass(slots=True)
class OperatorLine:
    """One line. `operator` as in an Offer, `shown` the number that is rung; `owner` hears what concerns the conversation."""

    call: CallId
    operator: str
    shown: str
    owner: Mailbox
    group: str | None
    started: LegStarted
    patience: asyncio.TimerHandle | None = None
    answered_at: datetime | None = None
    limits: list[asyncio.TimerHandle] = field(default_factory=list)
    open_since: datetime | None = None

    def paid(self, gone: Gone) -> PaidLine | None:
        """What the line's cost is reckoned from. A carrier charges whoever answers, be it too late for the caller."""
        trunk, begun_at = self.started.trunk, self.started.at
        if trunk is None or gone.lost:
            return None
        return PaidLine(trunk, self.shown, begun_at, None if self.open_since is None else gone.at - self.open_since)

    def has_moved(self) -> None:
        """The phone is alive."""
        if self.patience is not None:
            self.patience.cancel()


class OperatorLines:
    """Every operator's line that is not over. What is heard of them, and their timers, comes to `inbox`.

    `sees_team` tells who may transfer to colleagues (SKZ-67).
    """

    def __init__(
        self,
        telephony: Telephony,
        journal: CallJournal,
        clock: Clock,
        numbers: NumberLines,
        inbox: asyncio.Queue[object],
        sees_team: Callable[[str], bool],
    ) -> None:
        self._telephony = telephony
        self._journal = journal
        self._clock = clock
        self._numbers = numbers
        self._inbox = inbox
        self._sees_team = sees_team
        self._open: dict[ChannelId, OperatorLine] = {}
        self._attempts: dict[CallId, int] = {}
        self._requests: set[asyncio.Task[None]] = set()

    @property
    def open(self) -> Mapping[ChannelId, OperatorLine]:
        """The lines that ring or talk."""
        return self._open

    def answered_by(self, call: CallId, operator: str | None) -> tuple[ChannelId, datetime] | None:
        """The line on which this operator has taken the call, and when; None when he has none."""
        for leg, line in self._open.items():
            if line.call == call and line.operator == operator and line.answered_at is not None:
                return leg, line.answered_at
        return None

    def ring(self, offer: Offer, request: LineRequest, operator: RoutedOperator | None) -> None:
        """Ring for a call what was offered it; `operator` None: a number that is nobody's."""
        leg = self._next_leg(offer.call)
        patient = OUTSIDE_PROGRESS_WITHIN if offer.number.outside else PROGRESS_WITHIN
        patience = asyncio.get_running_loop().call_later(patient, self._inbox.put_nowait, Silent(leg))
        now, number = self._clock.now(), offer.number
        id, name, extension = (None, "", number.shown) if operator is None else (operator.id, operator.name, operator.extension)
        by = request.transferred_by
        started = LegStarted(offer.call, leg, now, id, name, extension, number.shown, by, number.trunk_id)
        line = OperatorLine(offer.call, offer.operator, number.shown, request.mailbox, request.group, started, patience)
        self._open[leg] = line
        self._telephony.mailboxes.expect(leg, self._inbox)
        self._journal.record(started)
        self._start(self._dial(leg, offer, request))

    def take_in(self, call: CallId, request: LineRequest, picked_up: PickUpRequest) -> None:
        """An operator has opened this line himself; from now on it is one like the others, and he has answered."""
        leg, operator, extension = picked_up.channel, picked_up.operator, picked_up.operator.extension
        self._telephony.mailboxes.expect(leg, self._inbox)
        started = LegStarted(call, leg, self._clock.now(), operator.id, operator.name, extension, extension)
        self._open[leg] = OperatorLine(call, extension, extension, request.mailbox, request.group, started)
        self._journal.record(started)
        self._start(self._let_transfer(leg, extension))

    def talk_begins(self, leg: ChannelId, at: datetime, longest: float | None) -> None:
        """The caller has got who answered on this line; `longest`: seconds that his group allows, None: any."""
        line = self._open[leg]
        line.answered_at = at
        if longest is not None:
            later = asyncio.get_running_loop().call_later
            before = min(WARNED_BEFORE, longest / 2)
            line.limits.append(later(longest - before, self._inbox.put_nowait, TalkEndsSoon(leg)))
            line.limits.append(later(longest, self._inbox.put_nowait, TalkedTooLong(leg)))
        self._journal.record(LegAnswered(line.call, leg, self._clock.now()))

    def join(self, joined: LinesJoined) -> OperatorLine | None:
        """The one who talks on the second line belongs to the caller of the first from now on. He has answered already, so his
        state does not matter (SKZ-68). Returns his line; None when it can't be: the owner of the first is told.
        """
        self.hang_up(joined.stand_in)
        entry, far = self._open[joined.channel], joined.far
        other = None if far is None else self._open.get(far)
        possible = entry.call in self._attempts and (other is None or other.call != entry.call)
        if not possible or far is None or other is None or other.answered_at is None or not self._sees_team(entry.operator):
            entry.owner.put_nowait(joined)
            return None
        now, record = self._clock.now(), self._next_leg(entry.call)
        self._journal.record(LegEnded(other.call, other.started.leg, now, causes.NORMAL_CLEARING))
        other.call, other.owner = entry.call, entry.owner
        other.started = replace(other.started, call=entry.call, leg=record, at=now, transferred_by=entry.operator)
        self._journal.record(other.started)
        self._journal.record(LegAnswered(entry.call, record, now))
        entry.owner.put_nowait(HandedOver(joined.channel, far, other.operator, record, joined.at))
        return other

    def ended(self, gone: Gone) -> OperatorLine | None:
        """The line is gone: off the list and closed on record; None when it was none of these. The call that had it is told."""
        self._numbers.free(gone.channel)
        line = self._open.pop(gone.channel, None)
        if line is None:
            return None
        line.has_moved()
        if line.answered_at is None:
            log.info("%s did not take call %s: cause %s", line.shown, line.call, gone.cause)
        for limit in line.limits:
            limit.cancel()
        ended = LegEnded(line.call, line.started.leg, self._clock.now(), gone.cause, gone.sip_status, line.paid(gone))
        self._journal.record(ended)
        if line.answered_at is not None:
            line.owner.put_nowait(OperatorLineEnded(gone.channel, gone.at))
        return line

    def hang_up(self, leg: ChannelId, *, answered_elsewhere: bool = False) -> None:
        """End one line; no error when it is gone."""
        self._start(self._hang_up(leg, answered_elsewhere))

    def withdraw(self, call: CallId, operator: str, answered_elsewhere: bool) -> None:
        """Stop ringing the operator for this call."""
        for leg, line in self._open.items():
            if line.call == call and line.operator == operator and line.answered_at is None:
                self.hang_up(leg, answered_elsewhere=answered_elsewhere)

    def leave(self, call: CallId) -> None:
        """The call is over. Its operator may have answered in this very moment, so that the call never heard of him."""
        self._attempts.pop(call, None)
        for leg, line in self._open.items():
            if line.call == call and line.answered_at is not None:
                self.hang_up(leg)

    def give_up_on(self, leg: ChannelId) -> None:
        """The phone is dead or its network is: the caller must not wait for it as long as for one that rings."""
        if leg in self._open:
            log.warning("nothing responds at %s", self._open[leg].shown)
            self.hang_up(leg)

    def warn(self, leg: ChannelId) -> None:
        """Only the operator hears it: he knows what to say to the caller."""
        self._start(self._warn(leg))

    def end_talk(self, leg: ChannelId) -> None:
        """No conversation of the group is longer."""
        if leg in self._open:
            log.info("%s has talked for as long as his group allows", self._open[leg].shown)
            self.hang_up(leg)

    def close(self) -> None:
        """Ask nothing more of Asterisk."""
        for task in self._requests:
            task.cancel()

    def _next_leg(self, call: CallId) -> ChannelId:
        attempt = self._attempts[call] = self._attempts.get(call, 0) + 1
        return operator_leg_id(call, attempt)

    async def _dial(self, leg: ChannelId, offer: Offer, request: LineRequest) -> None:
        try:
            await self._telephony.dial(
                leg,
                offer.number.device,
                ring_seconds=offer.number.ring_seconds,
                originator=request.channel,
                caller_number=self._caller_id(leg, offer.number, request),
                caller_name=request.caller_name,
                variables={CALL_VARIABLE: offer.call, TRANSFER_CONTEXT: self._transfers_to(offer.operator)},
            )
        except AllInUse as refused:
            self._not_dialled(leg, offer, refused, causes.NO_CHANNEL)
        except OutgoingOff as refused:
            self._not_dialled(leg, offer, refused, causes.OUTGOING_BARRED)
        except TelephonyError as error:
            self._not_dialled(leg, offer, error, causes.UNKNOWN)

    def _not_dialled(self, leg: ChannelId, offer: Offer, why: AttendantError, cause: int) -> None:
        log.warning("%s could not be rung for call %s: %s", offer.number.shown, offer.call, why)
        self._telephony.mailboxes.deliver(Gone(leg, self._clock.now(), cause))

    def _caller_id(self, leg: ChannelId, number: Number, request: LineRequest) -> str:
        """Colleagues see who calls; to a number outside, one of ours may be shown, and to phones that calls are forwarded to
        what was chosen for them, where the carrier lets us (SKZ-36). Raises AllInUse, OutgoingOff.
        """
        shows = request.caller_number
        if not number.outside:
            return shows
        chosen = shows if isinstance(request.target, Person) and request.target.forwarded else ""
        return self._numbers.dials(leg, number.trunk, came_in_on=request.came_in_on, own=shows, chosen=chosen)

    def _transfers_to(self, operator: str) -> str:
        """Where the transfer key of his phone may lead."""
        return TRANSFERS_TO_ALL if self._sees_team(operator) else TRANSFERS_OUTSIDE

    async def _let_transfer(self, leg: ChannelId, operator: str) -> None:
        """He has opened this line himself, and an operator's it is only now."""
        try:
            await self._telephony.set_variable(leg, TRANSFER_CONTEXT, self._transfers_to(operator))
        except TelephonyError as error:
            log.info("the transfer key does not work on %s: %s", leg, error)

    async def _hang_up(self, leg: ChannelId, answered_elsewhere: bool) -> None:
        try:
            await self._telephony.hangup(leg, answered_elsewhere=answered_elsewhere)
        except TelephonyError as error:
            log.warning("operator line %s could not be hung up: %s", leg, error)

    async def _warn(self, leg: ChannelId) -> None:
        try:
            await self._telephony.play(leg, f"{leg}-warning", WARNING, "en")
        except TelephonyError as error:
            log.warning("operator line %s could not be warned of its end: %s", leg, error)

    def _start(self, request: Coroutine[None, None, None]) -> None:
        task = asyncio.create_task(request)
        self._requests.add(task)
        task.add_done_callback(self._requests.discard)
