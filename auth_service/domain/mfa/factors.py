"""What users can prove themselves with beside their password."""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum


class Method(StrEnum):
    """A way to prove who one is."""

    PASSWORD = "password"  # noqa: S105 - a name
    TOTP = "totp"
    EMAIL = "email"
    SMS = "sms"
    RECOVERY = "recovery"
    DEVICE = "device"
    """A device on which somebody gave a second factor some time ago."""


class FactorKind(StrEnum):
    """What can be enrolled; of each kind a user has one at most."""

    TOTP = "totp"
    EMAIL = "email"
    SMS = "sms"

    @property
    def method(self) -> Method:
        """The method that it serves."""
        return Method(self.value)

    @property
    def is_sent(self) -> bool:
        """Whether its codes have to be sent before they can be typed in."""
        return self is not FactorKind.TOTP


STRONG = frozenset({Method.TOTP, Method.RECOVERY})
"""What cannot be had by taking over a mailbox or a telephone number."""

NO_STEP = -1
"""The time step of a TOTP factor of which no code was ever accepted."""


@dataclass(frozen=True, slots=True)
class Factor:
    """A second factor of a user; it counts once it is confirmed.

    `target` is where its codes go (an address, a telephone number), "" when they go nowhere.
    """

    id: str
    user_id: str
    tenant: str
    kind: FactorKind
    target: str
    created_at: datetime
    confirmed_at: datetime | None = None
    last_used_at: datetime | None = None
    sealed_seed: bytes = field(default=b"", repr=False)
    """A TOTP seed, encrypted for this row."""
    last_step: int = NO_STEP
    """The highest TOTP time step of which a code was accepted."""


def methods_of(factors: "tuple[Factor, ...]", recovery_codes: int) -> tuple[Method, ...]:
    """How the owner of *factors* can prove themselves, the strongest first.

    Recovery codes stand in for a factor; alone they are none.
    """
    order = list(FactorKind)
    kinds = sorted((factor.kind for factor in factors), key=order.index)
    methods = tuple(kind.method for kind in kinds)
    return (*methods, Method.RECOVERY) if methods and recovery_codes else methods


def shown_target(factor: Factor) -> str:
    """Enough of the target to recognise it, and too little to write to it."""
    match factor.kind:
        case FactorKind.TOTP:
            return ""
        case FactorKind.SMS:
            return f"{factor.target[:3]}{'*' * max(len(factor.target) - 5, 0)}{factor.target[-2:]}"
        case FactorKind.EMAIL:
            local, _, domain = factor.target.rpartition("@")
            return f"{local[:1]}***@{domain}"
