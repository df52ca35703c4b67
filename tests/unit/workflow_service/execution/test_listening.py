"""What a listener makes of the events that come."""

from __future__ import annotations

import pytest

from tests.support.engine_world import CALL
from tests.support.workflow_run import WorkflowRun, run
from tests.unit.workflow_service.events.support import event
from workflow_service.domain.execution.commands import ReceiveEvent
from workflow_service.domain.execution.events import EventConsumed, EventReceived, TaskCompleted
from workflow_service.domain.execution.limits import Limits
from workflow_service.domain.execution.listening import subscriptions_of
from workflow_service.domain.execution.workflow_events import (
    CorrelationCompleted,
    CorrelationStarted,
)
from workflow_service.domain.expressions import JsonValue


def listen(to: str, more: str = "", *, read: str = "") -> str:
    """A workflow that only listens."""
    how = f", read: {read}" if read else ""
    return f"do:\n- l: {{listen: {{to: {to}{how}}}{more}}}"


ONE = listen("{one: {with: {type: a}}}")
UNTIL_THREE = "{any: [{with: {type: a}}], until: '${ length == 3 }'}"


def waits_for(running: WorkflowRun) -> int:
    """How many subscriptions there are."""
    return len(list(subscriptions_of(running.definition, running.state)))


def test_an_execution_waits_without_a_timer_until_its_event_comes() -> None:
    waiting = run(ONE)

    assert (waiting.status, waiting.wakes_in, waits_for(waiting)) == ("waiting", None, 1)
    waiting.hear({"x": 1}, type="b")
    assert waiting.status == "waiting"
    waiting.hear({"x": 2})
    assert (waiting.output, waits_for(waiting)) == ([{"x": 2}], 0)


@pytest.mark.parametrize(
    ("read", "expected"),
    [
        ("", {"x": 1}),
        ("data", {"x": 1}),
        ("raw", "{'x': 1}"),
        ("envelope", {"id": "1", "source": "/s", "type": "a", "subject": "s", "data": {"x": 1}}),
    ],
)
def test_an_event_is_read_as_the_task_says(read: str, expected: JsonValue) -> None:
    waiting = run(listen("{one: {with: {type: a}}}", read=read))

    assert waiting.hear({"x": 1}, subject="s").output == [expected]


def test_all_events_come_out_in_the_order_in_which_they_came() -> None:
    waiting = run(listen("{all: [{with: {type: a}}, {with: {type: b}}]}"))

    assert waits_for(waiting) == 2
    assert waits_for(waiting.hear("second", type="b")) == 1
    assert waiting.hear("first").output == ["second", "first"]


def test_until_sees_what_was_consumed_after_each_event() -> None:
    waiting = run(listen(UNTIL_THREE))

    waiting.hear(1).hear(2)
    assert waiting.status == "waiting"
    assert waiting.hear(3).output == [1, 2, 3]


def test_until_sees_the_last_event_by_itself_too() -> None:
    waiting = run(listen("{any: [], until: '${ $item.stop and $index > 0 }'}"))

    assert waiting.hear({"stop": True}).hear({"stop": True}).output == [{"stop": True}] * 2


def test_what_ends_the_waiting_is_no_part_of_the_output() -> None:
    waiting = run(listen("{any: [], until: {one: {with: {type: stop}}}}"))

    assert waiting.hear(1).hear(2, type="b").hear(3, type="stop").output == [1, 2]


def test_until_that_fails_faults_the_task() -> None:
    faulted = run(listen("{any: [], until: '${ error(\"no\") }'}")).hear(1)

    assert faulted.error.type.endswith("/expression")
    assert waits_for(faulted) == 0


def test_all_of_nothing_is_over_at_once() -> None:
    assert run(listen("{all: []}")).output == []


def test_correlation_is_told_when_it_begins_and_with_its_keys_when_it_ends() -> None:
    by_room = "{one: {with: {type: a}, correlate: {room: {from: .roomid}}}}"
    ended = run(listen(by_room)).hear(1, roomid=7)

    told = [e for e in ended.events if isinstance(e, CorrelationStarted | CorrelationCompleted)]
    assert told == [
        CorrelationStarted("/do/0/l"),
        CorrelationCompleted("/do/0/l", keys={"room": "7"}),
    ]


