"""Tokens of logins that wait for a second factor: own keys, own kind, own audience.

Nobody but this service takes them, and it takes them for one challenge only.
"""

from collections.abc import Sequence
from datetime import datetime
from typing import Final

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec

from auth_service.domain.mfa.errors import MfaTokenRefused
from auth_service.domain.signing_key import SigningKey
from chassis.rpc.credentials import USER_ISSUER
from chassis.rpc.jws import TokenRefused, claims_of, header_of, sign

TYP: Final = "mfa+jwt"
AUDIENCE: Final = "autoworker-mfa"
_LONGEST: Final = 2_048


class JwtPendingTokens:
    """The port `PendingTokens`."""

    def make(
        self, key: SigningKey, challenge_id: str, *, issued_at: datetime, expires_at: datetime
    ) -> str:
        """See the port."""
        claims = {
            "iss": USER_ISSUER,
            "aud": AUDIENCE,
            "sub": challenge_id,
            "jti": challenge_id,
            "iat": int(issued_at.timestamp()),
            "exp": int(expires_at.timestamp()),
        }
        return sign(claims, _private(key), typ=TYP, kid=key.kid)

    def challenge_of(self, token: str, keys: Sequence[SigningKey], now: datetime) -> str:
        """See the port."""
        if len(token) > _LONGEST:
            raise MfaTokenRefused
        try:
            kid = header_of(token).kid
            key = next((each for each in keys if each.kid == kid), None)
            if key is None:
                raise MfaTokenRefused
            claims = claims_of(
                token,
                _private(key).public_key(),
                typ=TYP,
                issuer=USER_ISSUER,
                audience=AUDIENCE,
                now=now,
            )
        except TokenRefused as exc:
            raise MfaTokenRefused from exc
        return str(claims["sub"])


def _private(key: SigningKey) -> ec.EllipticCurvePrivateKey:
    loaded = serialization.load_pem_private_key(key.private_pem, password=None)
    if not isinstance(loaded, ec.EllipticCurvePrivateKey):
        raise TypeError(f"the signing key {key.kid} is not on P-256")
    return loaded
