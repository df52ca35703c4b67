"""Opaque tokens: 256 random bits, known to the store by their SHA-256."""

import base64
import hashlib
import re
from typing import Final

from auth_service.application.ports import Randomness

_BYTES: Final = 32
_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def opaque(randomness: Randomness) -> str:
    """A new token, 43 characters of base64url."""
    return base64.urlsafe_b64encode(randomness.token_bytes(_BYTES)).rstrip(b"=").decode()


def is_opaque(text: str) -> bool:
    """Whether *text* can be such a token."""
    return _SHAPE.fullmatch(text) is not None


def digest_of(token: str) -> bytes:
    """What the store knows *token* by."""
    return hashlib.sha256(token.encode("utf-8", "surrogatepass")).digest()
