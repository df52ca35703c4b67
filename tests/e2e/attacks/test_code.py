"""Attack 19: workflows that run code, while that is off and while it is on."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from autoworker import Execution, InvalidRequest
from autoworker.model import JsonValue
from tests.support.gateway_client import Person, in_phase, signed_up
from tests.support.sandbox import need
from tests.support.suite import Suite, started, until

CANARY = "canary-7be1-of-the-environment"
SHELL: JsonValue = {"shell": {"command": "echo hello"}}
SCRIPT: JsonValue = {"script": {"language": "python", "code": "print('hello')"}}
CONTAINER: JsonValue = {"container": {"image": "alpine"}}


@pytest.fixture(scope="module")
def off(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite as it comes."""
    with started(tmp_path_factory.mktemp("off")) as running:
        yield running


@pytest.fixture(scope="module")
def on(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite that runs shell lines, in a sandbox, and has something to steal."""
    need("bwrap")
    with started(
        tmp_path_factory.mktemp("on"),
        CANARY=CANARY,
        AUTOWORKER_RUN="shell",
        AUTOWORKER_RUN_PROCESSES="32",
        AUTOWORKER_AUTH_RATE_LIMIT="100000/60",
    ) as running:
        yield running


@pytest.fixture
async def ada(on: Suite) -> AsyncIterator[Person]:
    """Somebody whose workflows may run shell lines."""
    async with signed_up(on.url) as person:
        yield person


def document(name: str, run: JsonValue) -> dict[str, JsonValue]:
    head: JsonValue = {"dsl": "1.0.3", "namespace": "attacks", "name": name, "version": "1.0.0"}
    return {"document": head, "do": [{"attack": {"run": run}}]}


async def ran(person: Person, name: str, line: str, *arguments: str) -> Execution:
    """What became of a shell line; its output is code, stdout and stderr."""
    shell: JsonValue = {"command": line, "arguments": list(arguments)}
    published = await person.publish(document(name, {"shell": shell, "return": "all"}))
    execution = await person.start(published.reference)
    return await in_phase(person, execution.id, "completed", "faulted")


def result(execution: Execution) -> dict[str, JsonValue]:
    assert isinstance(execution.output, dict), execution.error
    return execution.output


@pytest.mark.parametrize(
    ("kind", "run"), [("shell", SHELL), ("script", SCRIPT), ("container", CONTAINER)]
)
async def test_code_is_refused_while_it_is_off(off: Suite, kind: str, run: JsonValue) -> None:
    async with signed_up(off.url, f"{kind}") as person:
        with pytest.raises(InvalidRequest) as refused:
            await person.publish(document(f"off-{kind}", run))

    (detail,) = refused.value.details
    assert detail.field == f"/do/0/attack/run/{kind}"
    assert detail.message.startswith("feature_disabled: ")
    assert f"AUTOWORKER_RUN={kind}" in detail.message


async def test_a_kind_that_is_on_turns_on_no_other(ada: Person) -> None:
    assert result(await ran(ada, "hello", 'echo "hello $1"', "Ada"))["stdout"] == "hello Ada\n"

    with pytest.raises(InvalidRequest, match="AUTOWORKER_RUN=script"):
        await ada.publish(document("script", SCRIPT))


async def test_nothing_of_the_service_is_seen(ada: Person, on: Suite) -> None:
    looking = 'env; cat "$1"/* "$1"/keys/* /proc/*/environ 2>/dev/null; ls "$1" || echo gone'

    seen = str(result(await ran(ada, "looking", looking, str(on.folder / "data")))["stdout"])

    assert "PATH=" in seen
    assert "gone" in seen
    assert CANARY not in seen
    assert "AUTOWORKER_DATA_DIR" not in seen


async def test_the_suites_own_doors_are_not_reached(ada: Person, on: Suite) -> None:
    port = on.url.rpartition(":")[2]
    knock = (
        "python3 -c \"import socket,sys; socket.create_connection(('127.0.0.1', int(sys.argv[1])), 2);"
        ' print(\'reached\')" "$1" || echo refused'
    )

    assert result(await ran(ada, "knocking", knock, port))["stdout"] == "refused\n"


async def test_a_fork_bomb_hurts_nobody_else(ada: Person) -> None:
    bomb = await ran(ada, "bomb", "b() { b | b & }; b; sleep 0.5; exit 9")

    assert bomb.status == "completed"
    assert result(await ran(ada, "neighbour", "echo well"))["stdout"] == "well\n"


async def test_nothing_is_left_on_the_machine(ada: Person) -> None:
    marks = await ran(
        ada, "marking", "touch /tmp/a-mark-of-attack-19 /usr/a-mark-of-attack-19; ls /tmp"
    )

    assert "a-mark-of-attack-19" in str(result(marks)["stdout"])  # in a /tmp of its own
    assert not os.path.exists("/tmp/a-mark-of-attack-19")  # noqa: ASYNC240, S108 - a moment
    assert not os.path.exists("/usr/a-mark-of-attack-19")  # noqa: ASYNC240 - a moment


async def test_cancelling_kills(ada: Person) -> None:
    published = await ada.publish(
        document("sleeper", {"shell": {"command": "sleep 4711.125 & sleep 4711.125"}})
    )
    execution = await ada.start(published.reference)
    until(lambda: sleepers("4711.125") or None, "the process")

    await ada.cancel(execution.id, "enough")

    until(lambda: None if sleepers("4711.125") else True, "its end")


async def test_nothing_outlives_the_suite(tmp_path: Path) -> None:
    need("bwrap")
    with started(tmp_path, AUTOWORKER_RUN="shell") as suite:
        async with signed_up(suite.url) as person:
            line = "setsid sleep 4711.25 & sleep 4711.25"
            published = await person.publish(document("outliving", {"shell": {"command": line}}))
            _ = await person.start(published.reference)
            until(lambda: sleepers("4711.25") or None, "the process")

            suite.kill()

            until(lambda: None if sleepers("4711.25") else True, "its end")


def sleepers(seconds: str) -> list[str]:
    """The processes of this machine that sleep so long."""
    found = []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            arguments = (folder / "cmdline").read_bytes().split(b"\0")
        except OSError:
            continue
        if arguments[:2] == [b"sleep", seconds.encode()]:
            found.append(folder.name)
    return found
