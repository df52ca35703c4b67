"""Functions of the operator: found, called, and held to what they declare."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from tests.unit.workflow_service.functions import served
from workflow_service.adapters.functions.loading import FunctionUnusable, Loaded, load
from workflow_service.adapters.functions.running import LocalFunctions
from workflow_service.domain.execution.effects import (
    Effect,
    Failed,
    FunctionCall,
    Outcome,
    Succeeded,
)
from workflow_service.domain.execution.problem import Problem
from workflow_service.domain.expressions import JsonValue

PLACE = "tests.unit.workflow_service.functions.served"


@pytest.fixture
def functions() -> Iterator[LocalFunctions]:
    made = LocalFunctions(load([f"{PLACE}:every"]), at_once=2, threads=1)
    yield made
    made.close()


async def call(
    functions: LocalFunctions, name: str, arguments: JsonValue = None, version: str = "1.0.0"
) -> Outcome:
    """Call one."""
    wanted = FunctionCall(name=name, arguments=arguments, tenant="t", owner="ada", task="/do/0/a")
    return await functions.perform("e1", Effect(1, "e1:/do/0/a", wanted), wanted, version)


async def problem(functions: LocalFunctions, name: str, arguments: JsonValue = None) -> Problem:
    """Call one that fails."""
    outcome = await call(functions, name, arguments)
    assert isinstance(outcome, Failed)
    return outcome.problem


def names(loaded: list[Loaded]) -> list[str]:
    """Name and version of each."""
    return [f"{each.function.name}:{each.function.version}" for each in loaded]


def test_a_setting_may_name_one_function_or_a_list_of_them() -> None:
    assert names(load([f"{PLACE}:double"])) == ["double:1.0.0"]
    assert names(load([f"{PLACE}:every", f"{PLACE}:double"]))[:2] == [
        "double:1.0.0",
        "double:2.0.0",
    ]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("served", "module:attribute"),
        ("no_such_module:f", "cannot be loaded"),
        (f"{PLACE}:missing", "cannot be loaded"),
        (f"{PLACE}:plain", "@function"),
        (f"{PLACE}:unnameable", "two words"),
        (f"{PLACE}:unschematic", "schema"),
    ],
)
def test_what_cannot_be_served_is_refused_by_name(name: str, said: str) -> None:
    with pytest.raises(FunctionUnusable, match=said) as refused:
        load([name])
    assert name.split(":")[0] in str(refused.value)


async def test_an_async_function_is_called_with_the_arguments(functions: LocalFunctions) -> None:
    assert await call(functions, "double", 21) == Succeeded(42)


async def test_any_other_function_runs_in_a_thread_and_is_told_of_its_call(
    functions: LocalFunctions,
) -> None:
    assert await call(functions, "double", 1, "2.0.0") == Succeeded(
        [1, "e1", "/do/0/a", "e1:/do/0/a", "t"]
    )


async def test_arguments_and_output_are_held_to_their_schemas(functions: LocalFunctions) -> None:
    arguments = await problem(functions, "double", "many")
    output = await problem(functions, "double", -1)

    assert arguments.type.endswith("/validation")
    assert "the function's arguments" in str(arguments.detail)
    assert output.type.endswith("/validation")
    assert "the function's output" in str(output.detail)


async def test_a_failure_says_what_its_author_means(functions: LocalFunctions) -> None:
    found = await problem(functions, "refuse")

    assert (found.status, found.title, found.detail) == (503, "Try later", "the moon is full")
    assert found.type.endswith("/runtime")


@pytest.mark.parametrize("name", ["break", "strange"])
async def test_any_other_failure_says_nothing_of_the_inside(
    functions: LocalFunctions, name: str
) -> None:
    found = await problem(functions, name)

    assert (found.type.rsplit("/", 1)[1], found.status) == ("runtime", 500)
    assert "secret" not in str(found)


async def test_giving_the_call_up_cancels_the_function(functions: LocalFunctions) -> None:
    served.begun.clear()
    served.stopped.clear()
    calling = asyncio.ensure_future(call(functions, "hang"))
    await served.begun.wait()
    calling.cancel()

    with pytest.raises(asyncio.CancelledError):
        await calling
    assert served.stopped.is_set()
