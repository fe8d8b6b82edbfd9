"""HTTP lookups against servers that answer as they should, and servers that don't."""

from __future__ import annotations

import asyncio
import socket
import zlib
from collections.abc import AsyncIterator
from typing import Any

import pytest
from aiohttp import ThreadedResolver
from aiohttp.abc import ResolveResult

from controller.lookups import LookupClient, LookupResult
from controller.lookups.addresses import is_internal
from controller.lookups.client import MAX_ANSWER
from tests.fixtures.crm import Crm, crm

__all__ = ["crm"]


@pytest.fixture
async def client() -> AsyncIterator[LookupClient]:
    """One that may ask hosts inside: the tests' servers are such."""
    made = LookupClient(allow_internal=True)
    await made.start()
    yield made
    await made.stop()


@pytest.fixture
async def outside_client() -> AsyncIterator[LookupClient]:
    made = LookupClient()
    await made.start()
    yield made
    await made.stop()


async def ask(client: LookupClient, url: str, limit: float = 5) -> LookupResult:
    return await client.look_up(url, caller="+74951112233", called="8000", call="01CALL", limit=limit)


@pytest.mark.covers("UIS-45")
async def test_the_answer_picks_an_exit_or_an_operator(crm: Crm, client: LookupClient) -> None:
    assert await ask(client, crm.url) == LookupResult(exit="vip")
    path, question, headers = crm.asked[0]
    assert (path, question) == ("/lookup", {"caller": "+74951112233", "called": "8000", "call": "01CALL"})
    assert headers["Content-Type"] == "application/json"
    crm.handler = crm.says({"operator": "2001", "name": "Eve", "exit": None})
    assert await ask(client, crm.url) == LookupResult(operator="2001")


@pytest.mark.covers("UIS-45")
@pytest.mark.parametrize(
    ("body", "said"),
    [
        (b"", "EOF"),
        (b"vip", "JSON"),
        (b'["vip"]', "object"),
        (b'{"exit": 1}', "exit: Input should be a valid string"),
        (b'{"exit": ""}', "exit"),
        (b'{"operator": "Eve"}', "operator"),
        (b'{"operator": 2001}', "operator"),
        (b"{}", "neither"),
        (b'{"exit": "vip", "operator": "2001"}', "both"),
        (b'{"exit": "\xff"}', "JSON"),
        (b"[" * 60_000, "recursion"),
    ],
)
async def test_an_answer_of_another_shape_fails(crm: Crm, client: LookupClient, body: bytes, said: str) -> None:
    crm.handler = crm.sends(body)
    result = await ask(client, crm.url)
    assert result.failed is not None and said in result.failed


@pytest.mark.parametrize(
    ("how", "said"),
    [
        ({"content_type": "text/html"}, "text/html, not application/json"),
        ({"status": 500}, "status 500"),
        ({"status": 404}, "status 404"),
    ],
)
async def test_another_type_or_status_fails(crm: Crm, client: LookupClient, how: dict[str, Any], said: str) -> None:
    crm.handler = crm.sends(b'{"exit": "vip"}', **how)
    result = await ask(client, crm.url)
    assert result.failed is not None and said in result.failed


async def test_a_redirect_is_not_followed(crm: Crm, client: LookupClient) -> None:
    crm.handler = crm.sends(b"", status=307, headers={"Location": f"{crm.url}/elsewhere"})
    assert (await ask(client, crm.url)).failed == "it was answered with status 307"
    assert len(crm.asked) == 1


async def test_ten_megabytes_are_not_read(crm: Crm, client: LookupClient) -> None:
    crm.handler = crm.sends(b" " * 10_000_000)
    assert (await ask(client, crm.url)).failed == f"the answer is larger than {MAX_ANSWER} bytes"


async def test_the_largest_answer_is_read(crm: Crm, client: LookupClient) -> None:
    crm.handler = crm.sends(b'{"exit": "vip"}'.ljust(MAX_ANSWER))
    assert (await ask(client, crm.url)).exit == "vip"


async def test_a_small_answer_that_unpacks_to_ten_megabytes_is_not_read(crm: Crm, client: LookupClient) -> None:
    packed = zlib.compress(b" " * 10_000_000)
    crm.handler = crm.sends(packed, headers={"Content-Encoding": "deflate"})
    assert "larger" in ((await ask(client, crm.url)).failed or "")


