"""One call, from arrival to end: takes events from its mailbox, asks the interpreter, carries out what it says.

Whatever goes wrong in here concerns this call alone, and its caller goes to the fallback of the dialplan: never silence.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Awaitable, Sequence
from datetime import datetime
from typing import Final, TypeVar

from controller.calls.executor import Executor
from controller.calls.facts import CallFacts, CallTools
from controller.calls.holding import HoldDue
from controller.calls.requests import CheckUp, ConclusionAsked, Dismiss, PauseRecording, TransferAsked
from controller.calls.trail import Trail, started
from controller.calls.transferring import After, KeysPaused, Transfers
from controller.errors import ChannelGone, Refused, TelephonyError, TelephonyUnavailable
from controller.ids import ChannelId, is_client_channel
from controller.routing import SHORTEST_CONVERSATION, HandedOver, OperatorLineEnded, SearchEnded, SituationChanged
from controller.storage.calls import EndedBy, Outcome
from controller.storage.journal_changes import CallEnded
from controller.telephony.events import Gone, KeyPressed, LinesJoined, MessageRecorded, PlaybackEnded, TransferWanted
from controller.telephony.mailboxes import Mailbox
from ivr.commands import Command, Record, SaveVoicemail
from ivr.events import (
    CallbackAnswered,
    CallerChecked,
    CallerHungUp,
    ConversationEnded,
    DigitReceived,
    Event,
    LookupAnswered,
    PlaybackFinished,
    RecordingFinished,
    RoutingEnded,
    ScheduleChecked,
    TimerExpired,
)
from ivr.interpreter import Run, Transition, advance, start

log = logging.getLogger(__name__)

_Answer = TypeVar("_Answer")

FALLBACK_CONTEXT: Final = "fallback"
LINK_PATIENCE: Final = 15.0
"""Seconds that a call waits for the connection to Asterisk to come back before it gives up."""
GOODBYE_PATIENCE: Final = 10.0
"""Seconds until a channel that was hung up must be gone."""


class CallSession:
    """A live call. `run()` is its whole life."""

    def __init__(self, facts: CallFacts, tools: CallTools, mailbox: Mailbox, link_up: asyncio.Event) -> None:
        self.facts = facts
        self._tools = tools
        self._mailbox = mailbox
        self._link_up = link_up
        self._trail = Trail(facts.call, facts.bundle)
        self._executor = Executor(facts, tools, mailbox, self._trail.note_heard, self._trail.place)
        self._transfers = Transfers(facts, tools, mailbox, self._executor)
        self._run = Run(facts.bundle)
        self._gone: Gone | None = None
        self._found: SearchEnded | None = None
        self._talking_since: datetime | None = None
        self._talked = False
        self._ended_by_operator = False
        self._handed_over = False
        self._cut_off = False

    @property
    def talked(self) -> bool:
        """Caller and operator have spoken."""
        return self._talked or self._talking_since is not None

    @property
    def verdict(self) -> tuple[Outcome, EndedBy]:
        """How the call ended, once it has."""
        if self._handed_over:
            return "handed_over", "system"
        if self._run.ended == "caller_hung_up":
            if self._gone is not None and self._gone.lost:
                return "lost", "system"
            if self._cut_off:
                return "talked", "system"
            return ("talked" if self.talked else "abandoned" if self._executor.searching else "ended"), "caller"
        ended_by: EndedBy = "operator" if self._ended_by_operator else "scenario"
        return ("talked" if self.talked else "ended" if self._run.line_open else "refused"), ended_by

    async def run(self) -> None:
        """Serve the call to its end. Never raises, except when cancelled."""
        if not is_client_channel(self.facts.channel):  # whoever placed the call has begun its record
            self._tools.journal.record(started(self.facts))
        if self.facts.client_line is not None:
            for change in self.facts.client_line.opened():
                self._tools.journal.record(change)
        try:
            await self._walk()
        except Exception:
            log.exception("call %s failed; its caller goes to the fallback", self.facts.call)
            await self._hand_over()
        finally:
            self._record_end()
            await self._transfers.tidy_up()
            await self._executor.tidy_up()

    async def _walk(self) -> None:
        await self._apply(start(self.facts.bundle))
        while self._run.ended is None and not self._handed_over:
            await self._receive(await self._mailbox.get())
        if self._run.ended == "looping":
            log.error("call %s went round without end in its scenario; its caller goes to the fallback", self.facts.call)
            await self._hand_over()
        await self._see_off()

    async def _receive(self, message: object) -> None:
        match message:
            case Gone(channel) if channel == self.facts.channel:
                self._gone = message
                await self._take(CallerHungUp())
            case KeyPressed(channel, _, key) if channel == self.facts.channel:
                await self._take(DigitReceived(key))
            case KeyPressed(leg, _, key):
                await self._on_operators_key(leg, key)
            case KeysPaused():
                self._transfers.paused(message)
            case TransferWanted():
                await self._on_transfer_key(message)
            case LinesJoined(channel) if channel == self.facts.channel:
                self._executor.release()
            case LinesJoined(leg):
                self._tools.distributor.drop(leg)
            case HandedOver():
                await self._on_handed_over(message)
            case TransferAsked():
                await self._reply(message.answer, self._transfer(message.number, message.consulting))
            case ConclusionAsked():
                await self._reply(message.answer, self._transfers.conclude(completes=message.completes))
            case PlaybackEnded(channel) if channel != self.facts.channel:
                pass
            case PlaybackEnded(_, playback, failed) if self._executor.hold.owns(playback):
                await self._quietly(self._executor.hold.ended(playback, failed))
            case HoldDue(turn):
                await self._quietly(self._executor.hold.due(turn))
            case SituationChanged(visit, situation):
                await self._quietly(self._executor.hold.changed(visit, situation))
            case PlaybackEnded(_, playback, failed=True):
                # Perhaps the caller has hung up: then his Gone stands right behind this event, and counts first.
                self._mailbox.put_nowait(PlaybackFinished(self._executor.playback_ended(playback), failed=True))
            case PlaybackEnded(_, playback):
                await self._take(PlaybackFinished(self._executor.playback_ended(playback)))
            case MessageRecorded(_, recording):
                self._executor.messages.recorded(recording)
            case SearchEnded():
                await self._on_search_ended(message)
            case OperatorLineEnded(leg) if self._transfers.concerns(leg):
                await self._on_consultation_ended(leg, message.at)
            case OperatorLineEnded(leg, at) if leg == self._executor.operator_leg:
                await self._on_operator_gone(leg, at)
            case (
                PlaybackFinished()
                | RecordingFinished()
                | TimerExpired()
                | RoutingEnded()
                | ConversationEnded()
                | ScheduleChecked()
                | CallerChecked()
                | LookupAnswered()
                | CallbackAnswered()
            ):
                await self._take(message)
            case CheckUp():
                await self._check_playback()
                await self._quietly(self._executor.hold.check())
                await self._quietly(self._executor.messages.check())
            case PauseRecording():
                await self._reply(message.answer, self._executor.conversation.pause(message.paused))
            case Dismiss():
                await self._hand_over()
            case _:
                pass

    async def _take(self, event: Event) -> None:
        await self._apply(advance(self._run, event))

    async def _apply(self, transition: Transition) -> None:
        self._run = transition.run
        self._trail.note_commands(transition.commands)
        for change in self._trail.changes(transition.moves, self._tools.clock.now()):
            self._tools.journal.record(change)
        if any(isinstance(command, Record) for command in transition.commands):
            for voicemail in self._left_if_gone():
                self._executor.messages.expect(voicemail)
        await self._carry_out(transition.commands)

    async def _carry_out(self, commands: Sequence[Command]) -> None:
        """Begin them in this order, none waiting for the answer to the one before: Asterisk takes the requests of a connection
        in turn, and a caller who has pressed a key should hear what comes next at once.
        """
        if len(commands) > 1:
            async with asyncio.TaskGroup() as together:
                for command in commands:
                    together.create_task(self._execute(command))
        elif commands:
            await self._execute(commands[0])

    async def _execute(self, command: Command) -> None:
        """Carry it out; wait once for a lost connection. A caller who is gone is reported by his channel's `Gone`."""
        try:
            try:
                await self._executor.execute(command)
            except TelephonyUnavailable:
                async with asyncio.timeout(LINK_PATIENCE):
                    await self._link_up.wait()
                await self._executor.execute(command)
        except ChannelGone:
            log.debug("call %s: %r came too late", self.facts.call, command)

    async def _on_search_ended(self, message: SearchEnded) -> None:
        if self._transfers.searching:
            after = await self._transfers.search_ended(message)
            if message.answered_at is not None and after == "talks":
                self._talking_since = message.answered_at
            await self._end_if_over(after)
            return
        if message.leg is None and self._executor.forward(message):
            return
        await self._quietly(self._executor.search_ended(message.leg, message.operator))
        self._found, self._talking_since = message, message.answered_at
        await self._take(RoutingEnded(message.visit, message.outcome))

    async def _on_operator_gone(self, leg: ChannelId, at: datetime) -> None:
        since, self._talking_since = self._talking_since, None
        talked = since is not None and (at - since).total_seconds() >= SHORTEST_CONVERSATION
        self._talked = self._talked or talked
        transferred, found = self._transfers.waits, self._found
        dropped = found if found is not None and found.leg == leg and not (talked or transferred) else None
        # Before anything that takes time: meanwhile others behind him would be served.
        searched = dropped is not None and self._executor.search_again(dropped)
        await self._quietly(self._executor.part())
        if transferred and not talked:
            await self._end_if_over(self._transfers.dropped_at_once())
            return
        self._transfers.over()
        visit = self._run.visit
        await self._take(ConversationEnded(visit, established=talked))
        if not talked and not searched:
            await self._take(RoutingEnded(visit, "no_answer"))
        self._ended_by_operator = self._run.ended is not None

    async def _reply(self, answer: asyncio.Future[_Answer], request: Awaitable[_Answer]) -> None:
        """Whoever asked is told what became of it; for the call it changes nothing."""
        try:
            done = await request
        except Exception as error:
            if not answer.done():
                answer.set_exception(error)
            return
        if not answer.done():
            answer.set_result(done)

    async def _transfer(self, number: str, consulting: bool) -> None:
        await self._transfers.begin(number, consulting, self._run.visit)
        if not consulting:
            self._talked, self._talking_since = True, None

    async def _on_operators_key(self, leg: ChannelId, key: str) -> None:
        order = self._transfers.key(leg, key)
        if order is None:
            return
        try:
            await self._transfer(order.number, order.consulting)
        except Refused as refusal:
            log.info("call %s: %s", self.facts.call, refusal)
            await self._transfers.refuse()

    async def _on_transfer_key(self, wanted: TransferWanted) -> None:
        """The transfer key of an operator's own phone does what his key code does. Where that is refused, he has hung up: his
        phone believes that it is done.
        """
        await self._quietly(self._tools.telephony.hangup(wanted.stand_in))
        try:
            await self._transfer(wanted.number, False)
        except Refused as refusal:
            log.info("call %s: %s", self.facts.call, refusal)
            self._tools.distributor.drop(wanted.channel)

    async def _on_handed_over(self, message: HandedOver) -> None:
        if not await self._transfers.take_over(message, self._run.visit):
            self._tools.distributor.drop(message.leg)
            return
        self._talked, self._talking_since = True, message.at

    async def _on_consultation_ended(self, leg: ChannelId, at: datetime) -> None:
        completes = leg == self._transfers.first and self._transfers.consults
        after = await self._transfers.line_ended(leg)
        if completes:
            self._talked, self._talking_since = True, at
        await self._end_if_over(after)

    async def _end_if_over(self, after: After) -> None:
        """A transferred call that nobody took is ended (SKZ-69)."""
        if after == "is_over":
            self._cut_off = True
            await self._quietly(self._tools.telephony.hangup(self.facts.channel))

    async def _check_playback(self) -> None:
        """A prompt that Asterisk no longer knows has ended."""
        playing = self._executor.playing
        if playing is not None and not await self._executor.still_playing():
            self._executor.playing = None
            await self._take(PlaybackFinished(playing))

    async def _hand_over(self) -> None:
        """Give the caller to the dialplan's fallback, and keep what he has left here."""
        self._handed_over = True
        for voicemail in self._left_if_gone():
            self._executor.messages.save(voicemail)
        if self._gone is None:
            await self._quietly(self._executor.leave())
            # The dialplan begins only when what plays is over.
            await self._quietly(self._executor.hold.stop(joined=False))
            await self._quietly(self._tools.telephony.continue_in_dialplan(self.facts.channel, FALLBACK_CONTEXT))

    def _left_if_gone(self) -> list[SaveVoicemail]:
        """The voicemails that would have to be kept if the caller were gone at this moment."""
        try:
            transition = advance(self._run, CallerHungUp())
        except Exception:
            log.exception("call %s: whether the caller has left something is not known", self.facts.call)
            return []
        return [command for command in transition.commands if isinstance(command, SaveVoicemail)]

    async def _see_off(self) -> None:
        """Wait until the channel has left, to know why."""
        try:
            async with asyncio.timeout(GOODBYE_PATIENCE):
                while self._gone is None:
                    message = await self._mailbox.get()
                    if isinstance(message, Gone) and message.channel == self.facts.channel:
                        self._gone = message
        except TimeoutError:
            log.warning("call %s: Asterisk has not reported the end of its channel", self.facts.call)

    async def _quietly(self, request: Awaitable[None]) -> None:
        """Make a request whose failure changes nothing for the caller."""
        try:
            await request
        except TelephonyError as error:
            log.info("call %s: %s", self.facts.call, error)

    def _record_end(self) -> None:
        outcome, ended_by = self.verdict
        cause = self._gone.cause if self._gone is not None else None
        now = self._tools.clock.now()
        for change in self._trail.close(now):
            self._tools.journal.record(change)
        if self.facts.client_line is not None:
            # What becomes of a caller in the dialplan nobody sees.
            end = None if self._handed_over else self._gone
            self._tools.journal.record(self.facts.client_line.ended(now, end))
        self._tools.journal.record(CallEnded(self.facts.call, now, ended_by, cause, outcome))
