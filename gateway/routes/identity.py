"""Sign-up, sessions, oneself, and the keys that tokens are verified with."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from chassis.errors import Kind
from gateway.ports import Auth, Credentials, Gatekeeper, Profile, Tokens, User
from gateway.routes.origins import origin_of
from gateway.routes.route import Access, Body, Incoming, Reply, Route, answer, nothing, raw_answer

TAG: Final = "Identity"
AUTH_LIMIT: Final = "auth"
# Generous: the rules of the auth service are stricter, and name what is wrong.
_Text = Annotated[str, Meta(max_length=1024)]
_Tenant = Annotated[str, Meta(max_length=63, description="Which tenant one belongs to")]


class RegisterBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Who wants an account."""

    email: _Text
    password: _Text
    name: _Text = ""
    tenant: _Tenant = "default"


class LoginBody(Struct, frozen=True, forbid_unknown_fields=True):
    """Proof of being somebody."""

    email: _Text
    password: _Text
    otp: _Text = ""
    device_token: _Text = ""
    remember_device: bool = False
    tenant: _Tenant = "default"


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
        yield self._register_route()
        yield self._login_route()
        yield self._refresh_route()
        yield self._logout_route()
        yield self._me_route()
        yield self._update_me_route()
        yield self._keys_route()

    def _register_route(self) -> Route:
        return Route(
            method="POST",
            path="/v1/auth/register",
            handler=self.register,
            summary="Register",
            tag=TAG,
            permission=Access.PUBLIC,
            service="auth",
            limit=AUTH_LIMIT,
            finishes=True,
            body=Body(RegisterBody, examples={"account": {**_CREDENTIALS, "name": "Ada"}}),
            replies=[Reply(201, "The account", Registered)],
            errors=[Kind.CONFLICT],
        )

    def _login_route(self) -> Route:
        return Route(
            method="POST",
            path="/v1/auth/login",
            handler=self.login,
            summary="Log in",
            description=(
                "Who has a second factor gives a code in `otp` (of an authenticator app, or a "
                "recovery code), or the `device_token` of a remembered device. Without either the "
                "answer is MFA_REQUIRED; its details have an `mfa_token` for /v1/auth/mfa, the "
                "`methods`, and in how many seconds it ends."
            ),
            tag=TAG,
            permission=Access.PUBLIC,
            service="auth",
            limit=AUTH_LIMIT,
            body=Body(LoginBody, examples={"password": _CREDENTIALS}),
            replies=[Reply(200, "The session's tokens", Tokens, example=_EXAMPLE_TOKENS)],
            errors=[Kind.UNAUTHENTICATED, Kind.MFA_REQUIRED],
        )

    def _refresh_route(self) -> Route:
        return Route(
            method="POST",
            path="/v1/auth/refresh",
            handler=self.refresh,
            summary="Refresh the tokens",
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

    def _logout_route(self) -> Route:
        return Route(
            method="POST",
            path="/v1/auth/logout",
            handler=self.logout,
            summary="Log out",
            description="Every token of the session is dead at once.",
            tag=TAG,
            permission="users:self",
            # All that a session has which is good for setting up a second factor and no more.
            or_permission="factors:write",
            service="auth",
            finishes=True,
            replies=[Reply(204, "The session has ended")],
        )

    def _me_route(self) -> Route:
        return Route(
            method="GET",
            path="/v1/users/me",
            handler=self.me,
            summary="See your account",
            tag=TAG,
            permission="users:self",
            service="auth",
            replies=[Reply(200, "The caller", Profile)],
        )

    def _update_me_route(self) -> Route:
        return Route(
            method="PATCH",
            path="/v1/users/me",
            handler=self.update_me,
            summary="Change your account",
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

    def _keys_route(self) -> Route:
        return Route(
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
        user = await self.auth.register(
            body.email, body.password, body.name, origin_of(request), tenant=body.tenant
        )
        return answer(Registered(user), 201)

    async def login(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/auth/login"""
        body = request.read(LoginBody)
        credentials = Credentials(
            email=body.email,
            password=body.password,
            otp=body.otp,
            device_token=body.device_token,
            remember_device=body.remember_device,
            tenant=body.tenant,
        )
        return answer(await self.auth.login(credentials, origin_of(request)))

    async def refresh(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/auth/refresh"""
        body = request.read(RefreshBody)
        return answer(await self.auth.refresh(body.refresh_token, origin_of(request)))

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
