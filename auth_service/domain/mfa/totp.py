"""Time-based one-time passwords (RFC 6238) as authenticator apps make them.

HMAC-SHA-1, six digits, steps of 30 seconds; codes of the step before and the one behind are good
too, since clocks differ (RFC 6238 section 5.2). A code is good once: whoever accepts one keeps its
step, and takes nothing at or below it any more.
"""

import base64
import hmac
import re
from datetime import datetime
from typing import Final

import pyotp

SEED_BYTES: Final = 20
"""160 bits, the length that RFC 4226 section 4 recommends."""
STEP: Final = 30
"""Seconds."""
DIGITS: Final = 6
WINDOW: Final = 1
"""How many steps before and behind the current one are good."""

_CODE = re.compile(r"[0-9]{6}", re.ASCII)


def tidy_code(written: str) -> str:
    """A code as people type it, without the space that apps show in its middle."""
    return written.replace(" ", "").replace("-", "")


def matching_step(seed: bytes, code: str, now: datetime, *, last_step: int) -> int | None:
    """The step that *code* is of, if it is a good one behind *last_step*.

    Every step is compared, so that the time taken does not tell which of them was near.
    """
    tidy = tidy_code(code)
    if _CODE.fullmatch(tidy) is None:
        return None
    current = int(now.timestamp()) // STEP
    generator = pyotp.TOTP(secret_of(seed), digits=DIGITS, interval=STEP)
    found = None
    for step in range(current - WINDOW, current + WINDOW + 1):
        same = hmac.compare_digest(generator.generate_otp(step), tidy)
        if same and step > last_step and found is None:
            found = step
    return found


def secret_of(seed: bytes) -> str:
    """The seed as it is typed into an app: base32 (RFC 4648 section 6)."""
    return base64.b32encode(seed).decode().rstrip("=")


def provisioning_uri(seed: bytes, *, account: str, issuer: str) -> str:
    """What the QR code says (`otpauth://totp/…`)."""
    generator = pyotp.TOTP(secret_of(seed), digits=DIGITS, interval=STEP)
    return generator.provisioning_uri(name=account, issuer_name=issuer)