async def test_a_server_that_hangs_fails_in_time(crm: Crm, client: LookupClient) -> None:
    released = asyncio.Event()
    crm.handler = crm.hangs(released)
    assert (await ask(client, crm.url, limit=0.1)).failed == "no answer in 0.1 s"
    released.set()


async def test_a_server_that_sends_its_headers_slowly_fails_in_time(client: LookupClient) -> None:
    closed = asyncio.Event()

    async def drip(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: applic")
        await reader.read()
        writer.close()
        await writer.wait_closed()
        closed.set()

    async with await asyncio.start_server(drip, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert (await ask(client, f"http://127.0.0.1:{port}/", limit=0.1)).failed == "no answer in 0.1 s"
        async with asyncio.timeout(5):
            await closed.wait()


async def test_a_server_that_is_not_there_or_breaks_off_fails(client: LookupClient) -> None:
    with socket.create_server(("127.0.0.1", 0)) as unused:
        port = unused.getsockname()[1]
    assert (await ask(client, f"http://127.0.0.1:{port}/")).failed == "the request failed: ClientConnectorError"

    async def break_off(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{")
        writer.close()

    async with await asyncio.start_server(break_off, "127.0.0.1", 0) as server:
        port = server.sockets[0].getsockname()[1]
        assert "request failed" in ((await ask(client, f"http://127.0.0.1:{port}/")).failed or "")


@pytest.mark.parametrize("url", ["ftp://host/", "host", "", "http://", "http://[::1", "file:///etc/passwd"])
async def test_what_is_no_web_address_fails(client: LookupClient, url: str) -> None:
    assert (await ask(client, url)).failed == "the address is none of http:// or https://"


@pytest.mark.parametrize("host", ["127.0.0.1", "localhost", "[::1]", "[::ffff:127.0.0.1]", "0.0.0.0", "127。0。0。1"])
async def test_an_internal_address_is_refused_however_it_is_written(crm: Crm, outside_client: LookupClient, host: str) -> None:
    port = crm.url.rpartition(":")[2]
    assert "internal address" in ((await ask(outside_client, f"http://{host}:{port}")).failed or "")
    assert crm.asked == []


@pytest.mark.parametrize("host", ["127.1", "2130706433", "0x7f000001", "8.8.8.8\\@127.0.0.1"])
async def test_an_address_that_pretends_to_be_a_name_reaches_nobody(crm: Crm, outside_client: LookupClient, host: str) -> None:
    port = crm.url.rpartition(":")[2]
    assert (await ask(outside_client, f"http://{host}:{port}")).failed is not None
    assert crm.asked == []


async def test_a_name_that_leads_inside_is_refused(
    crm: Crm, outside_client: LookupClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def inside(_resolver: ThreadedResolver, host: str, port: int = 0, family: int = 0) -> list[ResolveResult]:
        return [{"hostname": host, "host": "127.0.0.1", "port": port, "family": 2, "proto": 0, "flags": 0}]

    monkeypatch.setattr(ThreadedResolver, "resolve", inside)
    port = crm.url.rpartition(":")[2]
    failed = (await ask(outside_client, f"http://crm.example.com:{port}")).failed
    assert failed == "crm.example.com is an internal address"
    assert crm.asked == []


@pytest.mark.parametrize(
    ("address", "internal"),
    [
        ("8.8.8.8", False),
        ("2a00:1450:4001::1", False),
        ("crm.example.com", False),
        ("10.1.2.3", True),
        ("172.16.0.1", True),
        ("192.168.1.1", True),
        ("169.254.169.254", True),
        ("100.64.0.1", True),
        ("224.0.0.1", True),
        ("255.255.255.255", True),
        ("fe80::1%eth0", True),
        ("fc00::1", True),
        ("::", True),
        ("::ffff:10.0.0.1", True),
        ("2002:7f00:1::", True),
        ("64:ff9b::a00:1", True),
        ("64:ff9b::808:808", False),
    ],
)
def test_which_addresses_are_internal(address: str, internal: bool) -> None:
    assert is_internal(address) is internal
