"""What tests of commands need from the machine: bubblewrap, and Node.js for scripts.

Missing ones are installed from Debian's packages when the tests run as root there. Elsewhere their tests are skipped;
with REQUIRE_SERVERS=1, as in CI, they fail.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from functools import cache

import pytest

from workflow_service.adapters.sandbox import Cage, SandboxLimits, SandboxUnusable, open_sandbox

UID = 60_999
_PACKAGES = {"bwrap": "bubblewrap", "node": "nodejs"}


def need(program: str) -> None:
    """Go on with *program* installed; else skip, or fail where nothing may be skipped."""
    if not _there(program):
        _do_without(f"{program} is not installed")


async def sandbox(limits: SandboxLimits | None = None) -> Cage:
    """Return a real sandbox; else skip, or fail where nothing may be skipped."""
    need("bwrap")
    try:
        return await open_sandbox(limits or SandboxLimits(), uid=UID, hidden=(), insecure=False)
    except SandboxUnusable as exc:
        _do_without(str(exc))
        raise


def processes() -> dict[str, str]:
    """Return the settings of a suite that runs commands: in the sandbox where there is one, else with bounds alone."""
    enabled = {"AUTOWORKER_RUN": "shell,script"}
    return enabled if _there("bwrap") else enabled | {"AUTOWORKER_INSECURE_DEV": "1"}


@cache
def _there(program: str) -> bool:
    if shutil.which(program) is None and os.geteuid() == 0 and shutil.which("apt-get"):
        subprocess.run(
            ["apt-get", "install", "-y", "-q", "--no-install-recommends",
             "-o", "DPkg::Lock::Timeout=120", _PACKAGES[program]],
            check=False, capture_output=True, timeout=300,
        )  # fmt: skip
    return shutil.which(program) is not None


def _do_without(reason: str) -> None:
    if os.environ.get("REQUIRE_SERVERS") == "1":
        pytest.fail(reason)
    pytest.skip(reason)
