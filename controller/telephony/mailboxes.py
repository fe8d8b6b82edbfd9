"""Which call a channel's events belong to.

A mailbox is an asyncio queue owned by one call. A channel has at most one mailbox; it is registered before the channel
is made (`expect`) or by the newcomer handler when a stranger enters. Delivery never waits. Events of a channel that
nobody expects are counted and dropped. A full mailbox drops what comes, but never a `Gone`.
"""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import TypeAlias

from controller.ids import ChannelId
from controller.telephony.events import CallEvent, ChannelEntered, Gone

log = logging.getLogger(__name__)

Mailbox: TypeAlias = "asyncio.Queue[object]"
"""Takes CallEvents from here, and whatever else the owner of the call has put into it."""

MAILBOX_SIZE = 1000
"""Events that may wait for one call: far more than a caller can cause in the second a busy process may take."""


def new_mailbox() -> Mailbox:
    return asyncio.Queue(MAILBOX_SIZE)


NewcomerHandler: TypeAlias = Callable[[ChannelEntered], None]


class Mailboxes:
    """The routing table of one telephony object."""

    def __init__(self) -> None:
        self._by_channel: dict[ChannelId, Mailbox] = {}
        self._newcomer: NewcomerHandler | None = None
        self.dropped = 0

    def on_newcomer(self, handler: NewcomerHandler) -> None:
        """Have `handler` called for a channel that enters and has no mailbox. It must not wait; it should call `expect`."""
        self._newcomer = handler

    def expect(self, channel: ChannelId, mailbox: Mailbox) -> None:
        """From now on the channel's events go to `mailbox`."""
        self._by_channel[channel] = mailbox

    def forget(self, channel: ChannelId) -> None:
        """Drop what still comes for the channel; no error when it is unknown."""
        self._by_channel.pop(channel, None)

    def deliver(self, event: CallEvent) -> None:
        """Give the event to its owner. `Gone` is the last event of a channel and frees its place."""
        mailbox = self._by_channel.get(event.channel)
        if mailbox is not None:
            self._put(mailbox, event)
        elif isinstance(event, ChannelEntered) and self._newcomer is not None:
            self._newcomer(event)
        else:
            self.dropped += 1
            log.debug("dropped an event of an unknown channel: %r", event)
        if isinstance(event, Gone):
            self.forget(event.channel)

    def _put(self, mailbox: Mailbox, event: CallEvent) -> None:
        if mailbox.full():
            self.dropped += 1
            log.warning("a call does not keep up with its events; one of %s dropped", event.channel)
            if not isinstance(event, Gone):
                return
            mailbox.get_nowait()
        mailbox.put_nowait(event)

    @property
    def expected(self) -> frozenset[ChannelId]:
        """The channels that have an owner."""
        return frozenset(self._by_channel)
