"""Second factors as users set them up and take them away."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Annotated, Final

import segno
from aiohttp import web
from msgspec import Meta, Struct

from chassis.errors import Kind
from gateway.ports.mfa import ConfirmedFactor, Factor, Mfa, NewTotp, OwnFactors
from gateway.routes.mfa import PERMISSION, TAG
from gateway.routes.origins import origin_of
from gateway.routes.route import Body, Handler, Incoming, Reply, Route, answer, nothing

_PROOF: Final = (Kind.PERMISSION_DENIED, Kind.MFA_REQUIRED)
_NEEDS_PROOF: Final = (
    "Needs a proof of the last five minutes of who the caller is: a login, the password, or "
    "/v1/auth/step-up. Who has a second factor must have given it, the strongest that they have."
)
_Text = Annotated[str, Meta(max_length=1024)]


class EnrolBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The password, for those who have no second factor and did not log in just now."""

    password: _Text = ""


class EnrolSmsBody(Struct, frozen=True, forbid_unknown_fields=True):
    """A telephone number in international form (E.164)."""

    phone: _Text
    password: _Text = ""


class CodeBody(Struct, frozen=True, forbid_unknown_fields=True):
    """The first code of a factor."""

    code: _Text


class TotpSetup(NewTotp, frozen=True):
    """What an app needs, shown this once; ``qr_svg`` is an image of ``uri``."""

    qr_svg: str


class RecoveryCodes(Struct, frozen=True):
    """Each is good once, in the place of a code; shown this once."""

    codes: list[str]


