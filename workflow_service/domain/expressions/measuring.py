"""How large JSON values are, and how deep: asked for every value that passes through a task.

Values are shared and never changed, so a wide one that passes through many tasks is walked once and then known by its
identity. What is known is kept alive for that, within narrow bounds.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Final

from workflow_service.domain.expressions.values import JsonValue

WIDE: Final = 32
"""Members from which on an array or object may be known: looking it up then costs little beside walking it."""
SMALLEST: Final = 8 * 1024
REMEMBERED: Final = 4 * 1024 * 1024
"""Bytes of one known value at the least, and of all of them together at the most."""
NESTED: Final = 3
"""Wide values within each other of which each is known by itself."""
DEEPEST: Final = 256
"""Levels that are counted: what is deeper is not kept."""


class _Known:
    """A value that was walked."""

    __slots__ = ("depth", "size", "value")

    def __init__(self, value: JsonValue, size: int, depth: int) -> None:
        self.value = value
        self.size = size
        self.depth = depth


class Measures:
    """Walked values, the oldest forgotten first."""

    def __init__(self) -> None:
        self._known: dict[int, _Known] = {}
        self._size = 0
        self._changing = threading.Lock()  # decisions are also made in threads

    def get(self, value: JsonValue) -> _Known | None:
        """Return what is known of *value*, by identity."""
        known = self._known.get(id(value))
        return known if known is not None and known.value is value else None

    def keep(self, value: JsonValue, size: int) -> None:
        """Remember that *value* has *size* bytes; the walk to its depth is made here."""
        if not SMALLEST <= size <= REMEMBERED // 2:
            return
        depth = _depth_of(value)
        if depth > DEEPEST:
            return
        with self._changing:
            if id(value) not in self._known:
                self._known[id(value)] = _Known(value, size, depth)
                self._size += size
            while self._size > REMEMBERED:
                oldest = self._known.pop(next(iter(self._known)))
                self._size -= oldest.size


_measures: Final = Measures()


def size_of(value: JsonValue, limit: int) -> int:
    """Estimate the encoded size of *value* in bytes, stopping soon after *limit* is passed.

    Characters count as one byte each, which is right within the factor that JSON escaping and
    UTF-8 can add; good enough to choose where to evaluate and to stop what grows without bound.
    """
    return _sum_of([value], limit, NESTED)


def _sum_of(waiting: list[JsonValue], limit: int, nested: int) -> int:
    total = 0
    while waiting and total <= limit:
        item = waiting.pop()
        if isinstance(item, str):
            total += len(item) + 2
        elif isinstance(item, dict):
            total += sum(map(len, item)) + 4 * len(item) + 2
            if nested and len(item) >= WIDE:
                total += _below(item, item.values(), limit - total, nested)
            else:
                waiting.extend(item.values())
        elif isinstance(item, list):
            total += len(item) + 2
            if nested and len(item) >= WIDE:
                total += _below(item, item, limit - total, nested)
            else:
                waiting.extend(item)
        else:
            total += 8
    return total


def _below(value: JsonValue, members: Iterable[JsonValue], limit: int, nested: int) -> int:
    """Return the size of all *members* of *value*, a wide one."""
    known = _measures.get(value)
    if known is not None:
        return known.size
    size = _sum_of(list(members), limit, nested - 1)
    if size <= limit:
        _measures.keep(value, size)
    return size


def deeper_than(value: JsonValue, levels: int) -> bool:
    """Say whether arrays and objects are nested more than *levels* deep; walks no further than that."""
    layer = [value]
    for above in range(levels + 1):
        below: list[JsonValue] = []
        for item in layer:
            if isinstance(item, dict):
                members: Iterable[JsonValue] = item.values()
            elif isinstance(item, list):
                members = item
            else:
                continue
            if len(item) < WIDE or (known := _measures.get(item)) is None:
                below.extend(members)
            elif above + known.depth > levels:
                return True
        if not below:
            return False
        layer = below
    return True


def _depth_of(value: JsonValue) -> int:
    """Return how many arrays and objects that are not empty lie in each other; no more than ``DEEPEST`` and one."""
    layer = [value]
    for depth in range(DEEPEST + 1):
        below: list[JsonValue] = []
        for item in layer:
            if isinstance(item, dict):
                below.extend(item.values())
            elif isinstance(item, list):
                below.extend(item)
        if not below:
            return depth
        layer = below
    return DEEPEST + 1
