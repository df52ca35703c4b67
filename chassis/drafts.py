"""Files that appear whole or not at all."""

import contextlib
import os
from pathlib import Path


def draft(path: Path, content: bytes) -> Path:
    """A file beside *path* with *content*, for its owner only, safely on the disk: to be renamed or linked to *path*."""
    file_path = path.with_name(f".{path.name}.{os.getpid()}.{os.urandom(4).hex()}")
    with open(os.open(file_path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600), "wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    return file_path


def create(path: Path, content: bytes) -> None:
    """Make *path* with *content*; of two processes that do so at the same time, the first one wins."""
    made = draft(path, content)
    with contextlib.suppress(FileExistsError):
        os.link(made, path)  # not renamed, which would replace
    made.unlink()
