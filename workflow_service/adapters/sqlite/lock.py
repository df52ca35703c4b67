"""One process per store: recovery takes over all that another process left, so none may be alive."""

from __future__ import annotations

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from chassis.errors import CannotStart


@contextmanager
def sole_owner(store: Path) -> Iterator[None]:
    """Keep other processes from *store* for as long as the block lasts; a death of ours ends it as well.

    Raises:
        CannotStart: another process has it.
    """
    path = store.with_name(store.name + ".lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        descriptor = os.open(path, os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    except OSError as exc:
        raise CannotStart(f"cannot open {path}: {exc.strerror}") from exc
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as exc:
        os.close(descriptor)
        raise CannotStart(
            f"another process uses the store {store}: stop it, or choose another AUTOWORKER_DATA_DIR"
        ) from exc
    try:
        yield
    finally:
        os.close(descriptor)
