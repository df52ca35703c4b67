"""OAuth for tests: an administrator who makes clients, and raw requests to the protocol's endpoints."""

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any, cast

import aiohttp
import jwt

from tests.support.http_session import http_session
from tests.support.suite import Suite

CALLBACK = "https://client.example/callback"


@dataclass(frozen=True, slots=True)
class Answer:
    """What an endpoint said."""

    status: int
    headers: Mapping[str, str]
    text: str
    json: Any
    cookies: Mapping[str, str] = field(default_factory=dict)
    """Those that it sets, by name."""

    @property
    def error(self) -> str:
        """The code of the refusal."""
        return str(self.json["error"])


@dataclass(frozen=True, slots=True)
class Web:
    """Requests to a gateway, without redirects, without cookies."""

    url: str
    session: aiohttp.ClientSession

    async def ask(self, method: str, path: str, **arguments: Any) -> Answer:
        """The answer of *path*."""
        async with self.session.request(
            method, path, allow_redirects=False, **arguments
        ) as response:
            text = await response.text()
            is_json = response.content_type == "application/json" and text
            body = await response.json() if is_json else None
            cookies = {name: each.value for name, each in response.cookies.items()}
            return Answer(response.status, response.headers.copy(), text, body, cookies)

    async def form(self, path: str, values: Mapping[str, str], **arguments: Any) -> Answer:
        """Post *values* as a form."""
        return await self.ask("POST", path, data=dict(values), **arguments)

    async def token(self, client: Mapping[str, Any], **values: str) -> Answer:
        """Ask the token endpoint, as *client* does by HTTP Basic (or by name, being public)."""
        return await self.as_client("/oauth2/token", client, **values)

    async def as_client(self, path: str, client: Mapping[str, Any], **values: str) -> Answer:
        """Ask *path* as *client*."""
        if "client_secret" not in client:
            return await self.form(path, {"client_id": client["client_id"], **values})
        return await self.form(path, values, headers=basic(client))

    async def call(self, method: str, path: str, token: str, **arguments: Any) -> Answer:
        """Call the API with an access token."""
        return await self.ask(
            method, path, headers={"Authorization": f"Bearer {token}"}, **arguments
        )


def basic(client: Mapping[str, Any]) -> dict[str, str]:
    """The header by which *client* proves who it is."""
    pair = f"{client['client_id']}:{client['client_secret']}"
    return {"Authorization": "Basic " + base64.b64encode(pair.encode()).decode()}


@asynccontextmanager
async def web(suite: Suite) -> AsyncIterator[Web]:
    """Requests to the gateway of *suite*."""
    async with http_session(suite.url) as session:
        yield Web(suite.url, session)


async def administrator(suite: Suite, web: Web) -> str:
    """An access token of the first administrator."""
    who = suite.administrator
    values = {"email": who.email, "password": who.password}
    answer = await web.ask("POST", "/v1/auth/login", json=values)
    assert answer.status == 200, answer.text
    return str(answer.json["access_token"])


async def made_client(web: Web, token: str, **metadata: Any) -> dict[str, Any]:
    """A new client with *metadata*."""
    answer = await web.call(
        "POST", "/v1/oauth-clients", token, json={"client_name": "Test", **metadata}
    )
    assert answer.status == 201, answer.text
    return cast("dict[str, Any]", answer.json)


def claims(token: str) -> dict[str, Any]:
    """What *token* says, unproved."""
    return jwt.decode(token, options={"verify_signature": False})