def test_what_is_expected_is_evaluated_on_the_tasks_input() -> None:
    by_order = (
        "{one: {with: {type: a}, correlate: {order: {from: .data.order, expect: '${ .id }'}}}}"
    )
    waiting = run(listen(by_order), {"id": 7})

    waiting.hear({"order": 8})
    assert waiting.status == "waiting"
    assert waiting.hear({"order": 7}).output == [{"order": 7}]


def test_what_is_expected_may_fault_the_task_before_it_waits() -> None:
    wrong = (
        "{one: {with: {type: a}, correlate: {order: {from: .id, expect: '${ error(\"no\") }'}}}}"
    )

    assert run(listen(wrong)).error.type.endswith("/expression")


# ---------------------------------------------------------------- foreach

EACH = ", foreach: {{item: reading, at: place, do: [{{double: {{set: '${{ $reading * 2 + $place }}'}}}}]{}}}"


def test_tasks_run_for_each_event_and_the_outputs_are_collected() -> None:
    running = run(listen(UNTIL_THREE, EACH.format("")))

    assert running.hear(10).hear(20).hear(30).output == [20, 41, 62]
    assert running.tasks(EventConsumed) == ["/do/0/l"] * 3


def test_the_event_is_the_input_of_its_tasks() -> None:
    running = run(
        listen("{one: {with: {type: a}}}", ", foreach: {do: [{s: {set: '${ {got: .} }'}}]}")
    )

    assert running.hear({"x": 1}).output == [{"got": {"x": 1}}]


def test_each_output_can_be_transformed_and_exported() -> None:
    more = ", output: {as: '${ {v: .} }'}, export: {as: '${ {sum: (($context.sum // 0) + .v)} }'}"
    text = listen("{any: [], until: '${ $context.sum > 30 }'}", EACH.format(more))
    running = run(text + "\n- s: {set: '${ $context }'}")

    assert running.hear(10).hear(20).output == {"sum": 61}


def test_a_listener_without_tasks_can_transform_events_too() -> None:
    running = run(listen("{one: {with: {type: a}}}", ", foreach: {output: {as: .x}}"))

    assert running.hear({"x": 1}).output == [1]


def test_events_queue_up_while_tasks_run_and_are_taken_in_order() -> None:
    running = run(
        listen(
            UNTIL_THREE,
            f", foreach: {{do: [{{c: {CALL}}}, {{s: {{set: '${{ [$item, $index] }}'}}}}]}}",
        )
    )

    running.hear("a").hear("b").hear("c").hear("d")
    assert (running.status, len(running.pending)) == ("running", 1)
    running.answer(None)
    assert running.status == "running"
    assert running.answer(None).answer(None).output == [["a", 0], ["b", 1], ["c", 2]]


def test_what_has_been_taken_before_the_end_is_still_done_with() -> None:
    to = "{any: [{with: {type: a}}], until: {one: {with: {type: stop}}}}"
    running = run(listen(to, f", foreach: {{do: [{{c: {CALL}}}]}}"))

    running.hear(1).hear(2).hear(type="stop").hear(3)
    assert waits_for(running) == 0
    assert running.answer("one").answer("two").output == ["one", "two"]


def test_exit_ends_the_event_and_end_the_workflow() -> None:
    leaves = ", foreach: {do: [{a: {set: {x: 1}, then: exit}}, {b: {set: {x: 2}}}]}"
    assert run(listen(ONE_OF_A, leaves)).hear().output == [{"x": 1}]
    ends = ", foreach: {do: [{a: {set: {x: 1}, then: end}}]}"
    assert run(listen(UNTIL_THREE, ends)).hear().output == {"x": 1}


ONE_OF_A = "{one: {with: {type: a}}}"


def test_an_error_for_one_event_faults_the_listener_and_can_be_caught() -> None:
    inner = listen(UNTIL_THREE, f", foreach: {{do: [{{c: {CALL}}}]}}").removeprefix("do:\n- ")
    text = f"do:\n- t: {{try: [{{{inner}}}], catch: {{do: [{{h: {{set: caught}}}}]}}}}"
    running = run(text.replace("{set: caught}", "{set: '${ \"caught\" }'}"))

    assert running.hear(1).hear(2).fail().output == "caught"
    assert waits_for(running) == 0


