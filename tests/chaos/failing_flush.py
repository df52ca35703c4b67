"""A disk whose flushes fail from some moment on, for one process."""

import shutil
import subprocess
from pathlib import Path
from typing import Final

import pytest

_SOURCE: Final = Path(__file__).with_name("failing_flush.c")


def failing_after(flushes: int, folder: Path) -> tuple[str, ...]:
    """What to put before a command so that this flush of its stores and all later ones fail; skips without a compiler."""
    library = folder / "failing_flush.so"
    if not library.exists():
        compiler = shutil.which("cc") or shutil.which("gcc")
        if compiler is None:
            pytest.skip("there is no C compiler here")
        words = [compiler, "-shared", "-fPIC", "-O1", "-o", str(library), str(_SOURCE), "-ldl"]
        subprocess.run(words, check=True)
    return ("env", f"LD_PRELOAD={library}", f"FLUSH_AFTER={flushes}")
