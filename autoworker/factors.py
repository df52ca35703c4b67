"""Second factors: the part of the client that gives codes, and sets up what makes them."""

from collections.abc import Sequence
from datetime import datetime

import msgspec

from autoworker.errors import MfaRequired
from autoworker.model import Tokens
from autoworker.places import segment
from autoworker.requests import Requests
from autoworker.transport import decoded


class Factor(msgspec.Struct, frozen=True):
    """A second factor; `target` is where its codes go, most of it hidden."""

    id: str
    kind: str
    target: str
    created_at: datetime | None = None
    last_used_at: datetime | None = None


class NewTotp(msgspec.Struct, frozen=True):
    """What an authenticator app needs, shown this once; `uri` is what a QR code says."""

    id: str
    secret: str
    uri: str
    qr_svg: str


class ConfirmedFactor(msgspec.Struct, frozen=True):
    """The factor, and with one's first one the recovery codes, shown this once."""

    factor: Factor
    recovery_codes: list[str]


class SteppedUp(msgspec.Struct, frozen=True):
    """A new access token, and what it proves."""

    access_token: str
    expires_in: int
    acr: str
    amr: list[str]


class OwnFactors(msgspec.Struct, frozen=True):
    """One's factors, and how many recovery codes are unused."""

    items: list[Factor]
    recovery_codes_left: int


class PendingLogin(msgspec.Struct, frozen=True):
    """A login that waits for a code: the token that stands for it, and the ways to get one."""

    mfa_token: str
    methods: Sequence[str]


class _Codes(msgspec.Struct, frozen=True):
    codes: list[str]


def pending_login(error: MfaRequired) -> PendingLogin | None:
    """The login that *error* says how to complete; None when it is about a step-up."""
    said = {detail.field: detail.message for detail in error.details}
    if "mfa_token" not in said:
        return None
    return PendingLogin(said["mfa_token"], said.get("methods", "").split())


class Factors(Requests):
    """Second factors of one's own."""

    async def complete_login(self, mfa_token: str, method: str, code: str) -> Tokens:
        """Open the session that waits for *code*.

        Raises:
            Unauthenticated: the code is wrong, or the login over.
            RateLimited: too many codes were tried; begin the login anew.
        """
        body = {"mfa_token": mfa_token, "method": method, "code": code}
        _, answer = await self._transport.send(
            "POST", "/v1/auth/mfa", body=msgspec.json.encode(body)
        )
        return decoded(answer, Tokens)

    async def send_login_code(self, mfa_token: str, method: str) -> None:
        """Have a code sent, by "email" or "sms"."""
        body = {"mfa_token": mfa_token, "method": method}
        await self._transport.send("POST", "/v1/auth/mfa/send", body=msgspec.json.encode(body))

    async def step_up(self, method: str, *, code: str = "", password: str = "") -> SteppedUp:
        """Prove again who one is: with a code, or with the password when one has no factor."""
        body = {"method": method, "code": code, "password": password}
        return decoded(await self._tell("/v1/auth/step-up", body), SteppedUp)

    async def send_step_up_code(self, method: str) -> None:
        """Have a code sent, by "email" or "sms"."""
        await self._tell("/v1/auth/step-up/send", {"method": method})

    async def factors(self) -> OwnFactors:
        """Those that count."""
        return await self._get("/v1/users/me/factors", OwnFactors)

    async def enrol_totp(self) -> NewTotp:
        """Begin to set an authenticator app up; `confirm_factor` ends it."""
        return decoded(await self._tell("/v1/users/me/factors/totp", {}), NewTotp)

    async def enrol_email(self) -> Factor:
        """Begin to set codes by e-mail up; `confirm_factor` ends it."""
        return decoded(await self._tell("/v1/users/me/factors/email", {}), Factor)

    async def enrol_sms(self, phone: str) -> Factor:
        """Begin to set codes by text message up; `confirm_factor` ends it."""
        return decoded(await self._tell("/v1/users/me/factors/sms", {"phone": phone}), Factor)

    async def confirm_factor(self, kind: str, code: str) -> ConfirmedFactor:
        """Let a factor ("totp", "email", "sms") count from now on."""
        path = f"/v1/users/me/factors/{segment(kind)}/confirm"
        return decoded(await self._tell(path, {"code": code}), ConfirmedFactor)

    async def remove_factor(self, factor_id: str) -> None:
        """Take a factor away."""
        await self._send("DELETE", f"/v1/users/me/factors/{segment(factor_id)}")

    async def renew_recovery_codes(self) -> list[str]:
        """Ten new codes; the old ones are void."""
        return decoded(await self._tell("/v1/users/me/factors/recovery-codes", {}), _Codes).codes

    async def _tell(self, path: str, body: dict[str, str]) -> bytes:
        _, answer = await self._send("POST", path, msgspec.json.encode(body))
        return answer
