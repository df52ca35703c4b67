"""What users do with executions, through gRPC."""

from __future__ import annotations

import asyncio
from typing import Any

import msgspec
import pytest
from google.protobuf.timestamp_pb2 import Timestamp

from chassis.errors import Conflict, FieldProblem, Invalid, NotFound, ServiceError
from protos.workflow.v1 import workflow_pb2 as pb
from tests.component.workflow_service.world import User, World
from tests.support.time import eventually
from workflow_service.domain.execution.effects import Effect, Failed, HttpCall, Outcome, Succeeded
from workflow_service.domain.execution.problem import runtime


def decoded(data: bytes) -> Any:
    return msgspec.json.decode(data)


async def ended(user: User, execution: str) -> pb.Execution:
    found = await user.get(execution)

    async def is_over() -> bool:
        nonlocal found
        found = await user.get(execution)
        return found.HasField("ended_at")

    await eventually(is_over)
    return found


async def types(user: User, execution: str) -> list[str]:
    page = await user.history(execution)
    return [event.type.removesuffix(".v1").rpartition(".")[2] for event in page.events]


async def problems(work: Any) -> list[FieldProblem]:
    with pytest.raises(Invalid) as refusal:
        await work
    return list(refusal.value.details)


async def test_a_pure_workflow_ends_within_its_start(ada: User) -> None:
    done = await ada.start("greet", {"name": "Ada"}, wait=5)

    assert done.status == "completed"
    assert decoded(done.output) == {"greeting": "Hello Ada"}
    assert decoded(done.input) == {"name": "Ada"}
    assert (done.owner, done.workflow.version, done.error) == ("ada", "1.0.0", b"")
    assert done.HasField("started_at")
    assert done.HasField("ended_at")
    assert await ada.get(done.id) == done


async def test_integers_stay_what_they_are(suite: World, ada: User) -> None:
    suite.callees.outcome = lambda effect: Succeeded(effect.call.body)  # type: ignore[arg-type, union-attr]

    done = await ada.start("call", {"n": 9007199254740993}, wait=5)

    assert done.output == b'{"n":9007199254740993}'


async def test_a_start_answers_before_a_call_does(suite: World, ada: User) -> None:
    suite.callees.hold()

    begun = await ada.start("call", {"n": 1})
    waited = await ada.start("call", {"n": 2}, wait=0.05)

    assert (begun.status, waited.status) == ("running", "running")
    suite.callees.release()
    assert (await ended(ada, begun.id)).status == "completed"
    assert (await ended(ada, waited.id)).status == "completed"


async def test_the_same_key_starts_once_however_often_it_is_sent(ada: User) -> None:
    found = await asyncio.gather(
        *(ada.start("greet", {"name": "x"}, idempotency_key="k1") for _ in range(20))
    )
    other = await ada.start("greet", {"name": "x"}, idempotency_key="k2")

    assert len({execution.id for execution in found}) == 1
    assert other.id != found[0].id
    with pytest.raises(Conflict):
        await ada.start("greet", {"name": "other"}, idempotency_key="k1")


async def test_a_delayed_start_is_explained(ada: User) -> None:
    later = Timestamp(seconds=2_000_000_000)

    begun = await ada.start("greet", {"name": "x"}, run_at=later)

    assert begun.status == "pending"
    assert begun.run_at == later
    explained = await ada.explain(begun.id)
    assert [(b.kind, b.wakes_at) for b in explained.blockers] == [("schedule", later)]


async def test_a_wait_ends_by_its_timer(ada: User) -> None:
    done = await ada.start("nap", wait=10)

    assert (done.status, decoded(done.output)) == ("completed", {"over": True})


async def test_a_fault_is_shown_as_the_problem_that_it_is(ada: User) -> None:
    done = await ada.start("fail", {"who": "Ada"}, wait=5)

    assert (done.status, done.output) == ("faulted", b"")
    assert decoded(done.error) == {
        "type": "https://x.test/errors/broken",
        "status": 500,
        "title": "Broken",
        "detail": "No, Ada",
        "instance": "/do/0/fail",
    }
    explained = await ada.explain(done.id)
    assert [(b.kind, b.task) for b in explained.blockers] == [("fault", "/do/0/fail")]


async def test_a_waiting_execution_is_explained_suspended_resumed_and_cancelled(ada: User) -> None:
    begun = await ada.start("pause")

    explained = await ada.explain(begun.id)
    assert (explained.status, [b.kind for b in explained.blockers]) == ("waiting", ["timer"])
    assert (await ada.suspend(begun.id, "for lunch")).status == "suspended"
    explained = await ada.explain(begun.id)
    assert explained.blockers[0].kind == "suspension"
    assert "by ada (for lunch)" in explained.summary
    assert (await ada.resume(begun.id)).status == "waiting"
    assert (await ada.cancel(begun.id, "enough")).status == "cancelled"
    assert (await ada.explain(begun.id)).summary.startswith("It was cancelled by ada at ")

    for verb in (ada.cancel, ada.suspend, ada.resume, ada.retry):
        with pytest.raises(Conflict):
            await verb(begun.id)
    assert (await types(ada, begun.id))[-3:] == ["suspended", "resumed", "cancelled"]


