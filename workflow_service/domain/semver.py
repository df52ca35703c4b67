"""Which of two versions is newer (Semantic Versioning 2.0.0, section 11)."""

import re
from typing import Final

_VERSION = re.compile(
    r"(0|[1-9]\d*)\.(0|[1-9]\d*)\.(0|[1-9]\d*)"
    r"(?:-((?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*)(?:\.(?:0|[1-9]\d*|\d*[a-zA-Z-][0-9a-zA-Z-]*))*))?"
    r"(?:\+[0-9a-zA-Z-]+(?:\.[0-9a-zA-Z-]+)*)?",
    re.ASCII,
)
# In this order in ASCII: the end of the identifiers, a numeric one, one with letters.
_END, _NUMERIC, _TEXT = "!", "#", "$"
_RELEASE: Final = "1"
_PRE_RELEASE: Final = "0"


def is_version(text: str) -> bool:
    """Whether *text* is a semantic version."""
    return _VERSION.fullmatch(text) is not None


def precedence(version: str) -> str:
    """Return a text that sorts as *version* ranks, so that a store can order versions by itself.

    Every pre-release ranks below every release, which is what "the newest" means to those who do not ask for a
    pre-release; within each of the two the standard's precedence holds. Build metadata makes no difference.

    Raises:
        ValueError: it is not a semantic version.
    """
    found = _VERSION.fullmatch(version)
    if found is None:
        raise ValueError(f"{version[:80]!r} is not a semantic version")
    major, minor, patch, pre_release = found.groups()
    core = "".join(_number(digits) for digits in (major, minor, patch))
    if pre_release is None:
        return _RELEASE + core
    return _PRE_RELEASE + core + "".join(map(_identifier, pre_release.split("."))) + _END


def _identifier(text: str) -> str:
    return _NUMERIC + _number(text) if text.isdecimal() else _TEXT + text + _END


def _number(digits: str) -> str:
    # The length first, for more digits are more; versions are at most 128 characters long.
    return f"{len(digits):03d}{digits}"
