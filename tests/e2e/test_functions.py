"""Functions of one's own through the real suite: in its process, by Python workers, by a Node worker."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from autoworker import Client
from autoworker.functions import Context, FunctionFailed
from autoworker.worker import Worker
from tests.support.gateway_client import PASSWORD, Person, eventually
from tests.support.ports import free_port
from tests.support.suite import ROOT, STOP_DEADLINE, Suite, environment, started

CALL = """
document: {{dsl: 1.0.3, namespace: tests, name: {name}, version: 1.0.0}}
do:
  - first:
      call: {function}
"""
SIZE = {"width": 640, "height": 480}
HALF = {"width": 320, "height": 240}


def document(function: str) -> str:
    """A workflow that calls *function* with its input."""
    name = function.partition(":")[0].replace("_", "-")
    return CALL.format(name=name, function=function)


async def served(client: Client, name: str, workers: int = 1) -> None:
    """Return once so many workers serve *name*."""

    async def attempt() -> bool:
        found = [each async for each in client.functions() if each.name == name]
        return any(each.connected_workers >= workers for each in found)

    await eventually(attempt, f"serving {name}")


async def test_a_python_worker_serves_what_a_workflow_calls(ada: Person) -> None:
    worker = Worker(ada.url, email=ada.email, password=PASSWORD)
    seen: list[Context] = []

    @worker.function("double", version="1.2.0", input={"type": "integer"})
    async def double(arguments: int, context: Context) -> int:
        seen.append(context)
        return arguments * 2

    @worker.function("refuse")
    def refuse(arguments: Any, _context: Context) -> None:
        raise FunctionFailed("Not today", f"{arguments} is not welcome", status=409)

    @worker.function("break")
    def break_(_arguments: Any, _context: Context) -> None:
        raise RuntimeError("a secret of the implementation")

    serving = asyncio.ensure_future(worker.run(signals=False))
    await served(ada, "double")
    good = await ada.start((await ada.publish(document("double:1.2.0"))).reference, 21, wait=20)
    wrong = await ada.start("tests/double", "many", wait=20)
    refused = await ada.start((await ada.publish(document("refuse"))).reference, 1, wait=20)
    broken = await ada.start((await ada.publish(document("break"))).reference, 1, wait=20)
    worker.stop()
    await asyncio.wait_for(serving, 20)

    assert good.output == 42
    assert (seen[0].execution, seen[0].attempt) == (good.id, 1)
    assert wrong.error is not None
    assert wrong.error.type.endswith("/validation")
    assert refused.error is not None
    assert (refused.error.status, refused.error.title) == (409, "Not today")
    assert refused.error.detail == "1 is not welcome"
    assert broken.error is not None
    assert "secret" not in str(broken.error)


async def test_a_killed_workers_task_is_done_by_another_once_with_the_same_key(
    ada: Person, suite: Suite, tmp_path: Path
) -> None:
    ledger = tmp_path / "ledger.txt"
    with _slow_worker(suite, ada, ledger, tmp_path) as first:
        await served(ada, "slow")
        execution = await ada.start((await ada.publish(document("slow"))).reference, "hold")
        await _lines(ledger, 1)
        with _slow_worker(suite, ada, ledger, tmp_path) as second:
            await served(ada, "slow", 2)
            first.kill()
            await _lines(ledger, 2)
            (tmp_path / "go").touch()
            ended = await ada.wait(execution.id, timeout=60)
            second.send_signal(signal.SIGTERM)
            assert second.wait(STOP_DEADLINE) == 0

    one, two = ledger.read_text().splitlines()
    assert ended.status == "completed"
    assert ended.output == second.pid
    assert one.split()[:2] == [str(first.pid), f"{execution.id}:/do/0/first"]
    assert two.split()[:2] == [str(second.pid), f"{execution.id}:/do/0/first"]
    ends = [event async for event in ada.history(execution.id) if not event.task]
    assert sum(event.type.endswith("workflow.completed.v1") for event in ends) == 1


_SLOW = """
import asyncio, os, pathlib, sys
from autoworker.worker import Worker
ledger, go = pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2])
worker = Worker(os.environ["URL"], email=os.environ["EMAIL"], password=os.environ["PASSWORD"])
@worker.function("slow")
async def slow(arguments, context):
    with ledger.open("a") as file:
        file.write(f"{os.getpid()} {context.idempotency_key} {context.attempt}\\n")
    while not go.exists():
        await asyncio.sleep(0.02)
    return os.getpid()
