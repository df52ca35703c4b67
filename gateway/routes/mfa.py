"""Second factors given: at login, and for what is sensitive."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

from aiohttp import web
from msgspec import Meta, Struct

from chassis.errors import Kind
from gateway.ports import Tokens
from gateway.ports.mfa import Mfa, SteppedUp
from gateway.routes.origins import origin_of
from gateway.routes.route import Access, Body, Incoming, Reply, Route, answer

TAG: Final = "Second factors"
PERMISSION: Final = "factors:write"
_Text = Annotated[str, Meta(max_length=1024)]
_Token = Annotated[str, Meta(max_length=4096)]


class MfaBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The token of a login that waits, and a code."""

    mfa_token: _Token
    method: _Text
    code: _Text
    remember_device: bool = False


class SendBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The token of a login that waits, and how its code is to come."""

    mfa_token: _Token
    method: _Text


class StepUpBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A code; or the password, for those who have no second factor."""

    method: _Text
    code: _Text = ""
    password: _Text = ""


class StepUpSendBody(Struct, frozen=True, forbid_unknown_fields=True):
    """How the code is to come."""

    method: _Text


@dataclass(frozen=True, slots=True)
class MfaRoutes:
    """Giving a second factor."""

    mfa: Mfa

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""
        yield from self._login_routes()
        yield from self._step_up_routes()

    def _login_routes(self) -> Iterator[Route]:
        yield Route(
            method="POST",
            path="/v1/auth/mfa",
            handler=self.complete_login,
            summary="Complete a login with a second factor",
            description=(
                "`mfa_token` is in the details of the MFA_REQUIRED that the login answered; it is "
                "good for five minutes, five codes and nothing else. With `remember_device` the "
                "answer has a `device_token`, which later logins may send instead of a code."
            ),
            tag=TAG,
            permission=Access.PUBLIC,
            service="auth",
            limit="auth",
            finishes=True,
            body=Body(MfaBody, examples={"app": {"mfa_token": "eyJ…", "method": "totp",
                                                 "code": "123456"}}),
            replies=[Reply(200, "The session's tokens", Tokens)],
            errors=[Kind.UNAUTHENTICATED],
        )  # fmt: skip
        yield Route(
            method="POST",
            path="/v1/auth/mfa/send",
            handler=self.send_login_code,
            summary="Send a code for a login",
            description="By e-mail or text message; an older code is void then.",
            tag=TAG,
            permission=Access.PUBLIC,
            service="auth",
            limit="auth",
            finishes=True,
            body=Body(SendBody, examples={"mail": {"mfa_token": "eyJ…", "method": "email"}}),
            replies=[Reply(202, "The code is on its way")],
            errors=[Kind.UNAUTHENTICATED],
        )

    def _step_up_routes(self) -> Iterator[Route]:
        yield Route(
            method="POST",
            path="/v1/auth/step-up",
            handler=self.step_up,
            summary="Prove again who you are",
            description=(
                "What is sensitive asks for that with MFA_REQUIRED, whose details name the "
                "methods. The session is raised, so its older tokens will do as well."
            ),
            tag=TAG,
            permission=PERMISSION,
            service="auth",
            finishes=True,
            body=Body(StepUpBody, examples={"app": {"method": "totp", "code": "123456"}}),
            replies=[Reply(200, "A new access token, and what it proves", SteppedUp)],
            errors=[Kind.MFA_REQUIRED],
        )
        yield Route(
            method="POST",
            path="/v1/auth/step-up/send",
            handler=self.send_step_up_code,
            summary="Send a code for a step-up",
            tag=TAG,
            permission=PERMISSION,
            service="auth",
            finishes=True,
            body=Body(StepUpSendBody, examples={"mail": {"method": "email"}}),
            replies=[Reply(202, "The code is on its way")],
        )

    async def complete_login(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/auth/mfa"""
        body = request.read(MfaBody)
        tokens = await self.mfa.complete_login(
            body.mfa_token,
            body.method,
            body.code,
            remember=body.remember_device,
            origin=origin_of(request),
        )
        return answer(tokens)

    async def send_login_code(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/auth/mfa/send"""
        body = request.read(SendBody)
        await self.mfa.send_login_code(body.mfa_token, body.method)
        return web.Response(status=202)

    async def step_up(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/auth/step-up"""
        body = request.read(StepUpBody)
        stepped = await self.mfa.step_up(
            request.caller, body.method, body.code, body.password, origin_of(request)
        )
        return answer(stepped)

    async def send_step_up_code(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/auth/step-up/send"""
        await self.mfa.send_step_up_code(request.caller, request.read(StepUpSendBody).method)
        return web.Response(status=202)
