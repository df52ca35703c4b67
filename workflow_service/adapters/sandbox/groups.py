"""Control groups: bounds for a command as a whole, where the operator has folders for them.

The kernel bounds each process by itself; only a control group bounds all of them together. The operator hands over
folders of the cgroup file system, of version 2 or one for each controller of version 1, that the service may write to.
Each command gets a group of its own in each of them, for as long as it runs.

Source: Linux, "Control Group v2" and "Memory Resource Controller" (version 1).
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from workflow_service.adapters.sandbox.command import SandboxBroken, SandboxLimits

_PREFIX: Final = "run-"
_MOMENT: Final = 0.1
_JOIN: Final = 'n=$1; shift; while [ "$n" -gt 0 ]; do echo 0 > "$1/cgroup.procs" || exit 126; shift; n=$((n-1)); done; exec "$@"'
"""Joins so many groups, and becomes the rest of its arguments; 0 stands for whoever writes it."""


@dataclass(frozen=True, slots=True)
class Groups:
    """Where groups are made."""

    folders: tuple[Path, ...] = ()

    @contextmanager
    def joined(self, limits: SandboxLimits) -> Iterator[tuple[str, ...]]:
        """Make a group in each folder; yields the beginning of an argument vector that joins them.

        Raises:
            SandboxBroken: a group cannot be made.
        """
        if not self.folders:
            yield ()
            return
        name = f"{_PREFIX}{secrets.token_hex(8)}"
        made = [folder / name for folder in self.folders]
        try:
            for group in made:
                _make(group, limits)
            yield ("/bin/sh", "-c", _JOIN, "sh", str(len(made)), *map(str, made))
        except OSError as exc:
            raise SandboxBroken(f"a control group cannot be made: {exc.strerror}") from exc
        finally:
            for group in made:
                _remove_soon(group)

    def sweep(self) -> None:
        """Remove the groups that a service left which was killed; the kernel refuses those in use."""
        for folder in self.folders:
            for group in folder.glob(f"{_PREFIX}*"):
                _ = _remove(group)


def _make(group: Path, limits: SandboxLimits) -> None:
    group.mkdir()
    bounds = {
        "memory.max": limits.total_memory,
        "memory.swap.max": 0,
        "memory.limit_in_bytes": limits.total_memory,
        "pids.max": limits.processes,
    }
    for name, value in bounds.items():
        if (group / name).exists():
            (group / name).write_text(str(value))


def _remove(group: Path) -> bool:
    with suppress(OSError):
        group.rmdir()
    return not group.exists()


def _remove_soon(group: Path, tries: int = 50) -> None:
    """Remove a group once the kernel has buried the processes in it, which takes it a moment after they were killed."""
    if not _remove(group) and tries:
        loop = asyncio.get_running_loop()
        _ = loop.call_later(_MOMENT, _remove_soon, group, tries - 1)