@dataclass(frozen=True, slots=True)
class FactorRoutes:
    """Everything under /v1/users/me/factors, and what administrators do about others'."""

    mfa: Mfa

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""
        yield from self._enrolment_routes()
        yield from self._own_routes()
        yield self._reset_route()

    def _enrolment_routes(self) -> Iterator[Route]:
        yield self._enrolment(
            "totp", self.enrol_totp, "Set up an authenticator app", TotpSetup, EnrolBody
        )
        yield self._enrolment(
            "email", self.enrol_email, "Set up codes by e-mail", Factor, EnrolBody
        )
        yield self._enrolment(
            "sms", self.enrol_sms, "Set up codes by text message", Factor, EnrolSmsBody
        )
        for kind, handler in (
            ("totp", self.confirm_totp),
            ("email", self.confirm_email),
            ("sms", self.confirm_sms),
        ):
            yield Route(
                method="POST",
                path=f"/v1/users/me/factors/{kind}/confirm",
                handler=handler,
                summary="Confirm a second factor with its first code",
                description=(
                    "From now on it is asked for at login. It takes the place of another of its "
                    "kind. All remembered devices are forgotten."
                ),
                tag=TAG,
                permission=PERMISSION,
                service="auth",
                finishes=True,
                body=Body(CodeBody, examples={"code": {"code": "123456"}}),
                replies=[Reply(200, "The factor; recovery codes with the first", ConfirmedFactor)],
                errors=[Kind.CONFLICT, Kind.RATE_LIMITED],
            )

    def _enrolment(
        self, kind: str, handler: Handler, summary: str, model: type[Struct], body: type[Struct]
    ) -> Route:
        example: dict[str, object] = {"phone": "+41441234567"} if body is EnrolSmsBody else {}
        return Route(
            method="POST",
            path=f"/v1/users/me/factors/{kind}",
            handler=handler,
            summary=summary,
            description=f"It counts once it is confirmed. {_NEEDS_PROOF}",
            tag=TAG,
            permission=PERMISSION,
            service="auth",
            finishes=True,
            body=Body(body, required=body is EnrolSmsBody, examples={"plain": example}),
            replies=[Reply(201, "What is to be confirmed within 15 minutes", model)],
            errors=[*_PROOF, Kind.CONFLICT],
        )

    def _own_routes(self) -> Iterator[Route]:
        yield Route(
            method="GET",
            path="/v1/users/me/factors",
            handler=self.factors,
            summary="List your second factors",
            tag=TAG,
            permission=PERMISSION,
            service="auth",
            replies=[Reply(200, "Those that count", OwnFactors)],
        )
        yield Route(
            method="DELETE",
            path="/v1/users/me/factors/{id}",
            handler=self.remove,
            summary="Take a second factor away",
            description=f"Recovery codes go with the last one. {_NEEDS_PROOF}",
            tag=TAG,
            permission=PERMISSION,
            service="auth",
            finishes=True,
            path_parameters={"id": "The factor's id"},
            replies=[Reply(204, "It is gone")],
            errors=[*_PROOF, Kind.NOT_FOUND],
        )
        yield Route(
            method="POST",
            path="/v1/users/me/factors/recovery-codes",
            handler=self.renew_recovery_codes,
            summary="Make new recovery codes",
            description=f"The old ones are void. {_NEEDS_PROOF}",
            tag=TAG,
            permission=PERMISSION,
            service="auth",
            finishes=True,
            body=Body(EnrolBody, required=False, examples={"plain": {}}),
            replies=[Reply(201, "Ten codes", RecoveryCodes)],
            errors=[*_PROOF, Kind.CONFLICT],
        )

    def _reset_route(self) -> Route:
        return Route(
            method="DELETE",
            path="/v1/users/{id}/factors",
            handler=self.reset,
            summary="Take all second factors of a user away",
            description="For users who have lost them; they are told by mail. For administrators.",
            tag=TAG,
            permission="users:write",
            service="auth",
            finishes=True,
            path_parameters={"id": "The user's id"},
            replies=[Reply(204, "They are gone")],
            errors=[*_PROOF, Kind.NOT_FOUND],
        )

    async def factors(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/users/me/factors"""
        return answer(await self.mfa.factors(request.caller))

    async def enrol_totp(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/users/me/factors/totp"""
        made = await self.mfa.enrol_totp(request.caller, _password(request), origin_of(request))
        image = segno.make(made.uri, micro=False).svg_inline(scale=4)
        return answer(TotpSetup(made.id, made.secret, made.uri, image), 201)

    async def enrol_email(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/users/me/factors/email"""
        made = await self.mfa.enrol_email(request.caller, _password(request), origin_of(request))
        return answer(made, 201)

    async def enrol_sms(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/users/me/factors/sms"""
        body = request.read(EnrolSmsBody)
        made = await self.mfa.enrol_sms(
            request.caller, body.phone, body.password, origin_of(request)
        )
        return answer(made, 201)

    async def confirm_totp(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/users/me/factors/totp/confirm"""
        return await self._confirm(request, "totp")

    async def confirm_email(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/users/me/factors/email/confirm"""
        return await self._confirm(request, "email")

    async def confirm_sms(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/users/me/factors/sms/confirm"""
        return await self._confirm(request, "sms")

    async def remove(self, request: Incoming) -> web.StreamResponse:
        """DELETE /v1/users/me/factors/{id}"""
        await self.mfa.remove_factor(
            request.caller, request.arguments["id"], "", origin_of(request)
        )
        return nothing()

    async def renew_recovery_codes(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/users/me/factors/recovery-codes"""
        codes = await self.mfa.renew_recovery_codes(
            request.caller, _password(request), origin_of(request)
        )
        return answer(RecoveryCodes(codes), 201)

    async def reset(self, request: Incoming) -> web.StreamResponse:
        """DELETE /v1/users/{id}/factors"""
        await self.mfa.reset_factors(
            request.caller, request.arguments["id"], "", origin_of(request)
        )
        return nothing()

    async def _confirm(self, request: Incoming, kind: str) -> web.StreamResponse:
        code = request.read(CodeBody).code
        return answer(await self.mfa.confirm_factor(request.caller, kind, code))


def _password(request: Incoming) -> str:
    return request.read(EnrolBody).password if request.body else ""
