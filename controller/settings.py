"""Settings: read from the environment (prefix ATTENDANT_), checked once at start.

Each field's description is what `python -m controller check` and README say of it.
"""

from __future__ import annotations

import ipaddress
import itertools
import re
from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple
from urllib.parse import unquote, urlsplit
from zoneinfo import ZoneInfo

from pydantic import Field, ValidationError, field_validator, model_validator
from pydantic_settings import BaseSettings, NoDecode, SettingsConfigDict

from controller.addresses import email_address, known_region
from controller.errors import SettingsError
from controller.naming import checked_template

CHECKOUT = Path(__file__).resolve().parent.parent

EXTENSION_PATTERN = r"^2\d{3,4}$"
"""What an operator's extension looks like where nothing else is set (UIS-36)."""

_WITH_PASSWORD = frozenset({"smtp_url", "sms_url", "ari_password", "ami_password"})
"""Settings whose value is not repeated in messages."""

Port = Annotated[int, Field(ge=1, le=65535)]


FeatureCode = Annotated[str, Field(pattern=r"^[*#][0-9]{1,4}$")]
"""What operators dial or press: * or # and one to four digits."""


class PortRange(NamedTuple):
    """First and last UDP port, both included; written "10000-10999"."""

    first: int
    last: int


class SmtpServer(NamedTuple):
    """A mail server; written smtps://user:password@host:port, smtp://…?starttls, or smtp://… without encryption."""

    host: str
    port: int
    security: Literal["tls", "starttls", "none"]
    user: str | None = None
    password: str | None = None

    @classmethod
    def parse(cls, address: str) -> SmtpServer:
        """Raises ValueError; its message never repeats the address, which may hold a password."""
        try:
            url = urlsplit(address)
            host, port = url.hostname, url.port
        except ValueError:
            host = None
        if host is None or url.scheme not in ("smtp", "smtps") or url.path.strip("/") or url.query not in ("", "starttls"):
            raise ValueError("write it as smtps://user:password@host:465 or smtp://user:password@host:587?starttls")
        security: Literal["tls", "starttls", "none"] = (
            "tls" if url.scheme == "smtps" else "starttls" if url.query == "starttls" else "none"
        )
        if url.username and security == "none" and not _is_this_machine(host):
            raise ValueError("a password would travel in clear: use smtps:// or end the address with ?starttls")
        password = unquote(url.password or "") if url.username else None
        usual = {"tls": 465, "starttls": 587, "none": 25}[security]
        return cls(host, port or usual, security, unquote(url.username) if url.username else None, password)


