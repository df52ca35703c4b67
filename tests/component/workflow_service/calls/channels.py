"""AsyncAPI documents, and a broker with names of one's own."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

import aio_pika
import msgspec
from aio_pika.abc import AbstractChannel

from tests.support.servers import amqp_url

PLACE = "https://docs.test/asyncapi.yaml"


def version_2(url: str, protocol: str, channel: str, **more: Any) -> str:
    """A document of version 2.6 with one channel."""
    bindings = (
        {"bindings": {protocol: more["channel_bindings"]}} if "channel_bindings" in more else {}
    )
    operation = {"operationId": "op", "message": {"contentType": more.get("content_type", "")}}
    if "operation_bindings" in more:
        operation["bindings"] = {protocol: more["operation_bindings"]}
    document = {
        "asyncapi": "2.6.0",
        "info": {"title": "t", "version": "1"},
        "servers": {"main": {"url": url, "protocol": protocol}},
        "channels": {channel: {"publish": operation, "subscribe": {}, **bindings}},
    }
    return msgspec.json.encode(document).decode()


@dataclass
class Broker:
    """A broker, and a channel of the test's own on it."""

    url: str
    channel: AbstractChannel
    prefix: str

    @property
    def place(self) -> str:
        """Host, port and path: where documents say that it is."""
        parts = urlsplit(self.url)
        return f"{parts.hostname}:{parts.port or 5672}{parts.path}"

    @property
    def login(self) -> tuple[str, str]:
        """Name and password."""
        parts = urlsplit(self.url)
        return parts.username or "guest", parts.password or "guest"

    def name(self, what: str) -> str:
        """A name that nobody else uses."""
        return f"{self.prefix}.{what}"

    async def queue(self, what: str) -> aio_pika.abc.AbstractQueue:
        """A queue that goes with the test."""
        return await self.channel.declare_queue(self.name(what), auto_delete=False, durable=True)


@asynccontextmanager
async def open_broker() -> AsyncIterator[Broker]:
    """The broker that there is; queues and exchanges whose names begin with the prefix are the test's to delete."""
    url = amqp_url()
    connection = await aio_pika.connect(url)
    async with connection:
        yield Broker(url, await connection.channel(), f"calls-{secrets.token_hex(6)}")
