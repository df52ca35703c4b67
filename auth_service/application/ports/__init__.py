"""Everything that identity needs from the world, one module per capability.

Every store port may raise `chassis.errors.Unavailable` when the store cannot be reached; a write
that raised it may or may not have happened, one that returned is durable.
"""

from auth_service.application.ports.api_keys import (
    ApiKeys,
    FoundKey,
    KeyPage,
    Peppered,
    Peppers,
    Rights,
)
from auth_service.application.ports.common import Outbox, Perishables, Randomness
from auth_service.application.ports.revocations import (
    Change,
    Revocation,
    RevocationKind,
    Revocations,
)
from auth_service.application.ports.roles import Assignment, Roles
from auth_service.application.ports.sessions import (
    NotRedeemable,
    Redemption,
    Reused,
    RevocationTimes,
    Rotated,
    Sessions,
)
from auth_service.application.ports.tokens import (
    AccessClaims,
    KeyGrant,
    SigningKeys,
    TokenGrant,
    Tokens,
)
from auth_service.application.ports.users import PasswordHasher, Users
from chassis.audit import Audit

__all__ = [
    "AccessClaims",
    "ApiKeys",
    "Assignment",
    "Audit",
    "Change",
    "FoundKey",
    "KeyGrant",
    "KeyPage",
    "NotRedeemable",
    "Outbox",
    "PasswordHasher",
    "Peppered",
    "Peppers",
    "Perishables",
    "Randomness",
    "Redemption",
    "Reused",
    "Revocation",
    "RevocationKind",
    "RevocationTimes",
    "Revocations",
    "Rights",
    "Roles",
    "Rotated",
    "Sessions",
    "SigningKeys",
    "TokenGrant",
    "Tokens",
    "Users",
]
