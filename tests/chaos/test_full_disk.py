"""A disk that is full, or that cannot be written: writes are refused, reads go on, nothing breaks."""

import asyncio
import os
import shutil
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

import aiohttp
import pytest

from autoworker.errors import ApiError
from tests.chaos.full_disk import Ballast, mounting, seen_from_outside
from tests.chaos.load import all_ended
from tests.chaos.processes import Cluster, one_process, started
from tests.chaos.store import integrity, store_anomalies
from tests.support.gateway_client import PASSWORD, Person

MINUTES: Final = float(os.environ.get("CHAOS_MINUTES", "0"))
CYCLES: Final = 3 if not MINUTES else 10
RECOVERY: Final = 30.0
SET: Final = """
document: {dsl: 1.0.3, namespace: chaos, name: note, version: 1.0.0}
do:
  - keep: {set: {kept: "${ .text }"}}
"""
TEXT: Final = "x" * 20_000
MORE: Final = SET.replace("note", "more").replace("${ .text }", TEXT)
STORES: Final = ("auth.db", "notification.db", "workflow.db")


@pytest.fixture
async def small(tmp_path: Path) -> AsyncIterator[Cluster]:
    """A suite whose data directory is a disk of 24 MiB."""
    cluster = one_process(tmp_path)
    cluster.processes[0].wrapped = mounting(cluster.data, "24m")
    with started(cluster):
        await cluster.is_ready()
        yield cluster


def disk_of(cluster: Cluster) -> Path:
    return seen_from_outside(cluster.processes[0].pid, cluster.data)


@pytest.mark.timeout(MINUTES * 60 + 280)
async def test_a_full_disk_refuses_writes_and_nothing_else(small: Cluster, tmp_path: Path) -> None:
    disk = disk_of(small)
    ballast = Ballast(disk)
    accepted: set[str] = set()
    recoveries = []
    async with Person(small.url, "full@example.com") as person:
        await person.register(person.email, PASSWORD)
        await person.publish(SET)
        for cycle in range(CYCLES):
            accepted |= await _accepted(person, cycle)
            first = min(accepted)
            ballast.fill()
            refusals, late = await _refused(person)
            accepted |= late
            # Reads go on.
            assert (await person.get(first)).status == "completed"
            assert [event async for event in person.history(first)]
            assert [found async for found in person.list(limit=50)]
            ballast.drop()
            recoveries.append(await _recovered(person, accepted))
            assert [error.status for error in refusals] == [503] * len(refusals)
            assert {error.code for error in refusals} == {"UNAVAILABLE"}
            assert all(error.request_id and error.retry_after for error in refusals)
        await all_ended(person)
        for execution in accepted:
            assert (await person.get(execution)).status == "completed"
        copies = _copied(small, tmp_path / "copies")
    assert [integrity(copy) for copy in copies] == ["ok"] * len(STORES)
    assert store_anomalies(copies[-1]) == []
    print(f"\nfull disk: {CYCLES} times, normal after {max(recoveries):.2f} s (worst)")  # noqa: T201
    assert max(recoveries) < RECOVERY


async def test_a_refused_write_is_told_in_the_shape_of_every_error(small: Cluster) -> None:
    ballast = Ballast(disk_of(small))
    async with Person(small.url, "shape@example.com") as person:
        await person.register(person.email, PASSWORD)
        await person.publish(SET)
        tokens = await person.login(person.email, PASSWORD)
        ballast.fill()
        await _refused(person)
        answer, body = await _start(small.url, tokens.access_token)
        ballast.drop()

    assert answer.status == 503
    assert answer.content_type == "application/json"
    assert "Retry-After" in answer.headers
    assert set(body["error"]) >= {"code", "message", "details", "request_id"}
    assert "sqlite" not in str(body).lower()
    assert str(small.data) not in str(body)


