"""JSON Web Tokens, ES256 only; how strictly they are read is in `chassis.rpc.jws`."""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from jwt.algorithms import ECAlgorithm

from auth_service.application.ports import AccessClaims, TokenGrant
from auth_service.domain.errors import AccessTokenRefused
from auth_service.domain.permissions import permissions_of
from auth_service.domain.signing_key import KeyPair, SigningKey
from chassis.rpc.credentials import USER_ISSUER, USER_TYP
from chassis.rpc.jws import ALGORITHM, TokenRefused, claims_of, header_of, sign

ACCESS_TYP = "at+jwt"
ACCESS_AUDIENCE = "autoworker-api"
CLIENT_ID = "autoworker"


class _Names(msgspec.Struct, frozen=True):
    """The claims of an access token that say who, with their types."""

    sub: str
    sid: str
    tenant: str
    exp: int


class JwtTokens:
    """The port `Tokens`. Keeps parsed keys, of which a service has a handful in a year."""

    def __init__(self) -> None:
        self._parsed: dict[str, ec.EllipticCurvePrivateKey] = {}

    def new_pair(self) -> KeyPair:
        """See the port. The kid is the key's thumbprint (RFC 7638)."""
        private = ec.generate_private_key(ec.SECP256R1())
        pem = private.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        return KeyPair(_thumbprint(private.public_key()), pem)

    def access_token(self, key: SigningKey, grant: TokenGrant) -> str:
        """See the port."""
        claims = {
            **_common(grant),
            "aud": ACCESS_AUDIENCE,
            "client_id": CLIENT_ID,
        }
        return sign(claims, self._private(key), typ=ACCESS_TYP, kid=key.kid)

    def internal_token(
        self, key: SigningKey, grant: TokenGrant, *, audience: str, actor: str
    ) -> str:
        """See the port."""
        claims = {
            **_common(grant),
            "aud": audience,
            "permissions": permissions_of(grant.session.user.roles),
            "act": {"sub": actor},
        }
        return sign(claims, self._private(key), typ=USER_TYP, kid=key.kid)

    def verify_access_token(
        self, token: str, keys: Sequence[SigningKey], now: datetime
    ) -> AccessClaims:
        """See the port."""
        try:
            claims = claims_of(
                token,
                self._key_for(token, keys),
                typ=ACCESS_TYP,
                issuer=USER_ISSUER,
                audience=ACCESS_AUDIENCE,
                now=now,
                required=("sid", "tenant", "jti", "client_id"),
            )
            names = msgspec.convert(claims, _Names)
        except TokenRefused as exc:
            raise AccessTokenRefused(exc.reason) from exc
        except msgspec.ValidationError as exc:
            raise AccessTokenRefused("claims") from exc
        return AccessClaims(
            user_id=names.sub,
            session_id=names.sid,
            tenant=names.tenant,
            expires_at=datetime.fromtimestamp(names.exp, UTC),
        )

    def key_set(self, keys: Sequence[SigningKey]) -> bytes:
        """See the port."""
        return msgspec.json.encode({"keys": [self._jwk(key) for key in keys]})

    def _key_for(self, token: str, keys: Sequence[SigningKey]) -> ec.EllipticCurvePublicKey:
        """By kid, and from our own keys only."""
        kid = header_of(token).kid
        for key in keys:
            if key.kid == kid:
                return self._private(key).public_key()
        raise TokenRefused("unknown key")

    def _jwk(self, key: SigningKey) -> dict[str, Any]:
        jwk = ECAlgorithm.to_jwk(self._private(key).public_key(), as_dict=True)
        return {**jwk, "kid": key.kid, "alg": ALGORITHM, "use": "sig"}

    def _private(self, key: SigningKey) -> ec.EllipticCurvePrivateKey:
        known = self._parsed.get(key.kid)
        if known is None:
            loaded = serialization.load_pem_private_key(key.private_pem, password=None)
            if not isinstance(loaded, ec.EllipticCurvePrivateKey):
                raise TypeError(f"the signing key {key.kid} is not for {ALGORITHM}")
            known = self._parsed[key.kid] = loaded
        return known


def _common(grant: TokenGrant) -> dict[str, Any]:
    """What access and internal tokens have in common (RFC 9068 section 2.2)."""
    user = grant.session.user
    return {
        "iss": USER_ISSUER,
        "sub": user.id,
        "exp": int(grant.expires_at.timestamp()),
        "iat": int(grant.issued_at.timestamp()),
        "jti": grant.id,
        "sid": grant.session.id,
        "tenant": user.tenant,
        "roles": [role.value for role in user.roles],
    }


def _thumbprint(key: ec.EllipticCurvePublicKey) -> str:
    jwk = ECAlgorithm.to_jwk(key, as_dict=True)
    canonical = msgspec.json.encode(
        {"crv": jwk["crv"], "kty": jwk["kty"], "x": jwk["x"], "y": jwk["y"]}
    )
    return base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode()
