"""Sealed texts: AES-256-GCM with what they are about, and keys derived for one purpose each.

Source: NIST SP 800-38D (GCM, 96-bit nonces), RFC 5869 (HKDF), RFC 2104 (HMAC).
"""

import hashlib
import hmac
import os
from typing import Final

import msgspec
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

KEY_BYTES: Final = 32
_NONCE_BYTES: Final = 12
_encode = msgspec.json.Encoder().encode


class IntegrityBroken(Exception):
    """What was sealed has been changed, moved or rolled back, or was sealed with another key."""


def about(*parts: str | int) -> bytes:
    """What a sealed text belongs to; no two lists of parts give the same bytes."""
    return _encode(parts)


def new_key() -> bytes:
    """A random key of 256 bits."""
    return os.urandom(KEY_BYTES)


def seal(key: bytes, plain: bytes, belongs_to: bytes) -> bytes:
    """*plain*, encrypted under a new random nonce, which comes first; only good for *belongs_to*."""
    nonce = os.urandom(_NONCE_BYTES)
    return nonce + AESGCM(key).encrypt(nonce, plain, belongs_to)


def unseal(key: bytes, sealed: bytes, belongs_to: bytes) -> bytes:
    """What `seal` was given.

    Raises:
        IntegrityBroken: key, text or what it belongs to are not those of that time.
    """
    nonce, text = sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:]
    try:
        return AESGCM(key).decrypt(nonce, text, belongs_to)
    except (InvalidTag, ValueError) as exc:
        raise IntegrityBroken("what was sealed cannot be opened") from exc


def derived(key: bytes, purpose: str) -> bytes:
    """A key of 256 bits for one *purpose*, which tells nothing about *key* or those for others."""
    return HKDF(SHA256(), KEY_BYTES, salt=None, info=purpose.encode()).derive(key)


def tag(key: bytes, message: bytes) -> bytes:
    """HMAC-SHA256 of *message*."""
    return hmac.digest(key, message, hashlib.sha256)


def same(one: bytes, other: bytes) -> bool:
    """Whether two tags are equal, in a time that does not tell where they differ."""
    return hmac.compare_digest(one, other)
