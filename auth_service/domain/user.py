"""A user, and what makes an e-mail address and a display name acceptable."""

import re
import unicodedata
from dataclasses import dataclass
from datetime import datetime

from chassis.errors import FieldProblem

MAX_EMAIL = 254
"""Characters and octets: the longest path of RFC 5321 4.5.3.1.3 without its angle brackets."""

MAX_LOCAL_PART = 64
MAX_NAME = 100

_LOCAL_PART = re.compile(r"[^\s@<>()\[\],;:\\\"]+")
_LABEL = re.compile(r"(?!-)[^\W_](?:[\w-]{0,61}[^\W_])?(?<!-)")
_BIDI_CONTROLS = frozenset(
    "\u200e\u200f\u061c\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"
)
_UNPRINTABLE = frozenset({"Cc", "Cs", "Co", "Cn", "Zl", "Zp"})


@dataclass(frozen=True, slots=True)
class EmailAddress:
    """An address as it is written to, and the key under which it is unique.

    ASCII addresses are kept in lower case. Others keep their spelling, because folding them could
    name another mailbox (`ß` folds to `ss`); uniqueness and login go by the key alone.
    """

    text: str
    key: str

    @classmethod
    def of(cls, written: str) -> "EmailAddress":
        """The address that *written* names; check it with `email_problems` first."""
        trimmed = unicodedata.normalize("NFC", written).strip()
        key = email_key(written)
        return cls(text=key if trimmed.isascii() else trimmed, key=key)


@dataclass(frozen=True, slots=True)
class User:
    """Somebody who can log in. `password_hash` is a PHC string (Argon2id); `roles` are names."""

    id: str
    tenant: str
    email: EmailAddress
    name: str
    password_hash: str
    roles: tuple[str, ...]
    created_at: datetime
    updated_at: datetime
    email_verified_at: datetime | None = None
    disabled_at: datetime | None = None

    @property
    def email_verified(self) -> bool:
        """Whether the user has proved that the address is theirs."""
        return self.email_verified_at is not None

    @property
    def is_person(self) -> bool:
        """Whether it is somebody, and not what an OAuth client acts as by itself."""
        return self.password_hash != ""

    @property
    def active(self) -> bool:
        """Whether the user may do anything at all; an administrator can change that."""
        return self.disabled_at is None


def email_key(written: str) -> str:
    """What two spellings of one address have in common: NFKC, trimmed, case folded.

    Folding may undo the normal form, hence the second pass.
    """
    folded = unicodedata.normalize("NFKC", written).strip().casefold()
    return unicodedata.normalize("NFKC", folded)


def email_problems(written: str) -> tuple[FieldProblem, ...]:
    """Why *written* is no e-mail address; nothing when it is one.

    A sane syntax, not all of RFC 5322: no quoted local parts, no comments, no address literals,
    and a domain of at least two labels.
    """
    if len(written) > 2 * MAX_EMAIL:
        return (_too_long_email(),)
    key = email_key(written)
    if len(key.encode(errors="surrogatepass")) > MAX_EMAIL:
        return (_too_long_email(),)
    local, _, domain = key.rpartition("@")
    if not (_is_local_part(local) and _is_domain(domain)):
        return (FieldProblem("email", "Invalid email format"),)
    return ()


def name_problems(name: str) -> tuple[FieldProblem, ...]:
    """Why *name* cannot be shown to others; nothing when it can."""
    if len(name) > MAX_NAME:
        return (FieldProblem("name", f"Must not be longer than {MAX_NAME} characters"),)
    if any(_is_unprintable(character) for character in name):
        return (FieldProblem("name", "Must not contain control characters"),)
    return ()


def tidy_name(name: str) -> str:
    """The name as it is kept: canonical composition, no space around it."""
    return unicodedata.normalize("NFC", name).strip()


def _too_long_email() -> FieldProblem:
    return FieldProblem("email", f"Must not be longer than {MAX_EMAIL} characters")


def _is_local_part(local: str) -> bool:
    return (
        0 < len(local) <= MAX_LOCAL_PART
        and _LOCAL_PART.fullmatch(local) is not None
        and not any(_is_unprintable(c) or unicodedata.category(c) == "Cf" for c in local)
        and not (local.startswith(".") or local.endswith(".") or ".." in local)
    )


def _is_domain(domain: str) -> bool:
    labels = domain.split(".")
    return (
        len(labels) >= 2
        and all(_LABEL.fullmatch(label) for label in labels)
        and not labels[-1].isdecimal()
    )


def _is_unprintable(character: str) -> bool:
    return unicodedata.category(character) in _UNPRINTABLE or character in _BIDI_CONTROLS
