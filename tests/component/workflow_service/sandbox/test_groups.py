"""Bounds for a command as a whole, on machines whose control groups may be written to."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import suppress
from functools import partial
from pathlib import Path

import pytest

from tests.support.sandbox import UID, need
from tests.support.suite import until
from tests.support.time import eventually
from workflow_service.adapters.sandbox import (
    Cage,
    Command,
    SandboxBroken,
    SandboxLimits,
    SandboxUnusable,
    open_sandbox,
    run,
)
from workflow_service.adapters.sandbox.groups import Groups

_MEBIBYTE = 1024 * 1024
_PLACES = (Path("/sys/fs/cgroup/memory"), Path("/sys/fs/cgroup"))
_LIMITS = ("memory.max", "memory.limit_in_bytes")


@pytest.fixture
def folder() -> Iterator[Path]:
    """A control group with a bound on memory in what is made below it."""
    for place in _PLACES:
        made = place / f"autoworker-test-{os.getpid()}"
        try:
            if not (place / "cgroup.procs").exists():
                continue
            made.mkdir()
        except OSError:
            continue
        try:
            if _bounds_memory(made):
                yield made
                return
        finally:
            until(partial(_removed, made), "the end of a control group")
    pytest.skip("no control group of this machine may be written to")


def _removed(made: Path) -> bool | None:
    """True once the kernel has let go of it, which takes it a moment after the end of what was in it."""
    with suppress(OSError):
        made.rmdir()
        return True
    return None


def groups_in(folder: Path) -> list[Path]:
    """The control groups below one."""
    return [each for each in folder.iterdir() if each.is_dir()]


def _bounds_memory(made: Path) -> bool:
    control = made / "cgroup.subtree_control"
    if control.exists():
        with suppress(OSError):
            control.write_text("+memory")
    probe = made / "probe"
    probe.mkdir()
    found = any((probe / name).exists() for name in _LIMITS)
    probe.rmdir()
    return found


async def opened(folder: Path) -> Cage:
    need("bwrap")
    limits = SandboxLimits(total_memory=128 * _MEBIBYTE, memory=512 * _MEBIBYTE)
    return await open_sandbox(limits, uid=UID, hidden=(), insecure=False, groups=(folder,))


def takes(mebibytes: int, at_once: int, seconds: float = 0) -> Command:
    one = (
        f"python3 -I -c 'x = b\"x\" * ({mebibytes} * 1048576); import time; time.sleep({seconds})'"
    )
    line = (
        " ".join([f"{one} &"] * at_once) + ' for job in $(jobs -p); do wait "$job" || exit 9; done'
    )
    return Command(("/bin/bash", "-c", line))


async def test_what_is_within_each_process_may_be_too_much_together(folder: Path) -> None:
    cage = await opened(folder)

    few = await run(cage, takes(40, 1))
    many = await run(cage, takes(60, 4, seconds=5))  # so that they meet, on a busy machine as well

    assert few.code == 0, few
    assert many.code != 0
    await eventually(lambda: not groups_in(folder))


async def test_groups_of_a_service_that_was_killed_are_swept(folder: Path) -> None:
    (folder / "run-left").mkdir()

    _ = await opened(folder)

    assert not (folder / "run-left").exists()
    await eventually(
        lambda: not groups_in(folder)
    )  # that of the trial, once the kernel lets go of it


async def test_a_group_that_cannot_be_made_is_told(tmp_path: Path) -> None:
    need("bwrap")
    gone = tmp_path / "gone"
    with pytest.raises(SandboxUnusable, match="AUTOWORKER_RUN_CGROUPS"):
        await open_sandbox(SandboxLimits(), uid=UID, hidden=(), insecure=False, groups=(gone,))
    with pytest.raises(SandboxBroken), Groups((gone,)).joined(SandboxLimits()):
        pass
