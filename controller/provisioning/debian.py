"""Debian packages without root: resolved, fetched and verified by apt, unpacked by dpkg-deb.

Nothing of the host's package system is changed: apt works on lists, a status file and a cache of our own. The host's
apt configuration (proxies, time limits) is still read, but its sources, pins and trusted keys are not used.
"""

from __future__ import annotations

import itertools
import os
import re
import shutil
import subprocess
from collections.abc import Callable, Iterable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import unquote, urlsplit

from controller.errors import SetupError

SUITE = "forky"
ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}
_LOADERS = {"x86_64": "ld-linux-x86-64.so.2", "aarch64": "ld-linux-aarch64.so.1"}

_SUITES = {"bullseye", "bookworm", "trixie", "forky", "sid", "oldstable", "stable", "testing", "unstable"}
_SCHEMES = {"http", "https", "mirror", "mirror+file", "file", "tor+http", "tor+https"}
_OTHER_WAYS = (
    "set ATTENDANT_DEBIAN_MIRROR to another mirror, or use an Asterisk of your own by ATTENDANT_ASTERISK or ATTENDANT_ARI_URL"
)

_APT_CONF = """\
#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
#clear DPkg::Pre-Invoke;
#clear DPkg::Post-Invoke;
#clear DPkg::Pre-Install-Pkgs;
#clear Acquire::IndexTargets;
Acquire::IndexTargets::deb::Packages {{
  MetaKey "$(COMPONENT)/binary-$(ARCHITECTURE)/Packages"; flatMetaKey "Packages";
  ShortDescription "Packages"; Description "$(RELEASE)/$(COMPONENT) $(ARCHITECTURE) Packages";
  flatDescription "$(RELEASE) Packages"; Optional "0";
}};
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "{work}/sources";
Dir::Etc::preferences "{work}/preferences";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::trusted "/dev/null";
Dir::Etc::trustedparts "/dev/null";
Dir::State "{work}";
Dir::State::lists "{work}/lists";
Dir::State::status "{work}/status";
Dir::Cache "{work}/cache";
Dir::Log "{work}/log";
APT::Architecture "{architecture}";
APT::Architectures "{architecture}";
APT::Install-Recommends "false";
APT::Install-Suggests "false";
APT::Sandbox::User "";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::Retries "2";
Acquire::http::Timeout "30";
Acquire::https::Timeout "30";
Debug::NoLocking "true";
"""


@dataclass(frozen=True, slots=True)
class PackageSet:
    """What to install. `skip` matches names of dependencies to leave out; `pin` is the "Pin: version" of `pinned`."""

    wanted: tuple[str, ...]
    skip: re.Pattern[str]
    pinned: tuple[str, ...] = ()
    pin: str = "*"


@dataclass(frozen=True, slots=True)
class Package:
    """One package file that apt resolved; `size` in bytes."""

    name: str
    version: str
    file: str
    size: int


@dataclass(frozen=True, slots=True)
class _Source:
    types: tuple[str, ...]
    uris: tuple[str, ...]
    suites: tuple[str, ...]
    components: tuple[str, ...]
    signed_by: str
    enabled: bool


def host_mirror(apt: Path = Path("/etc/apt")) -> str | None:
    """Address of the main Debian archive in the host's apt sources, or None."""
    for source in _host_sources(apt):
        if not (source.enabled and "deb" in source.types and "main" in source.components and _SUITES & set(source.suites)):
            continue
        for uri in source.uris:
            if _is_main_archive(uri, source.signed_by):
                return uri
    return None


def _is_main_archive(uri: str, signed_by: str) -> bool:
    parts = urlsplit(uri)
    if parts.scheme not in _SCHEMES:
        return False
    # Third parties name their suites like Debian's: what tells them apart is the path, and the key they sign with.
    if signed_by.startswith("/") and not Path(signed_by.split()[0]).name.startswith("debian-archive-"):
        return False
    names = parts.path.split("/")
    return any(name == "debian" or name.startswith("debian.") for name in names)


