"""How every bound is named: the same in errors, settings and metrics."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Final

SETTING: Final = "AUTOWORKER_LIMIT_"
"""What the name of every limit's setting begins with; the limit's own name in capitals follows."""

_NAMED: Final = re.compile(r"\(limit ([a-z_]{1,40}), setting AUTOWORKER_LIMIT_[A-Z_]{1,40}\)")


def beyond(text: str, limit: str) -> str:
    """Return *text*, which tells that a limit was reached, with the names of the limit and of its setting."""
    return f"{text} (limit {limit}, setting {SETTING}{limit.upper()})"


def limits_in(texts: Iterable[str]) -> Iterator[str]:
    """Yield the limits that messages made by ``beyond`` name, each once."""
    found = (name for text in texts for name in _NAMED.findall(text))
    yield from dict.fromkeys(found)
