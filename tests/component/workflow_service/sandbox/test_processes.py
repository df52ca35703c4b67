"""Shell lines and scripts as their runner runs them."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from chassis.lifecycle import Supervisor
from tests.support.sandbox import need, sandbox
from tests.support.time import eventually
from workflow_service.adapters.processes.commands import Commands
from workflow_service.adapters.processes.effects import ProcessEffects
from workflow_service.adapters.processes.sandboxed import SandboxedProcesses
from workflow_service.adapters.sandbox import SandboxLimits, javascript, python
from workflow_service.application.resource_ports import Fetched, ResourceFailed
from workflow_service.domain.definition.processes import Language, Returns
from workflow_service.domain.execution.effects import (
    Call,
    Effect,
    Failed,
    Outcome,
    Resource,
    ScriptCall,
    ShellCall,
    Succeeded,
)
from workflow_service.domain.execution.problem import ERRORS, Problem, configuration

_LIMITS = SandboxLimits(seconds=10, output=4096)


class Elsewhere:
    """Scripts that stand elsewhere."""

    async def fetch(self, resource: Resource, *, tenant: str) -> Fetched:
        if resource.uri != "https://scripts.test/hello.py":
            raise ResourceFailed(configuration("not there"))
        return Fetched(b"print('from elsewhere')", "text/x-python", resource.uri, "sha256:0")


@pytest.fixture
async def runner() -> AsyncIterator[ProcessEffects]:
    cage = await sandbox(_LIMITS)
    found = {"python": await python(cage), "js": await javascript(cage)}
    languages: tuple[Language, ...] = ("js", "python")
    interpreters = {each: known for each in languages if (known := found[each])}
    inside = SandboxedProcesses(cage, Commands(interpreters, Elsewhere()))
    async with Supervisor() as supervisor:
        yield ProcessEffects({"shell": inside, "script": inside}, at_once=2, supervisor=supervisor)


async def outcome(runner: ProcessEffects, call: Call) -> Outcome:
    return await runner.perform("e1", Effect(1, "e1:/do/0/x", call))


async def output(runner: ProcessEffects, call: Call) -> object:
    found = await outcome(runner, call)
    assert isinstance(found, Succeeded), found
    return found.output


async def problem(runner: ProcessEffects, call: Call) -> Problem:
    found = await outcome(runner, call)
    assert isinstance(found, Failed), found
    return found.problem


async def test_a_line_gets_its_input_and_arguments(runner: ProcessEffects) -> None:
    line = 'input=$(cat)\necho "STDIN was: $input"\necho "ARGS are $1 $2"\n'

    said = await output(
        runner, ShellCall(command=line, stdin="Hello World", arguments=["Foo", "B a; r"])
    )

    assert said == "STDIN was: Hello World\nARGS are Foo B a; r\n"


async def test_an_argument_is_never_a_command(runner: ProcessEffects) -> None:
    said = await output(runner, ShellCall(command='echo "$1"', arguments=["$(id); `id`; --x"]))

    assert said == "$(id); `id`; --x\n"


async def test_it_sees_its_variables_and_the_key_of_its_effect(runner: ProcessEffects) -> None:
    line = 'echo "$GREETING $AUTOWORKER_IDEMPOTENCY_KEY"'

    said = await output(runner, ShellCall(command=line, environment={"GREETING": "hi"}))

    assert said == "hi e1:/do/0/x\n"


@pytest.mark.parametrize(
    ("returns", "expected"),
    [
        ("stdout", "out\n"),
        ("stderr", "err\n"),
        ("code", 0),
        ("all", {"code": 0, "stdout": "out\n", "stderr": "err\n"}),
        ("none", None),
    ],
)
async def test_the_output_is_what_was_asked_for(
    runner: ProcessEffects, returns: Returns, expected: object
) -> None:
    assert (
        await output(runner, ShellCall(command="echo out; echo err >&2", returns=returns))
        == expected
    )


async def test_another_exit_code_is_output_for_those_who_look_at_it(runner: ProcessEffects) -> None:
    failing = "echo out; echo broken >&2; exit 3"

    assert await output(runner, ShellCall(command=failing, returns="code")) == 3
    assert await output(runner, ShellCall(command=failing, returns="all")) == {
        "code": 3,
        "stdout": "out\n",
        "stderr": "broken\n",
    }


@pytest.mark.parametrize("returns", ["stdout", "stderr", "none"])
async def test_another_exit_code_faults_the_others(
    runner: ProcessEffects, returns: Returns
) -> None:
    found = await problem(runner, ShellCall(command="echo broken >&2; exit 3", returns=returns))

    assert (found.type, found.status) == (ERRORS + "runtime", 500)
    assert found.detail == "the process ended with exit code 3: broken"


async def test_a_script_in_python(runner: ProcessEffects) -> None:
    code = "import sys, os\nprint(sys.argv[1:], sys.stdin.read(), os.environ['X'])"

    said = await output(
        runner,
        ScriptCall(
            language="python", code=code, arguments=["a", "b"], stdin="in", environment={"X": "y"}
        ),
    )

    assert said == "['a', 'b'] in y\n"


async def test_a_script_in_javascript(runner: ProcessEffects) -> None:
    need("node")
    code = "const [_, __, arg0, arg1] = process.argv;\nconsole.log(`arg > ${arg0} ${arg1}`)"

    said = await output(runner, ScriptCall(language="js", code=code, arguments=["hello", "world"]))

    assert said == "arg > hello world\n"


async def test_a_script_from_elsewhere(runner: ProcessEffects) -> None:
    there = ScriptCall(language="python", source=Resource("https://scripts.test/hello.py"))
    gone = ScriptCall(language="python", source=Resource("https://scripts.test/gone.py"))

    assert await output(runner, there) == "from elsewhere\n"
    assert (await problem(runner, gone)).detail == "not there"


async def test_a_large_script_is_no_argument(runner: ProcessEffects) -> None:
    code = f"text = '{'x' * 300_000}'\nprint(len(text))"

    assert await output(runner, ScriptCall(language="python", code=code)) == "300000\n"


async def test_limits_are_problems_of_their_own_types(runner: ProcessEffects) -> None:
    flood = await problem(runner, ShellCall(command="yes"))
    impossible = await problem(runner, ShellCall(command="echo", arguments=["a\0b"]))

    assert (flood.type, flood.status) == (ERRORS + "runtime", 500)
    assert "AUTOWORKER_RUN_OUTPUT_BYTES" in (flood.detail or "")
    assert (impossible.type, impossible.status) == (ERRORS + "configuration", 400)
    assert "NUL" in (impossible.detail or "")


async def test_what_takes_too_long_is_a_timeout() -> None:
    cage = await sandbox(SandboxLimits(seconds=0.3))
    inside = SandboxedProcesses(cage, Commands({}, Elsewhere()))
    async with Supervisor() as supervisor:
        runner = ProcessEffects({"shell": inside}, at_once=1, supervisor=supervisor)

        found = await problem(runner, ShellCall(command="sleep 30"))

    assert (found.type, found.status) == (ERRORS + "timeout", 408)


async def test_a_kind_that_was_switched_off_is_a_matter_of_configuration() -> None:
    async with Supervisor() as supervisor:
        runner = ProcessEffects({}, at_once=1, supervisor=supervisor)

        found = await problem(runner, ShellCall(command="echo"))

    assert (found.type, found.status) == (ERRORS + "configuration", 400)
    assert found.detail == (
        "feature_disabled: running shell commands is off here; the operator turns it on with"
        " AUTOWORKER_RUN=shell"
    )


async def test_so_many_run_at_a_time_and_the_others_wait(runner: ProcessEffects) -> None:
    naps = [outcome(runner, ShellCall(command="sleep 0.2")) for _ in range(4)]
    begun = asyncio.get_running_loop().time()

    await asyncio.gather(*naps)

    assert asyncio.get_running_loop().time() - begun >= 0.4


async def test_who_is_not_awaited_has_only_to_begin(runner: ProcessEffects) -> None:
    lasting = ShellCall(command="sleep 30", awaited=False)

    assert await outcome(runner, lasting) == Succeeded(None)
    assert await outcome(runner, lasting) == Succeeded(None)
    third = asyncio.get_running_loop().create_task(outcome(runner, lasting))
    await eventually(lambda: not third.done())

    _ = third.cancel()
