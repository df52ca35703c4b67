"""Sign-up, sessions, oneself, and the keys that tokens are verified with."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from chassis.errors import Kind
from gateway.ports import Auth, Gatekeeper, Origin, Profile, Tokens, User
from gateway.routes.route import Access, Body, Incoming, Reply, Route, answer, nothing, raw_answer

TAG: Final = "Identity"
AUTH_LIMIT: Final = "auth"
MAX_USER_AGENT: Final = 256
# Generous: the rules of the auth service are stricter, and name what is wrong.
_Text = Annotated[str, Meta(max_length=1024)]


class RegisterBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants an account."""

    email: _Text
    password: _Text
    name: _Text = ""


class LoginBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Proof of being somebody."""

    email: _Text
    password: _Text
    otp: _Text = ""


class RefreshBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A refresh token; it is spent by this."""

    refresh_token: Annotated[str, Meta(max_length=4096)]


class ProfileChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What one may change about oneself."""

    name: _Text | None = None


class Registered(Struct, frozen=True):
    """The new user."""

    user: User


_EXAMPLE_TOKENS: Final = {
    "access_token": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.…",
    "token_type": "Bearer",
    "expires_in": 600,
    "refresh_token": "h0l3…",
}
_CREDENTIALS: Final = {"email": "ada@example.com", "password": "Correct-Horse-9"}


@dataclass(frozen=True, slots=True)
class IdentityRoutes:
    """Everything under /v1/auth and /v1/users/me."""

    auth: Auth
    gatekeeper: Gatekeeper

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""
        yield Route(
            method="POST",
            path="/v1/auth/register",
            handler=self.register,
            summary="Make an account",
            tag=TAG,
            permission=Access.PUBLIC,
            service="auth",
            limit=AUTH_LIMIT,
            finishes=True,
            body=Body(RegisterBody, examples={"account": {**_CREDENTIALS, "name": "Ada"}}),
            replies=[Reply(201, "The account", Registered)],
            errors=[Kind.CONFLICT],
        )
        yield Route(
            method="POST",
            path="/v1/auth/login",
            handler=self.login,
            summary="Open a session",
            tag=TAG,
            permission=Access.PUBLIC,
            service="auth",
            limit=AUTH_LIMIT,
            body=Body(LoginBody, examples={"password": _CREDENTIALS}),
            replies=[Reply(200, "The session's tokens", Tokens, example=_EXAMPLE_TOKENS)],
            errors=[Kind.UNAUTHENTICATED, Kind.MFA_REQUIRED],
        )
        yield Route(
            method="POST",
            path="/v1/auth/refresh",
            handler=self.refresh,
            summary="Take new tokens for a refresh token",
            description="The old one is spent; using it again ends the session.",
            tag=TAG,
            permission=Access.PUBLIC,
            service="auth",
            limit=AUTH_LIMIT,
            finishes=True,
            body=Body(RefreshBody, examples={"refresh": {"refresh_token": "h0l3…"}}),
            replies=[Reply(200, "New tokens", Tokens, example=_EXAMPLE_TOKENS)],
            errors=[Kind.UNAUTHENTICATED],
        )
        yield from self._own_routes()

    def _own_routes(self) -> Iterator[Route]:
        yield Route(
            method="POST",
            path="/v1/auth/logout",
            handler=self.logout,
            summary="End the session",
            description="Every token of the session is dead at once.",
            tag=TAG,
            permission="users:self",
            service="auth",
            finishes=True,
            replies=[Reply(204, "The session has ended")],
        )
        yield Route(
            method="GET",
            path="/v1/users/me",
            handler=self.me,
            summary="See oneself",
            tag=TAG,
            permission="users:self",
            service="auth",
            replies=[Reply(200, "The caller", Profile)],
        )
        yield Route(
            method="PATCH",
            path="/v1/users/me",
            handler=self.update_me,
            summary="Change oneself",
            tag=TAG,
            permission="users:self",
            service="auth",
            finishes=True,
            body=Body(
                ProfileChange,
                media_types=("application/json", "application/merge-patch+json"),
                examples={"name": {"name": "Ada Lovelace"}},
            ),
            replies=[Reply(200, "The caller, as they are now", Profile)],
        )
        yield Route(
            method="GET",
            path="/.well-known/jwks.json",
            handler=self.keys,
            summary="The keys that access tokens are verified with",
            description="A JWK set (RFC 7517).",
            tag=TAG,
            permission=Access.PUBLIC,
            service="auth",
            replies=[Reply(200, "The JWK set", dict[str, list[dict[str, str]]])],
        )

    async def register(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/auth/register"""
        body = request.read(RegisterBody)
        user = await self.auth.register(body.email, body.password, body.name, _origin(request))
        return answer(Registered(user), 201)

    async def login(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/auth/login"""
        body = request.read(LoginBody)
        return answer(await self.auth.login(body.email, body.password, body.otp, _origin(request)))

    async def refresh(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/auth/refresh"""
        body = request.read(RefreshBody)
        return answer(await self.auth.refresh(body.refresh_token, _origin(request)))

    async def logout(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/auth/logout"""
        session = await self.auth.logout(request.caller)
        # Not waiting for the feed: the answer promises that the tokens are dead.
        self.gatekeeper.forget(session or request.caller.principal.session_id or "")
        return nothing()

    async def me(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/users/me"""
        return answer(await self.auth.me(request.caller))

    async def update_me(self, request: Incoming) -> web.StreamResponse:
        """PATCH /v1/users/me"""
        body = request.read(ProfileChange)
        return answer(await self.auth.update_me(request.caller, body.name))

    async def keys(self, request: Incoming) -> web.StreamResponse:
        """GET /.well-known/jwks.json"""
        response = raw_answer(await self.auth.public_keys(), "application/json")
        # Short: a rotated key must be seen well before the old one goes.
        response.headers["Cache-Control"] = "public, max-age=60"
        return response


def _origin(request: Incoming) -> Origin:
    agent = request.headers.get("User-Agent", "")[:MAX_USER_AGENT]
    return Origin(request.address, agent.encode("ascii", "replace").decode())
