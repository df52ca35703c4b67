"""Two workflow services on one MongoDB: what one of them had under way, the other one brings to its end."""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace

import pytest
from aiohttp import web

from autoworker.model import WorkflowReference
from chassis.storage.mongo import opened
from tests.chaos.processes import Cluster, Process, four_processes, started
from tests.cluster.test_four_processes import ready
from tests.support import mongodb
from tests.support.gateway_client import Person, eventually, signed_up
from tests.support.ports import free_port
from tests.support.servers import absent

MANY = 20
STARTING = 240.0
"""Seconds that the second process may take to start: nobody asks it whether it is ready."""
TAKE_OVER = 60.0
"""Seconds within which a dead process's work must have gone on, on a machine that has much else to do."""
ENDED = "io.serverlessworkflow.workflow.completed.v1"


class Shop:
    """Is called by workflows, and answers while it is open."""

    def __init__(self, port: int) -> None:
        self.port = port
        self.calls: Counter[str] = Counter()
        """How often each effect was asked for, by its key."""
        self.open = asyncio.Event()

    async def answer(self, request: web.Request) -> web.Response:
        """Answer once it is open."""
        self.calls[request.headers["Idempotency-Key"]] += 1
        await self.open.wait()
        return web.json_response({"paid": True})


@pytest.fixture(scope="module")
def port() -> int:
    """Where the shop is."""
    return free_port()


@pytest.fixture
async def shop(port: int) -> AsyncIterator[Shop]:
    shop = Shop(port)
    app = web.Application()
    app.router.add_post("/pay", shop.answer)
    runner = web.AppRunner(app, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", shop.port).start()
    yield shop
    await runner.cleanup()


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    """Where the shared store is."""
    if not mongodb.BINARY.exists():
        absent("MongoDB of one's own", "make setup")
    server = mongodb.Server()
    server.start()
    yield f"{server.url}suite"
    server.remove()


@pytest.fixture(scope="module")
def cluster(port: int, store: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    made = four_processes(
        tmp_path_factory.mktemp("cluster"),
        AUTOWORKER_STORE_URL=store,
        AUTOWORKER_EGRESS_ALLOW=f"127.0.0.1:{port}",
    )
    made.processes.append(second(made))
    with started(made) as cluster:
        yield cluster


def second(cluster: Cluster) -> Process:
    """Another workflow service beside the one that the gateway calls."""
    first = next(each for each in cluster.processes if each.name == "workflow")
    place = {"AUTOWORKER_WORKFLOW_GRPC_PORT": "0"}
    return replace(first, name="second", settings={**first.settings, **place})


def paying(shop: Shop) -> str:
    return f"""
document: {{dsl: 1.0.3, namespace: tests, name: paying, version: 1.0.0}}
do:
  - rest: {{wait: {{milliseconds: 300}}}}
  - pay: {{call: http, with: {{method: post, endpoint: "http://127.0.0.1:{shop.port}/pay", body: {{}}}}}}
  - finish: {{set: {{finished: true}}}}
"""


async def all_ended(ada: Person, executions: list[str], deadline: float) -> float:
    """Wait until all of them have ended well; return how many seconds that took."""
    began = time.monotonic()
    open_ = set(executions)

    async def attempt() -> bool:
        for execution in sorted(open_):
            found = await ada.get(execution)
            if found.status != "completed":
                assert found.status in {"pending", "running", "waiting"}, found.error
                return False
            open_.discard(execution)
        return True

    await eventually(attempt, "the end of all executions", deadline)
    return time.monotonic() - began


async def known_to_each_other(store: str, processes: int) -> None:
    """Return once so many processes have been there for a while, those that died since included."""
    async with opened(store, "workflow") as database:
        nodes = database.collection("nodes")

        async def attempt() -> bool:
            return await nodes.count_documents({"count": {"$gte": 6}}) >= processes

        await eventually(attempt, "the processes seeing each other", STARTING)


async def shared_out(
    ada: Person, shop: Shop, store: str, definition: WorkflowReference
) -> list[str]:
    """Start executions until each process has some of them under way; return them all."""
    executions: list[str] = []

    async def under_way() -> bool:
        return len(shop.calls) == len(executions)

    async with opened(store, "workflow") as database:
        for _ in range(10):  # a process that comes late leaves what is due to the other one
            executions += [(await ada.start(definition)).id for _ in range(MANY)]
            await eventually(under_way, "all calls under way")
            which = {"_id": {"$in": executions}}
            if len(await database.collection("executions").distinct("nodes", which)) == 2:
                return executions
    raise AssertionError("one process has it all")


async def ends_of(ada: Person, execution: str) -> int:
    return [event.type async for event in ada.history(execution)].count(ENDED)


@pytest.mark.parametrize("how", ["kill", "freeze"])  # in this order: a killed one is started again
async def test_the_work_of_a_process_that_dies_or_stands_still_goes_on_in_the_other(
    cluster: Cluster, store: str, shop: Shop, how: str
) -> None:
    victim = cluster.processes[-1]
    await ready(cluster)
    await known_to_each_other(store, 3 if how == "freeze" else 2)
    async with signed_up(cluster.url) as ada:
        definition = await ada.publish(paying(shop))
        started = await shared_out(ada, shop, store, definition.reference)
        if how == "kill":
            victim.kill()
        else:
            victim.freeze()
        shop.open.set()
        took = await all_ended(ada, started, TAKE_OVER)
        repeated = sum(count > 1 for count in shop.calls.values())
        if how == "freeze":
            victim.thaw()
        else:
            victim.start()
        late = [(await ada.start(definition.reference)).id for _ in range(6)]
        await all_ended(ada, late, TAKE_OVER)
        started += late
        ends = [await ends_of(ada, execution) for execution in started]

    assert ends == [1] * len(ends)
    assert repeated > 0, "the victim had nothing under way"
    print(f"\nafter {how}: {repeated} of {len(started)} taken over, all ended within {took:.1f} s")  # noqa: T201
