"""The suite in one process with its workflows in MongoDB: what it promises holds, also when it is killed."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.chaos.processes import Cluster, one_process, started
from tests.cluster.test_four_processes import ready
from tests.support import mongodb
from tests.support.gateway_client import Person, in_phase, signed_up
from tests.support.servers import absent

DEADLINE = 30.0
EVERYTHING = """
document: {dsl: 1.0.3, namespace: tests, name: everything, version: 1.0.0}
do:
  - tell: {emit: {event: {with: {source: /tests, type: tests.told, data: {from: "${ $workflow.id }"}}}}}
  - rest: {wait: {seconds: 1}}
  - loop: {for: {each: n, in: "[1, 2, 3]"}, do: [{add: {set: {last: "${ $n }"}}}]}
  - child: {run: {workflow: {namespace: tests, name: child, version: 1.0.0}}}
"""
CHILD = """
document: {dsl: 1.0.3, namespace: tests, name: child, version: 1.0.0}
do:
  - finish: {set: {finished: true}}
"""
HEARING = """
document: {dsl: 1.0.3, namespace: tests, name: hearing, version: 1.0.0}
do:
  - hear: {listen: {to: {one: {with: {type: tests.told}}}}}
"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if not mongodb.BINARY.exists():
        absent("MongoDB of one's own", "make setup")
    server = mongodb.Server()
    server.start()
    try:
        folder = tmp_path_factory.mktemp("suite")
        with started(one_process(folder, AUTOWORKER_STORE_URL=f"{server.url}suite")) as running:
            yield running
    finally:
        server.remove()


async def completed(ada: Person, execution: str) -> None:
    await asyncio.wait_for(in_phase(ada, execution, "completed"), DEADLINE)
    types = [event.type async for event in ada.history(execution)]
    assert types.count("io.serverlessworkflow.workflow.completed.v1") == 1


async def test_timers_loops_children_events_and_secrets_work_and_survive_a_kill(
    suite: Cluster,
) -> None:
    await ready(suite)
    async with signed_up(suite.url) as ada:
        for document in (CHILD, EVERYTHING, HEARING):
            await ada.publish(document)
        await ada.set_secret("shop", "open sesame")
        hearing = (await ada.start("tests/hearing")).id
        await in_phase(ada, hearing, "waiting")
        before = [(await ada.start("tests/everything")).id for _ in range(5)]

        suite.processes[0].kill()
        suite.processes[0].start()
        await ready(suite)

        after = [(await ada.start("tests/everything")).id for _ in range(3)]
        for execution in (hearing, *before, *after):
            await completed(ada, execution)
        assert [secret.name async for secret in ada.secrets()] == ["shop"]
        shown = {execution.id async for execution in ada.list()}
        assert {hearing, *before, *after} <= shown