def _is_this_machine(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


class Settings(BaseSettings):
    """Everything that may differ between two installations.

    >>> Settings.load({"ATTENDANT_HTTP_PORT": "8081"}).http_port
    8081
    """

    model_config = SettingsConfigDict(env_prefix="ATTENDANT_", extra="ignore", frozen=True, arbitrary_types_allowed=True)

    http_host: str = Field("127.0.0.1", description="address the pages and the API listen on")
    http_port: Port = Field(8080, description="TCP port of the pages and the API")
    secure_cookies: bool = Field(False, description="true when the pages are reached over https")
    sip_host: str = Field("127.0.0.1", description="address the SIP phones and trunks reach Asterisk at")
    sip_port: Port = Field(5060, description="UDP and TCP port of SIP")
    rtp_ports: Annotated[PortRange, NoDecode] = Field(
        PortRange(10000, 10999), description="UDP ports of media, first-last; two for each line in use"
    )
    media_address: str | None = Field(
        None, description="address that phones send media to, when it is not sip_host (NAT, containers)"
    )
    data_dir: Path = Field(CHECKOUT / "var", description="folder of everything that changes: database, recordings, secrets, logs")
    database_url: str | None = Field(None, description="SQLAlchemy address of the database; default: SQLite in data_dir")
    redis_url: str | None = Field(None, description="Redis or Valkey for notices between several processes; default: none")
    language: str = Field("en", pattern=r"^[a-z]{2}$", description="language of a call until something sets another: en or ru")

    time_zone: str = Field("UTC", description="IANA time zone of the installation: times in letters, schedules without their own")
    currency: str = Field("EUR", pattern=r"^[A-Z]{3}$", description="currency of rates and costs, as three letters (ISO 4217)")
    phone_region: str | None = Field(
        None, description="country whose phone numbers are written without country code, such as RU; default: none"
    )
    extension_pattern: str = Field(
        EXTENSION_PATTERN, max_length=200, description="regular expression that operators' extensions must match as a whole"
    )
    smtp_url: Annotated[SmtpServer | None, NoDecode] = Field(
        None, description="mail server, such as smtp://user:password@host:587?starttls or smtps://…; default: letters wait"
    )
    smtp_ca_file: Path | None = Field(None, description="certificates to trust for the mail server; default: the system's")
    mail_from: str | None = Field(None, description="address that letters come from; needed with smtp_url")
    mail_attachment_mb: int = Field(
        15, ge=1, le=100, description="largest attachment; of larger ones a letter says where they are"
    )
    lookup_allow_internal: bool = Field(False, description="true lets HTTP lookups of scenarios reach internal addresses")

    callback_attempts: int = Field(3, ge=1, le=10, description="how often a caller who wants a callback is called")
    callback_retry_seconds: int = Field(600, ge=1, le=86400, description="seconds between two such attempts")
    callback_ring_seconds: int = Field(30, ge=5, le=120, description="seconds that his phone rings")
    callback_hours: int = Field(24, ge=1, le=168, description="hours after which a callback is given up")

    code_log_in: FeatureCode = Field("*41", description="dialled on an operator's phone: he logs in")
    code_log_out: FeatureCode = Field("*42", description="he logs out")
    code_do_not_disturb: FeatureCode = Field("*43", description="do not disturb; the reason's digit may follow")
    code_disturb: FeatureCode = Field("*44", description="do not disturb is over")
    code_pick_up: FeatureCode = Field(
        "*8", description="takes a call that rings in one's groups; an extension may follow: that rings there"
    )
    code_transfer: FeatureCode = Field("*1", description="pressed in a conversation, with number and #: transfers the caller")
    code_consult: FeatureCode = Field("*2", description="pressed in a conversation, with number and #: consults before")
    code_back: FeatureCode = Field("*3", description="pressed while consulting: back to the caller")
    do_not_disturb_reasons: Annotated[tuple[str, ...], NoDecode] = Field(
        ("break", "lunch", "meeting", "training", "other"),
        max_length=9,
        description="reasons of do not disturb by their digit 1, 2, …, comma-separated",
    )
    transfer_seconds: int = Field(
        30, ge=1, le=300, description="seconds that the target of a transfer has to answer; then the call is ended"
    )
    transfer_returns: bool = Field(
        False, description="true lets a transferred call that nobody took return to who transferred it, instead of ending"
    )

    line_name_template: str = Field(
        "Line {number}", description="name of a new number that is given none; {number}, {trunk} and {n} stand for something"
    )

    confirmation_months: int = Field(
        3,
        ge=1,
        le=24,
        description="months after which a phone that calls are forwarded to, or a number of ours, is confirmed again",
    )
    sms_url: str | None = Field(
        None, description='SMS gateway that takes POST {"to", "text"} as JSON; default: codes are told by calls alone'
    )
    confirmation_mail: str | None = Field(
        None, description="address that is written to two weeks before such a confirmation ends; default: nobody is"
    )

    ari_url: str | None = Field(
        None, description="ARI address of an Asterisk that is already running; default: one is started here"
    )
    ari_user: str = Field("attendant", pattern=r"^[A-Za-z0-9_-]+$", description="ARI user of that Asterisk")
    ari_password: str | None = Field(None, description="ARI password of that Asterisk: letters, digits, - and _ only")
    ari_app: str = Field("attendant", pattern=r"^[A-Za-z0-9_-]+$", description="Stasis application name")
    ami_host: str = Field("127.0.0.1", description="AMI address of that Asterisk")
    ami_port: Port | None = Field(
        None, description="AMI port; default: a free one is chosen for an Asterisk started here, 5038 elsewhere"
    )
    ami_user: str = Field("attendant", pattern=r"^[A-Za-z0-9_-]+$", description="AMI user")
    ami_password: str | None = Field(None, description="AMI password: letters, digits, - and _ only")
    asterisk_recordings_dir: Path | None = Field(
        None, description="the recordings folder as that Asterisk sees it, when it is not the same path as here"
    )
    asterisk_prompts_dir: Path | None = Field(
        None, description="the prompts folder as that Asterisk sees it, when it is not the same path as here"
    )
    most_uploaded_prompts: int = Field(20, ge=1, description="sound files that may be uploaded as prompts")
    longest_prompt_seconds: int = Field(600, ge=1, le=1800, description="length of the longest prompt")
    record_prompt_code: str = Field(
        "*77",
        pattern=r"^([*#][0-9*#]{1,9})?$",
        description="what is dialled at an internal phone to record a prompt; empty: nobody can",
    )
    recordings_channels: Literal["mixed", "stereo"] = Field(
        "mixed", description="how conversations are recorded: both voices mixed, or stereo, the caller left, the operator right"
    )
    recordings_days: int | None = Field(
        None,
        ge=1,
        description="days after which a call's recording is deleted, if its number has no days of its own; default: never",
    )
    asterisk: Path | None = Field(
        None, description="asterisk program to start; default: one on PATH of version 20 or newer, else Debian's packages"
    )
    asterisk_prefix: Path = Field(CHECKOUT / ".asterisk", description="folder that Debian's Asterisk packages are unpacked into")
    debian_mirror: str | None = Field(None, description="address of a Debian mirror; default: the one in the host's apt sources")
    demo_networks: Annotated[tuple[str, ...], NoDecode] = Field(
        ("127.0.0.0/8",), description="networks whose SIP calls are taken as the demo carrier's, comma-separated"
    )

    @field_validator("rtp_ports", mode="before")
    @classmethod
    def _parse_ports(cls, value: object) -> object:
        match = re.fullmatch(r"\s*(\d{1,5})\s*-\s*(\d{1,5})\s*", value) if isinstance(value, str) else None
        if match is None:
            if isinstance(value, PortRange):
                return value
            raise ValueError('write it as first-last, for example "10000-10999"')
        first, last = int(match[1]), int(match[2])
        if not 1024 <= first < last <= 65535:
            raise ValueError("the first port must be 1024 or more, the last at most 65535 and above the first")
        return PortRange(first, last)

    @field_validator("line_name_template")
    @classmethod
    def _parse_template(cls, value: str) -> str:
        return checked_template(value)

    @field_validator("demo_networks", mode="before")
    @classmethod
    def _parse_networks(cls, value: object) -> object:
        if isinstance(value, str):
            value = tuple(part.strip() for part in value.split(",") if part.strip())
        if isinstance(value, tuple):
            for network in value:
                ipaddress.ip_network(network)
        return value

    @field_validator("do_not_disturb_reasons", mode="before")
    @classmethod
    def _parse_reasons(cls, value: object) -> object:
        return tuple(part.strip() for part in value.split(",") if part.strip()) if isinstance(value, str) else value

    @model_validator(mode="after")
    def _codes_differ(self) -> Settings:
        dialled = ("code_log_in", "code_log_out", "code_do_not_disturb", "code_disturb", "code_pick_up")
        for together in (dialled, ("code_transfer", "code_consult", "code_back")):
            for name, other in itertools.permutations(together, 2):
                if str(getattr(self, other)).startswith(getattr(self, name)):
                    variables = f"ATTENDANT_{other.upper()} must not begin like ATTENDANT_{name.upper()}"
                    raise ValueError(f"{variables} ({getattr(self, name)})")
        return self

    @field_validator("smtp_url", mode="before")
    @classmethod
    def _parse_mail_server(cls, value: object) -> object:
        return SmtpServer.parse(value) if isinstance(value, str) else value

    @field_validator("mail_from", "confirmation_mail")
    @classmethod
    def _one_address(cls, value: str | None) -> str | None:
        return None if value is None else email_address(value)

    @field_validator("time_zone")
    @classmethod
    def _known_zone(cls, value: str) -> str:
        try:
            ZoneInfo(value)
        except (ValueError, OSError, LookupError):
            raise ValueError('use a name of the IANA list, for example "Europe/Moscow"') from None
        return value

    @field_validator("phone_region")
    @classmethod
    def _known_country(cls, value: str | None) -> str | None:
        if value is not None and not known_region(value):
            raise ValueError("use the two letters of a country, for example RU")
        return value

    @field_validator("extension_pattern")
    @classmethod
    def _regular_expression(cls, value: str) -> str:
        try:
            re.compile(value)
        except re.error as error:
            raise ValueError(f"it is no regular expression: {error}") from None
        return value

    @field_validator("ari_password", "ami_password")
    @classmethod
    def _url_safe(cls, value: str | None) -> str | None:
        if value is not None and not re.fullmatch(r"[A-Za-z0-9_-]{8,}", value):
            raise ValueError("use at least 8 letters, digits, - or _ (it travels in URLs)")
        return value

    @field_validator("ari_url", "sms_url")
    @classmethod
    def _http_url(cls, value: str | None) -> str | None:
        if value is not None and (urlsplit(value).scheme not in ("http", "https") or not urlsplit(value).hostname):
            raise ValueError('write it as http://host:port/, for example "http://127.0.0.1:8088/"')
        return value

    @model_validator(mode="after")
    def _outside_asterisk_needs_passwords(self) -> Settings:
        if self.ari_url is not None and (self.ari_password is None or self.ami_password is None):
            raise ValueError("ATTENDANT_ARI_URL needs ATTENDANT_ARI_PASSWORD and ATTENDANT_AMI_PASSWORD beside it")
        return self

    @model_validator(mode="after")
    def _letters_need_a_sender(self) -> Settings:
        if self.smtp_url is not None and self.mail_from is None:
            raise ValueError("ATTENDANT_SMTP_URL needs ATTENDANT_MAIL_FROM beside it")
        return self

    @property
    def zone(self) -> ZoneInfo:
        """The installation's time zone."""
        return ZoneInfo(self.time_zone)

    @property
    def database(self) -> str:
        """The SQLAlchemy address in force."""
        return self.database_url or f"sqlite:///{self.data_dir / 'attendant.db'}"

    @property
    def recordings_dir(self) -> Path:
        """Where recordings lie, as this process sees it."""
        return self.data_dir / "recordings"

    @property
    def prompts_dir(self) -> Path:
        """Where the installation's own prompts lie, as this process sees it."""
        return self.data_dir / "prompts"

    @property
    def pages_url(self) -> str:
        """Where the pages answer, seen from this machine."""
        host = {"0.0.0.0": "127.0.0.1", "::": "[::1]"}.get(self.http_host, self.http_host)
        return f"http://{host}:{self.http_port}/"

    @classmethod
    def load(cls, environment: dict[str, str] | None = None) -> Settings:
        """Settings from the process environment, or from `environment` alone.

        Raises SettingsError: one line that names the variable and how to mend it.
        """
        try:
            if environment is None:
                return cls()
            given: dict[str, Any] = {
                name: environment[variable]
                for name in cls.model_fields
                if (variable := f"ATTENDANT_{name.upper()}") in environment
            }
            return cls(_env_prefix="ATTENDANT_NOT_READ_", **given)
        except ValidationError as error:
            first = error.errors()[0]
            field = str(first["loc"][0]) if first["loc"] else ""
            given_value = "…" if field in _WITH_PASSWORD else str(first["input"])
            name = f"ATTENDANT_{field.upper()}={given_value}: " if field else ""
            raise SettingsError(name + first["msg"].removeprefix("Value error, ")) from error
