"""A server that speaks just enough ARI: API documents, the event websocket, and requests over it."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import WSMsgType, web

from controller.telephony.ami import Ami
from controller.telephony.ari import AriTelephony
from controller.telephony.events import SystemEvent

LIMIT = 8.0
CREATE = {**dict.fromkeys(["channelId", "endpoint", "app", "appArgs"], "query"), "variables": "body"}
OPERATIONS: dict[str, list[tuple[str, str, str, dict[str, str]]]] = {
    "channels": [
        ("list", "GET", "/channels", {}),
        ("answer", "POST", "/channels/{channelId}/answer", {"channelId": "path"}),
        ("hangup", "DELETE", "/channels/{channelId}", {"channelId": "path", "reason_code": "query"}),
        ("create", "POST", "/channels/create", CREATE),
        ("dial", "POST", "/channels/{channelId}/dial", {"channelId": "path", "timeout": "query"}),
        (
            "playWithId",
            "POST",
            "/channels/{channelId}/play/{playbackId}",
            {"channelId": "path", "playbackId": "path", "media": "query", "lang": "query"},
        ),
    ],
    "playbacks": [("get", "GET", "/playbacks/{playbackId}", {"playbackId": "path"})],
    "applications": [
        ("subscribe", "POST", "/applications/{applicationName}/subscription", {"applicationName": "path", "eventSource": "query"})
    ],
    "deviceStates": [("get", "GET", "/deviceStates/{deviceName}", {"deviceName": "path"})],
}  # fmt: skip


class AriServer:
    """Answers requests with `answers[(method, uri)]`, 204 otherwise; `sockets` are the open websockets, newest last."""

    def __init__(self) -> None:
        self.url = ""
        self.requests: list[dict[str, Any]] = []
        self.addresses: list[str] = []
        self.answers: dict[tuple[str, str], tuple[int, Any]] = {("GET", "channels"): (200, [])}
        self.sockets: list[web.WebSocketResponse] = []
        self.mute = False
        self.refuse_with: int | None = None

    async def documents(self, request: web.Request) -> web.Response:
        self.addresses.append(str(request.url))
        assert request.headers["Authorization"].startswith("Basic ")
        name = request.match_info["name"].removesuffix(".json")
        base = f"{self.url}ari"
        if name == "resources":
            apis = [{"path": f"/api-docs/{one}.json", "description": one} for one in OPERATIONS]
            return web.json_response({"swaggerVersion": "1.1", "basePath": base, "apis": apis})
        apis = [_described(*operation) for operation in OPERATIONS[name]]
        return web.json_response({"basePath": base, "resourcePath": f"/api-docs/{name}.json", "apis": apis, "models": {}})

    async def events(self, request: web.Request) -> web.StreamResponse:
        self.addresses.append(str(request.url))
        if self.refuse_with is not None:
            return web.Response(status=self.refuse_with)
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        self.sockets.append(socket)
        async for message in socket:
            if message.type is WSMsgType.TEXT:
                await self._take(socket, json.loads(message.data))
        return socket

    async def _take(self, socket: web.WebSocketResponse, frame: dict[str, Any]) -> None:
        self.requests.append(frame)
        if self.mute:
            return
        status, body = self.answers.get((frame["method"], frame["uri"]), (204, ""))
        text = body if isinstance(body, str) else json.dumps(body)
        answer = {"type": "RESTResponse", "request_id": frame["request_id"], "status_code": status, "message_body": text}
        await socket.send_str(json.dumps(answer))

    async def send(self, *frames: dict[str, Any] | str) -> None:
        for frame in frames:
            await self.sockets[-1].send_str(frame if isinstance(frame, str) else json.dumps(frame))

    async def drop(self) -> None:
        await self.sockets[-1].close()


def _described(nickname: str, method: str, path: str, parameters: dict[str, str]) -> dict[str, Any]:
    listed = [{"name": name, "paramType": kind, "dataType": "string", "required": False} for name, kind in parameters.items()]
    operation = {"httpMethod": method, "nickname": nickname, "parameters": listed, "responseClass": "void"}
    return {"path": path, "operations": [operation]}


@pytest.fixture
async def server() -> AsyncIterator[AriServer]:
    ari = AriServer()
    app = web.Application()
    app.router.add_get("/ari/api-docs/{name}", ari.documents)
    app.router.add_get("/ari/events", ari.events)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    ari.url = f"http://127.0.0.1:{runner.addresses[0][1]}/"
    yield ari
    await runner.cleanup()


class Watched:
    """An AriTelephony on the server, and the system events that it reports."""

    def __init__(self, telephony: AriTelephony) -> None:
        self.telephony = telephony
        self.reported: asyncio.Queue[SystemEvent] = asyncio.Queue()
        telephony.listen(self.reported.put_nowait)

    async def next(self, kind: type[Any]) -> Any:
        async with asyncio.timeout(LIMIT):
            while True:
                event = await self.reported.get()
                if isinstance(event, kind):
                    return event


@pytest.fixture
async def watched(server: AriServer) -> AsyncIterator[Watched]:
    telephony = AriTelephony(server.url, "user", "pass-word", "app", Ami("127.0.0.1", 1, "", ""))
    watched = Watched(telephony)
    await telephony.start()
    async with asyncio.timeout(LIMIT):
        await telephony.wait_connected()
    yield watched
    await telephony.stop()
