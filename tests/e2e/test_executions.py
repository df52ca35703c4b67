"""Starting, waiting, stopping, going on: executions through the gateway."""

import asyncio
from datetime import timedelta

import pytest

from autoworker import Conflict, InvalidRequest, NotFound
from chassis.clock import SystemClock
from tests.support.gateway_client import Person, in_phase

SLOW = """
document: {dsl: 1.0.3, namespace: tests, name: slow, version: 1.0.0}
do:
  - rest:
      wait: {hours: 1}
  - finish:
      set: {finished: true}
"""
QUICK = """
document: {dsl: 1.0.3, namespace: tests, name: quick, version: 1.0.0}
input:
  schema:
    format: json
    document: {type: object, required: [n], properties: {n: {type: integer}}}
do:
  - double:
      set: {n: "${ .n * 2 }"}
"""
PICKY = """
document: {dsl: 1.0.3, namespace: tests, name: picky, version: 1.0.0}
do:
  - check:
      if: ${ .ok | not }
      raise:
        error: {type: "https://example.com/not-ok", status: 409, title: Not ok}
  - finish:
      set: {finished: true}
"""


async def test_waiting_answers_with_the_end(ada: Person) -> None:
    definition = await ada.publish(QUICK)

    execution = await ada.start(definition.reference, {"n": 21}, wait=20)

    assert (execution.status, execution.output) == ("completed", {"n": 42})


async def test_waiting_in_vain_answers_with_what_is(ada: Person) -> None:
    definition = await ada.publish(SLOW)

    execution = await ada.start(definition.reference, wait=0.2)

    assert not execution.ended


async def test_the_same_key_starts_once_however_often_it_is_sent(ada: Person) -> None:
    definition = await ada.publish(QUICK)

    starts = await asyncio.gather(
        *(ada.start(definition.reference, {"n": 1}, idempotency_key="k-1") for _ in range(5))
    )

    assert len({execution.id for execution in starts}) == 1
    assert len([_ async for _ in ada.list()]) == 1


async def test_the_same_key_for_something_else_is_a_conflict(ada: Person) -> None:
    definition = await ada.publish(QUICK)
    await ada.start(definition.reference, {"n": 1}, idempotency_key="k-2")

    with pytest.raises(Conflict):
        await ada.start(definition.reference, {"n": 2}, idempotency_key="k-2")


async def test_input_that_breaks_the_schema_is_accepted_and_faults(ada: Person) -> None:
    definition = await ada.publish(QUICK)

    execution = await ada.start(definition.reference, {"n": "many"}, wait=20)

    assert execution.status == "faulted"
    assert execution.error is not None
    assert execution.error.type.endswith("/errors/validation")


async def test_a_waiting_execution_can_be_cancelled_and_stays_so(ada: Person) -> None:
    definition = await ada.publish(SLOW)
    execution = await ada.start(definition.reference)
    await in_phase(ada, execution.id, "waiting")

    await ada.cancel(execution.id, "changed my mind")
    ended = await ada.wait(execution.id, timeout=60)

    assert ended.status == "cancelled"
    reasons = [e.data.get("reason") async for e in ada.history(execution.id) if not e.task]
    assert reasons[-1] == "changed my mind"
    with pytest.raises(Conflict):
        await ada.suspend(execution.id)


async def test_a_suspended_execution_rests_until_it_is_resumed(ada: Person) -> None:
    definition = await ada.publish(SLOW)
    execution = await ada.start(definition.reference)
    await in_phase(ada, execution.id, "waiting")

    await ada.suspend(execution.id, "lunch")
    await in_phase(ada, execution.id, "suspended")
    why = await ada.explain(execution.id)
    await ada.resume(execution.id)
    await in_phase(ada, execution.id, "waiting")

    assert why.status == "suspended"
    assert why.blockers[0].kind == "suspension"
    with pytest.raises(Conflict):
        await ada.resume(execution.id)


