"""A small disk of one's own, in a namespace of one's own: no privileges needed, nothing left behind."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

MEBIBYTE: Final = 1024 * 1024
_SCRIPT: Final = 'mount -t tmpfs -o size="$1" tmpfs "$2" && shift 2 && exec "$@"'


def mounting(folder: Path, size: str) -> tuple[str, ...]:
    """What to put before a command so that *folder* is a disk of *size* for it; skips where it cannot."""
    unshare = shutil.which("unshare")
    if unshare is None:
        pytest.skip("there is no unshare here")
    folder.mkdir(parents=True, exist_ok=True)
    words = (unshare, "-rm", "sh", "-c", _SCRIPT, "sh", size, str(folder))
    probe = subprocess.run([*words, "true"], capture_output=True, check=False)
    if probe.returncode:
        pytest.skip("no private mounts here: " + probe.stderr.decode().strip())
    return words


def seen_from_outside(pid: int, folder: Path) -> Path:
    """Where *folder*, as process *pid* sees it, is for this process."""
    return Path(f"/proc/{pid}/root") / str(folder).lstrip("/")


class Ballast:
    """A file that takes all the space there is, until it is taken away."""

    def __init__(self, folder: Path) -> None:
        self._file = folder / "ballast"

    def fill(self) -> None:
        """Leave not a byte."""
        with self._file.open("ab", buffering=0) as file:
            for size in (MEBIBYTE, 4096, 1):
                try:
                    while file.write(b"\0" * size) == size:
                        pass
                except OSError:
                    continue

    def drop(self) -> None:
        """Give it all back."""
        self._file.unlink(missing_ok=True)
