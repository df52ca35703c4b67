"""Finds out, at start, whether commands can be sandboxed on this machine, and how."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import Final

from chassis.telemetry.logging import get_logger
from workflow_service.adapters.sandbox.cages import Bubblewrap, Cage, Unprotected
from workflow_service.adapters.sandbox.command import (
    Command,
    SandboxError,
    SandboxLimits,
    SandboxUnusable,
)
from workflow_service.adapters.sandbox.groups import Groups
from workflow_service.adapters.sandbox.running import run

_log = get_logger("workflow_service.sandbox")

_WAY_OUT: Final = (
    "or set AUTOWORKER_INSECURE_DEV=1 to run commands without a sandbox (development only)"
)


async def open_sandbox(
    limits: SandboxLimits,
    *,
    uid: int,
    hidden: tuple[Path, ...],
    insecure: bool,
    groups: tuple[Path, ...] = (),
) -> Cage:
    """Return a sandbox that has been tried.

    Args:
        limits: of each command.
        uid: as whom commands run, when the service runs as root.
        hidden: folders that no command may see.
        groups: folders in which control groups can be made.
        insecure: whether commands may run without a sandbox where none can be had.

    Raises:
        SandboxUnusable: bubblewrap is not there, or is not allowed to do its work, in one line with a way out.
    """
    try:
        return await _bubblewrap(limits, uid, hidden, Groups(groups))
    except SandboxUnusable as exc:
        if not insecure:
            raise
        _log.warning("commands_run_without_sandbox", reason=str(exc))
        return Unprotected(limits, shutil.which("prlimit"))


async def _bubblewrap(
    limits: SandboxLimits, uid: int, hidden: tuple[Path, ...], groups: Groups
) -> Bubblewrap:
    root = os.geteuid() == 0
    cage = Bubblewrap(
        limits=limits,
        bwrap=_tool("bwrap", "bubblewrap"),
        prlimit=_tool("prlimit", "util-linux"),
        setpriv=_tool("setpriv", "util-linux") if root else None,
        uid=uid,
        hidden=tuple(folder.resolve() for folder in hidden),
        groups=groups,
    )
    groups.sweep()
    try:
        finished = await run(cage, Command(("true",)))
    except SandboxError as exc:
        if groups.folders:
            told = "a sandbox cannot be put up in the control groups of AUTOWORKER_RUN_CGROUPS"
            raise SandboxUnusable(
                f"{told} ({exc}): let the service write there, or unset it"
            ) from exc
        raise SandboxUnusable(
            "bubblewrap (bwrap) cannot make namespaces here, as in a container without the right to: allow"
            f" unprivileged user namespaces to this process, {_WAY_OUT}"
        ) from exc
    if finished.code:
        told = finished.stderr.decode(errors="replace").strip()[-200:]
        raise SandboxUnusable(f"the sandbox does not work here ({told}); mend it, {_WAY_OUT}")
    return cage


def _tool(name: str, package: str) -> str:
    path = shutil.which(name)
    if path is None:
        raise SandboxUnusable(
            f"{name} is not on PATH: install it (Debian: apt-get install {package}), {_WAY_OUT}"
        )
    return str(Path(path).resolve())
