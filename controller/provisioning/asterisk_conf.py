"""Writes the folder that one Asterisk runs in: configuration from the templates, data links, spool, secrets and ports.

Everything lies in <data_dir>/asterisk, readable by its owner alone, because the configuration holds passwords.
"""

from __future__ import annotations

import errno
import hashlib
import ipaddress
import json
import os
import random
import resource
import secrets as random_secrets
import socket
import stat
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined

from controller.errors import SettingsError, SetupError
from controller.prompts.builtin import LANGUAGES
from controller.provisioning.asterisk_modules import present_modules, wanted_modules
from controller.provisioning.asterisk_prefix import AsteriskInstall, sounds_folder
from controller.settings import CHECKOUT, Settings

TEMPLATES = CHECKOUT / "asterisk-conf"
DIALPLAN = CHECKOUT / "dialplan"

CONTAINER = AsteriskInstall(("asterisk",), Path("/usr/lib/asterisk/modules"), Path("/usr/share/asterisk"), "22")
"""Debian's packages as asterisk-conf/Dockerfile lays them out."""
CONTAINER_PORTS = (8088, 5038)

_LINKED = ("documentation", "rest-api", "moh")
# Below the range that Linux gives to outgoing connections, so that a kept port is seldom found taken.
_OWN_PORTS = range(20000, 32000)
_LONGEST_SOCKET_FOLDER = 90


@dataclass(frozen=True, slots=True)
class Secrets:
    """Passwords of our own Asterisk: letters, digits, - and _ only."""

    ari_password: str
    ami_password: str


@dataclass(frozen=True, slots=True)
class Ports:
    """TCP ports of our own Asterisk, on loopback."""

    http: int
    ami: int

    @property
    def ari_url(self) -> str:
        return f"http://127.0.0.1:{self.http}/"


Kept = TypeVar("Kept", Secrets, Ports)


def instance_dir(settings: Settings) -> Path:
    """The folder our own Asterisk runs in."""
    return settings.data_dir.absolute() / "asterisk"


def load_or_make_secrets(data_dir: Path) -> Secrets:
    """The passwords kept in the data folder (file mode 0600), made at the first call. Raises SettingsError."""
    path = data_dir.absolute() / "asterisk/secrets.json"
    return _load(path, Secrets) or _keep(path, Secrets(random_secrets.token_urlsafe(32), random_secrets.token_urlsafe(32)))


def load_or_choose_ports(settings: Settings, in_use_by_us: bool = False) -> Ports:
    """Ports chosen once and kept as long as they are free, or taken by our own Asterisk (`in_use_by_us`).

    Raises SettingsError when ATTENDANT_AMI_PORT is taken.
    """
    path = instance_dir(settings) / "ports.json"
    kept = _load(path, Ports)
    if kept is not None and (in_use_by_us or (_is_free(kept.http) and _is_free(kept.ami))):
        if settings.ami_port in (None, kept.ami):
            return kept
    if settings.ami_port is not None and not _is_free(settings.ami_port):
        raise SettingsError(f"ATTENDANT_AMI_PORT={settings.ami_port}: the port is in use; choose another or unset it")
    http = _free_port()
    return _keep(path, Ports(http, settings.ami_port or _free_port(http)))


def check_sip_port(settings: Settings) -> None:
    """Raises SettingsError when the SIP address can't be bound by UDP and TCP."""
    address = sip_address(settings)
    family = socket.AF_INET6 if address.version == 6 else socket.AF_INET
    for kind in (socket.SOCK_DGRAM, socket.SOCK_STREAM):
        with socket.socket(family, kind) as trial:
            if kind == socket.SOCK_STREAM:
                trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                trial.bind((str(address), settings.sip_port))
            except OSError as error:
                raise SettingsError(_sip_problem(settings, kind, error)) from error


