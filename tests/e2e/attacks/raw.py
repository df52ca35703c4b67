"""HTTP as an attacker speaks it: any method, any bytes, any header, and the whole answer."""

import io
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import aiohttp
import msgspec

from autoworker import Client
from tests.support.gateway_client import PASSWORD, Person
from tests.support.http_session import http_session


@dataclass(frozen=True, slots=True)
class Answer:
    """An answer, read to its end (or to the end of the first piece, if it is a stream)."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body as data."""
        return msgspec.json.decode(self.body)


@dataclass(slots=True)
class Raw:
    """A logged-in client without manners."""

    http: aiohttp.ClientSession
    said: list[bytes] = field(default_factory=list)

    async def __call__(
        self, method: str, path: str, body: bytes | None = None, **headers: str
    ) -> Answer:
        """Send it; underscores in the names of headers are hyphens."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.request(
            method,
            path,
            data=None if body is None else io.BytesIO(body),
            headers=named,
            allow_redirects=False,
        ) as got:
            stream = got.content_type == "text/event-stream"
            content = await (got.content.readany() if stream else got.read())
            self.said.append(content)
            return Answer(got.status, dict(got.headers), content)


@asynccontextmanager
async def raw(url: str, person: Person) -> AsyncIterator[Raw]:
    """A raw client that is logged in as *person*."""
    async with raw_as(url, person.email, PASSWORD) as api:
        yield api


@asynccontextmanager
async def raw_as(
    url: str, email: str, password: str, tenant: str = "default"
) -> AsyncIterator[Raw]:
    """A raw client that is logged in by its password."""
    async with Client(url) as client:
        tokens = await client.login(email, password, tenant=tenant)
    headers = {"Authorization": f"Bearer {tokens.access_token}"}
    skip = ["Content-Type", "Accept-Encoding"]
    async with http_session(url, headers=headers, skip_auto_headers=skip) as http:
        yield Raw(http)
