"""Public keys of whoever issues users' tokens."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import msgspec
from cryptography.hazmat.primitives.asymmetric import ec
from jwt import PyJWKSet
from jwt.exceptions import PyJWTError

from chassis.clock import Clock, SystemClock
from chassis.errors import Unavailable
from chassis.rpc.jws import TokenRefused, on_p256

PublicKey = ec.EllipticCurvePublicKey

REFRESH = 300.0
"""Seconds after which keys are fetched again, so that withdrawn ones stop counting."""
PAUSE = 1.0
"""Seconds between two fetches at the least: unknown kids cost an attacker more than us."""


class KeySource(Protocol):
    """Knows public keys by their id."""

    async def key(self, kid: str) -> PublicKey:
        """The key called *kid*.

        Raises:
            TokenRefused: there is no such key.
            Unavailable: the keys cannot be had at the moment.
        """
        ...


class RemoteKeys:
    """Keys that another service publishes as a JWK set (RFC 7517 §5), fetched when needed.

    Args:
        fetch: gets the set as JSON.
        clock: what measures age.
    """

    def __init__(
        self, fetch: Callable[[], Awaitable[bytes]], *, clock: Clock | None = None
    ) -> None:
        self._fetch = fetch
        self._clock = clock or SystemClock()
        self._keys: Mapping[str, PublicKey] = {}
        self._fetched: float | None = None
        self._lock = asyncio.Lock()

    async def key(self, kid: str) -> PublicKey:
        """The key called *kid*; fetches when it is unknown or what is known is old."""
        if not self._fresh(kid):
            async with self._lock:
                if not self._fresh(kid) and self._age() >= PAUSE:
                    await self._refresh(kid)
        try:
            return self._keys[kid]
        except KeyError:
            raise TokenRefused("unknown key") from None

    def _fresh(self, kid: str) -> bool:
        return kid in self._keys and self._age() < REFRESH

    def _age(self) -> float:
        """Seconds since keys were last fetched, successfully or not."""
        return float("inf") if self._fetched is None else self._clock.monotonic() - self._fetched

    async def _refresh(self, kid: str) -> None:
        try:
            self._keys = parse_keys(await self._fetch())
        except Unavailable:
            # What is known goes on counting while its publisher is away.
            if kid not in self._keys:
                raise
        self._fetched = self._clock.monotonic()


def parse_keys(document: bytes) -> dict[str, PublicKey]:
    """The keys of a JWK set by kid; those that are not for verifying ES256 are left out.

    Raises:
        Unavailable: it is not a JWK set.
    """
    try:
        found = msgspec.json.decode(document, type=_KeySet).keys
        usable = [jwk for jwk in found if _verifies(jwk)]
        keys = PyJWKSet.from_dict({"keys": usable}).keys if usable else []
    except (msgspec.DecodeError, PyJWTError) as exc:
        raise Unavailable("the keys cannot be read", retry_after=PAUSE) from exc
    return {
        key.key_id: on_p256(key.key) for key in keys if key.key_id and key.algorithm_name == "ES256"
    }


class _KeySet(msgspec.Struct, frozen=True):
    keys: list[dict[str, Any]]


def _verifies(jwk: Mapping[str, Any]) -> bool:
    """Whether a key is meant for verifying (RFC 7517 §4.2 and §4.3)."""
    return jwk.get("use", "sig") == "sig" and "verify" in jwk.get("key_ops", ("verify",))
