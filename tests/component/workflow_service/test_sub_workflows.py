"""Workflows that run other workflows, through the service."""

from __future__ import annotations

from pathlib import Path

import msgspec

from chassis.clock import SystemClock
from protos.workflow.v1 import workflow_pb2 as pb
from tests.component.workflow_service.test_executions import decoded, ended
from tests.component.workflow_service.workflows import CALL, FAIL, GREET, PAUSE, workflow
from tests.component.workflow_service.world import User, World, world
from tests.support.time import eventually
from workflow_service.adapters.payloads import PayloadCodec
from workflow_service.adapters.sqlite.stores import opened
from workflow_service.application.ports import Commit
from workflow_service.domain.execution.effects import Succeeded
from workflow_service.domain.execution.workflow_events import WorkflowCancelled


def running(name: str, child: str, more: str = "", task: str = "") -> str:
    """A workflow that runs another one of the namespace."""
    ran = f"{{namespace: test, name: {child}, version: latest, input: '${{ . }}'}}"
    return workflow(name, f"  - go: {{run: {{{more}workflow: {ran}}}{task}}}\n")


ASK = running("ask", "call")
ASK_DEEPER = running("deeper", "ask")
ASK_BRIEFLY = running("briefly", "call", task=", timeout: {after: {milliseconds: 50}}")
LEAVE = running("leave", "call", "await: false, ")
BOOKED = workflow(
    "booked",
    """\
  - book:
      set: {booked: true}
      metadata: {compensate: [{undo: {wait: {milliseconds: 2500}}}]}
  - rest: {wait: {hours: 1}}
""",
)
REST = running("rest", "pause")
SELF = running("self", "self")
CROWD = workflow(
    "crowd",
    """\
  - all:
      fork:
        branches:
"""
    + "".join(
        f"        - b{n}: {{run: {{workflow: {{namespace: test, name: greet, input: {{name: b{n}}}}}}}}}\n"
        for n in range(6)
    ),
)
EVERY = (GREET, CALL, FAIL, PAUSE, REST, ASK, ASK_DEEPER, ASK_BRIEFLY, LEAVE, SELF, CROWD)


async def published(suite: World) -> User:
    for definition in EVERY:
        await suite.user("author").publish(definition)
    return suite.user("ada")


async def end_in_the_store(folder: Path, execution: str) -> None:
    """Cancel an execution as a process does that is killed right afterwards."""
    clock, path = SystemClock(), folder / "workflow.db"
    async with opened(
        path, node="gone", clock=clock, wanted=lambda _: False, codec=PayloadCodec()
    ) as stores:
        head = await stores.events.head(execution)
        assert head is not None
        ended_at = clock.now()
        commit = Commit(
            execution=execution,
            expected=head.sequence,
            epoch=head.epoch,
            at=ended_at,
            events=(WorkflowCancelled("never mind", "ada"),),
            summary=msgspec.structs.replace(head.summary, status="cancelled", ended_at=ended_at),
            wake_at=None,
            busy=False,
        )
        await stores.events.append(commit)


async def child_of(user: User, parent: str) -> pb.Execution:
    """Wait for the only child."""
    found: list[pb.Execution] = []

    async def there() -> bool:
        found[:] = (await user.list(parent=parent)).executions
        return bool(found)

    await eventually(there)
    (child,) = found
    return child


async def test_the_output_of_the_child_is_the_output_of_the_task(suite: World) -> None:
    ada = await published(suite)
    suite.callees.outcome = lambda _: Succeeded({"sold": True})
    done = await ada.start("ask", {"n": 1}, wait=5)
    child = await child_of(ada, done.id)

    assert decoded(done.output) == {"sold": True}
    assert (child.status, child.owner, decoded(child.input)) == ("completed", "ada", {"n": 1})
    assert (child.parent.execution_id, child.parent.task) == (done.id, "/do/0/go")
    assert not done.HasField("parent")
    assert (await suite.user("eve").list(parent=done.id)).executions == []


async def test_an_error_of_the_child_faults_the_task(suite: World) -> None:
    ada = await published(suite)
    await suite.user("author").publish(running("trouble", "fail"))
    done = await ada.start("trouble", {"who": "you"}, wait=5)
    error = decoded(done.error)

    assert done.status == "faulted"
    assert (error["title"], error["detail"], error["status"]) == ("Broken", "No, you", 500)
    assert error["instance"] == "/do/0/go"


