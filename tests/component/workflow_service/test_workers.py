"""Workers serve functions: real streams, every message by hand."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import grpc
import msgspec
import pytest

from chassis.errors import Invalid, PermissionDenied
from protos.worker.v1 import worker_pb2 as pb
from protos.workflow.v1 import workflow_pb2
from tests.component.workflow_service.workers import (
    RESIZE,
    Played,
    connected,
    functions_of,
    somebody,
    token_of,
)
from tests.component.workflow_service.world import User, World, world
from tests.support.time import eventually


@pytest.fixture
async def suite(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as opened:
        yield opened


@pytest.fixture
def ada(suite: World) -> User:
    return somebody(suite)


async def declared(suite: World, user: User, document: str = RESIZE) -> None:
    """Publish a document that calls ``resize``, which somebody has served once."""
    async with connected(suite, user, "first"):
        await user.publish(document)


async def ended(user: User, execution: str) -> workflow_pb2.Execution:
    """The execution once it has ended."""
    found = await user.get(execution)

    async def over() -> bool:
        nonlocal found
        found = await user.get(execution)
        return found.status in {"completed", "faulted", "cancelled"}

    await eventually(over)
    return found


def error_of(execution: workflow_pb2.Execution) -> dict[str, Any]:
    """What it faulted with."""
    error: dict[str, Any] = msgspec.json.decode(execution.error)
    return error


async def test_a_function_that_nobody_ever_served_is_refused_and_it_says_how_to_serve_it(
    ada: User,
) -> None:
    with pytest.raises(Invalid) as refused:
        await ada.publish(RESIZE)

    assert [problem.field for problem in refused.value.details] == ["/do/0/shrink/call"]
    assert "AUTOWORKER_FUNCTIONS" in refused.value.details[0].message


async def test_a_worker_gets_the_arguments_and_its_answer_is_the_output(
    suite: World, ada: User
) -> None:
    async with connected(suite, ada) as worker:
        await ada.publish(RESIZE)
        execution = await ada.start("resize", {"width": 640})
        task = await worker.task()
        worker.complete(task, {"width": 320})
        over = await ended(ada, execution.id)

    assert (task.function, task.version, task.arguments) == ("resize", "1.0.0", b'{"width":640}')
    assert task.idempotency_key == f"{execution.id}:/do/0/shrink"
    assert (task.execution, task.task, task.attempt) == (execution.id, "/do/0/shrink", 1)
    assert (over.status, over.output) == ("completed", b'{"width":320}')


async def test_without_a_worker_it_waits_explains_and_goes_on_when_one_comes(
    suite: World, ada: User
) -> None:
    await declared(suite, ada)
    execution = await ada.start("resize", {"width": 4})

    async def waits() -> bool:
        return (
            "waits for a worker that serves resize:1.0.0"
            in (await ada.explain(execution.id)).summary
        )

    await eventually(waits)
    async with connected(suite, ada) as worker:
        worker.complete(await worker.task(), 2)
        assert (await ended(ada, execution.id)).output == b"2"


async def test_waiting_for_a_worker_ends_at_the_tasks_time_limit(suite: World, ada: User) -> None:
    limited = RESIZE.replace("call:", "timeout: {after: {milliseconds: 100}}\n      call:")
    await declared(suite, ada, limited)

    execution = await ada.start("resize", {"width": 4}, wait=10)

    assert error_of(execution)["type"].endswith("/timeout")


async def test_two_workers_share_the_load(suite: World, ada: User) -> None:
    async with connected(suite, ada, "w1") as one, connected(suite, ada, "w2") as two:
        await ada.publish(RESIZE)
        started = [await ada.start("resize", {"width": n}) for n in range(4)]
        first = [await one.task(), await one.task()]
        second = [await two.task(), await two.task()]
        for worker, tasks in ((one, first), (two, second)):
            for task in tasks:
                worker.complete(task)

        assert {task.execution for task in (*first, *second)} == {each.id for each in started}
        assert [(await ended(ada, each.id)).status for each in started] == ["completed"] * 4


async def test_a_worker_has_no_more_tasks_than_it_takes_and_higher_priorities_come_first(
    suite: World, ada: User
) -> None:
    async with connected(suite, ada, concurrency=1) as worker:
        await ada.publish(RESIZE)
        await ada.start("resize", {"width": 0})
        first = await worker.task()
        for priority in (1, 9, 5):
            await ada.start("resize", {"width": priority}, priority=priority)
        # Given more than one, it would read them in the order in which they were started.
        order = []
        task = first
        for _ in range(3):
            worker.complete(task)
            task = await worker.task()
            order.append(msgspec.json.decode(task.arguments)["width"])

    assert order == [9, 5, 1]


async def test_the_task_of_a_worker_that_breaks_off_goes_to_another_with_the_same_key(
    suite: World, ada: User
) -> None:
    async with connected(suite, ada, "w1") as one:
        await ada.publish(RESIZE)
        execution = await ada.start("resize", {"width": 8})
        lost = await one.task()
        async with connected(suite, ada, "w2") as two:
            one.leave()
            again = await two.task()
            two.complete(again, "two")
            over = await ended(ada, execution.id)

    assert again.id != lost.id
    assert (again.idempotency_key, again.attempt) == (lost.idempotency_key, 2)
    assert over.output == b'"two"'


async def test_a_silent_worker_loses_its_task_and_its_late_answer_does_not_count(
    tmp_path: Path,
) -> None:
    async with world(tmp_path, AUTOWORKER_WORKER_HEARTBEAT_TIMEOUT="2.0") as suite:
        ada = somebody(suite)
        async with connected(suite, ada, "silent") as silent:
            with beating(silent):
                await ada.publish(RESIZE)
                execution = await ada.start("resize", {"width": 8})
                task = await silent.task()
            async with connected(suite, ada, "lively") as lively:
                with beating(lively):
                    again = await lively.task()
                    silent.complete(task, "late")
                    lively.complete(again, "in time")
                    over = await ended(ada, execution.id)
            with pytest.raises(grpc.aio.AioRpcError, match="silent for too long"):
                await silent.read()

    assert over.output == b'"in time"'


@contextmanager
def beating(worker: Played) -> Iterator[None]:
    """Inside, *worker* is alive."""
    beats = asyncio.ensure_future(_beat(worker))
    try:
        yield
    finally:
        _ = beats.cancel()


async def _beat(worker: Played) -> None:
    while True:
        worker.beat()
        await asyncio.sleep(0.1)


async def test_answers_to_tasks_that_were_never_given_change_nothing(
    suite: World, ada: User
) -> None:
    async with connected(suite, ada, "w1") as one, connected(suite, ada, "w2") as two:
        await ada.publish(RESIZE)
        execution = await ada.start("resize", {"width": 8})
        task = await one.task()
        two.complete(task, "stolen")
        two.fail(task, title="stolen")
        two.complete(pb.Task(id="unknown"), "made up")
        one.complete(task, "mine")

        assert (await ended(ada, execution.id)).output == b'"mine"'


async def test_a_worker_that_drains_gets_nothing_new_and_finishes(suite: World, ada: User) -> None:
    async with connected(suite, ada, "w1") as one:
        await ada.publish(RESIZE)
        execution = await ada.start("resize", {"width": 8})
        task = await one.task()
        one.say(goodbye=pb.Goodbye())
        waiting = await ada.start("resize", {"width": 9})
        async with connected(suite, ada, "w2") as two:
            other = await two.task()
            one.complete(task, "finished")

            assert other.execution == waiting.id
            assert await one.read() is None
            assert (await ended(ada, execution.id)).output == b'"finished"'


async def test_cancelling_an_execution_reaches_the_worker(suite: World, ada: User) -> None:
    async with connected(suite, ada, concurrency=1) as worker:
        await ada.publish(RESIZE)
        execution = await ada.start("resize", {"width": 8})
        task = await worker.task()
        await ada.cancel(execution.id)
        answer = await worker.read()

        assert answer is not None
        assert answer.cancel.task_id == task.id
        worker.fail(task, title="Cancelled")
        await ada.start("resize", {"width": 9})
        assert (await worker.task()).arguments == b'{"width":9}'


async def test_arguments_and_outputs_are_held_to_the_declared_schemas(
    suite: World, ada: User
) -> None:
    schemas: dict[str, Any] = {
        "input_schema": {"properties": {"width": {"type": "integer"}}},
        "output_schema": {"type": "string"},
    }
    async with connected(suite, ada, **schemas) as worker:
        await ada.publish(RESIZE)
        refused = await ada.start("resize", {"width": "wide"}, wait=10)
        execution = await ada.start("resize", {"width": 1})
        worker.complete(await worker.task(), 1)
        over = await ended(ada, execution.id)

    assert error_of(refused)["type"].endswith("/validation")
    assert "arguments" in error_of(refused)["detail"]
    assert "/width" in error_of(refused)["detail"]
    assert error_of(over)["type"].endswith("/validation")
    assert "output" in error_of(over)["detail"]


async def test_a_failure_becomes_the_error_that_the_workflow_sees(suite: World, ada: User) -> None:
    async with connected(suite, ada) as worker:
        await ada.publish(RESIZE)
        execution = await ada.start("resize", {"width": 1})
        task = await worker.task()
        kind = "https://example.com/too-small"
        worker.fail(task, type=kind, status=422, title="Too small", detail="1 pixel")
        error = error_of(await ended(ada, execution.id))

    assert error == {
        "type": kind,
        "status": 422,
        "title": "Too small",
        "detail": "1 pixel",
        "instance": "/do/0/shrink",
    }


async def test_a_task_that_keeps_losing_its_workers_fails(suite: World, ada: User) -> None:
    await declared(suite, ada)
    execution = await ada.start("resize", {"width": 1})
    for number in range(6):
        async with connected(suite, ada, f"w{number}") as worker:
            await worker.task()
            worker.leave()

    assert "6 workers were lost" in error_of(await ended(ada, execution.id))["detail"]


async def test_a_worker_that_connects_again_replaces_its_former_self(
    suite: World, ada: User
) -> None:
    async with connected(suite, ada, "same") as former:
        await ada.publish(RESIZE)
        await ada.start("resize", {"width": 1})
        task = await former.task()
        async with connected(suite, ada, "same") as latter:
            again = await latter.task()
            with pytest.raises(grpc.aio.AioRpcError, match="connected again"):
                await former.read()

    assert again.idempotency_key == task.idempotency_key


# ------------------------------------------------------------------ who may


async def test_workers_of_a_user_serve_that_user_alone(suite: World, ada: User) -> None:
    eve = somebody(suite, "eve")
    async with connected(suite, eve, "eves"), connected(suite, ada, "adas") as adas:
        await ada.publish(RESIZE)
        execution = await ada.start("resize", {"width": 1})

        assert (await adas.task()).execution == execution.id


async def test_functions_of_another_user_or_tenant_cannot_be_called_nor_seen(
    suite: World, ada: User
) -> None:
    eve, far = somebody(suite, "eve"), somebody(suite, "ada", "workers:serve-all", tenant="far")
    async with connected(suite, eve), connected(suite, far):
        with pytest.raises(Invalid):
            await ada.publish(RESIZE)
        assert list((await functions_of(ada)).functions) == []


async def test_workers_of_an_administrator_serve_everybody_of_the_tenant(
    suite: World, ada: User
) -> None:
    root = somebody(suite, "root", "workers:serve-all")
    async with connected(suite, root) as worker:
        await ada.publish(RESIZE)
        execution = await ada.start("resize", {"width": 1})
        worker.complete(await worker.task())

        assert (await ended(ada, execution.id)).status == "completed"


async def test_forged_foreign_and_missing_tokens_are_refused(suite: World, ada: User) -> None:
    token = await token_of(ada)
    head, body, signature = token.split(".")
    flipped = f"{head}.{body}.{'A' * 85}A"
    for bad in (ada.token, flipped, f"{head}.{body[:-2]}AA.{signature}", "", "x.y.z"):
        with pytest.raises(grpc.aio.AioRpcError) as refused:
            async with connected(suite, ada, token=bad):
                pass
        assert refused.value.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_a_worker_token_opens_no_other_door(suite: World, ada: User) -> None:
    worker = User(ada.client, await token_of(ada))
    with pytest.raises(Exception, match="token is not valid"):
        await worker.list()


async def test_without_the_permission_there_is_no_token(suite: World) -> None:
    with pytest.raises(PermissionDenied):
        await token_of(suite.user("eve"))


async def test_a_fresh_token_of_somebody_else_ends_the_connection(suite: World, ada: User) -> None:
    async with connected(suite, ada) as worker:
        worker.beat(await token_of(somebody(suite, "eve")))
        with pytest.raises(grpc.aio.AioRpcError, match="somebody else"):
            await worker.read()


async def test_wrong_declarations_are_refused_with_every_problem(suite: World, ada: User) -> None:
    with pytest.raises(grpc.aio.AioRpcError) as refused:
        async with connected(
            suite, ada, function="re size", version="1", concurrency=0, input_schema={"type": 1}
        ):
            pass

    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


# ------------------------------------------------------------------ lists


async def test_functions_are_listed_with_their_workers_and_stay_when_these_leave(
    suite: World, ada: User
) -> None:
    schema = {"type": "object"}
    async with (
        connected(suite, ada, "w1", function="a"),
        connected(suite, ada, "w2", function="b", version="2.0.0", input_schema=schema),
        connected(suite, ada, "w3", function="b", version="2.0.0", input_schema=schema),
    ):
        first = await functions_of(ada, limit=1)
        second = await functions_of(ada, limit=1, cursor=first.next_cursor)

    def shown(page: pb.ListFunctionsResponse) -> list[tuple[str, str, str, int]]:
        return [(f.name, f.version, f.kind, f.connected_workers) for f in page.functions]

    assert shown(first) == [("a", "1.0.0", "worker", 1)]
    assert shown(second) == [("b", "2.0.0", "worker", 2)]
    assert second.functions[0].input_schema == b'{"type":"object"}'
    assert second.next_cursor == ""

    async def alone() -> bool:
        page = await functions_of(ada)
        return [f.connected_workers for f in page.functions] == [0, 0]

    await eventually(alone)
