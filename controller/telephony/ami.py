"""AMI: the few things that ARI can't do (mixed recording, Asterisk's own database, reload).

Events are switched off. A connection that is lost is replaced by a new one; an action that was under way fails, and is never
sent again. Calls are never placed from here.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
from typing import Any

from panoramisk import Manager

from controller.errors import ChannelGone, TelephonyError, TelephonyUnavailable
from controller.telephony.port import REQUEST_LIMIT

log = logging.getLogger(__name__)

FIRST_RETRY, LONGEST_RETRY = 0.1, 2.0
_LINE_BREAKS = str.maketrans("", "", "\r\n\0")


class _Link(Manager):  # type: ignore[misc]
    """One connection. Unlike its parent it does not come back by itself, so nothing is ever sent twice."""

    def __init__(self, **config: Any) -> None:
        super().__init__(**config)
        self.lost = asyncio.Event()
        self.logged_in: asyncio.Future[bool] = asyncio.get_running_loop().create_future()
        self.under_way: set[asyncio.Future[Any]] = set()

    def connection_made(self, task: asyncio.Task[Any]) -> None:
        if not task.cancelled() and task.exception() is None:
            super().connection_made(task)

    def login(self, answer: asyncio.Future[Any]) -> None:
        if not answer.cancelled() and not self.logged_in.done():
            self.logged_in.set_result(bool(super().login(answer)))

    def connection_lost(self, _exc: object) -> None:
        self.lost.set()
        if not self.logged_in.done():
            self.logged_in.set_result(False)
        for future in self.under_way:
            if not future.done():
                future.set_exception(TelephonyUnavailable("the AMI connection closed before Asterisk answered"))


class Ami:
    """The AMI connection of this process: `start`, use, `stop`."""

    def __init__(self, host: str, port: int, user: str, password: str) -> None:
        self._address = host, port
        self._login = user, password
        self._link: _Link | None = None
        self._up = asyncio.Event()
        self._task: asyncio.Task[None] | None = None

    @property
    def connected(self) -> bool:
        return self._link is not None

    async def wait_connected(self) -> None:
        """Return when actions can be sent; the caller sets the limit."""
        await self._up.wait()

    async def start(self) -> None:
        """Begin to connect, and stay connected from then on."""
        self._task = asyncio.create_task(self._stay_connected(), name="ami")

    async def stop(self) -> None:
        if self._task is not None:
            self._task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._task
            self._task = None

    async def mix_monitor(self, channel: str, path: str) -> None:
        """Record both directions of the channel into the file `path` until it ends: mixed, but into a .raw side by side."""
        await self._action("MixMonitor", Channel=channel, File=path, Options="D" if path.endswith(".raw") else "")

    async def mute_mix_monitor(self, channel: str, muted: bool) -> None:
        """Write silence instead of both directions, or no longer."""
        await self._action("MixMonitorMute", Channel=channel, Direction="both", State="1" if muted else "0")

    async def stop_mix_monitor(self, channel: str) -> None:
        await self._action("StopMixMonitor", Channel=channel)

    async def db_put(self, family: str, key: str, value: str) -> None:
        """Keep a value in Asterisk's own database, where the dialplan finds it."""
        await self._action("DBPut", Family=family, Key=key, Val=value)

    async def put_extension(self, context: str, extension: str, goto: str) -> None:
        """Let an extension of the dialplan lead to "context,extension,priority"."""
        await self._action(
            "DialplanExtensionAdd",
            Context=context,
            Extension=extension,
            Priority="1",
            Application="Goto",
            ApplicationData=goto,
            Replace="yes",
        )

    async def remove_extension(self, context: str, extension: str) -> None:
        """Raises TelephonyError also when there is none."""
        await self._action("DialplanExtensionRemove", Context=context, Extension=extension)

    async def registrations(self) -> dict[str, str]:
        """How each outbound registration stands, by the trunk's name: "Registered", "Unregistered", "Rejected" …"""
        answers = await self._action("PJSIPShowRegistrationsOutbound", listed=True)
        return {str(one.objectname): str(one.status) for one in answers if one.event == "OutboundRegistrationDetail"}

    async def qualify(self, endpoint: str) -> None:
        """Ask now whether the endpoint is there; its device state tells."""
        await self._action("PJSIPQualify", Endpoint=endpoint)

    async def reload(self, module: str) -> None:
        """Have a module read its configuration again ("pbx_config.so")."""
        await self._action("Reload", Module=module)

    async def _action(self, name: str, *, listed: bool = False, **values: str) -> list[Any]:
        """Its answer, and with `listed` the list that comes after it."""
        link = self._link
        if link is None:
            raise TelephonyUnavailable("not connected to Asterisk's AMI")
        # A line break in a value would begin another header, or another action.
        lines = {key: value.translate(_LINE_BREAKS) for key, value in values.items()}
        answer: asyncio.Future[Any] = link.send_action({"Action": name, **lines}, as_list=listed)
        link.under_way.add(answer)
        try:
            async with asyncio.timeout(REQUEST_LIMIT):
                answered = await answer
        except TimeoutError:
            raise TelephonyUnavailable(f"no answer from Asterisk's AMI in {REQUEST_LIMIT:g} s: {name}") from None
        finally:
            link.under_way.discard(answer)
        answers = answered if isinstance(answered, list) else [answered]
        response = answers[0]
        if not response.success:
            text = str(response.message)
            kind = ChannelGone if "no such channel" in text.lower() else TelephonyError
            raise kind(f"Asterisk refused AMI {name}: {text}")
        return answers

    async def _stay_connected(self) -> None:
        delay = FIRST_RETRY
        while True:
            link = self._new_link()
            try:
                await self._log_in(link)
                self._link = link
                self._up.set()
                delay = FIRST_RETRY
                log.info("AMI connected")
                await link.lost.wait()
                log.warning("the AMI connection closed")
            except TelephonyUnavailable as error:
                log.warning("AMI: %s; next try in %.1f s", error, delay)
            finally:
                self._link = None
                self._up.clear()
                link.connection_lost(None)
                link.close()
            await asyncio.sleep(delay)
            delay = min(delay * 2, LONGEST_RETRY)

    def _new_link(self) -> _Link:
        (host, port), (user, password) = self._address, self._login
        return _Link(host=host, port=port, username=user, secret=password, events="off", loop=asyncio.get_running_loop())

    async def _log_in(self, link: _Link) -> None:
        host, port = self._address
        try:
            async with asyncio.timeout(REQUEST_LIMIT):
                await link.connect()
                accepted = await link.logged_in
        except TimeoutError:
            raise TelephonyUnavailable("no answer to the AMI login") from None
        except OSError as error:
            raise TelephonyUnavailable(f"can't reach AMI at {host}:{port}: {error}") from error
        if not accepted:
            raise TelephonyUnavailable("the AMI user or password is wrong")
