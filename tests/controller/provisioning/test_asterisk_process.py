"""The real Asterisk as it is configured and run here."""

from __future__ import annotations

import asyncio
import os
import re
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import aiohttp
import pytest

from controller.errors import SettingsError, SetupError
from controller.provisioning import asterisk_process
from controller.provisioning.asterisk_prefix import find_or_fetch_sipp
from controller.provisioning.asterisk_process import AsteriskProcess
from controller.settings import Settings

pytestmark = pytest.mark.asterisk

Make = Callable[..., Settings]
Prepare = Callable[[Settings], AsteriskProcess]


async def ask(settings: Settings, method: str, number: str, from_user: str) -> str:
    """First line of the final answer to one SIP request sent from loopback."""
    with socket.socket(type=socket.SOCK_DGRAM) as phone:
        phone.bind(("127.0.0.1", 0))
        phone.setblocking(False)
        here, there = f"127.0.0.1:{phone.getsockname()[1]}", f"127.0.0.1:{settings.sip_port}"
        lines = (
            f"{method} sip:{number}@{there} SIP/2.0",
            f"Via: SIP/2.0/UDP {here};branch=z9hG4bK-1;rport",
            f"From: <sip:{from_user}@{there}>;tag=1",
            f"To: <sip:{number}@{there}>",
            "Call-ID: one@test",
            f"CSeq: 1 {method}",
            f"Contact: <sip:{from_user}@{here}>",
            "Max-Forwards: 70",
            "Content-Length: 0",
            "\r\n",
        )
        phone.connect(("127.0.0.1", settings.sip_port))
        loop = asyncio.get_running_loop()
        async with asyncio.timeout(10):
            await loop.sock_sendall(phone, "\r\n".join(lines).encode())
            while True:
                status = (await loop.sock_recv(phone, 4096)).decode().splitlines()[0]
                if not status.startswith("SIP/2.0 1"):
                    return status


def console(process: AsteriskProcess, command: str) -> asyncio.Future[str]:
    """What Asterisk's console answers."""

    async def run() -> str:
        program = await asyncio.create_subprocess_exec(
            *process.install.command, "-C", str(process.conf), "-rx", command, stdout=asyncio.subprocess.PIPE
        )
        return (await program.communicate())[0].decode()

    return asyncio.ensure_future(run())


def exists(pid: int) -> bool:
    return os.path.exists(f"/proc/{pid}")


def log_of(process: AsteriskProcess) -> str:
    return (process.conf.parent.parent / "log/messages.log").read_text()


async def test_starts_without_an_error_or_warning_and_stops_whole(settings_with: Make, prepare: Prepare) -> None:
    process = prepare(settings_with())
    await process.start()
    pid = process.pid
    assert pid is not None
    assert not process.exited.is_set()
    modules = (process.conf.parent / "modules.conf").read_text()
    running = set(re.findall(r"^(\w+)\.so .*Running", await console(process, "module show"), re.MULTILINE))
    assert running == set(re.findall(r"^load = (\w+)\.so$", modules, re.MULTILINE))
    await process.stop()
    assert process.exited.is_set()
    assert process.pid is None
    assert not exists(pid)
    assert not re.search("ERROR|WARNING", log_of(process))


async def test_prompts_and_music_are_there_in_both_languages(settings_with: Make, prepare: Prepare) -> None:
    process = prepare(settings_with())
    await process.start()
    sounds = process.conf.parent.parent / "data/sounds"
    for prompt in ("pls-hold-while-try", "vm-nobodyavail", "vm-goodbye"):
        assert list((sounds / "en").glob(f"{prompt}.*"))
        assert list((sounds / "ru").glob(f"{prompt}.*"))
    assert "File: " in await console(process, "moh show files")


