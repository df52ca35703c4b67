"""Second factors, step-up and remembered devices."""

from datetime import datetime
from typing import Protocol

from msgspec import Struct

from gateway.ports.common import Caller, Origin
from gateway.ports.identity import Tokens


class Factor(Struct, frozen=True):
    """A second factor; ``target`` is where its codes go, most of it hidden."""

    id: str
    kind: str
    target: str
    created_at: datetime | None
    last_used_at: datetime | None


class OwnFactors(Struct, frozen=True):
    """The caller's factors. There is only one page of them."""

    items: list[Factor]
    next_cursor: str | None
    recovery_codes_left: int


class NewTotp(Struct, frozen=True):
    """What an authenticator app needs, shown this once; ``uri`` is what the QR code says."""

    id: str
    secret: str
    uri: str


class ConfirmedFactor(Struct, frozen=True):
    """The factor, and with somebody's first one the recovery codes, shown this once."""

    factor: Factor
    recovery_codes: list[str]


class SteppedUp(Struct, frozen=True):
    """A new access token, and what it proves (OpenID Connect Core 1.0 section 2)."""

    access_token: str
    token_type: str
    expires_in: int
    auth_time: datetime | None
    acr: str
    amr: list[str]


class Device(Struct, frozen=True):
    """A device on which the second factor is not asked for."""

    id: str
    address: str
    user_agent: str
    created_at: datetime | None
    last_used_at: datetime | None
    expires_at: datetime | None


class Mfa(Protocol):
    """Second factors of the caller, and of those who are about to log in.

    ``password`` confirms that it is the caller, for those who have no second factor; "" when it is
    not given.
    """

    async def complete_login(
        self, mfa_token: str, method: str, code: str, *, remember: bool, origin: Origin
    ) -> Tokens:
        """Open the session that waits for a code.

        Raises:
            Unauthenticated: the login is over, or the code is wrong.
            RateLimited: too many codes were tried.
        """

    async def send_login_code(self, mfa_token: str, method: str) -> None:
        """Send a code for a login."""

    async def step_up(
        self, caller: Caller, method: str, code: str, password: str, origin: Origin
    ) -> SteppedUp:
        """Prove again who the caller is."""

    async def send_step_up_code(self, caller: Caller, method: str) -> None:
        """Send a code for a step-up."""

    async def factors(self, caller: Caller) -> OwnFactors:
        """Those that count."""

    async def enrol_totp(self, caller: Caller, password: str, origin: Origin) -> NewTotp:
        """Make a seed for an app."""

    async def enrol_email(self, caller: Caller, password: str, origin: Origin) -> Factor:
        """Send a first code to the caller's address."""

    async def enrol_sms(self, caller: Caller, phone: str, password: str, origin: Origin) -> Factor:
        """Send a first code to a telephone."""

    async def confirm_factor(self, caller: Caller, kind: str, code: str) -> ConfirmedFactor:
        """Let a factor count from now on."""

    async def remove_factor(
        self, caller: Caller, factor_id: str, password: str, origin: Origin
    ) -> None:
        """Take a factor away."""

    async def renew_recovery_codes(
        self, caller: Caller, password: str, origin: Origin
    ) -> list[str]:
        """New codes; the old ones are void."""

    async def reset_factors(
        self, caller: Caller, user_id: str, password: str, origin: Origin
    ) -> None:
        """Take all factors of somebody else away."""

    async def devices(self, caller: Caller) -> list[Device]:
        """The latest used first."""

    async def forget_device(self, caller: Caller, device_id: str) -> None:
        """Ask for the second factor there again."""

    async def forget_devices(self, caller: Caller) -> None:
        """Ask for the second factor everywhere again."""