async def test_a_call_under_way_is_explained_and_cancelled(suite: World, ada: User) -> None:
    suite.callees.hold()
    begun = await ada.start("call")

    explained = await ada.explain(begun.id)

    (blocker,) = explained.blockers
    assert (blocker.kind, blocker.task) == ("effect", "/do/0/ask")
    assert blocker.waits_for == "the answer to POST shop.test"
    assert (await ada.cancel(begun.id)).status == "cancelled"


async def test_a_faulted_execution_is_retried_to_its_end(suite: World, ada: User) -> None:
    def refuse(_: Effect) -> Outcome:
        return Failed(runtime("not now"))

    suite.callees.outcome = refuse
    done = await ada.start("call", {"n": 1}, wait=5)
    assert done.status == "faulted"
    suite.callees.outcome = lambda _: Succeeded("at last")

    await ada.retry(done.id, reason="they are back")

    done = await ended(ada, done.id)
    assert (done.status, decoded(done.output), done.error) == ("completed", "at last", b"")
    assert "execution-retried" in await types(ada, done.id)
    keys = [effect.key for effect in suite.callees.seen]
    assert len(keys) == 2
    assert len(set(keys)) == 1


async def test_lists_are_filtered_and_paged(ada: User) -> None:
    for number in range(5):
        await ada.start("greet", {"name": str(number)}, tags=b'["a"]' if number % 2 else b"")
    await ada.start("pause", tags=b'{"team": "b"}')

    page = await ada.list(limit=4)
    rest = await ada.list(limit=4, cursor=page.next_cursor)

    assert [len(page.executions), len(rest.executions), rest.next_cursor] == [4, 2, ""]
    assert len({e.id for e in (*page.executions, *rest.executions)}) == 6
    assert [e.workflow.name for e in (await ada.list(statuses=["waiting"])).executions] == ["pause"]
    assert len((await ada.list(tag="a")).executions) == 2
    assert len((await ada.list(tag="team=b")).executions) == 1
    assert len((await ada.list(name="greet", namespace="test")).executions) == 5
    assert not (await ada.list(name="nothing")).executions
    assert not (await ada.list(to_time=Timestamp(seconds=1))).executions


async def test_a_history_is_paged_and_cut_by_time(ada: User) -> None:
    done = await ada.start("greet", {"name": "x"}, wait=5)
    whole = await ada.history(done.id)
    sequences = [event.sequence for event in whole.events]
    assert sequences == list(range(1, len(sequences) + 1))

    page = await ada.history(done.id, limit=2)
    rest = await ada.history(done.id, cursor=page.next_cursor)

    assert [*page.events, *rest.events] == list(whole.events)
    assert not (await ada.history(done.id, to_time=Timestamp(seconds=1))).events
    assert (await ada.history(done.id, from_time=Timestamp(seconds=1))).events == whole.events


async def test_no_credential_is_in_a_history_or_on_the_bus(suite: World, ada: User) -> None:
    done = await ada.start("call", {"n": 1}, wait=5)
    await eventually(
        lambda: "io.autoworker.workflow.execution-ended.v1" in suite.types_heard(done.id)
    )

    told = [event.data for event in (await ada.history(done.id)).events]
    told += [bytes(event.data) for event in suite.heard]

    assert any(b'"credentials":"***"' in data for data in told)
    assert not any(b"sesame" in data for data in told)
    call = suite.callees.seen[0].call
    assert isinstance(call, HttpCall)
    assert call.credentials is not None


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"limit": -1}, "limit"),
        ({"limit": 201}, "limit"),
        ({"cursor": "forged"}, "cursor"),
        ({"statuses": ["dead"]}, "status"),
        ({"from_time": Timestamp(seconds=10**15)}, "from"),
    ],
)
async def test_a_list_that_makes_no_sense_is_refused(
    ada: User, request_: dict[str, Any], field: str
) -> None:
    assert [p.field for p in await problems(ada.list(**request_))] == [field]


@pytest.mark.parametrize(
    ("request_", "field"),
    [
        ({"tags": b"{"}, "tags"),
        ({"tags": b"7"}, "tags"),
        ({"priority": 10}, "priority"),
        ({"run_at": Timestamp(seconds=10**15)}, "run_at"),
        ({"tags": b"[" * 65 + b"]" * 65}, "tags"),
        ({"tags": b"[" * 9_000 + b"]" * 9_000}, "tags"),
    ],
)
async def test_a_start_that_makes_no_sense_is_refused(
    ada: User, request_: dict[str, Any], field: str
) -> None:
    assert [p.field for p in await problems(ada.start("greet", **request_))] == [field]


async def test_what_is_not_there_is_not_found(ada: User) -> None:
    for work in (
        ada.start("nothing"),
        ada.get("nothing"),
        ada.history("nothing"),
        ada.explain("nothing"),
        ada.cancel("nothing"),
        ada.retry("nothing"),
    ):
        with pytest.raises(NotFound):
            await work
    with pytest.raises(NotFound):
        async for _ in ada.watch("nothing"):
            pass


async def test_a_history_has_no_place_beyond_its_end(ada: User) -> None:
    done = await ada.start("greet", {"name": "x"}, wait=5)

    assert [p.field for p in await problems(ada.history(done.id, cursor="x"))] == ["cursor"]
    with pytest.raises(ServiceError):
        async for _ in ada.watch(done.id, after=999):
            pass
