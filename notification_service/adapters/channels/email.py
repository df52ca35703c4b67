"""Mail through an SMTP server (RFC 5321)."""

import asyncio
import ssl
from dataclasses import dataclass, field
from email.message import EmailMessage
from enum import Enum
from typing import assert_never

import aiosmtplib

from chassis.telemetry.logging import get_logger
from notification_service.adapters.channels.mail import Sender, envelope_address, mail_of
from notification_service.application.ports import Letter
from notification_service.domain.delivery import (
    Accepted,
    ChannelName,
    Deferred,
    Outcome,
    Refused,
)

_log = get_logger("notification_service.email")


class Encryption(Enum):
    """How the connection is protected; certificates are always verified."""

    WHEN_OFFERED = "STARTTLS if the server offers it"
    REQUIRED = "STARTTLS, or nothing is sent"
    IMPLICIT = "TLS from the first byte"


@dataclass(frozen=True, slots=True)
class Server:
    """Where mail is handed over; *timeout* seconds bound one hand-over as a whole."""

    host: str
    port: int
    encryption: Encryption
    username: str | None = None
    password: str | None = field(default=None, repr=False)
    timeout: float = 30.0


class EmailChannel:
    """Implements `Channel`: a connection for each letter."""

    def __init__(self, server: Server, sender: Sender, trust: ssl.SSLContext) -> None:
        self._server = server
        self._sender = sender
        self._trust = trust

    @property
    def name(self) -> ChannelName:
        """See `Channel.name`."""
        return ChannelName.EMAIL

    async def send(self, letter: Letter) -> Outcome:
        """See `Channel.send`."""
        try:
            mail, recipient = mail_of(letter, self._sender), envelope_address(letter.to)
        except ValueError as exc:
            return Refused(f"No mail can be made of it: {exc}")
        try:
            async with asyncio.timeout(self._server.timeout):
                await self._hand_over(mail, recipient)
        except (aiosmtplib.SMTPException, OSError, ValueError) as exc:
            return outcome_of(exc)
        except Exception as exc:  # noqa: BLE001 -- uncounted, it would be tried again for ever
            _log.exception("mail_failed", notification_id=letter.notification_id)
            return Deferred(f"Unforeseen failure: {type(exc).__name__}")
        return Accepted()

    async def _hand_over(self, mail: EmailMessage, recipient: str) -> None:
        server = self._server
        await aiosmtplib.send(
            mail,
            sender=self._sender.address,
            recipients=[recipient],
            hostname=server.host,
            port=server.port,
            username=server.username,
            password=server.password,
            # The default asks DNS for the machine's own name, for each mail.
            local_hostname=self._sender.domain,
            timeout=server.timeout,
            use_tls=server.encryption is Encryption.IMPLICIT,
            start_tls=_start_tls(server.encryption),
            tls_context=self._trust,
        )


def outcome_of(failure: Exception) -> Outcome:
    """What a failed hand-over means for the letter (RFC 5321 §4.2.1).

    5yz is final and 4yz is not; nor is a network that fails. A refused login is about us and not
    about the letter: the letter waits until somebody has mended the password, or gives up.
    """
    match failure:
        case aiosmtplib.SMTPAuthenticationError(code=code, message=message):
            return Deferred(f"The mail server refused the login: {code} {message}")
        case aiosmtplib.SMTPRecipientsRefused(recipients=[first, *_]):
            return outcome_of(first)
        case aiosmtplib.SMTPResponseException(code=code, message=message) if 500 <= code < 600:
            return Refused(f"{code} {message}")
        case aiosmtplib.SMTPResponseException(code=code, message=message):
            return Deferred(f"{code} {message}")
        case ssl.SSLError():
            # Before ValueError, which a certificate that does not hold is as well.
            return Deferred(f"No trusted connection to the mail server: {failure}")
        case aiosmtplib.SMTPNotSupported() | ValueError():
            # The address needs what this server cannot do (SMTPUTF8), or is none.
            return Refused(str(failure))
        case TimeoutError():
            return Deferred("The mail server did not answer in time.")
        case _:
            return Deferred(f"{type(failure).__name__}: {failure}")


def _start_tls(encryption: Encryption) -> bool | None:
    match encryption:
        case Encryption.WHEN_OFFERED:
            return None
        case Encryption.REQUIRED:
            return True
        case Encryption.IMPLICIT:
            return False
        case _:
            assert_never(encryption)
