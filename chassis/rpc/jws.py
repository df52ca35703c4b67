"""Signed tokens, read strictly: one algorithm, one spelling, nothing from the header but the kid.

A JSON Web Token (RFC 7519) has many ways to say the same, and attackers like each of them. Here a
token is three parts of unpadded base64url, a signature of exactly 64 bytes (ES256, RFC 7518 §3.4)
and a header of `alg`, `typ` and `kid` only; whatever else it has is refused.
"""

import re
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import jwt
import msgspec
from cryptography.hazmat.primitives.asymmetric import ec

from chassis.errors import Unauthenticated

ALGORITHM = "ES256"
LONGEST = 8192
"""Characters; longer tokens are refused unread."""

_SHAPE = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]{85}[AQgw]")


class Header(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """All that a header may say."""

    alg: str
    typ: str
    kid: str | None = None


class TokenRefused(Unauthenticated):
    """A token does not prove anything; the caller is not told which check it failed."""

    def __init__(self, reason: str) -> None:
        super().__init__("the token is not valid")
        self.reason = reason


def header_of(token: str) -> Header:
    """What *token* says about itself, before anything is proved.

    Raises:
        TokenRefused: it is not a token of ours in shape.
    """
    if len(token) > LONGEST or _SHAPE.fullmatch(token) is None:
        raise TokenRefused("shape")
    encoded = token.partition(".")[0]
    text = _decoded(encoded)
    try:
        header = msgspec.json.decode(text, type=Header)
    except (msgspec.DecodeError, RecursionError) as exc:
        raise TokenRefused("header") from exc
    # A key given twice is read differently by different readers; ours would take the last.
    if text.count(b'"') != 4 * (2 if header.kid is None else 3):
        raise TokenRefused("header")
    if header.alg != ALGORITHM:
        raise TokenRefused("algorithm")
    return header


def claims_of(
    token: str,
    key: ec.EllipticCurvePublicKey,
    *,
    typ: str,
    issuer: str,
    audience: str,
    now: datetime,
    required: Sequence[str] = (),
    leeway: float = 0.0,
) -> Mapping[str, Any]:
    """The claims of *token*, proved by *key*.

    Args:
        token: the compact form.
        key: the public half of the issuer's key.
        typ: the kind of token that is expected (RFC 8725 §3.11).
        issuer: the only `iss` that is right.
        audience: the only `aud` that is right; a list of audiences is refused.
        now: the time against which `exp`, `nbf` and `iat` count.
        required: further claims that must be there.
        leeway: seconds by which the issuer's clock may be ahead or behind.

    Raises:
        TokenRefused: for whatever reason.
    """
    if header_of(token).typ != typ:
        raise TokenRefused("typ")
    try:
        claims: dict[str, Any] = jwt.decode(
            token,
            key,
            algorithms=[ALGORITHM],
            issuer=issuer,
            audience=audience,
            options={
                "require": ["iss", "aud", "sub", "exp", "iat", *required],
                "verify_exp": False,  # below, against our own clock
                "verify_nbf": False,
                "verify_iat": False,
                "strict_aud": True,
            },
        )
    except (jwt.PyJWTError, RecursionError) as exc:
        raise TokenRefused("claims or signature") from exc
    _check_times(claims, now.timestamp(), leeway)
    return claims


def sign(
    claims: Mapping[str, Any], key: ec.EllipticCurvePrivateKey, *, typ: str, kid: str | None = None
) -> str:
    """A token with *claims*, signed by *key* with ES256."""
    headers = {"typ": typ} if kid is None else {"typ": typ, "kid": kid}
    return jwt.encode(dict(claims), key, algorithm=ALGORITHM, headers=headers)


def on_p256(key: object) -> ec.EllipticCurvePublicKey:
    """*key*, being a public key on the curve that ES256 is about.

    Raises:
        ValueError: it is another sort of key.
    """
    if not isinstance(key, ec.EllipticCurvePublicKey) or not isinstance(key.curve, ec.SECP256R1):
        raise ValueError("not a public key on P-256")
    return key


def _decoded(part: str) -> bytes:
    try:
        return jwt.utils.base64url_decode(part)
    except ValueError as exc:
        raise TokenRefused("encoding") from exc


def _check_times(claims: Mapping[str, Any], now: float, leeway: float) -> None:
    times = {name: claims.get(name) for name in ("exp", "iat", "nbf")}
    for value in times.values():
        if value is not None and (isinstance(value, bool) or not isinstance(value, int | float)):
            raise TokenRefused("times")
    expires, issued, starts = times["exp"], times["iat"], times["nbf"]
    if not isinstance(expires, int | float) or not isinstance(issued, int | float):
        raise TokenRefused("times")
    if expires <= now - leeway:
        raise TokenRefused("expired")
    if max(issued, issued if starts is None else starts) > now + leeway + CLOCKS:
        raise TokenRefused("not yet valid")


CLOCKS = 5.0
"""Seconds by which the clocks of two machines of the suite may differ."""
