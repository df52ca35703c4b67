"""A suite moves from SQLite to MongoDB and back: whatever it was doing goes on at the other place."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from autoworker import Client, data_dir
from autoworker.data_dir import AdminFile
from autoworker.model import Event
from tests.chaos.processes import Cluster, one_process, started
from tests.cluster.test_four_processes import ready
from tests.support import mongodb
from tests.support.gateway_client import PASSWORD, Person, in_phase, told_about
from tests.support.ports import free_port
from tests.support.servers import absent
from tests.support.suite import command_line

DEADLINE = 240.0
LARGE = {"text": "x" * 300_000}
FINISH = "{finish: {set: {finished: true}}}"
DEFINITIONS = {
    "ended": (f"[{FINISH}]", ""),
    "failed": ("[{fail: {raise: {error: {type: https://example.com/broken, status: 500}}}}]", ""),
    "waiting": (f"[{{rest: {{wait: {{seconds: 2}}}}}}, {FINISH}]", ""),
    "listening": ("[{hear: {listen: {to: {one: {with: {type: mill.ground}}}}}}]", ""),
    "telling": ("[{tell: {emit: {event: {with: {source: /mill, type: mill.ground}}}}}]", ""),
    "parent": (
        "[{child: {run: {workflow: {namespace: tests, name: waiting, version: 1.0.0}}}}]",
        "",
    ),
    "hourly": (f"[{{rest: {{wait: {{seconds: 2}}}}}}, {FINISH}]", "schedule: {every: {hours: 1}}"),
}


def document(name: str, tasks: str, more: str) -> str:
    about = f"{{dsl: 1.0.3, namespace: tests, name: {name}, version: 1.0.0}}"
    return f"document: {about}\ndo: {tasks}\n{more}\n"


class Move:
    """One data directory, one server, and a suite that runs on either."""

    def __init__(self, folder: Path, server: str) -> None:
        self.folder = folder
        self.server = mongodb.patient(f"{server}moving")
        self._port = str(free_port())

    @asynccontextmanager
    async def suite_on(self, store: str) -> AsyncIterator[Cluster]:
        settings = {"AUTOWORKER_HTTP_PORT": self._port, "AUTOWORKER_STORE_URL": store}
        with started(one_process(self.folder, **settings)) as running:
            running.url = self.url
            await ready(running)
            yield running

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._port}"

    def copy(self, source: str, target: str) -> None:
        told = command_line(self.folder, "store", "copy", source, target, deadline=DEADLINE)
        assert told.returncode == 0, told.stdout + told.stderr
        assert "Both have the same" in told.stdout

    @property
    def data(self) -> Path:
        return self.folder / "data"


@pytest.fixture
def move(tmp_path: Path) -> Iterator[Move]:
    if not mongodb.BINARY.exists():
        absent("MongoDB of one's own", "make setup")
    server = mongodb.Server()
    server.start()
    try:
        yield Move(tmp_path, server.url)
    finally:
        server.remove()


async def history(ada: Person, execution: str) -> list[Event]:
    return [event async for event in ada.history(execution)]


async def begin(ada: Person) -> dict[str, str]:
    """Executions that are waiting, listening, asleep below a parent, ended and failed, and a schedule that starts more."""
    for name, (tasks, more) in DEFINITIONS.items():
        await ada.publish(document(name, tasks, more))
    await ada.set_secret("shop", "open sesame")
    return {
        name: (await ada.start(f"tests/{name}", LARGE, idempotency_key=name)).id
        for name in ("ended", "failed", "listening", "waiting", "parent")
    }


async def trail_holds(move: Move) -> None:
    administrator = data_dir.read(data_dir.admin_file(move.data), AdminFile)
    assert administrator is not None
    async with Client(
        move.url, email=administrator.email, password=administrator.password
    ) as client:
        verdict = await client.verify_audit()
    assert verdict.intact
    assert verdict.entries > 0


async def ends_once(ada: Person, execution: str) -> None:
    await asyncio.wait_for(in_phase(ada, execution, "completed"), DEADLINE)
    types = [event.type for event in await history(ada, execution)]
    assert types.count("io.serverlessworkflow.workflow.completed.v1") == 1


@pytest.mark.timeout(1200)
async def test_all_that_a_suite_was_doing_goes_on_at_the_other_place_and_back(move: Move) -> None:
    async with Person(move.url, "ada@example.com") as ada:
        async with move.suite_on("sqlite://") as suite:
            await ada.register(ada.email, PASSWORD, "Ada")
            begun = await begin(ada)
            await in_phase(ada, begun["ended"], "completed")
            await in_phase(ada, begun["failed"], "faulted")
            await in_phase(ada, begun["listening"], "waiting")
            mail = await told_about(ada, begun["failed"])
            triggered = (await ada.trigger_schedule("tests.hourly")).id
            before = {name: await history(ada, begun[name]) for name in ("ended", "failed")}
            suite.processes[0].kill()

        move.copy(str(move.data), move.server)

        async with move.suite_on(move.server) as suite:
            for name, events in before.items():
                assert await history(ada, begun[name]) == events
                again = await ada.start(f"tests/{name}", LARGE, idempotency_key=name)
                assert again.id == begun[name]
            assert (await ada.get(begun["ended"])).input == LARGE
            assert (await told_about(ada, begun["failed"])).id == mail.id
            assert [secret.name async for secret in ada.secrets()] == ["shop"]
            await trail_holds(move)
            assert (await ada.schedule("tests.hourly")).next_runs
            _ = await ada.start("tests/telling")
            for name in ("waiting", "listening", "parent"):
                await ends_once(ada, begun[name])
            await ends_once(ada, triggered)
            resting = (await ada.start("tests/waiting")).id
            hearing = (await ada.start("tests/listening")).id
            await in_phase(ada, hearing, "waiting")
            suite.processes[0].kill()

        for name in ("auth", "workflow", "notification"):
            (move.data / f"{name}.db").unlink()
        move.copy(move.server, str(move.data))

        async with move.suite_on("sqlite://"):
            assert await history(ada, begun["ended"]) == before["ended"]
            assert (await told_about(ada, begun["failed"])).id == mail.id
            _ = await ada.start("tests/telling")
            for execution in (resting, hearing):
                await ends_once(ada, execution)
            await trail_holds(move)
            _ = await ada.retry(begun["failed"])
            assert len(await history(ada, begun["failed"])) > len(before["failed"])
