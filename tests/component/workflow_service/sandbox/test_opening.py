"""Machines on which commands can be sandboxed, and others."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.support.sandbox import UID, need
from workflow_service.adapters.sandbox import (
    Bubblewrap,
    Cage,
    Command,
    CommandTimedOut,
    SandboxLimits,
    SandboxUnusable,
    Unprotected,
    javascript,
    open_sandbox,
    python,
    run,
)


async def opened(*, insecure: bool = False, seconds: float = 10.0) -> Cage:
    limits = SandboxLimits(seconds=seconds)
    return await open_sandbox(limits, uid=UID, hidden=(), insecure=insecure)


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """Make PATH a folder with only these tools in it."""

    def only(*names: str) -> Path:
        for name in names:
            found = shutil.which(name)
            assert found is not None
            (tmp_path / name).symlink_to(found)
        monkeypatch.setenv("PATH", str(tmp_path))
        return tmp_path

    return only


async def test_without_bubblewrap_nothing_is_opened(tools: Callable[..., Path]) -> None:
    tools("prlimit")

    with pytest.raises(SandboxUnusable, match="bwrap is not on PATH: install it") as refused:
        await opened()

    assert "AUTOWORKER_INSECURE_DEV=1" in str(refused.value)
    assert "\n" not in str(refused.value)


async def test_where_namespaces_are_not_allowed_it_says_so(tools: Callable[..., Path]) -> None:
    program = tools("prlimit", "setpriv") / "bwrap"
    program.write_text(
        "#!/bin/sh\necho 'bwrap: No permissions to create a new namespace' >&2\nexit 1\n"
    )
    program.chmod(0o755)

    with pytest.raises(SandboxUnusable, match="cannot make namespaces here"):
        await opened()


async def test_a_machine_with_bubblewrap_is_used_also_in_development() -> None:
    need("bwrap")

    assert isinstance(await opened(insecure=True), Bubblewrap)


async def test_in_development_commands_run_without_a_sandbox(tools: Callable[..., Path]) -> None:
    tools("prlimit")
    cage = await opened(insecure=True)

    seen = await run(
        cage, Command(("/bin/sh", "-c", 'pwd; env; cat; echo "$1"', "sh", "x"), {"A": "b"}, b"in")
    )

    assert isinstance(cage, Unprotected)
    assert b"A=b" in seen.stdout
    assert seen.stdout.endswith(b"inx\n")
    folder = seen.stdout.split(b"\n")[0].decode()
    assert not os.path.exists(folder)  # noqa: ASYNC240 - a moment


async def test_bounds_hold_without_a_sandbox(tools: Callable[..., Path]) -> None:
    tools("prlimit")
    cage = await opened(insecure=True, seconds=0.5)

    with pytest.raises(CommandTimedOut):
        await run(cage, Command(("/bin/sh", "-c", "/bin/sleep 4712.5 & /bin/sleep 4712.5")))


async def test_an_interpreter_that_does_not_work_is_none() -> None:
    need("bwrap")
    cage = await opened()

    assert await python(cage) is not None
    assert await python(cage, "/usr/bin/false") is None
    assert await javascript(cage, "/nowhere/node") is None