async def test_loopback_is_the_demo_carrier_and_others_are_refused(settings_with: Make, prepare: Prepare) -> None:
    settings = settings_with()
    process = prepare(settings)
    await process.start()
    assert (await ask(settings, "OPTIONS", "8000", "caller")).startswith("SIP/2.0 200")
    await process.stop()

    elsewhere = settings.model_copy(update={"demo_networks": ("192.0.2.0/24",)})
    process = prepare(elsewhere)
    await process.start()
    for from_user in ("caller", "demo-carrier", "transport-udp"):
        assert (await ask(elsewhere, "OPTIONS", "8000", from_user)).startswith("SIP/2.0 401")
        assert (await ask(elsewhere, "INVITE", "8000", from_user)).startswith("SIP/2.0 401")
    assert "ERROR" not in log_of(process)


async def test_operators_name_on_loopback_needs_the_operators_password(settings_with: Make, prepare: Prepare) -> None:
    settings = settings_with()
    process = prepare(settings)
    await process.start()
    account = {
        "auth": {"auth_type": "userpass", "username": "2001", "password": "not-told"},
        "aor": {"max_contacts": "1"},
        "endpoint": {"auth": "2001", "aors": "2001", "context": "from-operators", "allow": "ulaw"},
    }
    login = {"Authorization": aiohttp.encode_basic_auth(settings.ari_user, process.secrets.ari_password)}
    async with aiohttp.ClientSession(f"{process.ports.ari_url}ari/", headers=login) as session:
        for kind, fields in account.items():
            body = {"fields": [{"attribute": name, "value": value} for name, value in fields.items()]}
            async with session.put(f"asterisk/config/dynamic/res_pjsip/{kind}/2001", json=body) as response:
                assert response.status == 200, await response.text()
    assert (await ask(settings, "INVITE", "8000", "2001")).startswith("SIP/2.0 401")
    assert (await ask(settings, "OPTIONS", "8000", "2002")).startswith("SIP/2.0 200")


async def test_next_start_adopts_the_running_one(settings_with: Make, prepare: Prepare) -> None:
    settings = settings_with()
    first = prepare(settings)
    await first.start()
    pid = first.pid
    await first.detach()
    second = prepare(settings)
    await second.start()
    assert second.adopted
    assert (second.pid, second.ports, second.secrets) == (pid, first.ports, first.secrets)
    await second.stop()
    assert not first._alive(pid)


async def test_adopted_one_that_dies_is_started_again(settings_with: Make, prepare: Prepare) -> None:
    settings = settings_with()
    first = prepare(settings)
    await first.start()
    await first.detach()
    second = prepare(settings)
    await second.start()
    await killed_and_back(second)
    assert not second.adopted


async def test_changed_settings_replace_the_running_one(settings_with: Make, prepare: Prepare) -> None:
    settings = settings_with()
    first = prepare(settings)
    await first.start()
    pid = first.pid
    await first.detach()
    second = prepare(settings.model_copy(update={"language": "ru"}))
    await second.start()
    assert not second.adopted
    assert second.pid != pid


async def test_killed_one_is_started_again_on_the_same_ports(settings_with: Make, prepare: Prepare) -> None:
    process = prepare(settings_with())
    await process.start()
    await killed_and_back(process)
    await killed_and_back(process)
    assert process.restarts == 2


async def killed_and_back(process: AsteriskProcess) -> None:
    """Kill it; returns when another answers, within the five seconds that callers may have to wait."""
    pid = process.pid
    assert pid is not None
    os.kill(pid, signal.SIGKILL)
    async with asyncio.timeout(5):
        await process.exited.wait()
        await process.running.wait()
    assert process.pid not in (None, pid)


async def test_one_that_does_not_end_is_killed(settings_with: Make, prepare: Prepare, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asterisk_process, "STOP_TIME", 0.2)
    process = prepare(settings_with())
    await process.start()
    pid = process.pid
    assert pid is not None
    os.kill(pid, signal.SIGSTOP)
    await process.stop()
    assert not exists(pid)


