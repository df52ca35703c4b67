"""Tokens of workers: minted here for a user, good here for ``WorkerService`` alone, and only for minutes.

They are signed by this service's own key under a type of their own, so that no other door takes them, and this door
takes no other.
"""

from __future__ import annotations

from typing import Final

from chassis.clock import Clock
from chassis.ids import Ids
from chassis.rpc.context import Principal
from chassis.rpc.credentials import ServiceIdentity
from chassis.rpc.jws import TokenRefused, claims_of
from workflow_service.application.functions.tokens import (
    CONNECT,
    SERVE_ALL,
    WorkerPrincipal,
)

TYP: Final = "wrk+jwt"
AUDIENCE: Final = "svc:workflow/workers"
LIFE: Final = 300
"""Seconds: how long a worker of a revoked session may go on at the most."""


class WorkerTokens:
    """Issues and verifies."""

    def __init__(self, identity: ServiceIdentity, clock: Clock, ids: Ids) -> None:
        self._identity = identity
        self._issuer = f"svc:{identity.service}"
        self._clock = clock
        self._ids = ids

    def issue(self, principal: Principal) -> tuple[str, int]:
        """Return a token for workers of *principal*, and its life in seconds."""
        now = int(self._clock.now().timestamp())
        claims = {
            "iss": self._issuer,
            "aud": AUDIENCE,
            "sub": principal.id,
            "tenant": principal.tenant,
            "sid": principal.session_id,
            "everybody": principal.may(SERVE_ALL),
            "iat": now,
            "exp": now + LIFE,
            "jti": self._ids.new(),
        }
        return self._identity.signed(claims, typ=TYP), LIFE

    async def verify(self, token: str) -> WorkerPrincipal:
        """Whose worker *token* stands for.

        Raises:
            TokenRefused: nobody's, here and now.
        """
        claims = claims_of(
            token,
            self._identity.public_key,
            typ=TYP,
            issuer=self._issuer,
            audience=AUDIENCE,
            now=self._clock.now(),
            required=("tenant", "everybody"),
        )
        subject, tenant = claims["sub"], claims["tenant"]
        if not (isinstance(subject, str) and isinstance(tenant, str) and subject and tenant):
            raise TokenRefused("claims")
        return WorkerPrincipal(
            id=subject,
            tenant=tenant,
            kind="user",
            permissions=frozenset({CONNECT}),
            everybody=claims["everybody"] is True,
            expires=float(claims["exp"]),
        )
