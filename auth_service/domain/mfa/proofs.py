"""How somebody proved who they are, and what that is worth.

`amr` values are those of RFC 8176 where it has one; `acr` counts the factors: `aal1` is one, `aal2`
are two. `auth_time` is the moment of the last proof (OpenID Connect Core 1.0 section 2).
"""

from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final

from auth_service.domain.mfa.factors import STRONG, Method

RECENT: Final = timedelta(minutes=5)
"""For how long a proof is good enough for what is sensitive."""
_AHEAD: Final = timedelta(seconds=60)
"""How far the clock of whoever noted it may be ahead of ours."""

ONE_FACTOR: Final = "aal1"
TWO_FACTORS: Final = "aal2"
MULTI_FACTOR: Final = "mfa"

_NAMES: Final = {
    Method.PASSWORD: "pwd",
    Method.TOTP: "otp",
    Method.EMAIL: "email",
    Method.SMS: "sms",
    Method.RECOVERY: "recovery",
    Method.DEVICE: "device",
}
_SECOND: Final = frozenset({Method.TOTP, Method.EMAIL, Method.SMS, Method.RECOVERY})
_STRONG_NAMES: Final = frozenset(_NAMES[method] for method in STRONG)


@dataclass(frozen=True, slots=True)
class Proof:
    """When and how (RFC 8176) somebody last proved who they are."""

    at: datetime
    amr: tuple[str, ...]

    @property
    def is_multi_factor(self) -> bool:
        """Whether a second factor was given, and not only remembered."""
        return MULTI_FACTOR in self.amr

    @property
    def is_strong(self) -> bool:
        """Whether that factor was one that cannot be had by taking over a mailbox or a number."""
        return not _STRONG_NAMES.isdisjoint(self.amr)

    @property
    def acr(self) -> str:
        """How much it is worth."""
        return TWO_FACTORS if self.is_multi_factor else ONE_FACTOR

    def is_recent(self, now: datetime) -> bool:
        """Whether it is good enough for what is sensitive, as far as time goes.

        One from further ahead than clocks differ is not: ours was set back since.
        """
        return -_AHEAD <= now - self.at <= RECENT


UNPROVED: Final = Proof(datetime(1970, 1, 1, tzinfo=UTC), ())
"""Somebody of whom nothing is known."""


def amr_of(*methods: Method) -> tuple[str, ...]:
    """*methods* as tokens tell them; `mfa` when a second factor is among them."""
    names = tuple(_NAMES[method] for method in methods)
    return names if _SECOND.isdisjoint(methods) else (*names, MULTI_FACTOR)


def stepped_up(by: Method, now: datetime) -> Proof:
    """The proof of a session, opened with a password, whose user has just given *by*.

    Whatever was given before does not count any more: an old code of an app does not make a code
    from a text message as strong as one from the app.
    """
    return Proof(now, amr_of(Method.PASSWORD, *(() if by is Method.PASSWORD else (by,))))
