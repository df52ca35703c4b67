"""Containers, run by a stand-in of an engine that keeps what it is told: no engine is needed, and none is proved."""

from __future__ import annotations

import asyncio
import sys
from datetime import UTC, datetime
from pathlib import Path

import msgspec
import pytest

from tests.support.time import eventually
from workflow_service.adapters.processes.containers import Containers
from workflow_service.adapters.processes.engine import ContainerSettings
from workflow_service.adapters.sandbox import CommandTimedOut, Finished, SandboxLimits
from workflow_service.domain.execution.effects import ContainerCall, Effect
from workflow_service.domain.execution.problem import Raised

_ENGINE = """#!{python} -I
import json, os, sys, time
arguments, folder = sys.argv[1:], {folder!r}
told = {{"arguments": arguments, "environment": sorted(os.environ)}}
for each in arguments:
    if each.startswith("--env-file="):
        told["variables"] = open(each.removeprefix("--env-file=")).read()
if "--interactive" in arguments:
    told["stdin"] = sys.stdin.read()
with open(folder + "/told", "a") as log:
    print(json.dumps(told), file=log)
if arguments[0] == "run":
    if "slow" in arguments:
        time.sleep(30)
    if "absent:1" in arguments:
        print("Unable to find image\\ndocker: Error response: no such image.", file=sys.stderr)
        sys.exit(125)
    print("ran")
if arguments[0] == "ps" and "label=io.autoworker.delete-after" in arguments:
    print("old\\nyoung\\nbusy")
if arguments[0] == "inspect":
    def container(id, running, ended, after):
        return {{"Id": id, "State": {{"Running": running, "FinishedAt": ended}},
                 "Config": {{"Labels": {{"io.autoworker.delete-after": after}}}}}}
    print(json.dumps([
        container("old", False, "2026-01-15T11:00:00.123456789Z", "60"),
        container("young", False, "2026-01-15T11:59:30Z", "60"),
        container("busy", True, "0001-01-01T00:00:00Z", "60"),
    ]))
"""


class Engine:
    """A stand-in, and what it was told."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        program = folder / "engine"
        program.write_text(_ENGINE.format(python=sys.executable, folder=str(folder)))
        program.chmod(0o755)
        self.settings = ContainerSettings(
            engine=str(program), environment={"DOCKER_HOST": "unix:///somewhere"}
        )

    def containers(self, seconds: float = 20.0) -> Containers:
        return Containers(self.settings, SandboxLimits(seconds=seconds))

    def told(self, verb: str) -> list[dict[str, object]]:
        path = self._folder / "told"
        lines = path.read_text().splitlines() if path.exists() else []
        told = [msgspec.json.decode(line, type=dict[str, object]) for line in lines]
        return [each for each in told if words(each)[0] == verb]


def words(told: dict[str, object]) -> list[str]:
    found = told["arguments"]
    assert isinstance(found, list)
    return found


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return Engine(tmp_path)


def effect(call: ContainerCall) -> Effect:
    return Effect(4, "e1:/do/0/x", call)


async def test_it_is_run_and_its_variables_do_not_show(engine: Engine) -> None:
    call = ContainerCall(
        image="alpine", name="n", stdin="in", environment={"TOKEN": "hush", "PATH": "/evil"}
    )

    assert await engine.containers().run(call, effect(call)) == Finished(0, b"ran\n", b"")

    (told,) = engine.told("run")
    assert told["stdin"] == "in"
    assert told["variables"] == "AUTOWORKER_IDEMPOTENCY_KEY=e1:/do/0/x\nTOKEN=hush\nPATH=/evil\n"
    assert "hush" not in str(told["arguments"])
    environment = told["environment"]
    assert isinstance(environment, list)
    assert "DOCKER_HOST" in environment
    assert "TOKEN" not in environment


async def test_what_a_repeated_effect_has_left_is_looked_for_first(engine: Engine) -> None:
    call = ContainerCall(image="alpine", name="n")

    await engine.containers().run(call, effect(call))

    (looked,) = engine.told("ps")
    assert "label=io.autoworker.effect=e1:/do/0/x#4" in words(looked)
    assert "io.autoworker.effect=e1:/do/0/x#4" in words(engine.told("run")[0])


async def test_an_engine_that_cannot_run_it_is_an_error(engine: Engine) -> None:
    call = ContainerCall(image="absent:1", name="n")

    with pytest.raises(Raised) as raised:
        await engine.containers().run(call, effect(call))

    assert raised.value.problem.detail == (
        "the container engine could not run it: docker: Error response: no such image."
    )


async def test_one_that_takes_too_long_is_killed(engine: Engine) -> None:
    call = ContainerCall(image="slow", name="n")

    with pytest.raises(CommandTimedOut):
        await engine.containers(seconds=1.0).run(call, effect(call))

    assert [words(each) for each in engine.told("kill")] == [["kill", "n"]]


async def test_a_cancelled_one_is_killed(engine: Engine) -> None:
    call = ContainerCall(image="slow", name="n")
    running = asyncio.get_running_loop().create_task(engine.containers().run(call, effect(call)))
    await eventually(lambda: bool(engine.told("run")), within=20)

    _ = running.cancel()
    with pytest.raises(asyncio.CancelledError):
        await running

    assert [words(each) for each in engine.told("kill")] == [["kill", "n"]]


async def test_what_is_deleted_eventually_is_deleted_when_its_time_has_come(
    engine: Engine,
) -> None:
    await engine.containers().sweep(datetime(2026, 1, 15, 12, tzinfo=UTC))

    assert [words(each)[-1] for each in engine.told("rm")] == ["old"]
