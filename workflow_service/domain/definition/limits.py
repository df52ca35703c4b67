"""How large a definition may be."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class DefinitionLimits:
    """Limits on one definition; each is named in the error that it causes.

    They bound what one published document can cost: memory and time to validate it, the size of an execution's
    state, and the width of what one execution may start at once.
    """

    bytes: int = 1024 * 1024
    """Length of the document as it was sent."""
    depth: int = 64
    """Objects and arrays within each other."""
    values: int = 100_000
    """Values in the document once YAML aliases are followed: what defuses a "billion laughs"."""
    tasks: int = 1_000
    """Tasks in the whole document, those of ``use`` included."""
    nesting: int = 32
    """Tasks within each other."""
    fork_width: int = 256
    """Branches of one fork."""
    expressions: int = 2_000
    """Expressions in the whole document; compiling one can take some milliseconds."""
    schedule_seconds: float = 1.0
    """Seconds: the shortest period of a schedule."""
    resources: int = 100
    """Documents elsewhere that it refers to and that are pinned."""
    resource_bytes: int = 4 * 1024 * 1024
    """Bytes of all of them together, as JSON."""
    key_length: int = 1_024
    """Characters of one member's name."""
    name_length: int = 256
    """Characters of one task's name."""
    version_length: int = 128
    """Characters of ``document.version``."""
    problems: int = 200
    """Problems that are listed; the rest is only counted."""


DEFAULT_LIMITS = DefinitionLimits()

_ENDLESS = 2**31
PUBLISHED_BEFORE = DefinitionLimits(
    depth=_ENDLESS,
    values=_ENDLESS,
    tasks=_ENDLESS,
    nesting=_ENDLESS,
    fork_width=_ENDLESS,
    expressions=_ENDLESS,
    schedule_seconds=0.0,
    resources=_ENDLESS,
    resource_bytes=_ENDLESS,
)
"""For what is published already: a limit that was lowered since must not stop what runs."""
