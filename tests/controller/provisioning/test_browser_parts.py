"""Building what the pages need of npm. The programs are stand-ins: the real ones are used by the tests in a browser."""

from __future__ import annotations

import json
import subprocess
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest

from controller.errors import SetupError
from controller.provisioning import browser_parts
from controller.settings import CHECKOUT


class Programs:
    """What is called instead of pip, npm and esbuild; `fails` names one of them."""

    def __init__(self) -> None:
        self.calls: list[list[str]] = []
        self.fails: str | None = None
        self.error: Exception | None = None

    def run(self, command: Sequence[str], *, cwd: Path, timeout: float, **_: Any) -> subprocess.CompletedProcess[str]:
        self.calls.append(list(command))
        name = "pip" if "pip" in command else "npm" if "ci" in command else "esbuild"
        assert timeout == browser_parts.LIMIT
        if name == self.fails:
            if self.error is not None:
                raise self.error
            return subprocess.CompletedProcess(command, 1, "", "one\n\ntwo\nno network\n")
        if name == "npm":
            assert {"package.json", "package-lock.json", ".npmrc"} <= {path.name for path in cwd.iterdir()}
        if name == "esbuild":
            (cwd / "jssip.js").write_text("export default 1;\n")
        return subprocess.CompletedProcess(command, 0, "", "")


@pytest.fixture
def programs(monkeypatch: pytest.MonkeyPatch) -> Programs:
    stand_ins = Programs()
    monkeypatch.setattr(subprocess, "run", stand_ins.run)
    return stand_ins


@pytest.fixture
def build(tmp_path: Path) -> Callable[[], list[str]]:
    """Builds into a folder of the test from a copy of the real locks; gives what was said."""
    source = tmp_path / "source"
    source.mkdir()
    for name in browser_parts._LOCKS:
        (source / name).write_bytes((browser_parts.SOURCE / name).read_bytes())

    def built() -> list[str]:
        said: list[str] = []
        browser_parts.build(said.append, source, tmp_path / "built")
        return said

    return built


def test_it_is_built_once_and_again_when_a_lock_has_changed(
    programs: Programs, build: Callable[[], list[str]], tmp_path: Path
) -> None:
    assert len(build()) == 2 and len(programs.calls) == 3
    assert (tmp_path / "built/jssip.js").read_text() == "export default 1;\n"
    assert build() == [] and len(programs.calls) == 3
    (tmp_path / "source/package-lock.json").write_text("{}")
    assert len(build()) == 2 and len(programs.calls) == 6
    (tmp_path / "built/jssip.js").unlink()
    assert len(build()) == 2


def test_everything_is_checked_by_hashes_and_no_script_of_a_package_runs(
    programs: Programs, build: Callable[[], list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PIP_CERT", "/etc/authorities.pem")
    build()
    pip, npm, _ = programs.calls
    assert "--require-hashes" in pip
    assert {"ci", "--ignore-scripts", "--cafile=/etc/authorities.pem"} <= set(npm)


@pytest.mark.parametrize(
    ("fails", "said"),
    [
        ("pip", "is the Python package registry reachable"),
        ("npm", "is the npm registry reachable"),
        ("esbuild", "could not build the telephone"),
    ],
)
def test_what_fails_is_named_with_its_last_words_and_is_tried_again(
    programs: Programs, build: Callable[[], list[str]], fails: str, said: str
) -> None:
    programs.fails = fails
    with pytest.raises(SetupError, match=rf"{said}.*\(one / two / no network\)"):
        build()
    programs.fails = None
    assert len(build()) == 2


@pytest.mark.parametrize(
    ("error", "said"),
    [(subprocess.TimeoutExpired("npm", 1), "no end within"), (FileNotFoundError(2, "No such file", "node"), "node")],
)
def test_a_program_that_hangs_or_is_not_there_is_an_error_of_the_set_up(
    programs: Programs, build: Callable[[], list[str]], error: Exception, said: str
) -> None:
    programs.fails, programs.error = "npm", error
    with pytest.raises(SetupError, match=said):
        build()


def test_a_folder_that_cant_be_written_is_named(programs: Programs, build: Callable[[], list[str]], tmp_path: Path) -> None:
    (tmp_path / "built").write_text("no folder")
    with pytest.raises(SetupError, match="built"):
        build()
    assert programs.calls == []


def test_the_locks_name_versions_hashes_and_no_addresses() -> None:
    wanted = json.loads((browser_parts.SOURCE / "package.json").read_text())
    packages = json.loads((browser_parts.SOURCE / "package-lock.json").read_text())["packages"]
    for name, version in {**wanted["dependencies"], **wanted["devDependencies"]}.items():
        assert packages[f"node_modules/{name}"]["version"] == version
    assert all("integrity" in package and "resolved" not in package for place, package in packages.items() if place)
    node = (browser_parts.SOURCE / "node.lock").read_text()
    assert "--hash=sha256:" in node and "://" not in node


def test_what_is_built_is_not_committed() -> None:
    ignored = (CHECKOUT / ".gitignore").read_text().splitlines()
    assert f"/{browser_parts.BUILT.relative_to(CHECKOUT)}/" in ignored
