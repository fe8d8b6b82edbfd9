"""What is written for Asterisk, and what is refused before it starts. No Asterisk is needed."""

from __future__ import annotations

import re
import socket
import stat
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.errors import SettingsError, SetupError
from controller.provisioning import asterisk_conf, asterisk_modules
from controller.provisioning.asterisk_conf import Ports, Secrets
from controller.provisioning.asterisk_prefix import AsteriskInstall
from controller.settings import Settings

Make = Callable[..., Settings]
SECRETS = Secrets("ari-secret", "ami-secret")
PORTS = Ports(http=20001, ami=20002)


@pytest.fixture
def install(tmp_path: Path) -> AsteriskInstall:
    """A folder that looks like an Asterisk with every wanted module and two of its data folders."""
    modules, data = tmp_path / "modules", tmp_path / "share"
    modules.mkdir()
    for name in asterisk_modules._names(asterisk_modules._WANTED):
        (modules / f"{name}.so").touch()
    for name in ("documentation", "sounds/en"):
        (data / name).mkdir(parents=True)
    return AsteriskInstall(("asterisk",), modules, data, "22.0.0")


def rendered(settings: Settings, install: AsteriskInstall) -> Path:
    return asterisk_conf.render(settings, install, SECRETS, asterisk_conf.instance_dir(settings), PORTS).parent


def test_every_template_is_written_for_the_owner_alone(settings_with: Make, install: AsteriskInstall) -> None:
    etc = rendered(settings_with(), install)
    templates = [*asterisk_conf.TEMPLATES.glob("*.conf.j2"), *asterisk_conf.DIALPLAN.glob("*.conf.j2")]
    assert {path.name for path in etc.iterdir()} == {path.name.removesuffix(".j2") for path in templates}
    assert {stat.S_IMODE(path.stat().st_mode) for path in etc.iterdir()} == {0o600}
    assert stat.S_IMODE(etc.parent.stat().st_mode) == 0o700


def test_ari_and_ami_listen_on_loopback_with_the_passwords(settings_with: Make, install: AsteriskInstall) -> None:
    etc = rendered(settings_with(), install)
    assert "bindaddr = 127.0.0.1\nbindport = 20001\n" in (etc / "http.conf").read_text()
    assert "bindaddr = 127.0.0.1\nport = 20002\n" in (etc / "manager.conf").read_text()
    assert "password = ari-secret\n" in (etc / "ari.conf").read_text()
    assert "secret = ami-secret\n" in (etc / "manager.conf").read_text()


def test_demo_carrier_is_known_by_address_only(settings_with: Make, install: AsteriskInstall) -> None:
    etc = rendered(settings_with(demo_networks="127.0.0.0/8, 10.1.0.0/16", language="ru"), install)
    demo = (etc / "pjsip_demo.conf").read_text()
    assert "identify_by = ip\n" in demo
    assert "language = ru\n" in demo
    assert re.findall(r"^match = (.*)$", demo, re.MULTILINE) == ["127.0.0.0/8", "10.1.0.0/16"]
    assert "demo" not in (etc / "pjsip.conf").read_text().replace("#tryinclude pjsip_demo.conf", "")


@pytest.mark.parametrize(
    ("host", "media", "bind", "told"),
    [
        ("127.0.0.1", None, "127.0.0.1", {"external_media_address = 127.0.0.1"}),
        ("0.0.0.0", None, "0.0.0.0", set()),
        ("0.0.0.0", "192.0.2.7", "0.0.0.0", {"external_media_address = 192.0.2.7", "external_signaling_address = 192.0.2.7"}),
        ("::1", None, "[::1]", {"external_media_address = ::1"}),
    ],
)
def test_addresses_that_phones_are_told(
    settings_with: Make, install: AsteriskInstall, host: str, media: str | None, bind: str, told: set[str]
) -> None:
    given = {"sip_host": host, "sip_port": "5999"} | ({"media_address": media} if media else {})
    pjsip = (rendered(settings_with(**given), install) / "pjsip.conf").read_text()
    assert pjsip.count(f"bind = {bind}:5999\n") == 2
    assert set(re.findall(r"^external_.*$", pjsip, re.MULTILINE)) == told


def test_every_call_is_given_to_the_controller_then_to_the_fallback(settings_with: Make, install: AsteriskInstall) -> None:
    dialplan = (rendered(settings_with(ari_app="desk"), install) / "extensions.conf").read_text()
    assert len(re.findall(r"Stasis\(desk,inbound,\$\{FILTER\(.*\)\}\)\n same => n,Goto\(fallback,s,1\)", dialplan)) == 2
    assert len(re.findall(r"Stasis\(desk,internal,\$\{FILTER\(.*\)\}\)\n same => n,Goto\(fallback,s,1\)", dialplan)) == 2
    assert dialplan.rstrip().endswith("Hangup()")