def _sip_problem(settings: Settings, kind: socket.SocketKind, error: OSError) -> str:
    port = f"ATTENDANT_SIP_PORT={settings.sip_port}"
    if error.errno == errno.EACCES:
        return f"{port}: this user may not bind it; choose one above 1023"
    if error.errno == errno.EADDRINUSE:
        protocol = "UDP" if kind == socket.SOCK_DGRAM else "TCP"
        return f"{port}: the {protocol} port is in use on {settings.sip_host}; stop what uses it or choose another"
    return f"ATTENDANT_SIP_HOST={settings.sip_host}: {error.strerror}; name an address of this machine"


def sip_address(settings: Settings) -> ipaddress.IPv4Address | ipaddress.IPv6Address:
    """sip_host as an address. Raises SettingsError when it is a name that can't be resolved."""
    try:
        return ipaddress.ip_address(settings.sip_host)
    except ValueError:
        pass
    try:
        return ipaddress.ip_address(socket.getaddrinfo(settings.sip_host, None)[0][4][0])
    except OSError as error:
        raise SettingsError(f"ATTENDANT_SIP_HOST={settings.sip_host}: {error.strerror}; write it as an address") from error


def render(
    settings: Settings,
    install: AsteriskInstall,
    secrets: Secrets,
    instance_dir: Path,
    ports: Ports,
    networks: tuple[str, ...] = (),
) -> Path:
    """Write the whole instance folder anew, spool and database kept; gives the path of its asterisk.conf.

    Raises SettingsError for values that can't be written, SetupError for an Asterisk that lacks something.
    """
    instance_dir = instance_dir.absolute()
    if any(character in str(instance_dir) for character in ";\n"):
        raise SettingsError(f"ATTENDANT_DATA_DIR={settings.data_dir}: the path may hold no semicolon")
    values = _values(settings, install, secrets, instance_dir, ports, networks)
    try:
        _make_folders(instance_dir, settings)
        _link_data(install, instance_dir / "data")
        _write_templates(instance_dir / "etc", values)
    except OSError as error:
        raise SettingsError(f"ATTENDANT_DATA_DIR={settings.data_dir}: {error.strerror}: {error.filename}") from error
    return instance_dir / "etc/asterisk.conf"


def render_for_container(settings: Settings, networks: tuple[str, ...]) -> Path:
    """Write the instance folder of an Asterisk in a container that has it under the same path; gives its asterisk.conf.

    ARI and AMI listen to `networks`, whose phones also see Asterisk's own address instead of media_address.
    Raises SettingsError.
    """
    if settings.ari_password is None or settings.ami_password is None:
        raise SettingsError("ATTENDANT_ARI_PASSWORD and ATTENDANT_AMI_PASSWORD must be set to configure a container")
    secrets = Secrets(settings.ari_password, settings.ami_password)
    return render(settings, CONTAINER, secrets, instance_dir(settings), Ports(*CONTAINER_PORTS), networks)


def digest(conf: Path) -> str:
    """Fingerprint of all the configuration beside an asterisk.conf."""
    whole = hashlib.sha256()
    for path in sorted(conf.parent.glob("*.conf")):
        whole.update(path.name.encode() + b"\0" + path.read_bytes() + b"\0")
    return whole.hexdigest()


