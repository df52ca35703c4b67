"""People at the HTTP interface, one session each, who see every status."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import msgspec

from tests.support.gateway_client import PASSWORD
from tests.support.http_session import http_session

Answer = tuple[int, Any]


@dataclass(slots=True)
class Visitor:
    """Somebody who may be logged in."""

    http: aiohttp.ClientSession
    token: str = ""
    refresh_token: str = ""

    async def __call__(
        self,
        method: str,
        path: str,
        body: object = None,
        *,
        headers: Mapping[str, str] | None = None,
        token: str | None = None,
    ) -> Answer:
        """Status, and what the body says."""
        bearer = self.token if token is None else token
        named = {"Authorization": f"Bearer {bearer}"} if bearer else {}
        named |= headers or {}
        data = None if body is None else msgspec.json.encode(body)
        if data is not None:
            named["Content-Type"] = "application/json"
        async with self.http.request(method, path, data=data, headers=named) as got:
            content = await got.read()
            return got.status, msgspec.json.decode(content) if content else None

    async def login(
        self, email: str, password: str = PASSWORD, headers: Mapping[str, str] | None = None
    ) -> Answer:
        """Try to log in; keeps the tokens."""
        body = {"email": email, "password": password}
        status, answer = await self("POST", "/v1/auth/login", body, headers=headers, token="")
        if status == 200:
            self.token, self.refresh_token = answer["access_token"], answer["refresh_token"]
        return status, answer

    async def status(self) -> int:
        """What the token is good for right now."""
        return (await self("GET", "/v1/users/me"))[0]


@asynccontextmanager
async def visitor(url: str, **headers: str) -> AsyncIterator[Visitor]:
    """A stranger, for now; underscores in names of headers are hyphens."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    async with http_session(url, headers=named) as http:
        yield Visitor(http)


async def registered(who: Visitor, email: str, password: str = PASSWORD, name: str = "Ada") -> str:
    """Sign up and log in; the user's id."""
    body = {"email": email, "password": password, "name": name}
    status, answer = await who("POST", "/v1/auth/register", body)
    assert status == 201, answer
    assert (await who.login(email, password))[0] == 200
    return str(answer["user"]["id"])
