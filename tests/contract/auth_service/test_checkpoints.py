import asyncio
import fcntl
from pathlib import Path

import pytest

from auth_service.adapters.checkpoint_file import NAME, CheckpointFile
from auth_service.application.ports.audit import Checkpoint
from auth_service.domain.audit import ChainKeys, Place
from tests.contract.auth_service.conftest import NOW

KEYS = ChainKeys.of(bytes(32))
FIRST = Checkpoint(NOW, (("default", Place(3, b"3" * 32)),))
SECOND = Checkpoint(NOW, (("default", Place(7, b"7" * 32)), ("acme", Place(1, b"1" * 32))))


@pytest.fixture
async def written(tmp_path: Path) -> Path:
    file = CheckpointFile(tmp_path / "elsewhere", KEYS)
    assert await file.read() == ([], "")
    await file.write(FIRST)
    await file.write(SECOND)
    return tmp_path / "elsewhere"


async def test_checkpoints_are_read_as_they_were_written(written: Path) -> None:
    assert await CheckpointFile(written, KEYS).read() == ([FIRST, SECOND], "")
    assert (written / NAME).stat().st_mode & 0o777 == 0o600


async def test_one_that_was_changed_or_made_by_somebody_else_is_named(written: Path) -> None:
    path = written / NAME
    path.write_bytes(path.read_bytes().replace(b'"acme",1', b'"acme",2'))
    found, problem = await CheckpointFile(written, KEYS).read()
    assert found == [FIRST]
    assert "line 2" in problem

    found, problem = await CheckpointFile(written, ChainKeys.of(b"o" * 32)).read()
    assert (found, "line 1" in problem) == ([], True)


async def test_a_line_that_a_crash_cut_short_is_nobodys_doing(written: Path) -> None:
    path = written / NAME
    path.write_bytes(path.read_bytes()[:-9])

    assert await CheckpointFile(written, KEYS).read() == ([FIRST], "")
    await CheckpointFile(written, KEYS).write(SECOND)
    assert await CheckpointFile(written, KEYS).read() == ([FIRST, SECOND], "")


async def test_another_process_in_the_middle_of_its_line_is_waited_for(
    tmp_path: Path, written: Path
) -> None:
    line = (written / NAME).read_bytes().splitlines(keepends=True)[0]
    shared = CheckpointFile(tmp_path / "shared", KEYS)
    await shared.write(FIRST)
    with (tmp_path / "shared" / NAME).open("ab", buffering=0) as other:
        fcntl.flock(other, fcntl.LOCK_EX)
        other.write(line[:9])
        writing = asyncio.ensure_future(shared.write(SECOND))
        await asyncio.wait({writing}, timeout=0.2)
        other.write(line[9:])

    await writing
    assert await shared.read() == ([FIRST, FIRST, SECOND], "")
