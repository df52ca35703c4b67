"""The endpoints of OAuth 2.1 and OpenID Connect that clients ask. Forms in, JSON out, nothing cached."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import hdrs, web
from msgspec import UNSET, Struct, UnsetType

from gateway.ports.oauth import Endpoint, Form, OAuthEndpoints
from gateway.routes.forms import FORM, form_fields
from gateway.routes.origins import origin_of
from gateway.routes.public_address import PublicAddress
from gateway.routes.route import (
    Access,
    Body,
    Dialect,
    Handler,
    Incoming,
    Reply,
    Route,
    raw_answer,
)

TAG: Final = "OAuth"
_CLIENT: Final = (
    "The client proves who it is as registered: HTTP Basic, `client_id` and `client_secret` in the "
    "form, a signed `client_assertion`, or by its `client_id` alone when it is public. "
)
_EXAMPLE: Final = {
    "access_token": "eyJhbGciOiJFUzI1NiIsInR5cCI6ImF0K2p3dCJ9.…",
    "token_type": "Bearer",
    "expires_in": 600,
    "scope": "openid executions:read",
}


class ClientForm(Struct, frozen=True):
    """How a client proves who it is, unless it does by HTTP Basic."""

    client_id: str = ""
    client_secret: str = ""
    client_assertion_type: str = ""
    client_assertion: str = ""


class TokenForm(ClientForm, frozen=True):
    """A grant (RFC 6749 section 3.2); what belongs to it depends on `grant_type`."""

    grant_type: str = ""
    scope: str = ""
    code: str = ""
    redirect_uri: str = ""
    code_verifier: str = ""
    refresh_token: str = ""
    device_code: str = ""


class TokenOfClientForm(ClientForm, frozen=True):
    """A token of either kind; which it is need not be said."""

    token: str = ""
    token_type_hint: str = ""


class AuthorizationForm(ClientForm, frozen=True):
    """An authorization request (RFC 6749 section 4.1.1, OpenID Connect Core 3.1.2.1)."""

    response_type: str = ""
    redirect_uri: str = ""
    scope: str = ""
    state: str = ""
    code_challenge: str = ""
    code_challenge_method: str = ""
    nonce: str = ""
    prompt: str = ""
    max_age: str = ""
    login_hint: str = ""
    acr_values: str = ""
    id_token_hint: str = ""


class DeviceForm(ClientForm, frozen=True):
    """What a device wants (RFC 8628 section 3.1)."""

    scope: str = ""


class Introspection(Struct, frozen=True):
    """What a token is worth (RFC 7662); of one that counts for nothing only that is told."""

    active: bool
    scope: str | UnsetType = UNSET
    client_id: str | UnsetType = UNSET
    username: str | UnsetType = UNSET
    token_type: str | UnsetType = UNSET
    exp: int | UnsetType = UNSET
    iat: int | UnsetType = UNSET
    sub: str | UnsetType = UNSET
    iss: str | UnsetType = UNSET
    sid: str | UnsetType = UNSET
    tenant: str | UnsetType = UNSET


class PushedRequest(Struct, frozen=True):
    """Where the request is now (RFC 9126 section 2.2)."""

    request_uri: str
    expires_in: int


class DeviceAnswer(Struct, frozen=True):
    """A code for the device and one for its user (RFC 8628 section 3.2)."""

    device_code: str
    user_code: str
    verification_uri: str
    verification_uri_complete: str
    expires_in: int
    interval: int


class UserInfo(Struct, frozen=True):
    """What the scopes of the token let its bearer know (OpenID Connect Core 5.3)."""

    sub: str
    name: str | UnsetType = UNSET
    updated_at: int | UnsetType = UNSET
    email: str | UnsetType = UNSET
    email_verified: bool | UnsetType = UNSET


class TokenAnswer(Struct, frozen=True):
    """Tokens (RFC 6749 section 5.1); an ID token with the scope `openid`."""

    access_token: str
    token_type: str
    expires_in: int
    scope: str
    refresh_token: str | UnsetType = UNSET
    id_token: str | UnsetType = UNSET


@dataclass(frozen=True, slots=True)
class OAuthRoutes:
    """What clients ask under /oauth2, and how they find out what there is."""

    oauth: OAuthEndpoints
    address: PublicAddress

    def routes(self) -> Iterator[Route]:
        """The routes; none of them needs an access token of ours in the usual way."""
        yield from self._about_tokens()
        yield from self._beginnings()
        for method in ("GET", "POST"):
            yield self._userinfo_route(method)
        for name in ("openid-configuration", "oauth-authorization-server"):
            yield self._metadata_route(f"/.well-known/{name}")

    def _about_tokens(self) -> Iterator[Route]:
        yield self._endpoint(
            Endpoint.TOKEN,
            "/oauth2/token",
            "Exchange a grant for tokens",
            "RFC 6749, with PKCE (RFC 7636) for every client. " + _CLIENT,
            TokenForm,
            Reply(200, "The tokens", TokenAnswer, example=_EXAMPLE),
        )
        yield self._endpoint(
            Endpoint.REVOCATION,
            "/oauth2/revoke",
            "Revoke a token",
            "RFC 7009. With one token everything that came of its grant is dead. " + _CLIENT,
            TokenOfClientForm,
            Reply(200, "It is dead, or was before"),
        )
        yield self._endpoint(
            Endpoint.INTROSPECTION,
            "/oauth2/introspect",
            "Find out what a token is worth",
            "RFC 7662. A client sees its own tokens, a resource server all of its tenant. "
            + _CLIENT,
            TokenOfClientForm,
            Reply(200, "Whether it is active, and what it is good for", Introspection),
        )

    def _beginnings(self) -> Iterator[Route]:
        yield self._endpoint(
            Endpoint.PUSHED_AUTHORIZATION,
            "/oauth2/par",
            "Push an authorization request",
            "RFC 9126. The browser then carries `client_id` and `request_uri` only. " + _CLIENT,
            AuthorizationForm,
            Reply(201, "Where the request is now", PushedRequest),
        )
        yield self._endpoint(
            Endpoint.DEVICE_AUTHORIZATION,
            "/oauth2/device_authorization",
            "Begin on a device without a browser",
            "RFC 8628. The device shows the user code, and asks the token endpoint. " + _CLIENT,
            DeviceForm,
            Reply(200, "The codes", DeviceAnswer),
        )

    def _endpoint(
        self,
        endpoint: Endpoint,
        path: str,
        summary: str,
        description: str,
        form: Any,
        *replies: Reply,
    ) -> Route:
        return Route(
            method="POST",
            path=path,
            handler=self._asking(endpoint),
            summary=summary,
            description=description.strip(),
            tag=TAG,
            permission=Access.PUBLIC,
            service="auth",
            dialect=Dialect.OAUTH,
            finishes=True,
            body=Body(form, media_types=(FORM,)),
            replies=replies,
        )

    def _userinfo_route(self, method: str) -> Route:
        async def ask(request: Incoming) -> web.StreamResponse:
            return await self._ask(Endpoint.USERINFO, request, lambda _: ())

        return Route(
            method=method,
            path="/oauth2/userinfo",
            handler=ask,
            summary="Who the bearer of an access token stands for",
            description="OpenID Connect Core 5.3; the token needs the scope `openid`.",
            tag=TAG,
            permission=Access.PUBLIC,
            service="auth",
            dialect=Dialect.OAUTH,
            replies=[Reply(200, "The user, as far as the scopes say", UserInfo)],
        )

    def _metadata_route(self, path: str) -> Route:
        return Route(
            method="GET",
            path=path,
            handler=self.metadata,
            summary="What this authorization server can do",
            description="RFC 8414 and OpenID Connect Discovery, one document for both.",
            tag=TAG,
            permission=Access.PUBLIC,
            service="auth",
            replies=[Reply(200, "The metadata", dict[str, Any])],
        )

    def _asking(self, endpoint: Endpoint) -> Handler:
        async def ask(request: Incoming) -> web.StreamResponse:
            return await self._ask(endpoint, request, form_fields)

        return ask

    async def _ask(
        self,
        endpoint: Endpoint,
        request: Incoming,
        fields: Callable[[Incoming], tuple[tuple[str, str], ...]],
    ) -> web.StreamResponse:
        form = Form(
            parameters=fields(request),
            authorization=request.headers.get(hdrs.AUTHORIZATION, ""),
            issuer=self.address.known,
            origin=origin_of(request),
        )
        found = await self.oauth.ask(endpoint, form)
        response = raw_answer(found.body, "application/json")
        response.set_status(found.status)
        # RFC 6749 section 5.1; Cache-Control: no-store is on every answer.
        response.headers["Pragma"] = "no-cache"
        if found.challenge:
            response.headers[hdrs.WWW_AUTHENTICATE] = found.challenge
        return response

    async def metadata(self, request: Incoming) -> web.StreamResponse:
        """GET /.well-known/openid-configuration, /.well-known/oauth-authorization-server"""
        document = await self.oauth.metadata(self.address.known)
        response = raw_answer(document, "application/json")
        response.headers["Cache-Control"] = "public, max-age=300"
        return response
