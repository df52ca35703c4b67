"""What was acknowledged stays, whatever happens to the process; and how much can be acknowledged."""

from __future__ import annotations

import asyncio
import signal
import subprocess
import sys
import time
from pathlib import Path

import msgspec
import pytest

from tests.contract.workflow_service.adapters import Open, Stores, append
from tests.support.executions import at, beginning, completing, following, key


async def test_what_was_appended_outlives_the_process(durable: Open, tmp_path: Path) -> None:
    async with durable(tmp_path, "first") as stores:
        first = msgspec.structs.replace(beginning("e1", idempotency=key("k")), wake_at=at(3))
        await append(stores, first)

    async with durable(tmp_path, "second") as stores:
        assert [e.event for e in await stores.events.read("e1")] == list(first.events)
        assert await stores.events.next_wake() == at(3)
        assert await stores.events.started_by("default", "ada", "k") == ("e1", "f")
        assert await stores.events.take_over("second", 10) == ["e1"]


async def test_nothing_acknowledged_is_lost_when_the_process_is_killed(
    durable: Open, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    adapter = request.node.callspec.params["durable"]
    async with durable(tmp_path, "before"):
        pass  # what the store stands on is this process's: it must outlive the one that is killed
    arguments = [sys.executable, "-m", f"{__package__}.appender", adapter, str(tmp_path)]
    with subprocess.Popen(arguments, stdout=subprocess.PIPE, text=True) as process:  # noqa: ASYNC220
        assert process.stdout is not None
        acknowledged = [process.stdout.readline().split() for _ in range(100)]
        process.send_signal(signal.SIGKILL)
        # What it had said before it died counts as well.
        acknowledged += [line.split() for line in process.stdout if line.endswith("\n")]

    async with durable(tmp_path, "second") as stores:
        for execution, sequence in acknowledged:
            head = await stores.events.head(execution)
            assert head is not None
            assert head.sequence >= int(sequence)
            events = await stores.events.read(execution)
            assert [each.sequence for each in events] == list(range(1, head.sequence + 1))
        assert await stores.events.take_over("second", 1000)


@pytest.mark.parametrize("in_flight", [1, 50, 100])
async def test_many_executions_share_a_commit(
    durable: Open, tmp_path: Path, in_flight: int, capsys: pytest.CaptureFixture[str]
) -> None:
    executions = max(30, in_flight)
    waiting = iter(range(executions))

    async def worker(stores: Stores) -> None:
        for number in waiting:
            commit = beginning(f"{in_flight}-{number}")
            await stores.events.append(commit)
            for _ in range(2):
                commit = following(commit)
                await stores.events.append(commit)
            await stores.events.append(completing(commit))

    async with durable(tmp_path, "first") as stores:
        began = time.perf_counter()
        await asyncio.gather(*(worker(stores) for _ in range(in_flight)))
        took = time.perf_counter() - began
        last = await stores.events.head(f"{in_flight}-{executions - 1}")
    assert last is not None
    assert last.summary.status == "completed"
    with capsys.disabled():
        rate = executions * 4 / took
        print(f"\n{in_flight} in flight: {rate:,.0f} appends/s")  # noqa: T201
