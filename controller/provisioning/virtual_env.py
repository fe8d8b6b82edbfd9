"""Makes `.venv` from a lock file. Runs before anything is installed, so it uses the standard library alone.

    python3 controller/provisioning/virtual_env.py requirements.lock

A second call does nothing while the lock is unchanged. Without root, and without Debian's python3-venv: where that is
missing, pip itself is taken from Debian's package python3-pip-whl, unpacked into the checkout.
"""

from __future__ import annotations

import hashlib
import importlib.util
import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parent.parent.parent
VENV = CHECKOUT / ".venv"
OLDEST = (3, 11)


def main() -> int:
    lock = CHECKOUT / sys.argv[1]
    stamp = VENV / f".installed-{lock.name}"
    wanted = hashlib.sha256(lock.read_bytes() + sys.version.encode()).hexdigest()
    if stamp.exists() and stamp.read_text() == wanted:
        return 0
    try:
        make_sure_of_python()
        make_venv()
        say(f"installing the Python packages of {lock.name} (hashes checked) …")
        pip("install", "--quiet", "--disable-pip-version-check", "--use-pep517", "--require-hashes", "--requirement", str(lock))
    except SetupFailed as error:
        say(str(error))
        return 1
    stamp.write_text(wanted)
    return 0


class SetupFailed(Exception):
    """One line that says what to do."""


def make_sure_of_python() -> None:
    """Start again with a newer Python of this machine when this one is too old."""
    if sys.version_info >= OLDEST:
        return
    for minor in range(14, OLDEST[1] - 1, -1):
        newer = shutil.which(f"python3.{minor}")
        if newer is not None:
            os.execv(newer, [newer, *sys.argv])
    raise SetupFailed(
        f"Attendant needs Python 3.11 or newer; this is {sys.version.split()[0]}. Install one (Debian: apt install python3)."
    )


def make_venv() -> None:
    python = VENV / "bin" / "python"
    if python.exists():
        return
    say("making .venv …")
    has_pip = importlib.util.find_spec("ensurepip") is not None
    run(
        [sys.executable, "-m", "venv", *([] if has_pip else ["--without-pip"]), str(VENV)],
        "the virtual environment could not be made",
    )
    if not has_pip:
        install_pip(python)


def install_pip(python: Path) -> None:
    """Put pip into the environment from Debian's package of its wheel."""
    say("python3-venv is not installed: taking pip from Debian's package python3-pip-whl …")
    remedy = "pip is missing and could not be fetched; install it (Debian: apt install python3-venv) and try again"
    with tempfile.TemporaryDirectory() as folder:
        run(["apt-get", "download", "python3-pip-whl"], remedy, folder)
        for package in Path(folder).glob("*.deb"):
            run(["dpkg-deb", "-x", str(package), folder], remedy, folder)
        wheels = list(Path(folder).glob("usr/share/python-wheels/pip-*.whl"))
        if not wheels:
            raise SetupFailed(remedy)
        run([str(python), f"{wheels[0]}/pip", "install", "--quiet", "--no-index", str(wheels[0])], remedy, folder)


def pip(*arguments: str) -> None:
    run(
        [str(VENV / "bin" / "python"), "-m", "pip", *arguments],
        "the Python packages could not be installed; is the package registry reachable?",
    )


def run(command: list[str], remedy: str, folder: str | None = None) -> None:
    try:
        subprocess.run(command, check=True, cwd=folder)
    except (OSError, subprocess.CalledProcessError) as error:
        raise SetupFailed(f"{remedy} ({error})") from None


def say(text: str) -> None:
    print(f"attendant: {text}", file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