def run_dir(instance_dir: Path) -> Path:
    """Where the process's pid file and control socket lie: in the instance, unless its path is too long for a socket."""
    plain = instance_dir.absolute() / "run"
    if len(str(plain)) <= _LONGEST_SOCKET_FOLDER:
        return plain
    name = hashlib.sha256(str(plain).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"attendant-{os.getuid()}-{name}"


def _values(
    settings: Settings, install: AsteriskInstall, secrets: Secrets, instance: Path, ports: Ports, networks: tuple[str, ...]
) -> dict[str, object]:
    address = sip_address(settings)
    host = f"[{address}]" if address.version == 6 else str(address)
    return {
        "instance": instance,
        "run_dir": run_dir(instance),
        "modules_dir": install.modules_dir,
        "modules": wanted_modules() if networks else present_modules(install.modules_dir),
        "control_bind": "0.0.0.0" if networks else "127.0.0.1",
        "control_networks": networks or ("127.0.0.1/32",),
        "local_networks": networks,
        "max_files": min(65536, resource.getrlimit(resource.RLIMIT_NOFILE)[1]),
        "language": settings.language,
        "ari_app": settings.ari_app,
        "ari_user": settings.ari_user,
        "ari_password": secrets.ari_password,
        "ami_user": settings.ami_user,
        "ami_password": secrets.ami_password,
        "http_port": ports.http,
        "ami_port": ports.ami,
        "sip_bind": f"{host}:{settings.sip_port}",
        "media_address": settings.media_address,
        "media_bind": None if settings.media_address or address.is_unspecified else str(address),
        "rtp_first": settings.rtp_ports.first,
        "rtp_last": settings.rtp_ports.last,
        "demo_networks": settings.demo_networks,
    }


def _make_folders(instance: Path, settings: Settings) -> None:
    instance.mkdir(mode=0o700, parents=True, exist_ok=True)
    folders = ("etc", "log", "db", "spool/monitor", "data/sounds", "data/keys", "data/agi-bin")
    for folder in folders:
        (instance / folder).mkdir(parents=True, exist_ok=True)
    settings.recordings_dir.mkdir(parents=True, exist_ok=True)
    _link_recordings(instance / "spool/recording", settings.recordings_dir.absolute())
    run = run_dir(instance)
    run.mkdir(mode=0o700, exist_ok=True)
    if run.stat().st_uid != os.getuid() or stat.S_IMODE(run.stat().st_mode) & 0o022:
        raise SetupError(f"{run} belongs to somebody else: remove it")


def _link_recordings(link: Path, recordings: Path) -> None:
    """Where Asterisk keeps what ARI records is the recordings folder itself."""
    if link.is_symlink():
        if Path(os.readlink(link)) == recordings:
            return
        link.unlink()
    elif link.is_dir():
        link.rmdir()
    link.symlink_to(recordings)


def _link_data(install: AsteriskInstall, data: Path) -> None:
    sounds = {f"sounds/{language}": sounds_folder(install.data_dir, language) for language in LANGUAGES}
    for name in (*_LINKED, *sounds):
        link, target = data / name, sounds.get(name) or install.data_dir / name
        if link.is_symlink() and Path(os.readlink(link)) == target:
            continue
        link.unlink(missing_ok=True)
        if target.is_dir() or install is CONTAINER:
            link.symlink_to(target)


def _write_templates(etc: Path, values: dict[str, object]) -> None:
    environment = Environment(
        loader=FileSystemLoader([TEMPLATES, DIALPLAN]), undefined=StrictUndefined, trim_blocks=True, keep_trailing_newline=True
    )
    names = {path.name.removesuffix(".j2") for folder in (TEMPLATES, DIALPLAN) for path in folder.glob("*.conf.j2")}
    for stale in {path.name for path in etc.glob("*.conf")} - names:
        (etc / stale).unlink()
    for name in names:
        _write_private(etc / name, environment.get_template(f"{name}.j2").render(values))


def _write_private(path: Path, text: str) -> None:
    """Replace a file in one step, readable by its owner alone."""
    new = path.with_name(f"{path.name}.{os.getpid()}.new")
    new.unlink(missing_ok=True)
    with os.fdopen(os.open(new, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
        file.write(text)
    new.replace(path)


def _load(path: Path, kind: type[Kept]) -> Kept | None:
    try:
        return kind(**json.loads(path.read_text()))
    except (OSError, ValueError, TypeError):
        return None


def _keep(path: Path, value: Kept) -> Kept:
    try:
        path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _write_private(path, json.dumps(asdict(value)))
    except OSError as error:
        raise SettingsError(f"ATTENDANT_DATA_DIR: {path} can't be written ({error.strerror})") from error
    return value


def _free_port(taken: int = 0) -> int:
    for port in random.sample(_OWN_PORTS, 200):
        if port != taken and _is_free(port):
            return port
    raise SetupError(f"no free TCP port found between {_OWN_PORTS.start} and {_OWN_PORTS.stop}: stop what holds them")


def _is_free(port: int) -> bool:
    with socket.socket() as trial:
        trial.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            trial.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True
