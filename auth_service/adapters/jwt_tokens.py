"""JSON Web Tokens, ES256 only; how strictly they are read is in `chassis.rpc.jws`.

The keys of ID tokens are made and published here, too; what they sign is in `id_tokens`.
"""

import base64
import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import msgspec
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.algorithms import ECAlgorithm, RSAAlgorithm

from auth_service.application.ports import AccessClaims, KeyGrant, TokenGrant
from auth_service.domain.errors import AccessTokenRefused
from auth_service.domain.oauth.grants import Delegation
from auth_service.domain.signing_key import KeyPair, KeyUse, SigningKey
from chassis.rpc.credentials import USER_ISSUER, USER_TYP
from chassis.rpc.jws import ALGORITHM, TokenRefused, claims_of, header_of, sign

ACCESS_TYP = "at+jwt"
ACCESS_AUDIENCE = "autoworker-api"
CLIENT_ID = "autoworker"
RSA_BITS = 2048

PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey
PublicKey = ec.EllipticCurvePublicKey | rsa.RSAPublicKey


class _Names(msgspec.Struct, frozen=True):
    """The claims of an access token that say who, with their types."""

    sub: str
    sid: str
    tenant: str
    exp: int
    iat: int
    client_id: str
    scope: str | None = None


class JwtTokens:
    """The port `Tokens`. Keeps parsed keys, of which a service has a handful in a year."""

    def __init__(self) -> None:
        self._parsed: dict[str, ec.EllipticCurvePrivateKey] = {}
        self._published: dict[str, dict[str, Any]] = {}

    def new_pair(self, use: KeyUse) -> KeyPair:
        """See the port. The kid is the key's thumbprint (RFC 7638)."""
        private: PrivateKey
        if use is KeyUse.ID_RS256:
            private = rsa.generate_private_key(public_exponent=65537, key_size=RSA_BITS)
        else:
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
            **_delegated(grant.delegation),
        }
        return sign(claims, self._private(key), typ=ACCESS_TYP, kid=key.kid)

    def internal_token(
        self, key: SigningKey, grant: TokenGrant, *, audience: str, actor: str
    ) -> str:
        """See the port."""
        client = {"client_id": grant.delegation.client_id} if grant.delegation else {}
        claims = {
            **_common(grant),
            "aud": audience,
            "permissions": grant.permissions,
            "act": {"sub": actor},
            **client,
        }
        return sign(claims, self._private(key), typ=USER_TYP, kid=key.kid)

    def key_token(self, key: SigningKey, grant: KeyGrant, *, audience: str, actor: str) -> str:
        """See the port."""
        claims = {
            "iss": USER_ISSUER,
            "sub": grant.user.id,
            "exp": int(grant.expires_at.timestamp()),
            "iat": int(grant.issued_at.timestamp()),
            "jti": grant.id,
            "tenant": grant.user.tenant,
            "roles": [str(role) for role in grant.user.roles],
            "aud": audience,
            "permissions": list(grant.permissions),
            "key_id": grant.key_id,
            "environment": grant.environment.value,
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
            issued_at=datetime.fromtimestamp(names.iat, UTC),
            delegation=_delegation(names),
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
        known = self._published.get(key.kid)
        if known is None:
            algorithm = "RS256" if key.use is KeyUse.ID_RS256 else ALGORITHM
            # Checking the primes of a key that we made ourselves takes a quarter of a second.
            private = serialization.load_pem_private_key(
                key.private_pem, None, unsafe_skip_rsa_key_validation=True
            )
            known = {**_public_jwk(private), "kid": key.kid, "alg": algorithm, "use": "sig"}
            self._published[key.kid] = known
        return known

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
        "auth_time": int(grant.session.proof.at.timestamp()),
        "acr": grant.session.proof.acr,
        "amr": list(grant.session.proof.amr),
        "roles": list(user.roles),
    }


def _delegated(delegation: Delegation | None) -> dict[str, str]:
    if delegation is None:
        return {}
    return {"client_id": delegation.client_id, "scope": " ".join(delegation.scopes)}


def _delegation(names: _Names) -> Delegation | None:
    """A token with a scope is a client's, whatever the scope is; one without is the user's own."""
    if names.scope is None:
        if names.client_id != CLIENT_ID:
            raise AccessTokenRefused("a client's token without a scope")
        return None
    return Delegation(names.client_id, tuple(names.scope.split()))


def _thumbprint(key: PublicKey) -> str:
    jwk = _jwk_of(key)
    members = ("crv", "kty", "x", "y") if jwk["kty"] == "EC" else ("e", "kty", "n")
    canonical = msgspec.json.encode({member: jwk[member] for member in members})
    return base64.urlsafe_b64encode(hashlib.sha256(canonical).digest()).rstrip(b"=").decode()


def _public_jwk(key: object) -> dict[str, Any]:
    if not isinstance(key, ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey):
        raise TypeError("a signing key is of no known kind")
    return _jwk_of(key.public_key())


def _jwk_of(key: PublicKey) -> dict[str, Any]:
    if isinstance(key, rsa.RSAPublicKey):
        jwk = RSAAlgorithm.to_jwk(key, as_dict=True)
        # PyJWT adds what one may do with a key; `use` says it already.
        return {name: value for name, value in jwk.items() if name != "key_ops"}
    return ECAlgorithm.to_jwk(key, as_dict=True)
