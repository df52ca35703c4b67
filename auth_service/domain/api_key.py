"""API keys: secrets for programs, which act for the user who made them within bounds of their own.

A key's text is `sk_live_` or `sk_test_`, 11 characters to look it up by, 43 of secret (256 bits) and 6 of
checksum, all of them letters and digits: a double click takes the whole, a typo is found without asking
anybody, and scanners for leaked secrets recognise it without false alarms (the shape that GitHub chose).
"""

import re
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from ipaddress import ip_network
from typing import Final

from chassis.errors import FieldProblem

LOOKUP_BYTES: Final = 8
SECRET_BYTES: Final = 32
MAX_NAME: Final = 100
MAX_PERMISSIONS: Final = 100
MAX_NETWORKS: Final = 50
MAX_RATE: Final = 1_000_000
MAX_OVERLAP: Final = timedelta(days=30)
LIVE_SECRETS: Final = 2
"""How many texts of one key may be good at a time: the one of today, and the one being replaced."""

NOT_FOR_KEYS: Final = frozenset({"api-keys:write"})
"""What no key is ever given: a stolen one must not make itself another that outlives it."""

_LOOKUP: Final = 11
_SECRET: Final = 43
_CHECKSUM: Final = 6
_DIGITS: Final = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz"
_SHAPE: Final = re.compile(r"sk_(?:live|test)_[0-9A-Za-z]{60}")
_PERMISSION: Final = re.compile(r"[a-z][a-z0-9-]{0,63}:[a-z][a-z0-9-]{0,63}")


class Environment(StrEnum):
    """What a key is for; everything done with a test key is marked as a test."""

    LIVE = "live"
    TEST = "test"


@dataclass(frozen=True, slots=True)
class KeyText:
    """A key as its holder has it; never kept, and never shown but once."""

    text: str

    def __repr__(self) -> str:
        return "KeyText(***)"

    @property
    def prefix(self) -> str:
        """The part that may be shown, and by which it is looked up."""
        return self.text[: len(self.text) - _SECRET - _CHECKSUM]


def made(environment: Environment, lookup: bytes, secret: bytes) -> KeyText:
    """The key with these random bytes."""
    body = f"sk_{environment}_{_base62(lookup, _LOOKUP)}{_base62(secret, _SECRET)}"
    return KeyText(body + _checksum(body))


def read(text: str) -> KeyText | None:
    """The key that *text* is; None when no key has ever been like that."""
    if _SHAPE.fullmatch(text) is None:
        return None
    body, checksum = text[:-_CHECKSUM], text[-_CHECKSUM:]
    return KeyText(text) if checksum == _checksum(body) else None


@dataclass(frozen=True, slots=True)
class KeySecret:
    """What the store knows one text of a key by: HMAC-SHA256 under the pepper with this id."""

    prefix: str
    pepper: str
    digest: bytes
    created_at: datetime
    ends_at: datetime | None = None

    def is_good(self, now: datetime) -> bool:
        """Whether it may still be used."""
        return self.ends_at is None or now < self.ends_at


@dataclass(frozen=True, slots=True)
class KeyTerms:
    """What a key may do, from where, how often and for how long; its owner decides."""

    name: str
    permissions: tuple[str, ...]
    rate_limit: int | None = None
    """Requests per minute; None: as many as its owner."""
    allowed_ips: tuple[str, ...] = ()
    """Networks (CIDR) that it may be used from; none means from everywhere."""
    expires_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ApiKey:
    """A key and how it is used; *prefix* is that of its newest text."""

    id: str
    tenant: str
    owner: str
    environment: Environment
    terms: KeyTerms
    prefix: str
    created_at: datetime
    updated_at: datetime
    last_used_at: datetime | None = None
    uses: int = 0


@dataclass(frozen=True, slots=True)
class KeyUsage:
    """So many requests with a key since it was told last, and when the latest was."""

    key_id: str
    count: int
    at: datetime


def tidied(terms: KeyTerms, now: datetime) -> tuple[KeyTerms, Sequence[FieldProblem]]:
    """*terms* in the form in which they are kept, and everything that is wrong with them."""
    problems: list[FieldProblem] = []
    name = terms.name.strip()
    if not 0 < len(name) <= MAX_NAME or not name.isprintable():
        problems.append(FieldProblem("name", f"Must be 1 to {MAX_NAME} printable characters"))
    permissions = tuple(sorted(set(terms.permissions)))
    if not 0 < len(permissions) <= MAX_PERMISSIONS:
        problems.append(FieldProblem("permissions", f"Must be 1 to {MAX_PERMISSIONS}"))
    problems += [
        FieldProblem("permissions", f"{each[:80]!r} is not a permission such as executions:read")
        for each in permissions
        if _PERMISSION.fullmatch(each) is None
    ]
    if terms.rate_limit is not None and not 1 <= terms.rate_limit <= MAX_RATE:
        problems.append(FieldProblem("rate_limit", f"Must be 1 to {MAX_RATE} a minute"))
    networks = _networks(terms.allowed_ips, problems)
    if terms.expires_at is not None and terms.expires_at <= now:
        problems.append(FieldProblem("expires_at", "Must be in the future"))
    return (
        KeyTerms(name, permissions, terms.rate_limit, networks, terms.expires_at),
        problems,
    )


def _networks(given: Sequence[str], problems: list[FieldProblem]) -> tuple[str, ...]:
    if len(given) > MAX_NETWORKS:
        problems.append(FieldProblem("allowed_ips", f"Must be at most {MAX_NETWORKS}"))
        return ()
    networks: list[str] = []
    for number, text in enumerate(given):
        try:
            networks.append(str(ip_network(text)))
        except ValueError:
            message = "Must be an address or a network such as 192.0.2.0/24 or 2001:db8::/32"
            problems.append(FieldProblem(f"allowed_ips/{number}", message))
    return tuple(dict.fromkeys(networks))


def _base62(noise: bytes, length: int) -> str:
    number, digits = int.from_bytes(noise, "big"), []
    for _ in range(length):
        number, digit = divmod(number, 62)
        digits.append(_DIGITS[digit])
    return "".join(reversed(digits))


def _checksum(body: str) -> str:
    return _base62(zlib.crc32(body.encode()).to_bytes(4, "big"), _CHECKSUM)
