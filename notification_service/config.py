"""The settings of the service, read once and checked as a whole."""

from dataclasses import dataclass, field
from email.utils import parseaddr
from enum import Enum
from ipaddress import ip_address
from pathlib import Path
from typing import Self
from urllib.parse import SplitResult, unquote, urlsplit

from chassis.backends import Backends, backends_of, store_folder, store_url
from chassis.config import Environment
from chassis.messaging.opening import BusSettings, bus_settings


class MailEncryption(Enum):
    """What the scheme of AUTOWORKER_SMTP_URL asks for."""

    WHEN_OFFERED = "smtp"
    REQUIRED = "smtp+starttls"
    IMPLICIT = "smtps"


_PORTS = {
    MailEncryption.WHEN_OFFERED: 25,
    MailEncryption.REQUIRED: 587,
    MailEncryption.IMPLICIT: 465,
}


@dataclass(frozen=True, slots=True)
class MailSettings:
    """Where and how e-mail is handed over; times in seconds."""

    host: str
    port: int
    encryption: MailEncryption
    username: str | None
    password: str | None = field(repr=False)
    sender_name: str
    sender_address: str
    ca_file: Path | None
    timeout: float
    concurrency: int
    max_attempts: int
    retry_base: float
    retry_cap: float


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator decides; *mail* is None where no e-mail is sent."""

    data_dir: Path
    store_dir: Path
    bus: BusSettings
    grpc_host: str
    grpc_port: int
    admin_host: str
    admin_port: int
    redrive_rate: float
    """How many dead letters a second are offered again."""
    insecure_dev: bool
    mail: MailSettings | None
    mail_folder: Path | None
    """Where mails become files because there is no mail server; in INSECURE_DEV mode only."""
    mail_key_file: Path
    """The keys that seal mails about accounts until they are sent."""
    backends: Backends
    store_url: str | None = field(default=None, repr=False)
    """`mongodb://…`; None: a file in *store_dir*."""

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """The settings that *env* holds.

        Raises:
            SettingsInvalid: with every problem at once.
        """
        insecure = env.flag("AUTOWORKER_INSECURE_DEV", False)
        data_dir = env.path("AUTOWORKER_DATA_DIR", Path("data"))
        mail = _mail(env, insecure)
        settings = cls(
            data_dir=data_dir,
            store_dir=store_folder(env, data_dir),
            bus=bus_settings(env, data_dir),
            grpc_host=env.text("AUTOWORKER_NOTIFICATION_GRPC_HOST", "127.0.0.1"),
            grpc_port=env.port("AUTOWORKER_NOTIFICATION_GRPC_PORT", 50053),
            admin_host=env.text("AUTOWORKER_NOTIFICATION_ADMIN_HOST", "127.0.0.1"),
            admin_port=env.port("AUTOWORKER_NOTIFICATION_ADMIN_PORT", 9103),
            redrive_rate=env.number(
                "AUTOWORKER_DEAD_LETTER_RATE", 50.0, minimum=0.1, maximum=10_000.0
            ),
            insecure_dev=insecure,
            mail=mail,
            mail_folder=data_dir / "mails" if insecure and mail is None else None,
            mail_key_file=env.path("AUTOWORKER_MAIL_KEY_FILE", data_dir / "keys" / "mail.keys"),
            backends=backends_of(env),
            store_url=store_url(env),
        )
        env.check()
        return settings


def _mail(env: Environment, insecure: bool) -> MailSettings | None:
    url = env.secret("AUTOWORKER_SMTP_URL")
    if url is None:
        return None
    server = _server(env, url)
    sender_name, sender_address = _sender(env)
    ca_file = env.optional("AUTOWORKER_SMTP_CA_FILE")
    username = unquote(server.username) if server.username else None
    return MailSettings(
        host=server.hostname or "",
        port=server.port or _PORTS[MailEncryption(server.scheme)],
        encryption=_encryption(server, insecure),
        username=username,
        password=unquote(server.password or "") if username else None,
        sender_name=sender_name,
        sender_address=sender_address,
        ca_file=None if ca_file is None else Path(ca_file).expanduser(),
        timeout=env.number("AUTOWORKER_SMTP_TIMEOUT", 30, minimum=0.1, maximum=600),
        concurrency=env.integer("AUTOWORKER_SMTP_CONCURRENCY", 4, minimum=1, maximum=100),
        max_attempts=env.integer("AUTOWORKER_SMTP_MAX_ATTEMPTS", 10, minimum=1, maximum=100),
        retry_base=env.number("AUTOWORKER_SMTP_RETRY_BASE", 10, minimum=0, maximum=3_600),
        retry_cap=env.number("AUTOWORKER_SMTP_RETRY_CAP", 3_600, minimum=0, maximum=86_400),
    )


def _server(env: Environment, url: str) -> SplitResult:
    """The parts of *url*, which is never quoted in a problem: it may hold a password."""
    name = "AUTOWORKER_SMTP_URL"
    unusable = urlsplit("smtp://localhost")
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        env.problem(name, "is not a URL with a host and a port")
        return unusable
    if parts.scheme not in {each.value for each in MailEncryption}:
        env.problem(name, "must start with smtp://, smtp+starttls:// or smtps://")
        return unusable
    if not parts.hostname or parts.path.strip("/") or parts.query or parts.fragment:
        env.problem(name, "must have the form smtp://user:password@host:port")
    return parts


def _encryption(server: SplitResult, insecure: bool) -> MailEncryption:
    """A password never leaves this machine in the clear, not even if a server forgets STARTTLS."""
    encryption = MailEncryption(server.scheme)
    opportunistic = encryption is MailEncryption.WHEN_OFFERED
    if opportunistic and server.username and not insecure and not _is_here(server.hostname or ""):
        return MailEncryption.REQUIRED
    return encryption


def _is_here(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"


def _sender(env: Environment) -> tuple[str, str]:
    text = env.text("AUTOWORKER_SMTP_FROM", "")
    name, address = parseaddr(text)
    local, _, domain = address.rpartition("@")
    if not (local and domain and text.isprintable() and local.isascii()):
        env.problem(
            "AUTOWORKER_SMTP_FROM",
            "must be the address that e-mail is from, such as Autoworker <no-reply@example.org>",
        )
    return name or "Autoworker", address
