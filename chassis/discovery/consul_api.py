"""What is asked of Consul's HTTP API: https://developer.hashicorp.com/consul/api-docs"""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Final
from urllib.parse import quote, urlsplit

import msgspec
from aiohttp import ClientError, ClientResponse, ClientSession, ClientTimeout
from msgspec import UNSET, UnsetType

from chassis.errors import Unavailable

WAIT: Final = 10.0
"""Seconds for which a question about changes may stay unanswered: a change that Consul failed to tell costs no more."""
_QUICK: Final = ClientTimeout(total=5.0)
# Consul adds up to a sixteenth of the wait, so that not everybody comes back at once.
_PATIENT: Final = ClientTimeout(total=WAIT * 17 / 16 + 5.0, connect=5.0)


class Service(msgspec.Struct, frozen=True):
    """Where an instance is, and what is known of it."""

    ID: str
    Address: str
    Port: int
    Meta: Mapping[str, str] | None = None


class Entry(msgspec.Struct, frozen=True):
    """One instance that is well."""

    Service: Service


class Check(msgspec.Struct, frozen=True):
    """How Consul sees whether an instance is well: over gRPC's health service or over HTTP."""

    GRPC: str | UnsetType = UNSET
    HTTP: str | UnsetType = UNSET
    Interval: str = "2s"
    Timeout: str = "2s"
    DeregisterCriticalServiceAfter: str = "1m"
    # Whoever registers is ready; waiting for the first look would only lose time.
    Status: str = "passing"


class Registration(msgspec.Struct, frozen=True):
    """What an instance says of itself."""

    ID: str
    Name: str
    Address: str
    Port: int
    Check: Check
    Meta: Mapping[str, str]


class _Known(msgspec.Struct, frozen=True):
    ServiceID: str


class ConsulApi:
    """An agent of Consul.

    Args:
        session: whoever opened it closes it.
        url: `consul://host:port`, `consul+https://…`, perhaps with the ACL token as password.
    """

    def __init__(self, session: ClientSession, url: str) -> None:
        parts = urlsplit(url)
        scheme = "https" if parts.scheme == "consul+https" else "http"
        self._session = session
        self._base = f"{scheme}://{_bracketed(parts.hostname)}:{parts.port or 8500}/v1"
        self._headers = {"X-Consul-Token": parts.password} if parts.password else {}

    async def register(self, registration: Registration) -> None:
        """Put an instance into the agent's list, in the place of what it said before.

        Raises:
            Unavailable: the agent does not answer, or refuses.
        """
        path = "/agent/service/register?replace-existing-checks=true"
        async with self._asked("PUT", path, body=msgspec.json.encode(registration)):
            pass

    async def deregister(self, instance: str) -> None:
        """Take an instance off the list; it need not be there.

        Raises:
            Unavailable: the agent does not answer, or refuses.
        """
        async with self._asked("PUT", f"/agent/service/deregister/{quote(instance, safe='')}"):
            pass

    async def is_known(self, registration: Registration) -> bool:
        """Whether all of Consul knows the instance.

        An agent that was started anew knows nobody; one that had no leader when somebody registered tells the others
        only a quarter of a minute later, unless it is told again.

        Raises:
            Unavailable: the agent does not answer, or has no leader.
        """
        path = f"/catalog/service/{quote(registration.Name, safe='')}"
        async with self._asked("GET", path) as answer:
            known = msgspec.json.decode(await answer.read(), type=list[_Known])
        return any(each.ServiceID == registration.ID for each in known)

    async def healthy(self, service: str, index: int) -> tuple[int, Sequence[Entry]]:
        """The instances of *service* that are well, and the index of that answer.

        With an index it returns when something may have changed since, or after `WAIT`.

        Raises:
            Unavailable: the agent does not answer, or has no leader.
        """
        waiting = f"&index={index}&wait={WAIT:g}s" if index else ""
        path = f"/health/service/{quote(service, safe='')}?passing=1{waiting}"
        async with self._asked("GET", path, timeout=_PATIENT if index else _QUICK) as answer:
            entries = msgspec.json.decode(await answer.read(), type=list[Entry])
            return int(answer.headers["X-Consul-Index"]), entries

    @asynccontextmanager
    async def _asked(
        self, method: str, path: str, *, body: bytes | None = None, timeout: ClientTimeout = _QUICK
    ) -> AsyncIterator[ClientResponse]:
        """A good answer; whatever goes wrong until it has been read is `Unavailable`."""
        try:
            async with self._session.request(
                method, self._base + path, data=body, headers=self._headers, timeout=timeout
            ) as answer:
                answer.raise_for_status()
                yield answer
        except (ClientError, OSError, TimeoutError, KeyError, ValueError) as exc:
            raise Unavailable(
                f"Consul does not answer ({type(exc).__name__})", retry_after=1
            ) from exc


def _bracketed(host: str | None) -> str:
    name = host or "127.0.0.1"
    return f"[{name}]" if ":" in name else name
