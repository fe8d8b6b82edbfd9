"""Plays to a caller who waits what `hold` says. He is never left in silence: where a prompt can't be played, there is music."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final, TypeAlias

from controller.calls.facts import CallFacts, CallTools
from controller.calls.hold import MUSIC_SECONDS, Element, Treatment, announcement, following
from controller.errors import ChannelGone, TelephonyError
from controller.routing import Situation
from controller.storage.groups import GroupTerms
from controller.telephony.mailboxes import Mailbox
from ivr.events import VisitId
from ivr.prompts import PromptRef

log = logging.getLogger(__name__)

Heard: TypeAlias = Callable[[VisitId, Sequence[PromptRef]], None]

FIRST_NEWS_WITHIN: Final = 1.0
"""Seconds without a word of how the search stands, after which it counts as one that can succeed."""
RETRY_AFTER: Final = 2.0
"""Seconds until the next try when Asterisk did not take a request."""
SHORTEST_SOUND: Final = 0.3
"""Seconds; what is over sooner is no sound, and played over and over it would keep Asterisk busy with nothing."""

SHORTEST_PART: Final = 1.0
"""Seconds of a melody that are heard at least before it is cut short."""


@dataclass(frozen=True, slots=True)
class HoldDue:
    """What plays to a waiting caller has played long enough; `turn` tells what it was."""

    turn: int


class Hold:
    """What one call's caller hears while he waits. `heard` is told of every prompt.

    Its playbacks have names of their own, "CALL-hold.1", …: their ends are of no concern to the scenario.
    """

    def __init__(self, facts: CallFacts, tools: CallTools, mailbox: Mailbox, heard: Heard) -> None:
        self._facts = facts
        self._tools = tools
        self._mailbox = mailbox
        self._heard = heard
        self._prefix = f"{facts.call}-hold."
        self._treatment: Treatment | None = None
        self._visit = VisitId(0)
        self._language = facts.language
        self._situation: Situation | None = None
        self._last: Element | None = None
        self._turn = 0
        self._since = 0.0
        self._playing: set[str] = set()
        self._music = False
        self._group: str | None = None
        self._told_at: float | None = None
        self._to_be_cut = False
        self._timer: asyncio.TimerHandle | None = None

    def begin(self, visit: VisitId, treatment: Treatment, language: str, group: str | None = None) -> None:
        """Somebody is searched, in the line of a group if one is named. Nothing is heard before it is known how that stands: it
        may end at once.
        """
        self._visit, self._treatment, self._language = visit, treatment, language
        self._situation = self._last = self._told_at = None
        self._group = group
        self._turn += 1
        self._due_after(FIRST_NEWS_WITHIN)

    def owns(self, playback: str) -> bool:
        """Whether a playback, as telephony names it, is of this kind."""
        return playback.startswith(self._prefix)

    async def changed(self, visit: VisitId, situation: Situation) -> None:
        """The search stands so from now on. Raises as the telephony port says."""
        if self._treatment is None or visit != self._visit:
            return
        first = self._situation is None and self._last is None
        self._situation = situation
        if first:
            await self._go_on()

    async def ended(self, playback: str, failed: bool) -> None:
        """A playback is over. Raises as the telephony port says."""
        self._playing.discard(playback)
        if self._treatment is None or playback != self._name:
            return
        nothing = failed or asyncio.get_running_loop().time() - self._since < SHORTEST_SOUND
        await (self._play_music() if nothing else self._go_on())

    async def due(self, turn: int) -> None:
        """The time of something is over. Raises as the telephony port says."""
        if self._treatment is None or turn != self._turn:
            return
        if not self._to_be_cut:
            await self._go_on()
        elif self._situation == "busy" and self._announcement():
            await self._tools.telephony.stop_playback(self._name)  # its end is what goes on

    async def check(self) -> None:
        """Events may have been lost: what Asterisk does not play any more has ended."""
        if self._treatment is not None and self._name in self._playing and not await self._tools.telephony.playing(self._name):
            await self.ended(self._name, failed=False)

    async def stop(self, *, joined: bool) -> None:
        """The search is over. With `joined` the caller comes into a bridge in a moment, which ends music by itself.

        Raises as the telephony port says.
        """
        self.cancel()
        playing, self._playing = self._playing, set()
        music, self._music = self._music, False
        for playback in playing:
            await self._tools.telephony.stop_playback(playback)
        if music and not joined:
            await self._tools.telephony.stop_music(self._facts.channel)

    def cancel(self) -> None:
        """Nothing more is begun."""
        self._treatment = None
        if self._timer is not None:
            self._timer.cancel()

    @property
    def _name(self) -> str:
        return f"{self._prefix}{self._turn}"

    async def _go_on(self) -> None:
        assert self._treatment is not None
        told = self._announcement() if self._until_told() == 0 else ()
        element = self._last = following(self._treatment, self._last, self._situation or "available", news=bool(told))
        prompts = self._treatment.prompts(element)
        if element == "announcement":
            prompts, self._told_at = told, asyncio.get_running_loop().time()
        if any(self._tools.prompts.is_there(prompt, self._language) for prompt in prompts):
            await self._play(prompts)
        else:
            await self._play_music()

    async def _play(self, prompts: tuple[PromptRef, ...]) -> None:
        telephony, channel = self._tools.telephony, self._facts.channel
        self._next_turn()
        try:
            if self._music:
                await telephony.stop_music(channel)
                self._music = False
            self._playing.add(self._name)
            await telephony.play(channel, self._name, self._tools.prompts.media(prompts, self._language), self._language)
        except TelephonyError as error:
            self._try_again(error)
            return
        self._heard(self._visit, prompts)
        left = self._until_told()
        if left and self._treatment is not None and self._last is not None and self._treatment.may_be_cut(self._last):
            self._to_be_cut = True
            self._due_after(max(left, SHORTEST_PART))

    async def _play_music(self) -> None:
        self._next_turn()
        try:
            if not self._music:
                await self._tools.telephony.start_music(self._facts.channel)
                self._music = True
        except TelephonyError as error:
            self._try_again(error)
            return
        self._due_after(min(MUSIC_SECONDS, max(self._until_told() or MUSIC_SECONDS, SHORTEST_PART)))

    def _terms(self) -> GroupTerms | None:
        rule = self._tools.distributor.rules.get(self._group or "")
        return None if rule is None else rule.terms

    def _announcement(self) -> tuple[PromptRef, ...]:
        """What is to be said of how the caller stands now."""
        terms = self._terms()
        outlook = self._tools.distributor.outlook(self._facts.call)
        return () if terms is None else announcement(terms, outlook, self._language)

    def _until_told(self) -> float | None:
        """Seconds until the caller is to be told how he stands; None when that is never."""
        terms = self._terms()
        if terms is None or terms.announce_every is None:
            return None
        if self._told_at is None:
            return 0
        return max(self._told_at + terms.announce_every - asyncio.get_running_loop().time(), 0)

    def _next_turn(self) -> None:
        self._turn += 1
        self._to_be_cut = False
        self._since = asyncio.get_running_loop().time()
        if self._timer is not None:
            self._timer.cancel()

    def _try_again(self, error: TelephonyError) -> None:
        """A caller who is gone is reported by his channel's `Gone`."""
        if isinstance(error, ChannelGone):
            return
        log.warning("call %s: Asterisk does not play to the waiting caller: %s", self._facts.call, error)
        self._due_after(RETRY_AFTER)

    def _due_after(self, seconds: float) -> None:
        loop = asyncio.get_running_loop()
        self._timer = loop.call_later(seconds, self._mailbox.put_nowait, HoldDue(self._turn))