async def test_whatever_else_has_to_be_written_is_refused_the_same_way(small: Cluster) -> None:
    ballast = Ballast(disk_of(small))
    async with Person(small.url, "else@example.com") as person:
        await person.register(person.email, PASSWORD)
        await person.publish(SET)
        held = await person.start("chaos/note", {"text": "x"}, wait=20)
        ballast.fill()
        await _refused(person)
        for write in (
            lambda: person.publish(MORE),
            lambda: person.register("newcomer@example.com", PASSWORD),
            lambda: person.login(person.email, PASSWORD),
        ):
            assert await _answers(write) <= {200, 503}
        assert (await person.get(held.id)).status == "completed"
        assert (await person.me()).email == person.email
        ballast.drop()
        await person.login(person.email, PASSWORD)


async def _answers(write: Callable[[], Awaitable[object]]) -> set[int]:
    """The statuses of ten attempts; a few small writes may still find a hole to fit in."""
    statuses = set()
    for _ in range(10):
        try:
            await write()
        except ApiError as refused:
            statuses.add(refused.status)
        else:
            statuses.add(200)
    return statuses - {409, 429}


async def _start(
    url: str, token: str
) -> tuple[aiohttp.ClientResponse, dict[str, dict[str, object]]]:
    started = {"workflow": {"namespace": "chaos", "name": "note"}, "input": {"text": TEXT}}
    headers = {"Authorization": f"Bearer {token}"}
    async with (
        aiohttp.ClientSession(url, headers=headers) as http,
        http.post("/v1/executions", json=started) as answer,
    ):
        return answer, await answer.json()


def _copied(cluster: Cluster, folder: Path) -> list[Path]:
    """The stores as a power cut would leave them. (SQLite itself would not find its way in there.)"""
    folder.mkdir()
    process, disk = cluster.processes[0], disk_of(cluster)
    process.freeze()
    for name in STORES:
        shutil.copy(disk / name, folder)
        shutil.copy(disk / f"{name}-wal", folder)
    process.thaw()
    return [folder / name for name in STORES]


async def _accepted(person: Person, cycle: int) -> set[str]:
    begun = [await person.start("chaos/note", {"text": f"{cycle}"}, wait=20) for _ in range(5)]
    assert {execution.status for execution in begun} == {"completed"}
    return {execution.id for execution in begun}


async def _refused(person: Person, deadline: float = 60.0) -> tuple[list[ApiError], set[str]]:
    """Start until three starts in a row are refused; what was accepted until then counts, too."""
    refusals: list[ApiError] = []
    accepted: set[str] = set()
    async with asyncio.timeout(deadline):
        while len(refusals) < 3:
            try:
                begun = await person.start("chaos/note", {"text": TEXT})
            except ApiError as refused:
                refusals.append(refused)
            else:
                accepted.add(begun.id)
                refusals.clear()
    return refusals, accepted


async def _recovered(person: Person, accepted: set[str]) -> float:
    """Seconds until a start is accepted and ends."""
    began = time.monotonic()
    async with asyncio.timeout(RECOVERY * 2):
        while True:
            try:
                begun = await person.start("chaos/note", {"text": "after"}, wait=20)
            except ApiError:
                await asyncio.sleep(0.1)
                continue
            accepted.add(begun.id)
            if begun.status == "completed":
                return time.monotonic() - began


async def test_a_store_that_cannot_be_written_stops_the_start_with_a_reason(tmp_path: Path) -> None:
    cluster = one_process(tmp_path)
    script = 'mount -t tmpfs -o size="$1",ro tmpfs "$2" && shift 2 && exec "$@"'
    wrapped = mounting(cluster.data, "4m")
    cluster.processes[0].wrapped = tuple(script if "mount" in word else word for word in wrapped)
    process = cluster.processes[0]
    process.start()
    assert process.running is not None

    code = await asyncio.to_thread(process.running.wait, 40)

    assert code == 1
    assert "error: " in process.log
    assert "Traceback" not in process.log
