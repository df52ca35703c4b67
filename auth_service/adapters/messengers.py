"""Ways for text messages: none, a webhook of the operator, or a provider that Apprise knows."""

import asyncio
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import quote

import aiohttp

from auth_service.application.ports.mfa import Messenger
from auth_service.domain.mfa.errors import SmsNotConfigured
from chassis.errors import Unavailable
from chassis.telemetry.logging import get_logger

_TIMEOUT: Final = 10.0
"""Seconds for one message as a whole."""
PLACEHOLDER: Final = "{phone}"

_log = get_logger("auth.messages")


class NoMessenger:
    """The port `Messenger` where no way is set."""

    async def send(self, phone: str, text: str) -> None:
        """See the port."""
        raise SmsNotConfigured


@dataclass(frozen=True, slots=True)
class WebhookMessenger:
    """The port `Messenger`: posts `{"to": …, "text": …}` as JSON to *url*.

    The URL is the operator's; nothing of it comes from users. Redirects are not followed and
    proxies of the environment not used, so that the bearer token goes nowhere else.
    """

    url: str
    token: str | None = field(default=None, repr=False)
    timeout: float = _TIMEOUT

    async def send(self, phone: str, text: str) -> None:
        """See the port. An answer of 2xx means that it was taken."""
        headers = {"Authorization": f"Bearer {self.token}"} if self.token else {}
        limit = aiohttp.ClientTimeout(total=self.timeout)
        try:
            async with (
                aiohttp.ClientSession(timeout=limit, trust_env=False) as session,
                session.post(
                    self.url,
                    json={"to": phone, "text": text},
                    headers=headers,
                    allow_redirects=False,
                ) as response,
            ):
                status = response.status
        except (aiohttp.ClientError, TimeoutError) as exc:
            raise _failed(type(exc).__name__) from exc
        if not 200 <= status < 300:
            raise _failed(f"status {status}")


@dataclass(frozen=True, slots=True)
class AppriseMessenger:
    """The port `Messenger`: hands over to a provider, by a URL of Apprise with `{phone}` in it."""

    url: str = field(repr=False)

    async def send(self, phone: str, text: str) -> None:
        """See the port. The library is loaded with the first message; it takes half a second."""
        # Outside the deadline, which is the provider's: on a busy machine the loading alone takes as long.
        await asyncio.to_thread(_load)
        try:
            async with asyncio.timeout(_TIMEOUT):
                taken = await asyncio.to_thread(_notify, self.url, phone, text)
        except TimeoutError as exc:
            raise _failed("timeout") from exc
        if not taken:
            raise _failed("refused by the provider")


def messenger(url: str | None, token: str | None, apprise: str | None) -> Messenger:
    """The way that is set; see the settings AUTOWORKER_SMS_…"""
    if url is not None:
        return WebhookMessenger(url, token)
    return NoMessenger() if apprise is None else AppriseMessenger(apprise)


def _load() -> None:
    import apprise  # noqa: F401 - only to have it loaded


def _notify(url: str, phone: str, text: str) -> bool:
    from apprise import Apprise

    target = Apprise()
    return target.add(url.replace(PLACEHOLDER, quote(phone, safe=""))) and bool(
        target.notify(body=text)
    )


def _failed(reason: str) -> Unavailable:
    _log.warning("message_failed", reason=reason)
    return Unavailable("The message could not be sent", retry_after=10)