# ---------------------------------------------------------------- time, people, races


def test_a_timeout_ends_the_waiting() -> None:
    waiting = run(listen(ONE_OF_A, ", timeout: {after: PT5S}"))

    assert waiting.wakes_in == 5
    assert waiting.after(5).error.type.endswith("/timeout")
    assert waits_for(waiting) == 0


def test_events_that_come_while_it_is_suspended_wait_for_its_resumption() -> None:
    waiting = run(listen(UNTIL_THREE, EACH.format("")))

    waiting.suspend().hear(1).hear(2).hear(3).hear(4)
    assert (waiting.status, waits_for(waiting)) == ("suspended", 1)
    assert not waiting.tasks(EventConsumed)
    assert waiting.resume().output == [2, 5, 8]


def test_the_winner_of_a_race_leaves_no_subscription_behind() -> None:
    text = "do:\n- f: {fork: {compete: true, branches: [{x: {listen: {to: {one: {with: {type: a}}}}}}, {y: {listen: {to: {one: {with: {type: b}}}}}}]}}"
    waiting = run(text)

    assert waits_for(waiting) == 2
    assert waiting.hear("won", type="b").output == ["won"]
    assert waits_for(waiting) == 0


def test_one_event_is_heard_by_every_listener_and_by_each_once() -> None:
    text = "do:\n- f: {fork: {branches: [{x: {listen: {to: {one: {with: {type: a}}}}}}, {y: {listen: {to: {all: [{with: {type: a}}, {with: {type: a}}]}}}}]}}"
    waiting = run(text).hear(1)

    assert waiting.status == "waiting"
    assert waiting.hear(2).output == [[1], [1, 2]]


def test_an_event_for_an_earlier_listener_is_not_taken_by_a_later_one() -> None:
    waiting = run("do:\n- l: {listen: {to: {any: []}}}\n- m: {listen: {to: {any: []}}}")

    waiting.hear(1)

    assert waiting.tasks(TaskCompleted) == ["/do/0/l"]
    frame = waiting.opened.frames["/do/1/m"]
    assert not waiting.feed(ReceiveEvent(frame.id, 1, event(9))).last
    assert waiting.feed(ReceiveEvent(frame.id, 2, event(9))).last


def test_a_retry_goes_on_with_what_was_collected() -> None:
    text = f"do:\n- f: {{fork: {{branches: [{{x: {{listen: {{to: {UNTIL_THREE}}}}}}}, {{c: {CALL}}}]}}}}"
    waiting = run(text).hear(1).fail()
    assert (waiting.status, waits_for(waiting)) == ("faulted", 0)

    waiting.hear("missed").retry()

    assert waits_for(waiting) == 1
    assert waiting.answer("ok").hear(2).hear(3).output == [[1, 2, 3], "ok"]


def test_a_listener_that_faulted_itself_begins_anew_when_it_is_retried() -> None:
    waiting = run(listen(UNTIL_THREE, ", timeout: {after: PT5S}")).hear(1).after(5)

    assert waiting.retry().hear(2).hear(3).hear(4).output == [2, 3, 4]


# ---------------------------------------------------------------- bounds


def test_more_than_a_task_may_output_is_not_taken() -> None:
    waiting = WorkflowRun(listen(UNTIL_THREE), limits=Limits(output_bytes=100)).start()

    waiting.hear("x" * 60)
    assert waiting.status == "waiting"
    assert "limit output_bytes" in (waiting.hear("x" * 60).error.detail or "")


def test_the_queue_of_a_listener_is_bounded() -> None:
    text = listen(UNTIL_THREE, f", foreach: {{do: [{{c: {CALL}}}]}}")
    waiting = WorkflowRun(text, limits=Limits(listen_queue=2)).start()

    waiting.hear(1).hear(2)
    assert waiting.status == "running"
    assert "limit listen_queue" in (waiting.hear(3).error.detail or "")


def test_the_facts_of_an_event_keep_what_it_was_and_not_all_of_it() -> None:
    ended = run(ONE).hear("data", subject="s")

    (fact,) = [event for event in ended.events if isinstance(event, EventReceived)]
    assert (fact.id, fact.source, fact.type, fact.item, fact.position) == (
        "1",
        "/s",
        "a",
        "data",
        1,
    )