def test_second_writing_drops_files_without_a_template_and_follows_a_moved_prefix(
    settings_with: Make, install: AsteriskInstall, tmp_path: Path
) -> None:
    settings = settings_with()
    etc = rendered(settings, install)
    (etc / "old.conf").touch()
    moved = AsteriskInstall(install.command, install.modules_dir, install.data_dir.rename(tmp_path / "moved"), install.version)
    rendered(settings, moved)
    assert not (etc / "old.conf").exists()
    assert (etc.parent / "data/sounds/en").resolve() == tmp_path / "moved/sounds/en"
    assert not (etc.parent / "data/sounds/ru").exists()


def test_what_ari_records_lies_in_the_recordings_folder(settings_with: Make, install: AsteriskInstall) -> None:
    settings = settings_with()
    kept = asterisk_conf.instance_dir(settings) / "spool/recording"
    kept.mkdir(parents=True)
    for _ in range(2):
        rendered(settings, install)
        assert kept.is_symlink() and kept.resolve() == settings.recordings_dir.resolve()
    kept.unlink()
    kept.symlink_to("/elsewhere")
    rendered(settings, install)
    assert kept.resolve() == settings.recordings_dir.resolve()


def test_asterisk_without_what_nothing_works_without_is_refused(settings_with: Make, install: AsteriskInstall) -> None:
    (install.modules_dir / "res_websocket_client.so").unlink()
    assert "res_websocket_client" not in (rendered(settings_with(), install) / "modules.conf").read_text()
    (install.modules_dir / "chan_pjsip.so").unlink()
    with pytest.raises(SetupError, match=r"lacks the modules chan_pjsip: install"):
        rendered(settings_with(), install)


def test_data_folder_that_cannot_be_written_is_named(settings_with: Make, install: AsteriskInstall, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SettingsError, match=r"ATTENDANT_DATA_DIR=.*file/var: Not a directory"):
        rendered(settings_with(data_dir=str(tmp_path / "file/var")), install)
    with pytest.raises(SettingsError, match="no semicolon"):
        rendered(settings_with(data_dir=str(tmp_path / "a;b")), install)


def test_long_path_gets_a_short_folder_for_the_control_socket(tmp_path: Path) -> None:
    assert asterisk_conf.run_dir(Path("/srv/attendant/asterisk")) == Path("/srv/attendant/asterisk/run")
    assert len(str(asterisk_conf.run_dir(tmp_path / ("x" * 100)))) < 90


def test_passwords_are_made_once_and_kept_private(tmp_path: Path) -> None:
    made = asterisk_conf.load_or_make_secrets(tmp_path)
    assert asterisk_conf.load_or_make_secrets(tmp_path) == made
    assert made.ari_password != made.ami_password
    assert re.fullmatch(r"[A-Za-z0-9_-]{32,}", made.ari_password)
    assert stat.S_IMODE((tmp_path / "asterisk/secrets.json").stat().st_mode) == 0o600


def test_ports_are_kept_while_free_and_chosen_anew_when_taken(settings_with: Make) -> None:
    settings = settings_with()
    chosen = asterisk_conf.load_or_choose_ports(settings)
    assert asterisk_conf.load_or_choose_ports(settings) == chosen
    with socket.create_server(("127.0.0.1", chosen.http)):
        assert asterisk_conf.load_or_choose_ports(settings, in_use_by_us=True) == chosen
        assert asterisk_conf.load_or_choose_ports(settings).http != chosen.http


def test_broken_ports_file_is_replaced(settings_with: Make) -> None:
    settings = settings_with()
    path = asterisk_conf.instance_dir(settings) / "ports.json"
    path.parent.mkdir(parents=True)
    path.write_text("{")
    assert asterisk_conf.load_or_choose_ports(settings) == asterisk_conf.load_or_choose_ports(settings)


def test_set_ami_port_is_used_or_refused_by_name(settings_with: Make) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        taken = server.getsockname()[1]
        with pytest.raises(SettingsError, match=f"ATTENDANT_AMI_PORT={taken}: "):
            asterisk_conf.load_or_choose_ports(settings_with(ami_port=str(taken)))
    assert asterisk_conf.load_or_choose_ports(settings_with(ami_port=str(taken))).ami == taken


@pytest.mark.parametrize(("kind", "name"), [(socket.SOCK_DGRAM, "UDP"), (socket.SOCK_STREAM, "TCP")])
def test_taken_sip_port_is_refused_by_name(settings_with: Make, kind: socket.SocketKind, name: str) -> None:
    with socket.socket(type=kind) as other:
        other.bind(("127.0.0.1", 0))
        if kind == socket.SOCK_STREAM:
            other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SettingsError, match=f"ATTENDANT_SIP_PORT={port}: the {name} port is in use"):
            asterisk_conf.check_sip_port(settings_with(sip_port=str(port)))


@pytest.mark.parametrize("host", ["192.0.2.1", "no-such-host.invalid"])
def test_sip_host_of_another_machine_is_refused_by_name(settings_with: Make, host: str) -> None:
    with pytest.raises(SettingsError, match=f"ATTENDANT_SIP_HOST={host}: "):
        asterisk_conf.check_sip_port(settings_with(sip_host=host))
