"""Tenants take turns."""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator


def in_turns(lines: Iterable[Iterator[str]], limit: int) -> list[str]:
    """Take one of each line after the other until all are empty or *limit* is reached."""
    waiting, found = deque(lines), list[str]()
    while waiting and len(found) < limit:
        line = waiting.popleft()
        execution = next(line, None)
        if execution is not None:
            found.append(execution)
            waiting.append(line)
    return found