async def test_a_workflow_that_is_not_there_is_an_error_of_the_task(suite: World) -> None:
    ada = await published(suite)
    await suite.user("author").publish(running("lost", "nowhere"))
    error = decoded((await ada.start("lost", {}, wait=5)).error)

    assert error["type"].endswith("/configuration")
    assert "test/nowhere" in error["detail"]


async def test_without_waiting_the_parent_ends_first_and_the_child_goes_on(suite: World) -> None:
    ada = await published(suite)
    suite.callees.hold()
    done = await ada.start("leave", {"n": 1}, wait=5)
    child = await child_of(ada, done.id)

    assert (done.status, decoded(done.output)) == ("completed", {"n": 1})
    assert child.status == "running"
    suite.callees.release()
    assert (await ended(ada, child.id)).status == "completed"


async def test_the_end_of_a_parent_ends_all_below_it(suite: World) -> None:
    ada = await published(suite)
    suite.callees.hold()
    begun = await ada.start("deeper", {})
    child = await child_of(ada, begun.id)
    grandchild = await child_of(ada, child.id)
    await ada.cancel(begun.id, "never mind")

    assert (await ended(ada, child.id)).status == "cancelled"
    assert (await ended(ada, grandchild.id)).status == "cancelled"


async def test_a_child_that_is_being_undone_is_left_to_it(tmp_path: Path) -> None:
    async with world(tmp_path, AUTOWORKER_RECONCILE_SECONDS="1") as suite:
        ada = await published(suite)
        await suite.user("author").publish(BOOKED)
        await suite.user("author").publish(running("trip", "booked"))
        begun = await ada.start("trip")
        child = await child_of(ada, begun.id)
        await ada.cancel(begun.id)

        assert (await ended(ada, child.id)).status == "cancelled"
        facts = [event.type for event in (await ada.history(child.id)).events]
        assert "io.autoworker.workflow.task-compensated.v1" in facts


async def test_a_timeout_of_the_task_ends_the_child(suite: World) -> None:
    ada = await published(suite)
    suite.callees.hold()
    done = await ada.start("briefly", {}, wait=5)
    child = await child_of(ada, done.id)

    assert decoded(done.error)["type"].endswith("/timeout")
    assert (await ended(ada, child.id)).status == "cancelled"


async def test_a_child_that_was_cancelled_faults_the_task(suite: World) -> None:
    ada = await published(suite)
    suite.callees.hold()
    begun = await ada.start("ask", {})
    await ada.cancel((await child_of(ada, begun.id)).id)
    done = await ended(ada, begun.id)

    assert "was cancelled" in decoded(done.error)["detail"]


async def test_a_workflow_that_runs_itself_is_stopped(tmp_path: Path) -> None:
    async with world(tmp_path, AUTOWORKER_LIMIT_WORKFLOW_DEPTH="4") as suite:
        ada = await published(suite)
        done = await ada.start("self", {}, wait=10)

        assert "limit workflow_depth" in decoded(done.error)["detail"]
        assert len((await ada.list(name="self")).executions) == 5


async def test_children_wait_where_there_is_no_room_for_them(tmp_path: Path) -> None:
    async with world(tmp_path, AUTOWORKER_LIMIT_OPEN_EXECUTIONS="3") as suite:
        ada = await published(suite)
        done = await ended(ada, (await ada.start("crowd", {})).id)

        assert done.status == "completed"
        assert len(decoded(done.output)) == 6


async def test_after_a_restart_the_parent_finds_the_child_that_it_had(tmp_path: Path) -> None:
    async with world(tmp_path) as first:
        ada = await published(first)
        begun = await ada.start("rest")
        child = await child_of(ada, begun.id)
    async with world(tmp_path) as second:
        ada = second.user("ada")
        await eventually(lambda: bool(second.types_heard(begun.id)))  # it was taken up again
        assert (await child_of(ada, begun.id)).id == child.id
        await ada.cancel(child.id)

        assert "was cancelled" in decoded((await ended(ada, begun.id)).error)["detail"]


async def test_a_child_whose_parent_ended_while_nobody_looked_is_ended_by_the_next_process(
    tmp_path: Path,
) -> None:
    async with world(tmp_path) as first:
        ada = await published(first)
        begun = await ada.start("rest", {})
        child = await child_of(ada, begun.id)
    await end_in_the_store(tmp_path, begun.id)
    async with world(tmp_path) as second:
        assert (await ended(second.user("ada"), child.id)).status == "cancelled"
