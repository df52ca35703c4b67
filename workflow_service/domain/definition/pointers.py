"""JSON Pointers (RFC 6901): how problems and histories name a place in a document."""

from collections.abc import Iterable


def escape(part: str) -> str:
    """Write a member name as one step of a pointer."""
    return part.replace("~", "~0").replace("/", "~1")


def child(pointer: str, *parts: str | int) -> str:
    """Return the pointer of a place below *pointer*."""
    return pointer + "".join(f"/{escape(str(part))}" for part in parts)


def pointer_of(parts: Iterable[str | int]) -> str:
    """Return the pointer that takes these steps from the root."""
    return child("", *parts)
