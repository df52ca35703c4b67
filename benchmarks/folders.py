"""Where measured stores lie."""

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def folder() -> Iterator[str]:
    """A folder that is gone afterwards.

    Beside the code, not in /tmp: that may be in memory, where flushing costs nothing.
    """
    with tempfile.TemporaryDirectory(prefix=".bench-", dir=Path.cwd()) as name:
        yield name
