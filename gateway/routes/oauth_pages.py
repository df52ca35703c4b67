"""What browsers see of OAuth: pages and redirects, and consents that users take back."""

from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import urlencode

from aiohttp import hdrs, web

from chassis.errors import Kind
from gateway.ports.oauth import Consents, GivenConsents, OAuthPage, OAuthPages
from gateway.routes.forms import FORM, form_fields
from gateway.routes.oauth import TAG, AuthorizationForm
from gateway.routes.pages import PageRoutes
from gateway.routes.public_address import PublicAddress
from gateway.routes.route import Body, Incoming, Reply, Route, answer, nothing


@dataclass(frozen=True, slots=True)
class OAuthPageRoutes:
    """The routes that a browser is sent to."""

    pages: OAuthPages
    address: PublicAddress

    def routes(self) -> Iterator[Route]:
        """The routes; a cookie says which browser it is, and forms prove that we made them."""
        make = PageRoutes(self.pages, self.address, TAG)
        yield make.get(
            OAuthPage.AUTHORIZE,
            "/oauth2/authorize",
            "Ask a user for access",
            "RFC 6749 with PKCE (S256), OpenID Connect Core, RFC 9207. The request is bound to the "
            "browser at its first sight; the pages carry its opaque id only.",
        )
        yield self._reposted(make, "/oauth2/authorize", "Ask a user for access, by a form")
        yield make.get(OAuthPage.CONTINUE, "/oauth2/continue", "Log in, or agree")
        yield make.post(OAuthPage.SUBMIT, "/oauth2/continue", "Send a page back")
        yield make.get(OAuthPage.DEVICE, "/oauth2/device", "Type in the code of a device")
        yield make.post(OAuthPage.DEVICE_SUBMIT, "/oauth2/device", "Send the code of a device")
        yield make.get(
            OAuthPage.LOGOUT,
            "/oauth2/logout",
            "End a login",
            "OpenID Connect RP-Initiated Logout 1.0.",
        )
        yield self._reposted(make, "/oauth2/logout", "End a login, by a form")
        yield make.post(OAuthPage.LOGOUT_SUBMIT, "/oauth2/logout/confirm", "Confirm the end")

    def _reposted(self, make: PageRoutes, path: str, summary: str) -> Route:
        """Another site posts here, and browsers do not send our cookie with that: so ask again."""

        async def again(request: Incoming) -> web.StreamResponse:
            location = f"{self.address.known}{path}?{urlencode(form_fields(request))}"
            return web.Response(status=303, headers={hdrs.LOCATION: location})

        body = Body(AuthorizationForm, media_types=(FORM,), required=False)
        return make.route("POST", path, again, summary, body=body)


@dataclass(frozen=True, slots=True)
class ConsentRoutes:
    """What users have agreed to."""

    given: Consents

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""
        example = {
            "items": [
                {
                    "client_id": "0199c5e8-6f1b-7a20-9d2e-3c1f5b7a9d10",
                    "client_name": "Order desk",
                    "scope": "openid executions:read",
                    "granted_at": "2026-01-15T10:30:00Z",
                }
            ]
        }
        yield Route(
            method="GET",
            path="/v1/users/me/consents",
            handler=self.list,
            summary="See what one has agreed to",
            tag=TAG,
            permission="users:self",
            service="auth",
            replies=[Reply(200, "By client", GivenConsents, example=example)],
        )
        yield Route(
            method="DELETE",
            path="/v1/users/me/consents/{client_id}",
            handler=self.withdraw,
            summary="Take back what one has agreed to",
            description="Everything that the client has of the caller is dead at once.",
            tag=TAG,
            permission="users:self",
            service="auth",
            path_parameters={"client_id": "The client's id"},
            finishes=True,
            replies=[Reply(204, "It is taken back")],
            errors=[Kind.NOT_FOUND],
        )

    async def list(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/users/me/consents"""
        return answer(await self.given.consents(request.caller))

    async def withdraw(self, request: Incoming) -> web.StreamResponse:
        """DELETE /v1/users/me/consents/{client_id}"""
        await self.given.withdraw_consent(request.caller, request.arguments["client_id"])
        return nothing()