def _host_sources(apt: Path) -> Iterator[_Source]:
    folder = apt / "sources.list.d"
    for path in [apt / "sources.list", *sorted(folder.glob("*.sources")), *sorted(folder.glob("*.list"))]:
        try:
            text = path.read_text(encoding="utf-8", errors="replace")
        except OSError:
            continue
        yield from _deb822(text) if path.suffix == ".sources" else _one_line(text)


def _deb822(text: str) -> Iterator[_Source]:
    text = re.sub(r"^#.*\n?", "", text, flags=re.MULTILINE)
    for stanza in re.split(r"\n\s*\n", text):
        joined = re.sub(r"\n[ \t]+", " ", stanza)
        fields = {key.strip().lower(): value.strip() for key, _, value in (line.partition(":") for line in joined.splitlines())}
        yield _Source(
            types=tuple(fields.get("types", "").split()),
            uris=tuple(fields.get("uris", "").split()),
            suites=tuple(fields.get("suites", "").split()),
            components=tuple(fields.get("components", "").split()),
            signed_by=fields.get("signed-by", ""),
            enabled=fields.get("enabled", "yes").lower() not in ("no", "false", "0"),
        )


def _one_line(text: str) -> Iterator[_Source]:
    for line in text.splitlines():
        match = re.match(r"(deb|deb-src)\s+(?:\[([^]]*)\]\s+)?(\S+)\s+(\S+)\s+([^#]*)", line.strip())
        if match is None:
            continue
        options = dict(option.partition("=")[::2] for option in (match[2] or "").split())
        yield _Source((match[1],), (match[3],), (match[4],), tuple(match[5].split()), options.get("signed-by", ""), True)


def host_keyrings(root: Path = Path("/")) -> tuple[Path, ...]:
    """Files of the host that hold the keys of Debian's archive; empty when it has none."""
    whole = root / "usr/share/keyrings/debian-archive-keyring.gpg"
    if whole.is_file():
        return (whole,)
    for folder in ("usr/share/keyrings", "etc/apt/keyrings", "etc/apt/trusted.gpg.d"):
        found = [*(root / folder).glob("debian-archive-*.gpg"), *(root / folder).glob("debian-archive-*.asc")]
        if found:
            return tuple(sorted(found))
    return ()


def architecture() -> str:
    """Debian's name of this machine's architecture. Raises SetupError on a system the packages don't run on."""
    system = os.uname()
    if system.sysname != "Linux" or system.machine not in ARCHITECTURES:
        raise SetupError(
            f"Debian's packages can't be run on {system.sysname} {system.machine} (only on Linux x86_64 and aarch64): "
            "name an Asterisk of your own by ATTENDANT_ASTERISK or ATTENDANT_ARI_URL, or run it by docker compose"
        )
    return ARCHITECTURES[system.machine]


