"""Links that are mailed: asking for one, and using it, without being logged in."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Any, Final

from aiohttp import web
from msgspec import Meta, Struct

from chassis.errors import Kind
from gateway.ports import Accounts, Link
from gateway.routes.accounts import Noted
from gateway.routes.identity import AUTH_LIMIT, TAG
from gateway.routes.origins import origin_of
from gateway.routes.route import Access, Body, Incoming, Reply, Route, answer, nothing

_Text = Annotated[str, Meta(max_length=1024)]
_Tenant = Annotated[str, Meta(max_length=63, description="Which tenant one belongs to")]
_ON_ITS_WAY: Final = Noted("If there is such an account, a mail with a link is on its way to it")
_NO_MAIL: Final = Noted(
    "No mail server is configured here, so no mail can be sent: ask your administrator"
)
_SAME: Final = "The answer is the same whether or not there is such an account."
_TOKEN: Final = "3q2-7wXb0kq1Yy0m8vJ5t2b9S4c6D8e0F1g2H3i4J5k"  # noqa: S105 -- an example


class LinkRequest(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose account it is about."""

    email: _Text
    tenant: _Tenant = "default"


class TokenBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The token of a mailed link; it is spent by this."""

    token: _Text


class NewPassword(Struct, frozen=True, forbid_unknown_fields=True):
    """The token of a mailed link, which is spent by this, and the password to set."""

    token: _Text
    new_password: _Text


@dataclass(frozen=True, slots=True)
class AccountLinkRoutes:
    """/v1/auth/password-reset and /v1/auth/verify-email."""

    accounts: Accounts

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""
        yield self._asking(
            "/v1/auth/password-reset", self.ask_reset, "Mail a link for a new password"
        )
        yield self._using(
            "/v1/auth/password-reset/confirm",
            self.set_password,
            summary="Set a new password by a mailed link",
            description="Every session ends. It is the same for the link of an invitation. A "
            "password that breaks a rule does not spend the link.",
            body=Body(
                NewPassword,
                examples={"new": {"token": _TOKEN, "new_password": "Battery-Staple-7"}},
            ),
            replies=[Reply(204, "It is set")],
        )
        yield self._using(
            "/v1/auth/verify-email",
            self.confirm_email,
            summary="Confirm an e-mail address by a mailed link",
            description="After a change of the address, the new one counts from now on.",
            body=Body(TokenBody, examples={"token": {"token": _TOKEN}}),
            replies=[Reply(204, "It is confirmed")],
            errors=[Kind.CONFLICT],
        )
        yield self._asking(
            "/v1/auth/verify-email/resend",
            self.ask_verification,
            "Mail the link that confirms an address again",
        )

    def _asking(self, path: str, handler: Any, summary: str) -> Route:
        return self._using(
            path,
            handler,
            summary=summary,
            description=_SAME,
            body=Body(LinkRequest, examples={"email": {"email": "ada@example.com"}}),
            replies=[
                Reply(
                    202,
                    "If there is such an account, a mail is on its way",
                    Noted,
                    example={"message": _ON_ITS_WAY.message},
                )
            ],
        )

    def _using(self, path: str, handler: Any, **more: Any) -> Route:
        return Route(
            method="POST",
            path=path,
            handler=handler,
            tag=TAG,
            permission=Access.PUBLIC,
            service="auth",
            limit=AUTH_LIMIT,
            finishes=True,
            **more,
        )

    async def ask_reset(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/auth/password-reset"""
        return await self._ask(request, "password-reset")

    async def ask_verification(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/auth/verify-email/resend"""
        return await self._ask(request, "verify-email")

    async def _ask(self, request: Incoming, link: Link) -> web.StreamResponse:
        body = request.read(LinkRequest)
        sent = await self.accounts.request_link(
            body.email, link, origin_of(request), tenant=body.tenant
        )
        return answer(_ON_ITS_WAY if sent else _NO_MAIL, 202)

    async def set_password(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/auth/password-reset/confirm"""
        body = request.read(NewPassword)
        await self.accounts.set_password(body.token, body.new_password, origin_of(request))
        return nothing()

    async def confirm_email(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/auth/verify-email"""
        await self.accounts.confirm_email(request.read(TokenBody).token, origin_of(request))
        return nothing()
