"""Tokens that mean nothing by themselves: 256 random bits, known to the store by their SHA-256."""

import base64
import hashlib
import re
from typing import Final

from auth_service.application.ports import Randomness

_BYTES: Final = 32
_SHAPE: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)


def new_token(randomness: Randomness) -> str:
    """A token that nobody can guess, for URLs as well."""
    return base64.urlsafe_b64encode(randomness.token_bytes(_BYTES)).rstrip(b"=").decode()


def has_shape(token: str) -> bool:
    """Whether it could be one of ours at all."""
    return _SHAPE.fullmatch(token) is not None


def digest_of(token: str) -> bytes:
    """What the store knows a token by. 256 random bits need no salt and no slow hash."""
    return hashlib.sha256(token.encode()).digest()
