"""Devices without a browser: the codes that stand on their screens (RFC 8628)."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

ALPHABET: Final = "BCDFGHJKLMNPQRSTVWXZ"
"""No vowels, hence no words; nothing that looks like something else (section 6.1)."""

LENGTH: Final = 8
_UNFAIR: Final = 256 - 256 % len(ALPHABET)


class DeviceState(StrEnum):
    """What the user has said."""

    PENDING = "pending"
    APPROVED = "approved"
    DENIED = "denied"


@dataclass(frozen=True, slots=True)
class DeviceGrant:
    """A device that waits for its user. Codes are known by their digests only."""

    digest: bytes
    user_code: bytes
    client_id: str
    tenant: str
    scopes: tuple[str, ...]
    interval: int
    """Seconds between two questions."""
    created_at: datetime
    expires_at: datetime


def user_code_of(noise: bytes) -> str:
    """A code of *noise*: every letter equally likely. 64 bytes are enough for practical purposes.

    Raises:
        ValueError: the noise did not suffice.
    """
    fair = [byte for byte in noise if byte < _UNFAIR][:LENGTH]
    if len(fair) < LENGTH:
        raise ValueError("not enough noise")
    letters = "".join(ALPHABET[byte % len(ALPHABET)] for byte in fair)
    return f"{letters[:4]}-{letters[4:]}"


def tidy_user_code(typed: str) -> str:
    """What somebody meant who typed a code: case, dashes and blanks do not matter. "" for none."""
    letters = "".join(c for c in typed[:64].upper() if c not in "- \t\u2010\u2011\u2013")
    if len(letters) != LENGTH or any(letter not in ALPHABET for letter in letters):
        return ""
    return f"{letters[:4]}-{letters[4:]}"
