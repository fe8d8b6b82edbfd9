"""Carries out one command of the interpreter. What takes time is only begun here; its end comes back as an event."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from itertools import count
from typing import assert_never

from controller.calls.conversation_recording import ConversationRecorder
from controller.calls.facts import CallFacts, CallTools
from controller.calls.holding import Heard, Hold
from controller.calls.inquiries import Inquiries
from controller.calls.messages import MessageRecorder
from controller.calls.searching import PersonSearch
from controller.calls.trail import Place
from controller.errors import ChannelGone, TelephonyError
from controller.ids import BridgeId, ChannelId, bridge_id
from controller.routing import Person, SearchEnded
from controller.storage.journal_changes import CallAnswered, LegConnected
from controller.telephony.mailboxes import Mailbox
from ivr.commands import (
    Answer,
    CancelTimer,
    CheckCallback,
    CheckCaller,
    CheckSchedule,
    Command,
    Connect,
    Hangup,
    LookUp,
    Play,
    Record,
    RequestCallback,
    RouteToExtension,
    RouteToExternal,
    RouteToGroup,
    RouteToManager,
    SaveVoicemail,
    SetLanguage,
    StartTimer,
    StopPlayback,
    StopRecording,
)
from ivr.events import (
    ConversationEnded,
    PlaybackFinished,
    PlaybackId,
    RoutingEnded,
    TimerExpired,
    TimerId,
    VisitId,
)

log = logging.getLogger(__name__)


class Executor:
    """The hands of one call. `heard` is told of the prompts that a waiting caller hears."""

    def __init__(
        self, facts: CallFacts, tools: CallTools, mailbox: Mailbox, heard: Heard, place: Callable[[VisitId], Place]
    ) -> None:
        self._facts = facts
        self._tools = tools
        self._mailbox = mailbox
        self._timers: dict[TimerId, asyncio.TimerHandle] = {}
        self._language = facts.language
        self._greeted = False
        self._search = PersonSearch(facts, tools, mailbox, heard)
        self.conversation = ConversationRecorder(facts, tools)
        self.messages = MessageRecorder(facts, tools, mailbox, place)
        self._inquiries = Inquiries(facts, tools, mailbox)
        self._bridge: BridgeId | None = None
        self._bridges = count(1)
        self._records: dict[ChannelId, ChannelId] = {}
        self.playing: PlaybackId | None = None
        self.operator_leg: ChannelId | None = None
        self.operator: str | None = None

    async def execute(self, command: Command) -> None:
        """Begin it. Raises TelephonyError as the port says; ChannelGone is followed by the channel's `Gone`."""
        telephony, channel = self._tools.telephony, self._facts.channel
        match command:
            case Answer():
                await telephony.answer(channel)
                self._tools.journal.record(CallAnswered(self._facts.call, self._tools.clock.now()))
            case Play():
                await self._play(command)
            case StopPlayback(playback):
                await telephony.stop_playback(self._name(playback))
            case StartTimer(timer, seconds):
                loop = asyncio.get_running_loop()
                self._timers[timer] = loop.call_later(seconds, self._mailbox.put_nowait, TimerExpired(timer))
            case CancelTimer(timer):
                self._cancel_timer(timer)
            case RouteToGroup() | RouteToExtension() | RouteToManager() | RouteToExternal():
                if isinstance(command, RouteToGroup):
                    self._inquiries.joined(command.group)
                self._search.begin(command, self._language, self._greeted)
                self._greeted = True
            case Connect(visit):
                await self._connect(visit)
            case SetLanguage(language):
                self._language = self._inquiries.language = language
            case Record():
                await self.messages.record(command)
            case StopRecording(recording):
                await self.messages.stop(recording)
            case SaveVoicemail():
                self.messages.save(command)
            case CheckSchedule() | CheckCaller() | LookUp() | CheckCallback() | RequestCallback():
                self._inquiries.begin(command)
            case Hangup(cause):
                await telephony.hangup(channel, cause)
            case _:
                assert_never(command)

    def playback_ended(self, playback: str) -> PlaybackId:
        """The interpreter's id of a playback that telephony names `playback`, which is over."""
        ended = PlaybackId(playback.rpartition("-")[2])
        if ended == self.playing:
            self.playing = None
        return ended

    async def still_playing(self) -> bool:
        """Ask Asterisk whether what should play now does."""
        return self.playing is not None and await self._tools.telephony.playing(self._name(self.playing))

    @property
    def searching(self) -> bool:
        """Somebody is searched for the caller."""
        return self._search.on

    @property
    def hold(self) -> Hold:
        """What the caller hears while somebody is searched."""
        return self._search.hold

    async def search_ended(self, leg: ChannelId | None, operator: str | None) -> None:
        """Somebody answered on `leg`, or nobody did."""
        self.operator_leg, self.operator = leg, operator
        await self._search.ended(found=leg is not None)

    def forward(self, ended: SearchEnded) -> bool:
        """Nobody took the call; True when it is forwarded to a phone outside now, and the search goes on."""
        return self._search.forward(ended)

    def search_again(self, dropped: SearchEnded) -> bool:
        """Who was found so dropped the call at once; True when somebody else is searched now."""
        return self._search.again(dropped)

    def search_person(self, visit: VisitId, person: Person, seconds: float, transferred_by: str) -> None:
        """The caller, who is alone again, is transferred to somebody."""
        self._search.transfer(visit, person, seconds, transferred_by, self._language)

    async def join(self, visit: VisitId) -> None:
        """Join the caller with who was found. Raises as the telephony port says."""
        await self._connect(visit)

    async def rejoin(self, leg: ChannelId | None, operator: str, visit: VisitId | None, record: ChannelId | None = None) -> None:
        """Join the caller with somebody whose line is open already; without a visit he was in this conversation before. `record`
        is the line's name in this call's journal when it was another call's before.

        Raises as the telephony port says.
        """
        self.operator_leg, self.operator = leg, operator
        if leg is not None and record is not None:
            self._records[leg] = record
        await self._search.ended(found=True)
        await self._connect(visit)

    async def part(self) -> None:
        """The operator left: the caller is alone again."""
        self.operator_leg = self.operator = None
        try:
            await self.conversation.stop()
        except TelephonyError as error:
            log.info("call %s: %s", self._facts.call, error)
        await self._unbridge()

    def next_bridge(self) -> BridgeId:
        """The name of a new bridge: Asterisk may refuse that of one it has just dissolved."""
        return bridge_id(self._facts.call, next(self._bridges))

    def release(self) -> None:
        """The caller is about to go, and the operator stays: his line belongs to the distribution alone."""
        self.operator_leg = self.operator = None

    async def leave(self) -> None:
        """The caller goes to the dialplan: nothing is recorded of him there. Raises TelephonyError."""
        await self.messages.leave()
        await self.conversation.stop()

    async def tidy_up(self) -> None:
        """The call is over: nothing of it may stay behind, whatever has failed before."""
        for timer in list(self._timers):
            self._cancel_timer(timer)
        self._search.leave()
        self._inquiries.cancel()
        self.messages.close()
        self.conversation.ended()
        try:
            if self.operator_leg is not None:
                await self._tools.telephony.hangup(self.operator_leg)
            await self._unbridge()
        except TelephonyError as error:
            log.warning("something of call %s stays in Asterisk: %s", self._facts.call, error)

    async def _play(self, command: Play) -> None:
        media = self._tools.prompts.media(command.prompts, self._language)
        if not media:
            self._mailbox.put_nowait(PlaybackFinished(command.playback, failed=True))
            return
        self.playing, self._greeted = command.playback, True
        await self._tools.telephony.play(self._facts.channel, self._name(command.playback), media, self._language)

    async def _connect(self, visit: VisitId | None) -> None:
        leg = self.operator_leg
        if leg is None:
            if visit is not None:
                self._mailbox.put_nowait(ConversationEnded(visit, established=False))
                self._mailbox.put_nowait(RoutingEnded(visit, "no_answer"))
            return
        # It may be there of a try whose answer was lost with the connection.
        await self._unbridge()
        bridge = self._bridge = self.next_bridge()
        try:
            await self._tools.telephony.bridge(bridge, (self._facts.channel, leg))
        except ChannelGone as error:
            log.info("call %s: somebody left before the two could be joined: %s", self._facts.call, error)
            return
        record = self._records.get(leg, leg)
        if visit is not None:
            self._tools.journal.record(LegConnected(self._facts.call, record, self._tools.clock.now()))
        await self.conversation.begin(record)

    async def _unbridge(self) -> None:
        bridge, self._bridge = self._bridge, None
        if bridge is not None:
            await self._tools.telephony.unbridge(bridge)

    def _cancel_timer(self, timer: TimerId) -> None:
        handle = self._timers.pop(timer, None)
        if handle is not None:
            handle.cancel()

    def _name(self, playback: PlaybackId) -> str:
        return f"{self._facts.call}-{playback}"
