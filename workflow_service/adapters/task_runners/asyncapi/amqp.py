"""AMQP 0-9-1 at judged addresses: one connection for each call.

A connection that comes and goes with its call needs none of the repairs that long-lived ones do, and what one tenant may
open another one cannot use.
"""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any, Final
from urllib.parse import unquote, urlsplit

import aio_pika
from aio_pika.abc import AbstractChannel, AbstractExchange, AbstractQueue
from aiormq.connection import TransportFactory
from aiormq.exceptions import (
    AMQPChannelError,
    AMQPConnectionError,
    AMQPError,
    ChannelAccessRefused,
    ChannelLockedResource,
    ChannelNotFoundEntity,
    ChannelPreconditionFailed,
    DeliveryError,
    ProbableAuthenticationError,
)
from yarl import URL

from workflow_service.adapters.egress import Door, Doors, EgressFailed, EgressTimedOut, Failure
from workflow_service.adapters.task_runners.asyncapi import amqp_bindings as bindings
from workflow_service.adapters.task_runners.asyncapi.documents import Destination
from workflow_service.domain.execution.credential_reading import read_credentials
from workflow_service.domain.execution.credentials import (
    BasicCredentials,
    Credentials,
    SecretCredentials,
)
from workflow_service.domain.execution.problem import (
    ERRORS,
    Problem,
    Raised,
    communication,
    configuration,
)

_STATUSES: Final[Mapping[type[AMQPChannelError], int]] = {
    ChannelAccessRefused: 403,
    ChannelNotFoundEntity: 404,
    ChannelLockedResource: 409,
    ChannelPreconditionFailed: 409,
}
_PORTS: Final = {"amqp": 5672, "amqps": 5671}


class _Pinned(TransportFactory):
    """Connects to the addresses behind a door, and to nothing else."""

    def __init__(self, door: Door, *, tls: bool) -> None:
        self._door = door
        self._tls = tls

    async def create(self, url: URL, **_: Any) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        context = ssl.create_default_context() if self._tls else None
        name = self._door.host if self._tls else None
        for address in self._door.addresses:
            try:
                return await asyncio.open_connection(
                    address, self._door.port, ssl=context, server_hostname=name
                )
            except ssl.SSLError as exc:
                raise EgressFailed(Failure.TLS) from exc
            except OSError:
                continue
        raise EgressFailed(Failure.CONNECT)


@asynccontextmanager
async def connected(
    doors: Doors, place: Destination, credentials: Credentials | None, timeout: float | None
) -> AsyncIterator[AbstractChannel]:
    """A channel with confirms, on a connection of its own, for a block; only connecting is bounded in time.

    Args:
        doors: the way out.
        place: the server, among others.
        credentials: those of the task; the broker gets a name and a password.
        timeout: seconds to connect, never more than for any call.

    Raises:
        Raised: the broker refuses what is asked of it.
        EgressError: it cannot be reached.
    """
    async with amqp_errors():
        connection = await _connection(doors, place, _login(credentials), timeout)
        try:
            yield await connection.channel(publisher_confirms=True, on_return_raises=True)
        finally:
            await connection.close()


async def _connection(
    doors: Doors, place: Destination, login: BasicCredentials, timeout: float | None
) -> aio_pika.Connection:
    parts = urlsplit(place.url)
    scheme = parts.scheme.lower()
    if not parts.hostname:
        raise Raised(configuration("the server of the AsyncAPI document has no host"))
    port = parts.port or _PORTS[scheme]
    async with doors.open("amqp", parts.hostname, port, timeout) as door:
        url = URL.build(
            scheme=scheme,
            host=parts.hostname,
            port=port,
            user=login.username,
            password=login.password,
            path="/" + (bindings.virtual_host_of(place) or unquote(parts.path[1:]) or "/"),
        )
        connection = aio_pika.Connection(url)
        connection.kwargs["transport_factory"] = _Pinned(door, tls=scheme == "amqps")
        try:
            async with amqp_errors():
                await connection.connect(timeout=door.seconds)
        except BaseException:
            await connection.close()
            raise
        door.answered()
    return connection


async def exchange_of(channel: AbstractChannel, place: Destination) -> AbstractExchange:
    """Return the channel's exchange, declared if the bindings say how it is."""
    wanted = bindings.exchange_of(place)
    if not wanted.name:
        return channel.default_exchange
    if not wanted.type:
        return await channel.get_exchange(wanted.name, ensure=False)
    return await channel.declare_exchange(
        wanted.name, wanted.type, durable=wanted.durable, auto_delete=wanted.auto_delete
    )


async def queue_of(channel: AbstractChannel, place: Destination) -> AbstractQueue:
    """Return the channel's queue, declared if the bindings say how it is."""
    wanted = bindings.queue_of(place)
    if not wanted.declared:
        return await channel.get_queue(wanted.name, ensure=True)
    return await channel.declare_queue(
        wanted.name or None,
        durable=wanted.durable and bool(wanted.name),
        exclusive=wanted.exclusive,
        auto_delete=wanted.auto_delete,
    )


@asynccontextmanager
async def in_time(seconds: float) -> AsyncIterator[None]:
    """Bound a block.

    Raises:
        EgressTimedOut: it takes longer.
    """
    try:
        async with asyncio.timeout(seconds):
            yield
    except TimeoutError as exc:
        raise EgressTimedOut(seconds) from exc


@asynccontextmanager
async def amqp_errors() -> AsyncIterator[None]:
    """The driver's errors stop here."""
    try:
        yield
    except ProbableAuthenticationError:
        detail = "The broker does not accept the credentials."
        raise Raised(Problem(ERRORS + "authentication", 401, "Not authenticated", detail)) from None
    except DeliveryError:
        told = "The broker did not take the message: nothing is bound for it, or it has no room."
        raise Raised(communication(told)) from None
    except AMQPChannelError as exc:
        status = next((code for kind, code in _STATUSES.items() if isinstance(exc, kind)), 500)
        raise Raised(communication(f"The broker refused: {str(exc)[:300]}", status)) from None
    except AMQPConnectionError as exc:
        raise EgressFailed(Failure.RESET) from exc
    except AMQPError as exc:
        raise EgressFailed(Failure.PROTOCOL) from exc


def _login(credentials: Credentials | None) -> BasicCredentials:
    if isinstance(credentials, SecretCredentials):
        return _login(read_credentials(credentials.scheme, credentials.members))
    match credentials:
        case None:
            return BasicCredentials("guest", "guest")
        case BasicCredentials():
            return credentials
        case _:
            raise Raised(configuration("a broker takes basic authentication only"))