async def test_two_installations_run_side_by_side(settings_with: Make, prepare: Prepare, tmp_path: Path) -> None:
    one = prepare(settings_with())
    other = prepare(settings_with(data_dir=str(tmp_path / "other"), rtp_ports="15100-15199"))
    await asyncio.gather(one.start(), other.start())
    assert {one.ports.http, one.ports.ami}.isdisjoint({other.ports.http, other.ports.ami})


async def test_second_controller_in_the_same_folder_is_refused(settings_with: Make, prepare: Prepare) -> None:
    settings = settings_with()
    await prepare(settings).start()
    with pytest.raises(SettingsError, match=r"ATTENDANT_DATA_DIR=.*another Attendant"):
        prepare(settings)


async def test_taken_sip_port_is_refused_before_anything_starts(settings_with: Make, prepare: Prepare) -> None:
    with socket.socket(type=socket.SOCK_DGRAM) as other:
        other.bind(("127.0.0.1", 0))
        process = prepare(settings_with(sip_port=str(other.getsockname()[1])))
        with pytest.raises(SettingsError, match="ATTENDANT_SIP_PORT="):
            await process.start()
    assert process.pid is None


async def test_one_that_ends_while_starting_says_why(settings_with: Make, prepare: Prepare) -> None:
    process = prepare(settings_with())
    (process.conf.parent.parent / "data/documentation").unlink()
    with pytest.raises(SetupError, match=r"Asterisk ended while starting: .*documentation"):
        await process.start()
    assert process.exited.is_set()


CALLER = """<scenario name="caller who waits to be hung up on">
<send retrans="500"><![CDATA[
INVITE sip:8000@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:caller@[local_ip]:[local_port]>;tag=[pid][call_number]
To: <sip:8000@[remote_ip]:[remote_port]>
Call-ID: [call_id]
CSeq: 1 INVITE
Contact: <sip:caller@[local_ip]:[local_port]>
Max-Forwards: 70
Content-Type: application/sdp
Content-Length: [len]

v=0
o=- 1 1 IN IP4 [local_ip]
s=-
c=IN IP4 [media_ip]
t=0 0
m=audio [media_port] RTP/AVP 0
]]></send>
<recv response="100" optional="true"/>
<recv response="200" rtd="true"/>
<send><![CDATA[
ACK sip:8000@[remote_ip]:[remote_port] SIP/2.0
Via: SIP/2.0/[transport] [local_ip]:[local_port];branch=[branch]
From: <sip:caller@[local_ip]:[local_port]>;tag=[pid][call_number]
[last_To:]
Call-ID: [call_id]
CSeq: 1 ACK
Max-Forwards: 70
Content-Length: 0

]]></send>
<recv request="BYE"/>
<send><![CDATA[
SIP/2.0 200 OK
[last_Via:]
[last_From:]
[last_To:]
[last_Call-ID:]
[last_CSeq:]
Content-Length: 0

]]></send>
</scenario>
"""


@pytest.mark.parametrize("phones", ["", "PJSIP/nobody"])
async def test_caller_without_a_controller_is_told_so_and_hung_up_on(
    settings_with: Make, prepare: Prepare, tmp_path: Path, phones: str
) -> None:
    settings = settings_with()
    process = prepare(settings)
    await process.start()
    if phones:
        await console(process, f"database put attendant fallback_dial {phones}")
    (tmp_path / "caller.xml").write_text(CALLER)
    options = ["-sf", "caller.xml", "-m", "1", "-i", "127.0.0.1", "-nostdin", "-timeout", "40", "-timeout_error"]
    caller = await asyncio.create_subprocess_exec(
        *find_or_fetch_sipp(settings, print),
        *options,
        f"127.0.0.1:{settings.sip_port}",
        cwd=tmp_path,
        stdout=asyncio.subprocess.PIPE,
    )
    began = asyncio.get_running_loop().time()
    output, _ = await caller.communicate()
    assert caller.returncode == 0, output.decode()
    assert asyncio.get_running_loop().time() - began > 3, "the prompts were not played"
    assert "0 active channels" in await console(process, "core show channels count")