async def test_a_faulted_execution_is_taken_up_again_with_other_data(ada: Person) -> None:
    definition = await ada.publish(PICKY)
    execution = await ada.start(definition.reference, {"ok": False}, wait=20)
    assert execution.error is not None

    await ada.retry(execution.id, input={"ok": True})
    ended = await ada.wait(execution.id, timeout=60)

    assert (execution.status, execution.error.title) == ("faulted", "Not ok")
    assert (ended.status, ended.output) == ("completed", {"finished": True})


async def test_only_what_has_faulted_can_be_retried(ada: Person) -> None:
    definition = await ada.publish(QUICK)
    execution = await ada.start(definition.reference, {"n": 1}, wait=20)

    with pytest.raises(Conflict):
        await ada.retry(execution.id)


async def test_explain_tells_what_it_waits_for_and_when_it_wakes(ada: Person) -> None:
    definition = await ada.publish(SLOW)
    execution = await ada.start(definition.reference)
    await in_phase(ada, execution.id, "waiting")

    why = await ada.explain(execution.id)

    assert [(b.kind, b.task) for b in why.blockers] == [("timer", "/do/0/rest")]
    wakes_at = why.blockers[0].wakes_at
    assert wakes_at is not None
    assert wakes_at > SystemClock().now() + timedelta(minutes=50)


async def test_a_start_in_the_future_is_pending_until_then(ada: Person) -> None:
    definition = await ada.publish(QUICK)
    soon = SystemClock().now() + timedelta(seconds=0.5)

    execution = await ada.start(definition.reference, {"n": 1}, run_at=soon)
    ended = await ada.wait(execution.id, timeout=60)

    assert execution.status == "pending"
    assert ended.started_at is not None
    assert ended.started_at >= soon


async def test_executions_are_found_by_phase_name_and_tag_over_many_pages(ada: Person) -> None:
    definition = await ada.publish(QUICK)
    started = [
        (await ada.start(definition.reference, {"n": n}, wait=20, tags={"batch": "b1"})).id
        for n in range(5)
    ]

    found = [e.id async for e in ada.list(status="completed", name="quick", tag="batch", limit=2)]

    assert found == list(reversed(started))
    assert [e async for e in ada.list(status="faulted")] == []


async def test_live_events_are_the_history_and_can_be_taken_up_in_the_middle(ada: Person) -> None:
    definition = await ada.publish(QUICK)
    execution = await ada.start(definition.reference, {"n": 1})

    live = [event async for event in ada.events(execution.id)]
    rest = [event async for event in ada.events(execution.id, after=3)]

    assert live == [event async for event in ada.history(execution.id)]
    assert [event.sequence for event in live] == list(range(1, len(live) + 1))
    assert rest == live[3:]


async def test_what_does_not_exist_cannot_be_started_or_seen(ada: Person) -> None:
    with pytest.raises(NotFound):
        await ada.start("tests/nowhere")
    with pytest.raises(NotFound):
        await ada.get("01a1fdb5-c362-7000-bffd-000000000000")


async def test_a_wrong_request_names_its_fields(ada: Person) -> None:
    definition = await ada.publish(QUICK)

    with pytest.raises(InvalidRequest) as refused:
        await ada.start(definition.reference, priority=10)

    assert [detail.field for detail in refused.value.details] == ["priority"]


PASSING = """
document: {dsl: 1.0.3, namespace: tests, name: passing, version: 1.0.0}
do:
  - first: {set: {text: "${ .text }", step: 1}}
  - second: {set: {text: "${ .text }", step: 2}}
  - third: {set: {text: "${ .text }", step: 3}}
"""


async def test_a_large_value_passes_through_tasks_and_is_seen_wherever_it_was(ada: Person) -> None:
    definition = await ada.publish(PASSING)
    text = "ä" * 400_000

    execution = await ada.start(definition.reference, {"text": text}, wait=20)

    assert execution.output == {"text": text, "step": 3}
    told = [event async for event in ada.history(execution.id)]
    live = [event async for event in ada.events(execution.id)]
    assert told == live
    outputs = [event.data["output"] for event in told if event.type.endswith("task.completed.v1")]
    assert outputs == [{"text": text, "step": step} for step in (1, 2, 3)]
