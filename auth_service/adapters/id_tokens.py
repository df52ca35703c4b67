"""ID tokens, and the assertions of clients, as JSON Web Tokens.

The algorithm is that of the key, never that which a token names (RFC 8725 section 3.1).
"""

import json
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any, Final

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from jwt.types import Options

from auth_service.domain.signing_key import KeyUse, SigningKey

ALGORITHMS: Final = {KeyUse.ID_RS256: "RS256", KeyUse.ID_ES256: "ES256"}
ASSERTION_ALGORITHMS: Final = ("ES256", "RS256", "PS256")
LONGEST: Final = 8192
MAX_LIFE: Final = 600.0
"""Seconds that a client's assertion may live at most."""
_CLOCKS: Final = 30.0
_PrivateKey = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


class JwtIdTokens:
    """The port `IdTokens`. Keeps parsed keys, of which there are a handful in a year."""

    def __init__(self) -> None:
        self._parsed: dict[str, _PrivateKey] = {}

    def sign(self, key: SigningKey, claims: Mapping[str, object]) -> str:
        """See the port."""
        headers = {"typ": "JWT", "kid": key.kid}
        return jwt.encode(dict(claims), self._private(key), ALGORITHMS[key.use], headers)

    def read_hint(
        self, token: str, keys: Sequence[SigningKey], issuer: str
    ) -> Mapping[str, object] | None:
        """See the port."""
        kid = _header(token).get("kid")
        for key in keys:
            if key.kid == kid:
                return _claims(
                    token,
                    self._private(key).public_key(),
                    (ALGORITHMS[key.use],),
                    # Whom it is for and how old it is, whoever asks decides.
                    {"require": ["sub", "aud", "iss"], "verify_aud": False, "verify_exp": False,
                     "verify_iat": False, "verify_nbf": False},
                    issuer,
                )  # fmt: skip
        return None

    def read_assertion(
        self, assertion: str, jwks: str, *, client_id: str, audiences: Sequence[str], now: datetime
    ) -> Mapping[str, object] | None:
        """See the port."""
        header = _header(assertion)
        if header.get("alg") not in ASSERTION_ALGORITHMS or header.get("crit") is not None:
            return None
        options: Options = {"require": ["iss", "sub", "aud", "exp", "jti"], "verify_aud": False,
                   "verify_exp": False, "verify_iat": False, "verify_nbf": False}  # fmt: skip
        for key in _keys(jwks, header.get("kid")):
            claims = _claims(assertion, key.key, _algorithms(key), options, client_id)
            if claims is not None and _counts(claims, client_id, audiences, now.timestamp()):
                return claims
        return None

    def _private(self, key: SigningKey) -> _PrivateKey:
        known = self._parsed.get(key.kid)
        if known is None:
            # Checking the primes of a key that we made ourselves takes a quarter of a second.
            loaded = serialization.load_pem_private_key(
                key.private_pem, None, unsafe_skip_rsa_key_validation=True
            )
            if not isinstance(loaded, _PrivateKey):
                raise TypeError(f"the signing key {key.kid} is of no known kind")
            known = self._parsed[key.kid] = loaded
        return known


def _header(token: str) -> Mapping[str, Any]:
    if len(token) > LONGEST:
        return {}
    try:
        return jwt.get_unverified_header(token)
    except (jwt.PyJWTError, RecursionError):
        return {}


def _claims(
    token: str, key: Any, algorithms: Sequence[str], options: Options, issuer: str
) -> Mapping[str, object] | None:
    try:
        return jwt.decode(
            token,
            key,
            algorithms=list(algorithms),
            issuer=issuer,
            options=options,
        )
    except (jwt.PyJWTError, TypeError, ValueError, RecursionError):
        return None


def _keys(jwks: str, kid: object) -> Sequence[jwt.PyJWK]:
    """The keys of the set that may be meant."""
    found = []
    for each in json.loads(jwks).get("keys", ()):
        if kid is not None and each.get("kid", kid) != kid:
            continue
        try:
            found.append(jwt.PyJWK.from_dict(each))
        except (jwt.PyJWTError, TypeError, ValueError):
            continue
    return found


def _algorithms(key: jwt.PyJWK) -> Sequence[str]:
    """What may sign with this kind of key."""
    if isinstance(key.key, rsa.RSAPublicKey):
        return ("RS256", "PS256")
    return ("ES256",)


def _counts(
    claims: Mapping[str, object], client_id: str, audiences: Sequence[str], now: float
) -> bool:
    """Whether an assertion with *claims* is for us and of now (RFC 7523 section 3)."""
    audience, expires, starts = (
        claims["aud"],
        claims["exp"],
        claims.get("nbf", claims.get("iat", now)),
    )
    if not isinstance(expires, int | float) or not isinstance(starts, int | float):
        return False
    meant = {audience} if isinstance(audience, str) else set(_texts(audience))
    return (
        claims["sub"] == client_id
        and bool(meant.intersection(audiences))
        and now - _CLOCKS < expires <= now + MAX_LIFE + _CLOCKS
        and starts <= now + _CLOCKS
        and isinstance(claims["jti"], str)
        and 0 < len(claims["jti"]) <= 512
    )


def _texts(value: object) -> Sequence[str]:
    return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []
