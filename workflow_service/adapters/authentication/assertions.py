"""Assertions by which a client proves who it is.

Source: RFC 7523, 2.2 and 3; OpenID Connect Core, 9.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import jwt
from cryptography.hazmat.primitives.asymmetric import ec, ed448, ed25519, rsa
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from jwt.warnings import InsecureKeyLengthWarning

from workflow_service.adapters.authentication.problems import unusable
from workflow_service.domain.execution.credentials import OAuthClient

ASSERTION_TYPE: Final = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer"
_LIFE: Final = timedelta(seconds=60)
_CURVES: Final = {"secp256r1": "ES256", "secp384r1": "ES384", "secp521r1": "ES512"}


def client_assertion(
    client: OAuthClient, audience: str, now: datetime, new_id: Callable[[], str]
) -> str:
    """Return the author's assertion, or one signed with the client's secret or private key.

    Raises:
        CredentialsRefused: it cannot be signed.
    """
    if client.assertion:
        return client.assertion
    claims = {
        "iss": client.id,
        "sub": client.id,
        "aud": audience,
        "iat": now,
        "exp": now + _LIFE,
        "jti": new_id(),
    }
    if client.authentication == "client_secret_jwt":
        with warnings.catch_warnings():
            # Whoever gave out a short secret cannot be told here.
            warnings.simplefilter("ignore", InsecureKeyLengthWarning)
            return jwt.encode(claims, client.secret, algorithm="HS256")
    key, algorithm = _private_key(client.secret)
    return jwt.encode(claims, key, algorithm=algorithm)


def _private_key(
    pem: str,
) -> tuple[
    rsa.RSAPrivateKey
    | ec.EllipticCurvePrivateKey
    | ed25519.Ed25519PrivateKey
    | ed448.Ed448PrivateKey,
    str,
]:
    try:
        key = load_pem_private_key(pem.encode(), None)
    except (ValueError, TypeError) as exc:
        raise unusable("client.secret must be a private key in PEM to sign assertions") from exc
    match key:
        case rsa.RSAPrivateKey():
            return key, "RS256"
        case ec.EllipticCurvePrivateKey() if key.curve.name in _CURVES:
            return key, _CURVES[key.curve.name]
        case ed25519.Ed25519PrivateKey() | ed448.Ed448PrivateKey():
            return key, "EdDSA"
        case _:
            raise unusable("client.secret must be a private key for RSA, ECDSA or EdDSA")