class Fetcher:
    """apt in a work folder of its own. What an interrupted fetch left there is used by the next one.

    `lock` is a descriptor that apt keeps open too: it may outlive this process, and nobody else may fetch until it ends.
    """

    def __init__(self, work: Path, mirror: str, progress: Callable[[str], None], lock: int | None = None) -> None:
        self._work = work
        self._kept_open = [] if lock is None else [lock]
        self._mirror = mirror
        self._progress = progress
        self._architecture = architecture()
        for program in ("apt-get", "dpkg-deb"):
            if shutil.which(program) is None:
                raise SetupError(
                    f"{program} is not on this system, so Asterisk can't be fetched: name an Asterisk of your own by "
                    "ATTENDANT_ASTERISK or ATTENDANT_ARI_URL, or run it by docker compose"
                )

    def fetch(self, title: str, packages: PackageSet) -> tuple[list[Package], list[Path]]:
        """Download a set with what it depends on, signatures and hashes verified. Raises SetupError."""
        self._configure(packages)
        self._run(f"Reading Debian's package list for {title}", ["update"])
        resolved = self._resolve_lean(packages)
        size = sum(package.size for package in resolved)
        self._run(f"Fetching {title} ({len(resolved)} packages, {size / 1e6:.0f} MB)", _install(packages), "--download-only")
        archives = self._work / "cache/archives"
        return resolved, [archives / package.file for package in resolved]

    def _configure(self, packages: PackageSet) -> None:
        for folder in ("lists/partial", "cache/archives/partial", "sources", "log"):
            (self._work / folder).mkdir(parents=True, exist_ok=True)
        (self._work / "apt.conf").write_text(_APT_CONF.format(work=self._work, architecture=self._architecture))
        (self._work / "status").write_text("")
        names = " ".join(packages.pinned)
        pins = f"Package: {names}\nPin: version {packages.pin}\nPin-Priority: 1001\n\n"
        pins += f"Package: {names}\nPin: release a=*\nPin-Priority: -1\n"
        (self._work / "preferences").write_text(pins if names else "")
        keys = " ".join(str(path) for path in self._keyrings())
        (self._work / "sources/debian.sources").write_text(
            f"Types: deb\nURIs: {self._mirror}\nSuites: {SUITE}\nComponents: main\nSigned-By: {keys}\n"
        )

    def _keyrings(self) -> tuple[Path, ...]:
        found = host_keyrings() or host_keyrings(self._work / "keys")
        if found:
            return found
        # Ubuntu carries Debian's keys as a package in its own signed archive.
        self._progress("Fetching Debian's archive keys from this system's own package archive")
        folder = self._work / "keys"
        folder.mkdir(exist_ok=True)
        subprocess.run(["apt-get", "-qq", "download", "debian-archive-keyring"], cwd=folder, capture_output=True, check=False)
        unpack(folder.glob("*.deb"), folder)
        found = host_keyrings(folder)
        if not found:
            raise SetupError(
                "the keys of Debian's archive are not on this system, so its packages can't be verified: install the package "
                "debian-archive-keyring (as root: apt-get update && apt-get install debian-archive-keyring)"
            )
        return found

    def _resolve_lean(self, packages: PackageSet) -> list[Package]:
        everything = self._resolve(packages)
        skipped = [package for package in everything if packages.skip.fullmatch(package.name)]
        (self._work / "status").write_text("".join(map(self._as_installed, skipped)))
        try:
            return self._resolve(packages)
        except SetupError:
            # Should the archive's dependencies ever not bear the pretence, fetch more rather than fail.
            (self._work / "status").write_text("")
            return everything

    def _as_installed(self, package: Package) -> str:
        # "allowed" for the interpreters, because others depend on "perl:any".
        multi_arch = "allowed" if re.match(r"perl|python3", package.name) else "same"
        return (
            f"Package: {package.name}\nVersion: {package.version}\nStatus: install ok installed\n"
            f"Architecture: {self._architecture}\nMulti-Arch: {multi_arch}\n"
            "Maintainer: none <none@example.invalid>\nDescription: left out\n\n"
        )

    def _resolve(self, packages: PackageSet) -> list[Package]:
        # With an empty cache, because what is in the cache already is not printed.
        (self._work / "empty/partial").mkdir(parents=True, exist_ok=True)
        done = self._apt(["-qq", "--print-uris", "-o", f"Dir::Cache::archives={self._work}/empty", *_install(packages)])
        if done.returncode != 0:
            raise self._failure(done.stderr)
        found = re.findall(r"^'[^']*' (\S+\.deb) (\d+) ", done.stdout, re.MULTILINE)
        return [Package((parts := file.split("_"))[0], unquote(parts[1]), file, int(size)) for file, size in found]

    def _run(self, title: str, command: list[str], *options: str) -> None:
        """One apt run that fetches, its progress told in steps of ten percent."""
        read_end, write_end = os.pipe()
        log = self._work / "apt.log"
        with log.open("w") as output, os.fdopen(read_end) as status:
            process = subprocess.Popen(
                [*self._command(), "-qq", "-o", f"APT::Status-Fd={write_end}", *options, *command],
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                pass_fds=[write_end, *self._kept_open],
                env=_environment(),
            )
            os.close(write_end)
            self._progress(title)
            last = 0
            for line in status:
                percent = _percent(line)
                if percent // 10 > last // 10:
                    self._progress(f"{title}: {percent} %")
                    last = percent
            process.wait()
        if process.returncode != 0:
            raise self._failure(log.read_text(errors="replace"))

    def _apt(self, command: list[str]) -> subprocess.CompletedProcess[str]:
        return subprocess.run([*self._command(), *command], capture_output=True, text=True, env=_environment(), check=False)

    def _command(self) -> list[str]:
        return ["apt-get", "-c", str(self._work / "apt.conf")]

    def _failure(self, output: str) -> SetupError:
        lines = [line[2:].strip() for line in output.splitlines() if line.startswith(("E:", "W:"))]
        reason = next((line for line in lines if re.search(r"Failed to fetch|signature|NO_PUBKEY|expired", line)), None)
        reason = reason or (lines[0] if lines else "apt-get gave no reason")
        mend = "install a newer debian-archive-keyring" if "NO_PUBKEY" in reason else "check the network"
        return SetupError(f"Debian's packages could not be had from {self._mirror} ({reason}): {mend}, {_OTHER_WAYS}")


