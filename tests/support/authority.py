"""A real authority: gives out tokens over HTTP, and checks who asks for them; and a service that wants them."""

from __future__ import annotations

import base64
import hmac
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, unquote_plus

import jwt
from aiohttp import web
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
)

CLIENT, SECRET = "runtime", "s3cret:of/the client, at least 32 bytes"
ASSERTED = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
EXCHANGE = "urn:ietf:params:oauth:grant-type:token-exchange"


class Refused(Exception):
    """The request is refused, with an error of RFC 6749."""

    def __init__(self, error: str, status: int = 400) -> None:
        super().__init__(error)
        self.error, self.status = error, status


@dataclass
class Authority:
    """What it gives out, and what it was asked; tests change it as they like."""

    url: str = ""
    method: str = "client_secret_post"
    """How clients must prove who they are."""
    lifetime: int | None = 300
    opaque: bool = False
    issuer: str = ""
    """In tokens and in the configuration; its own address unless it lies."""
    more: dict[str, Any] = field(default_factory=dict)
    """Members of answers besides the usual ones."""
    fails_with: int = 0
    documents: dict[str, str] = field(default_factory=dict)
    """What it shows to everybody, by path."""
    asked: list[dict[str, str]] = field(default_factory=list)
    media_types: list[str] = field(default_factory=list)
    revoked: list[str] = field(default_factory=list)
    called: list[str] = field(default_factory=list)
    """Authorization headers that the service saw."""
    good: dict[str, dict[str, str]] = field(default_factory=dict)
    """Access tokens that are accepted, with what was asked for."""
    refreshable: set[str] = field(default_factory=set)
    key: ec.EllipticCurvePrivateKey = field(
        default_factory=lambda: ec.generate_private_key(ec.SECP256R1())
    )
    """The client's."""
    _numbers: count[int] = field(default_factory=lambda: count(1))

    @property
    def pem(self) -> str:
        """The client's private key."""
        form = (Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())
        return self.key.private_bytes(*form).decode()

    # ------------------------------------------------------------ the service
    async def service(self, request: web.Request) -> web.Response:
        """Something that only a token opens; it tells everybody what it was sent."""
        sent = request.headers.get("Authorization", "")
        self.called.append(sent)
        if sent.removeprefix("Bearer ") not in self.good:
            return web.json_response({}, status=401, headers={"WWW-Authenticate": "Bearer"})
        return web.json_response({"echo": dict(request.headers)}, headers={"X-Echo": sent})

    async def show(self, request: web.Request) -> web.Response:
        """Show a document."""
        text = self.documents.get(request.path)
        return web.Response(status=404) if text is None else web.Response(text=text)

    # ------------------------------------------------------------ the authority
    async def token(self, request: web.Request) -> web.Response:
        """See RFC 6749, 3.2."""
        if self.fails_with:
            return web.Response(status=self.fails_with, text="<html>no</html>")
        asked = await self._read(request)
        self.asked.append(asked)
        try:
            self._check_client(request, asked)
            self._check_grant(asked)
        except Refused as refused:
            return web.json_response(
                {"error": refused.error, "error_description": f"not with {SECRET}"},
                status=refused.status,
            )
        return web.json_response(self._given(asked))

    async def introspect(self, request: web.Request) -> web.Response:
        """See RFC 7662."""
        asked = dict(await request.post())
        self._check_client(request, {name: str(value) for name, value in asked.items()})
        active = asked["token"] in self.good
        return web.json_response({"active": active, "iss": self.issuer or self.url})

    async def revoke(self, request: web.Request) -> web.Response:
        """See RFC 7009."""
        self.revoked.append(str((await request.post())["token"]))
        return web.Response()

    async def configuration(self, request: web.Request) -> web.Response:
        """See OpenID Connect Discovery 1.0, 4."""
        return web.json_response(
            {
                "issuer": self.issuer or self.url,
                "token_endpoint": f"{self.url}/somewhere/token",
                "introspection_endpoint": f"{self.url}/oauth2/introspect",
            }
        )

    async def _read(self, request: web.Request) -> dict[str, str]:
        self.media_types.append(request.content_type)
        if request.content_type == "application/json":
            return dict(await request.json())
        pairs: dict[str, str] = {}
        for name, value in parse_qsl(await request.text(), strict_parsing=True):
            pairs[name] = f"{pairs[name]},{value}" if name in pairs else value
        return pairs

    def _check_client(self, request: web.Request, asked: Mapping[str, str]) -> None:
        match self.method:
            case "client_secret_basic":
                pair = base64.b64decode(request.headers["Authorization"].split(" ")[1]).decode()
                name, secret = (unquote_plus(part) for part in pair.split(":"))
                self._expect(name == CLIENT and secret == SECRET)
            case "client_secret_post":
                self._expect(asked.get("client_id") == CLIENT)
                self._expect(hmac.compare_digest(asked.get("client_secret", ""), SECRET))
            case "none":
                self._expect(asked.get("client_id") == CLIENT and "client_secret" not in asked)
            case _:
                self._check_assertion(asked)

    def _check_assertion(self, asked: Mapping[str, str]) -> None:
        self._expect(asked.get("client_assertion_type") == ASSERTED)
        symmetric = self.method == "client_secret_jwt"
        try:
            claims = jwt.decode(
                asked["client_assertion"],
                SECRET if symmetric else self.key.public_key(),
                algorithms=["HS256" if symmetric else "ES256"],
                audience=f"{self.url}/oauth2/token",
                options={"require": ["exp", "jti", "iss", "sub"]},
            )
        except jwt.InvalidTokenError:
            raise Refused("invalid_client", 401) from None
        self._expect(claims["iss"] == claims["sub"] == CLIENT)

    def _check_grant(self, asked: Mapping[str, str]) -> None:
        match asked["grant_type"]:
            case "client_credentials":
                good = True
            case "password":
                good = (asked.get("username"), asked.get("password")) == ("ada", "lovelace")
            case "refresh_token":
                good = asked.get("refresh_token") in self.refreshable
            case "authorization_code":
                good = asked.get("code") == "c0de"
            case grant:
                good = grant == EXCHANGE and asked.get("subject_token") == "somebody's"
        if not good:
            raise Refused("invalid_grant")
        if "forbidden" in asked.get("scope", ""):
            raise Refused("invalid_scope")

    def _given(self, asked: dict[str, str]) -> dict[str, Any]:
        number = next(self._numbers)
        token = f"opaque-access-{number}"
        if not self.opaque:
            claims = {"iss": self.issuer or self.url, "jti": str(number)}
            token = jwt.encode(claims, self.key, algorithm="ES256")
        self.good[token] = asked
        given: dict[str, Any] = {"access_token": token, "token_type": "bearer", **self.more}
        if asked["grant_type"] not in ("client_credentials", EXCHANGE):
            self.refreshable.discard(asked.get("refresh_token", ""))
            given["refresh_token"] = f"refresh-{number}"
            self.refreshable.add(f"refresh-{number}")
        return given if self.lifetime is None else given | {"expires_in": self.lifetime}

    @staticmethod
    def _expect(right: bool) -> None:
        if not right:
            raise Refused("invalid_client", 401)


@asynccontextmanager
async def serving_tokens() -> AsyncIterator[Authority]:
    """An authority on a port of its own."""
    authority = Authority()
    application = web.Application()
    for path in ("/oauth2/token", "/somewhere/token", "/realm/auth/token"):
        application.router.add_post(path, authority.token)
    application.router.add_post("/oauth2/introspect", authority.introspect)
    application.router.add_post("/oauth2/revoke", authority.revoke)
    application.router.add_get("/.well-known/openid-configuration", authority.configuration)
    application.router.add_route("*", "/service", authority.service)
    application.router.add_route("*", "/{path:.*}", authority.show)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    authority.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield authority
    finally:
        await runner.cleanup()
