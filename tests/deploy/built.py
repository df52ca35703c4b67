"""The manifests as kubectl would send them: `python -m tests.deploy.built OVERLAY`."""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).parents[2]
KUBERNETES: Final = ROOT / "deploy" / "kubernetes"
BIN: Final = Path(sys.executable).parent


def with_secrets(folder: Path) -> Path:
    """Copy the manifests into *folder* with keys and URLs as an operator puts them there; return the overlays."""
    copy = folder / "kubernetes"
    shutil.copytree(KUBERNETES, copy)
    production = copy / "overlays" / "production"
    shutil.rmtree(production / "keys", ignore_errors=True)
    _done([sys.executable, "-m", "autoworker", "make-keys", str(production / "keys")])
    shutil.copytree(production / "urls.example", production / "urls", dirs_exist_ok=True)
    return copy / "overlays"


def kustomized(overlay: Path) -> str:
    """What kubectl makes of *overlay*."""
    return _done([str(BIN / "kubectl"), "kustomize", str(overlay)])


def _done(command: list[str]) -> str:
    done = subprocess.run(command, capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


if __name__ == "__main__":
    with tempfile.TemporaryDirectory() as scratch:
        sys.stdout.write(kustomized(with_secrets(Path(scratch)) / sys.argv[1]))
