"""Which Asterisk is taken. Programs are stand-ins that only tell their version."""

from __future__ import annotations

import fcntl
import json
import threading
from collections.abc import Callable
from pathlib import Path

import pytest

from controller.errors import SettingsError, SetupError
from controller.provisioning import asterisk_prefix, debian
from controller.settings import Settings

Make = Callable[..., Settings]


def installed(root: Path, version: str) -> Path:
    """A folder tree like that of an installed Asterisk; gives its program."""
    program = root / "sbin/asterisk"
    for path in (program, root / "lib/asterisk/modules/chan_pjsip.so", root / "share/asterisk/documentation/core-en_US.xml"):
        path.parent.mkdir(parents=True)
        path.touch()
    (root / "share/asterisk/sounds/en").mkdir(parents=True)
    (root / "share/asterisk/sounds/ru_RU_f_IvrvoiceRU").mkdir()
    program.write_text(f"#!/bin/sh\necho {version}\n")
    program.chmod(0o755)
    return program


def fetched(prefix: Path) -> Path:
    """A folder that looks like a finished fetch."""
    folder = prefix / "asterisk"
    (folder / "lib").mkdir(parents=True)
    (folder / "lib/ld-linux-x86-64.so.2").touch()
    (folder / "attendant.json").write_text(json.dumps({"layout": asterisk_prefix._LAYOUT, "version": "22.1.0"}))
    return folder


@pytest.fixture
def no_path(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(asterisk_prefix, "_on_path", lambda: None)


@pytest.mark.parametrize("version", ["Asterisk 22.10.1~dfsg+~cs6", "Asterisk certified/20.7-cert1", "Asterisk GIT-23-abc"])
def test_named_asterisk_is_taken_with_what_lies_beside_it(settings_with: Make, tmp_path: Path, version: str) -> None:
    program = installed(tmp_path / "own", version)
    install = asterisk_prefix.find_or_fetch(settings_with(asterisk=str(program)), print)
    assert install.command == (str(program),)
    assert install.modules_dir == tmp_path / "own/lib/asterisk/modules"
    assert install.data_dir == tmp_path / "own/share/asterisk"
    assert install.version in version


@pytest.mark.parametrize("version", ["Asterisk 18.2.0", "something else"])
def test_named_asterisk_that_is_too_old_or_none_is_refused(settings_with: Make, tmp_path: Path, version: str) -> None:
    program = installed(tmp_path / "own", version)
    with pytest.raises(SettingsError, match=r"ATTENDANT_ASTERISK=.*version 20 or newer"):
        asterisk_prefix.find_or_fetch(settings_with(asterisk=str(program)), print)
    with pytest.raises(SettingsError, match="ATTENDANT_ASTERISK="):
        asterisk_prefix.find_or_fetch(settings_with(asterisk=str(tmp_path / "missing")), print)


def test_asterisk_on_the_path_is_taken_unless_too_old(
    settings_with: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings = settings_with(asterisk_prefix=str(tmp_path / "prefix"))
    ours = fetched(tmp_path / "prefix")
    old, new = installed(tmp_path / "old", "Asterisk 16.28.0"), installed(tmp_path / "new", "Asterisk 22.1.0")
    monkeypatch.setenv("PATH", f"{new.parent}:/usr/bin:/bin")
    assert asterisk_prefix.find_or_fetch(settings, print).command == (str(new),)
    monkeypatch.setenv("PATH", f"{old.parent}:/usr/bin:/bin")
    assert asterisk_prefix.find_or_fetch(settings, print).command[-1] == str(ours / "sbin/asterisk")


@pytest.mark.usefixtures("no_path")
def test_what_was_fetched_once_is_used_again_without_apt(
    settings_with: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = fetched(tmp_path / "prefix")
    monkeypatch.setenv("PATH", "")
    install = asterisk_prefix.find_or_fetch(settings_with(asterisk_prefix=str(tmp_path / "prefix")), print)
    assert (install.version, install.modules_dir, install.data_dir) == ("22.1.0", folder / "modules", folder / "share")


@pytest.mark.usefixtures("no_path")
def test_host_without_debian_sources_is_asked_for_a_mirror(
    settings_with: Make, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(debian, "host_mirror", lambda: None)
    with pytest.raises(SetupError, match="set ATTENDANT_DEBIAN_MIRROR"):
        asterisk_prefix.find_or_fetch(settings_with(asterisk_prefix=str(tmp_path / "prefix")), print)


@pytest.mark.usefixtures("no_path")
def test_prefix_that_cannot_be_written_is_named(settings_with: Make, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(SetupError, match=r"Not a directory.*ATTENDANT_ASTERISK_PREFIX"):
        asterisk_prefix.find_or_fetch(settings_with(asterisk_prefix=str(tmp_path / "file/prefix")), print)


@pytest.mark.usefixtures("no_path")
def test_second_start_waits_for_the_first_ones_fetch(settings_with: Make, tmp_path: Path) -> None:
    prefix = tmp_path / "prefix"
    prefix.mkdir()
    said: list[str] = []
    waiting = threading.Event()

    def progress(line: str) -> None:
        said.append(line)
        waiting.set()

    with (prefix / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        settings = settings_with(asterisk_prefix=str(prefix))
        second = threading.Thread(target=asterisk_prefix.find_or_fetch, args=(settings, progress))
        second.start()
        assert waiting.wait(10)
        fetched(prefix)
    second.join(10)
    assert said == ["Another start in this checkout is fetching Asterisk; waiting for it"]


def test_an_asterisk_without_the_recordings_of_a_language_is_not_taken(settings_with: Make, tmp_path: Path) -> None:
    program = installed(tmp_path / "own", "Asterisk 22.10.1")
    (tmp_path / "own/share/asterisk/sounds/ru_RU_f_IvrvoiceRU").rmdir()
    with pytest.raises(SettingsError, match="asterisk-core-sounds-en, -ru"):
        asterisk_prefix.find_or_fetch(settings_with(asterisk=str(program)), print)
