"""One JSON-RPC message over HTTP, and all that comes back: one message, or a stream of server-sent events."""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

from multidict import CIMultiDictProxy

from workflow_service.adapters.authentication import AuthenticatedEgress
from workflow_service.adapters.authentication.problems import unauthenticated, unauthorized
from workflow_service.adapters.egress import EgressClient, EgressRequest, EgressStream
from workflow_service.adapters.task_runners.json_rpc.messages import Message, read
from workflow_service.domain.bounds import beyond
from workflow_service.domain.execution.credentials import Credentials, Resource
from workflow_service.domain.execution.problem import (
    ERRORS,
    Problem,
    Raised,
    communication,
    runtime,
)

EVENTS = "text/event-stream"
_JSON = "application/json"


@dataclass(frozen=True, slots=True)
class Answered:
    """What came back, as it comes."""

    headers: CIMultiDictProxy[str]
    messages: AsyncIterator[Message]


@dataclass(frozen=True, slots=True)
class Post:
    """A message, and where it goes."""

    place: Resource
    body: bytes
    headers: dict[str, str] = field(default_factory=dict)
    timeout: float | None = None
    """Seconds for everything until the answer is complete."""


class Exchange:
    """Posts messages through the one way out."""

    def __init__(
        self, egress: EgressClient, authentication: AuthenticatedEgress, items: int
    ) -> None:
        """Make it.

        Args:
            egress: the way out.
            authentication: what credentials come to.
            items: how many messages one answer may have.
        """
        self._egress = egress
        self._authentication = authentication
        self._items = items

    @asynccontextmanager
    async def post(self, post: Post, *, tenant: str) -> AsyncIterator[Answered]:
        """Send *post* and read what comes back within the block.

        Raises:
            Raised: the answer is no success and no message, or not of a kind that can be read.
            EgressError: there is none.
            CredentialsRefused: nothing can be made of the credentials, or they are not accepted.
        """
        request = EgressRequest(
            method="POST",
            url=post.place.uri,
            headers=await self._headers(post, tenant),
            body=post.body,
            timeout=post.timeout,
        )
        async with self._egress.stream(request) as stream:
            if post.place.credentials is not None:
                await self._check_access(stream.status, post.place.credentials, tenant)
            yield Answered(stream.headers, self._messages(stream))

    async def close(self, place: Resource, headers: dict[str, str], *, tenant: str) -> None:
        """Ask the server to forget a session.

        Raises:
            EgressError: there is no answer.
            CredentialsRefused: nothing can be made of the credentials.
        """
        request = EgressRequest("DELETE", place.uri, headers=headers, timeout=_CLOSING)
        _ = await self._authentication.send(request, place.credentials, tenant=tenant)

    async def _check_access(self, status: int, credentials: Credentials, tenant: str) -> None:
        """What an answer says about credentials is what it says for HTTP calls."""
        if status == 401:
            await self._authentication.refused(credentials, tenant=tenant)
            raise unauthenticated("The service did not accept the credentials (status 401).")
        if status == 403:
            raise unauthorized("The credentials do not allow this call (status 403).")

    async def _headers(self, post: Post, tenant: str) -> dict[str, str]:
        ours = {"Content-Type": _JSON, "Accept": f"{_JSON}, {EVENTS}"}
        credentials = post.place.credentials
        if credentials is not None:
            ours |= await self._authentication.headers(credentials, tenant=tenant)
        replaced = {name.lower() for name in ours}
        theirs = {k: v for k, v in post.headers.items() if k.lower() not in replaced}
        return theirs | ours

    async def _messages(self, stream: EgressStream) -> AsyncIterator[Message]:
        if stream.status in (202, 204):
            return
        if stream.media_type != EVENTS:
            yield await _only_message(stream)
            return
        _check(stream)
        number = 0
        async for event in stream.events():
            number += 1
            if number > self._items:
                told = f"the answer has more than {self._items} messages"
                raise Raised(runtime(beyond(told, "stream_items")))
            if event:
                yield read(event)


_CLOSING = 2.0
"""Seconds for what nobody waits for."""


async def _only_message(stream: EgressStream) -> Message:
    """Read a whole answer: an error of JSON-RPC may come with any status."""
    if stream.media_type != _JSON:
        _check(stream)
        raise Raised(communication("The answer is neither JSON nor a stream of events."))
    message = read(await stream.read())
    if "error" not in message:
        _check(stream)
    return message


def _check(stream: EgressStream) -> None:
    if stream.status not in range(200, 300):
        detail = f"The service answered with status {stream.status}."
        kind = ERRORS + "communication"
        raise Raised(Problem(kind, stream.status, "Unsuccessful response", detail))