def _install(packages: PackageSet) -> list[str]:
    return ["-y", "install", *packages.wanted]


def _percent(status_line: str) -> int:
    fields = status_line.split(":")
    return int(float(fields[2])) if fields[0] == "dlstatus" and len(fields) > 2 else 0


def _environment() -> dict[str, str]:
    return {**os.environ, "LC_ALL": "C"}


def unpack(debs: Iterable[Path], into: Path) -> None:
    """Unpack package files over one another into a folder. Raises SetupError."""
    into.mkdir(parents=True, exist_ok=True)
    with ThreadPoolExecutor(2) as pool:
        for deb, done in pool.map(lambda deb: (deb, _unpack_one(deb, into)), debs):
            if done.returncode != 0:
                raise SetupError(f"{deb} could not be unpacked ({done.stderr.strip()}): free some disk space and start again")


def _unpack_one(deb: Path, into: Path) -> subprocess.CompletedProcess[str]:
    return subprocess.run(["dpkg-deb", "-x", str(deb), str(into)], capture_output=True, text=True, check=False)


def multiarch_dir(tree: Path) -> Path:
    """The folder of an unpacked tree that holds the loader and the libraries."""
    return tree / f"usr/lib/{os.uname().machine}-linux-gnu"


def loader(libraries: Path) -> Path:
    """The dynamic loader among a folder's libraries."""
    return libraries / _LOADERS[os.uname().machine]


def copy_with_libraries(tree: Path, programs: Sequence[Path], into: Path) -> list[Path]:
    """Copy to `into` every library that the programs need; give back those programs whose libraries are all there."""
    libraries = multiarch_dir(tree)
    whole: list[Path] = []
    needed: set[Path] = {loader(libraries)}
    for program in programs:
        command = (loader(libraries), "--library-path", libraries, "--list", program)
        listing = subprocess.run(command, capture_output=True, text=True, check=False)
        found = {Path(path) for path in re.findall(r"=> (/.+) \(0x", listing.stdout)}
        # The loader also looks among the host's libraries, which are not for us.
        if listing.returncode == 0 and all(path.is_relative_to(tree) for path in found):
            whole.append(program)
            needed |= found
    into.mkdir(parents=True, exist_ok=True)
    for library in itertools.chain(needed, _loaded_by_name(libraries, needed)):
        shutil.copy(library, into / library.name)
    return whole


def _loaded_by_name(libraries: Path, needed: set[Path]) -> Iterator[Path]:
    """What NSS (under libsrtp) opens at run time, which the loader's list doesn't show."""
    if any(path.name.startswith("libnss3.") for path in needed):
        for pattern in ("libsoftokn3.so", "libfreebl*.so"):
            yield from libraries.rglob(pattern)