asyncio.run(worker.run())
"""


@contextmanager
def _slow_worker(
    suite: Suite, ada: Person, ledger: Path, folder: Path
) -> Iterator[subprocess.Popen[bytes]]:
    variables = environment(folder, URL=suite.url, EMAIL=ada.email, PASSWORD=PASSWORD)
    with _running(
        [sys.executable, "-c", _SLOW, str(ledger), str(folder / "go")], variables
    ) as process:
        yield process


@contextmanager
def _running(
    command: list[str], variables: dict[str, str], folder: Path = ROOT
) -> Iterator[subprocess.Popen[bytes]]:
    process = subprocess.Popen(command, env=variables, cwd=folder)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.kill()
        process.wait(STOP_DEADLINE)


async def _lines(file: Path, count: int) -> None:
    def written() -> bool:
        return file.exists() and len(file.read_text().splitlines()) >= count

    async def attempt() -> bool:
        return written()

    await eventually(attempt, f"{count} lines in the ledger")


async def test_the_python_example_serves_everybody_as_administrator(
    ada: Person, suite: Suite, tmp_path: Path
) -> None:
    with _example([sys.executable, "examples/worker.py"], suite, tmp_path, ROOT):
        await served(ada, "resize")
        execution = await ada.start(
            (await ada.publish(document("resize:1.0.0"))).reference, SIZE, wait=20
        )

    assert execution.output == HALF


async def test_the_node_example_serves_everybody_as_administrator(
    ada: Person, suite: Suite, tmp_path: Path
) -> None:
    node, npm = shutil.which("node"), shutil.which("npm")
    if node is None or npm is None:
        pytest.skip("node and npm are not on this machine")
    folder = tmp_path / "repository" / "examples" / "worker-node"
    source = ROOT / "examples" / "worker-node"
    shutil.copytree(source, folder, ignore=shutil.ignore_patterns("node_modules"))
    shutil.copytree(ROOT / "protos", tmp_path / "repository" / "protos")
    installed = await asyncio.to_thread(
        subprocess.run,
        [npm, "ci", "--no-audit", "--no-fund", "--loglevel=error"],
        cwd=folder,
        capture_output=True,
        check=False,
        timeout=100,
    )
    if installed.returncode != 0 and not os.environ.get("REQUIRE_SERVERS"):
        pytest.skip("its packages cannot be installed here")
    assert installed.returncode == 0, installed.stderr.decode()
    with _example([node, "index.js"], suite, tmp_path, folder) as process:
        await served(ada, "resize")
        execution = await ada.start(
            (await ada.publish(document("resize:1.0.0"))).reference, SIZE, wait=20
        )
        process.send_signal(signal.SIGTERM)
        assert process.wait(STOP_DEADLINE) == 0

    assert execution.output == HALF


@contextmanager
def _example(
    command: list[str], suite: Suite, folder: Path, where: Path
) -> Iterator[subprocess.Popen[bytes]]:
    administrator = suite.administrator
    variables = environment(
        folder,
        AUTOWORKER_URL=suite.url,
        AUTOWORKER_EMAIL=administrator.email,
        AUTOWORKER_PASSWORD=administrator.password,
    )
    with _running(command, variables, where) as process:
        yield process


async def test_an_operator_serves_a_function_in_the_suites_own_process(tmp_path: Path) -> None:
    (tmp_path / "own_functions.py").write_text(
        "from autoworker.functions import function\n"
        "@function('greet', version='2.0.0', input={'type': 'string'})\n"
        "async def greet(arguments, context):\n"
        "    return f'Hello, {arguments}!'\n"
    )
    path = f"{ROOT}{os.pathsep}{tmp_path}"
    with started(tmp_path, AUTOWORKER_FUNCTIONS="own_functions:greet", PYTHONPATH=path) as suite:
        known = suite.administrator
        async with Client(suite.url, email=known.email, password=known.password) as client:
            definition = await client.publish(document("greet"))
            execution = await client.start(definition.reference, "Ada", wait=20)
            listed = [each async for each in client.functions()]

    assert execution.output == "Hello, Ada!"
    assert [(each.name, each.version, each.kind) for each in listed] == [
        ("greet", "2.0.0", "in-process")
    ]


async def test_a_worker_comes_back_after_the_suite_was_killed_and_ends_what_was_accepted(
    tmp_path: Path,
) -> None:
    port = str(free_port())
    with started(tmp_path, AUTOWORKER_HTTP_PORT=port) as suite:
        known, url = suite.administrator, suite.url
        worker = Worker(url, email=known.email, password=known.password)
        hold, keys = asyncio.Event(), list[str]()

        @worker.function("hold")
        async def held(arguments: int, context: Context) -> int:
            keys.append(context.idempotency_key)
            await hold.wait()
            return arguments

        serving = asyncio.ensure_future(worker.run(signals=False))
        async with Client(url, email=known.email, password=known.password) as client:
            await served(client, "hold")
            execution = await client.start((await client.publish(document("hold"))).reference, 7)
            await eventually(_async(lambda: len(keys) == 1), "the first call")
        suite.kill()
    with started(tmp_path, AUTOWORKER_HTTP_PORT=port):
        await eventually(_async(lambda: len(keys) == 2), "the second call", 40.0)
        hold.set()
        async with Client(url, email=known.email, password=known.password) as client:
            ended = await client.wait(execution.id, timeout=60)
        worker.stop()
        await asyncio.wait_for(serving, 20)

    assert (ended.status, ended.output) == ("completed", 7)
    assert keys == [f"{execution.id}:/do/0/first"] * 2


def _async(check: Callable[[], bool]) -> Callable[[], Awaitable[bool]]:
    async def attempt() -> bool:
        return check()

    return attempt
