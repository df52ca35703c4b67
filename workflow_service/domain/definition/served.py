"""Functions that are served outside of documents, as far as reading a document needs to know them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final, TypeAlias

from workflow_service.domain.semver import is_version

Served: TypeAlias = Mapping[str, frozenset[str]]
"""The versions of every function that somebody serves or has served, by its name."""

NOTHING: Final[Served] = MappingProxyType({})

_NAME = re.compile(r"[A-Za-z][A-Za-z0-9._-]{0,99}", re.ASCII)
_LONGEST_VERSION: Final = 100

HOW = "connect a worker that declares it, or name it in AUTOWORKER_FUNCTIONS"


def named(call: str) -> tuple[str, str] | None:
    """Split ``name`` or ``name:version``; None when *call* is neither. No version is the empty one."""
    name, colon, version = call.partition(":")
    if not is_name(name) or (bool(colon) and not is_function_version(version)):
        return None
    return name, version


def is_name(name: str) -> bool:
    """Whether a function can be called so."""
    return _NAME.fullmatch(name) is not None


def is_function_version(version: str) -> bool:
    """Whether *version* is a semantic version of bearable length."""
    return len(version) <= _LONGEST_VERSION and is_version(version)


def missing(name: str, version: str, served: Served) -> str | None:
    """Say what is wrong with calling a function; None when somebody serves it or has served it."""
    if name not in served:
        return f"nobody has ever served a function {name!r}: {HOW}"
    if version and version not in served[name]:
        known = ", ".join(sorted(served[name])[:12])
        return f"nobody has ever served {name} in version {version} (there are: {known}): {HOW}"
    return None
