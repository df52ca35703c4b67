"""Performs the sending half of ``call: asyncapi``: one message, over AMQP, HTTP or a WebSocket.

What is sent twice because of a crash is the same twice: its id is the effect's key, in AMQP as ``message_id``, over HTTP as
``Idempotency-Key``. A WebSocket has no such place.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlencode

import aio_pika
import msgspec
from aio_pika.abc import HeadersType
from msgspec import UNSET

from workflow_service.adapters.authentication import AuthenticatedEgress
from workflow_service.adapters.egress import EgressClient, EgressRequest
from workflow_service.adapters.task_runners.asyncapi import amqp_bindings as bindings
from workflow_service.adapters.task_runners.asyncapi.amqp import (
    connected,
    exchange_of,
    in_time,
    queue_of,
)
from workflow_service.adapters.task_runners.asyncapi.documents import Destination
from workflow_service.adapters.task_runners.asyncapi.library import Library
from workflow_service.adapters.task_runners.asyncapi.references import AsyncApiInvalid, text_of
from workflow_service.adapters.task_runners.failures import problem_of_answer
from workflow_service.adapters.task_runners.outcomes import outcome_of
from workflow_service.domain.execution.effects import AsyncApiPublish, Effect, Outcome
from workflow_service.domain.execution.problem import Raised, configuration
from workflow_service.domain.expressions import JsonValue

_BODILESS: Final = frozenset(("GET", "HEAD", "DELETE", "OPTIONS"))


class Publisher:
    """The ``Runner`` port for messages that are sent."""

    def __init__(
        self,
        egress: EgressClient,
        authentication: AuthenticatedEgress,
        library: Library,
        longest: float,
    ) -> None:
        """Make it; *longest* is how many seconds any call may take."""
        self._egress = egress
        self._authentication = authentication
        self._library = library
        self._longest = longest

    async def perform(self, execution: str, effect: Effect) -> Outcome:
        """Perform *effect* and say how it ended."""
        call = effect.call
        if not isinstance(call, AsyncApiPublish):
            raise TypeError(f"{type(call).__name__} is not performed here")
        return await outcome_of(self._sent(effect, call))

    async def _sent(self, effect: Effect, call: AsyncApiPublish) -> JsonValue:
        try:
            place = await self._library.destination(call.target, "publish", tenant=effect.tenant)
            match place.protocol:
                case "amqp":
                    await self._over_amqp(effect, call, place)
                case "http":
                    await self._over_http(effect, call, place)
                case "ws":
                    await self._over_websocket(effect, call, place)
        except AsyncApiInvalid as exc:
            raise Raised(configuration(str(exc))) from exc
        payload: JsonValue = None if call.payload is UNSET else call.payload
        return {"payload": payload, "headers": dict(call.headers)}

    async def _over_amqp(self, effect: Effect, call: AsyncApiPublish, place: Destination) -> None:
        sending = bindings.sending_of(place)
        modes = aio_pika.DeliveryMode
        headers: HeadersType = {name: _simple(value) for name, value in call.headers.items()}
        if sending.copies:
            headers["CC"] = list(sending.copies)
        message = aio_pika.Message(
            body_of(call),
            headers=headers,
            content_type=place.content_type,
            delivery_mode=modes.PERSISTENT if sending.persistent else modes.NOT_PERSISTENT,
            priority=sending.priority,
            expiration=sending.expiration,
            message_id=effect.key,
        )
        credentials = call.target.credentials
        doors = self._egress.doors
        async with (
            in_time(call.timeout or self._longest),
            connected(doors, place, credentials, call.timeout) as channel,
        ):
            if bindings.is_queue(place):
                queue = bindings.queue_of(place)
                exchange, key = channel.default_exchange, queue.name
                if queue.declared:
                    _ = await queue_of(channel, place)
            else:
                exchange, key = await exchange_of(channel, place), place.address
            _ = await exchange.publish(message, key, mandatory=sending.mandatory)

    async def _over_http(self, effect: Effect, call: AsyncApiPublish, place: Destination) -> None:
        method = text_of(place.operation, "method").upper() or "POST"
        url = f"{place.url.rstrip('/')}/{place.address.lstrip('/')}"
        body: bytes | None = body_of(call)
        if method in _BODILESS:
            url, body = _with_query(url, call.payload), None
        headers = {name: _as_text(value) for name, value in call.headers.items()}
        headers |= {"Idempotency-Key": effect.key}
        if body is not None:
            headers |= {"Content-Type": place.content_type}
        request = EgressRequest(method, url, headers, body, timeout=call.timeout)
        answer = await self._authentication.send(
            request, call.target.credentials, tenant=effect.tenant
        )
        if answer.status not in range(200, 300):
            raise Raised(problem_of_answer(answer))

    async def _over_websocket(
        self, effect: Effect, call: AsyncApiPublish, place: Destination
    ) -> None:
        headers = {name: _as_text(value) for name, value in call.headers.items()}
        credentials = call.target.credentials
        if credentials is not None:
            headers |= await self._authentication.headers(credentials, tenant=effect.tenant)
        url = websocket_url(place)
        async with self._egress.sockets.open(url, headers, call.timeout) as socket:
            await socket.send(body_of(call))


def websocket_url(place: Destination) -> str:
    """Return where a channel's WebSocket is; its address is a path."""
    return f"{place.url.rstrip('/')}/{place.address.lstrip('/')}"


def body_of(call: AsyncApiPublish) -> bytes:
    """Return the payload as JSON; without one there is nothing in it."""
    return b"" if call.payload is UNSET else msgspec.json.encode(call.payload)


def _with_query(url: str, payload: JsonValue | msgspec.UnsetType) -> str:
    """Members of the payload as parameters, where a method has no body."""
    if not isinstance(payload, dict) or not payload:
        return url
    pairs = urlencode({name: _as_text(value) for name, value in payload.items()})
    return f"{url}{'&' if '?' in url else '?'}{pairs}"


def _as_text(value: JsonValue) -> str:
    return value if isinstance(value, str) else msgspec.json.encode(value).decode()


def _simple(value: JsonValue) -> str | int | bool | float | None:
    return _as_text(value) if isinstance(value, dict | list) else value
