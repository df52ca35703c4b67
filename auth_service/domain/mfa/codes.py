"""Codes that are made here: short ones that are sent, and long ones for a rainy day."""

import base64
import hashlib
import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from auth_service.domain.mfa.factors import Method

CODE_DIGITS: Final = 6
CODE_NOISE: Final = 16
"""Random bytes that a short code is made from: so many that no code is likelier than another."""
CODE_LIFE: Final = timedelta(minutes=5)

RECOVERY_CODES: Final = 10
RECOVERY_NOISE: Final = 10
"""Random bytes in a recovery code: 80 bits."""

DEVICE_NOISE: Final = 32
DEVICE_LIFE: Final = timedelta(days=30)

_RECOVERY = re.compile(r"[A-Z2-7]{16}", re.ASCII)
_DEVICE = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


@dataclass(frozen=True, slots=True)
class SentCode:
    """A code on its way to its user, as it is kept: a tag of it, never the code.

    `subject` is what it is for: a challenge, a session that steps up, a factor to be confirmed.
    """

    subject: str
    method: Method
    user_id: str
    tag: bytes
    expires_at: datetime


def short_code(noise: bytes) -> str:
    """Six digits from `CODE_NOISE` random bytes."""
    return f"{int.from_bytes(noise) % 10**CODE_DIGITS:0{CODE_DIGITS}d}"


def recovery_code(noise: bytes) -> str:
    """A recovery code from `RECOVERY_NOISE` random bytes: `ABCD-EFGH-IJKL-MNOP`."""
    text = base64.b32encode(noise).decode()
    return "-".join(text[start : start + 4] for start in range(0, len(text), 4))


def tidy_recovery_code(written: str) -> str | None:
    """The code in its one spelling; None when *written* is none."""
    text = re.sub(r"[\s-]", "", written).upper().replace("0", "O").replace("1", "I")
    return text if _RECOVERY.fullmatch(text) else None


def recovery_digest(user_id: str, tidy: str) -> bytes:
    """What the store knows a recovery code by. 80 random bits need no slow hash."""
    return hashlib.sha256(f"{user_id}:{tidy}".encode()).digest()


def device_token(noise: bytes) -> str:
    """The token of a remembered device, from `DEVICE_NOISE` random bytes."""
    return base64.urlsafe_b64encode(noise).rstrip(b"=").decode()


def device_digest(token: str) -> bytes | None:
    """What the store knows a device's token by; None when *token* is none."""
    return hashlib.sha256(token.encode()).digest() if _DEVICE.fullmatch(token) else None
