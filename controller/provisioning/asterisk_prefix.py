"""Where the Asterisk of this installation comes from: a setting, the machine, or Debian's packages in the checkout.

The prefix folder holds one folder for each thing fetched ("asterisk", "sipp"), which appears whole or not at all, and a
work folder while something is fetched. It can be moved: nothing in it knows its own path.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import re
import shutil
import subprocess
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from controller.errors import SettingsError, SetupError
from controller.prompts.builtin import LANGUAGES
from controller.provisioning import debian
from controller.settings import Settings

OLDEST_VERSION = 20

_MARKER = "attendant.json"
_LAYOUT = 1

_ASTERISK = debian.PackageSet(
    wanted=("asterisk", "asterisk-core-sounds-en-gsm", "asterisk-core-sounds-ru-gsm", "asterisk-moh-opsound-gsm"),
    # Only modules that a call center has no use for need these: calendars, codec2, SNMP, RADIUS, fax, sound cards, XMPP ...
    skip=re.compile(
        r"adduser|passwd|login\.defs|base-passwd|debconf|libpam.*|tzdata|pci\.ids|libc-gconv-modules-extra|"
        r"openssl-provider-legacy|perl.*|libperl.*|gnupg.*|gpg.*|dirmngr|pinentry.*|libgpgme.*|libicu.*|libcodec2.*|libsnmp.*|"
        r"libglib2.*|libgmime.*|libneon.*|libical.*|libsybdb.*|freetds.*|libradcli.*|libgnutls.*|libiksemel.*|libspandsp.*|"
        r"libtiff.*|libjack.*|libportaudio.*|libasound.*|libsamplerate.*|libopencore.*|libvo-amrwbenc.*|liblua.*|libunbound.*|"
        r"libpq.*|libodbc.*|libdb5.*|libsasl2-modules.*|libresample.*|libvorbis.*|libopusfile.*|libopusenc.*"
    ),
    pinned=("asterisk", "asterisk-modules", "asterisk-config"),
    pin="1:22.*",
)
_SIPP = debian.PackageSet(wanted=("sip-tester",), skip=re.compile(r"python3.*|libpython3.*|media-types|tzdata|perl.*|debconf"))
_DATA_FOLDERS = ("documentation", "rest-api", "moh")


@dataclass(frozen=True, slots=True)
class AsteriskInstall:
    """An Asterisk that can be started.

    `command` starts it (arguments are added behind); `data_dir` holds documentation, rest-api, sounds and moh.
    """

    command: tuple[str, ...]
    modules_dir: Path
    data_dir: Path
    version: str


def find_or_fetch(settings: Settings, progress: Callable[[str], None]) -> AsteriskInstall:
    """The Asterisk to run; fetched if the machine has none. Blocks while it fetches, up to minutes.

    Raises SettingsError when ATTENDANT_ASTERISK names none, SetupError when none can be had.
    """
    if settings.asterisk is not None:
        return _named(settings.asterisk)
    installed = _on_path()
    if installed is not None:
        return installed
    folder = _fetched(settings, "asterisk", progress)
    library = folder / "lib"
    command = (str(debian.loader(library)), "--library-path", str(library), str(folder / "sbin/asterisk"))
    version = json.loads((folder / _MARKER).read_text())["version"]
    return AsteriskInstall(command, folder / "modules", folder / "share", version)


def describe(settings: Settings) -> str:
    """What `find_or_fetch` would give, in words, without fetching anything. Raises like it."""
    installed = _named(settings.asterisk) if settings.asterisk is not None else _on_path()
    if installed is not None:
        return f"{installed.version} ({installed.command[0]})"
    folder = settings.asterisk_prefix.absolute() / "asterisk"
    if _is_whole(folder):
        return f"{json.loads((folder / _MARKER).read_text())['version']} (Debian's packages in {folder})"
    debian.architecture()
    if settings.debian_mirror is None and debian.host_mirror() is None:
        raise SetupError("the host's apt sources name no Debian mirror: set ATTENDANT_DEBIAN_MIRROR, or ATTENDANT_ASTERISK")
    return "none yet; `make run` fetches Debian's packages of Asterisk 22 (about 40 MB)"


def find_or_fetch_sipp(settings: Settings, progress: Callable[[str], None]) -> list[str]:
    """Command that starts SIPp 3.7 or newer; fetched if the machine has none. For tests and measurements only.

    Raises SetupError.
    """
    program = shutil.which("sipp")
    if program is not None and _sipp_version(program) >= (3, 7):
        return [program]
    folder = _fetched(settings, "sipp", progress)
    return [str(debian.loader(folder / "lib")), "--library-path", str(folder / "lib"), str(folder / "bin/sipp")]


def _sipp_version(program: str) -> tuple[int, int]:
    match = re.search(r"SIPp v(\d+)\.(\d+)", _output(program, "-v"))
    return (int(match[1]), int(match[2])) if match else (0, 0)


def _named(program: Path) -> AsteriskInstall:
    install = _installed(program)
    if install is None:
        raise SettingsError(
            f"ATTENDANT_ASTERISK={program}: not an Asterisk of version {OLDEST_VERSION} or newer with its modules, "
            "documentation and sounds (asterisk-core-sounds-en, -ru) beside it; name the program, as /usr/sbin/asterisk"
        )
    return install


def _on_path() -> AsteriskInstall | None:
    program = shutil.which("asterisk") or shutil.which("asterisk", path="/usr/sbin:/usr/local/sbin")
    return _installed(Path(program)) if program else None


def _installed(program: Path) -> AsteriskInstall | None:
    """An Asterisk installed in the usual way around its program, or None."""
    match = re.search(r"Asterisk (?:certified[/-]|GIT-)?((\d+)\S*)", _output(str(program), "-V"))
    if match is None or int(match[2]) < OLDEST_VERSION:
        return None
    root = program.resolve().parent.parent
    modules = [*root.glob("lib/*/asterisk/modules"), root / "lib/asterisk/modules", root / "lib64/asterisk/modules"]
    data = [root / "share/asterisk", root / "var/lib/asterisk", Path("/var/lib/asterisk"), Path("/usr/share/asterisk")]
    modules = [path for path in modules if (path / "chan_pjsip.so").is_file()]
    data = [path for path in data if (path / "documentation/core-en_US.xml").is_file() and _speaks(path)]
    return AsteriskInstall((str(program),), modules[0], data[0], match[1]) if modules and data else None


def _speaks(data_dir: Path) -> bool:
    """Whether the recordings that the built-in prompts are made of are there, in every language."""
    return all(sounds_folder(data_dir, language) is not None for language in LANGUAGES)


def sounds_folder(data_dir: Path, language: str) -> Path | None:
    """Where the recordings of a language are: "ru", or "ru_RU_f_IvrvoiceRU" where nobody has made the short name."""
    folders = [data_dir / "sounds" / language, *sorted(data_dir.glob(f"sounds/{language}_*"))]
    return next((folder for folder in folders if folder.is_dir()), None)


def _output(*command: str) -> str:
    try:
        return subprocess.run(command, capture_output=True, text=True, timeout=10, check=False).stdout
    except (OSError, subprocess.TimeoutExpired):
        return ""


def _fetched(settings: Settings, name: str, progress: Callable[[str], None]) -> Path:
    prefix = settings.asterisk_prefix.absolute()
    folder = prefix / name
    if _is_whole(folder):
        return folder
    try:
        prefix.mkdir(parents=True, exist_ok=True)
        with _locked(prefix / "lock", progress) as lock:
            if not _is_whole(folder):
                _fetch(settings, name, folder, progress, lock)
    except OSError as error:
        raise SetupError(
            f"{name} can't be put into {prefix} ({error.strerror or error}): mend that or set ATTENDANT_ASTERISK_PREFIX"
        ) from error
    return folder


def _is_whole(folder: Path) -> bool:
    try:
        return bool(json.loads((folder / _MARKER).read_text())["layout"] == _LAYOUT)
    except (OSError, ValueError, KeyError, TypeError):
        return False


@contextlib.contextmanager
def _locked(path: Path, progress: Callable[[str], None]) -> Iterator[int]:
    with path.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            progress("Another start in this checkout is fetching Asterisk; waiting for it")
            fcntl.flock(file, fcntl.LOCK_EX)
        yield file.fileno()


def _fetch(settings: Settings, name: str, folder: Path, progress: Callable[[str], None], lock: int) -> None:
    mirror = settings.debian_mirror or debian.host_mirror()
    debian.architecture()
    if mirror is None:
        raise SetupError(
            "Asterisk is not installed, and this system's apt sources name no Debian mirror to fetch it from: set "
            "ATTENDANT_DEBIAN_MIRROR to the address of one, or name an Asterisk by ATTENDANT_ASTERISK or ATTENDANT_ARI_URL"
        )
    work = folder.with_name(f"{name}.work")
    title, packages, slim = ("Asterisk 22", _ASTERISK, _slim_asterisk) if name == "asterisk" else ("SIPp", _SIPP, _slim_sipp)
    resolved, debs = debian.Fetcher(work, mirror, progress, lock).fetch(title, packages)
    progress(f"Unpacking {title}")
    tree, new = work / "tree", work / "new"
    for old in (tree, new, folder):
        shutil.rmtree(old, ignore_errors=True)
    debian.unpack(debs, tree)
    slim(tree, new)
    versions = {package.name: package.version for package in resolved}
    upstream = re.sub(r"^\d+:|[+~-].*$", "", versions[packages.wanted[0]])
    marker = {"layout": _LAYOUT, "version": upstream, "suite": debian.SUITE, "packages": versions}
    (new / _MARKER).write_text(json.dumps(marker, indent=1))
    new.rename(folder)
    shutil.rmtree(work)


def _slim_asterisk(tree: Path, new: Path) -> None:
    """Keep the program, the modules whose libraries are all there, those libraries, the prompts and the documentation."""
    program = tree / "usr/sbin/asterisk"
    modules = sorted((debian.multiarch_dir(tree) / "asterisk/modules").glob("*.so"))
    kept = debian.copy_with_libraries(tree, [program, *modules], new / "lib")
    _require(program in kept, "the program's libraries")
    for file in kept:
        folder = new / ("sbin" if file == program else "modules")
        folder.mkdir(exist_ok=True)
        shutil.copy(file, folder)
    data = tree / "usr/share/asterisk"
    for name in _DATA_FOLDERS:
        shutil.copytree(data / name, new / "share" / name)
    # The packages' own scripts, which don't run here, would have made the plain language names.
    for language in ("en", "ru"):
        voices = sorted((data / "sounds").glob(f"{language}_*"))
        _require(bool(voices), f"the prompts in {language}")
        shutil.copytree(voices[0], new / "share/sounds" / language)


def _slim_sipp(tree: Path, new: Path) -> None:
    program = tree / "usr/bin/sipp"
    _require(program in debian.copy_with_libraries(tree, [program], new / "lib"), "SIPp's libraries")
    (new / "bin").mkdir()
    shutil.copy(program, new / "bin")


def _require(there: bool, what: str) -> None:
    if not there:
        raise SetupError(f"Debian's packages lack {what}: set ATTENDANT_ASTERISK to an Asterisk of your own, and report this")
