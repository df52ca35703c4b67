"""Proof Key for Code Exchange, S256 only (RFC 7636; plain is gone with OAuth 2.1)."""

import base64
import hashlib
import hmac
import re
from typing import Final

METHOD: Final = "S256"
_CHALLENGE: Final = re.compile(r"[A-Za-z0-9_-]{43}", re.ASCII)
_VERIFIER: Final = re.compile(r"[A-Za-z0-9\-._~]{43,128}", re.ASCII)


def is_challenge(text: str) -> bool:
    """Whether *text* can be a SHA-256 in unpadded base64url."""
    return _CHALLENGE.fullmatch(text) is not None


def is_verifier(text: str) -> bool:
    """Whether *text* has the characters and the length of a verifier (section 4.1)."""
    return _VERIFIER.fullmatch(text) is not None


def challenge_of(verifier: str) -> str:
    """The challenge that *verifier* answers (section 4.2)."""
    digest = hashlib.sha256(verifier.encode("ascii")).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode()


def answers(verifier: str, challenge: str) -> bool:
    """Whether *verifier* answers *challenge*; one of the wrong shape never does."""
    return is_verifier(verifier) and hmac.compare_digest(challenge_of(verifier), challenge)
