"""Compensations: what was completed is undone before a fault or a cancellation ends the execution, the last first."""

from __future__ import annotations

import pytest
from msgspec import structs

from tests.support.workflow_run import WorkflowRun, definition_of, problem, run
from workflow_service.domain.definition.problems import DefinitionInvalid
from workflow_service.domain.execution.commands import Cancel, Retry
from workflow_service.domain.execution.effects import HttpCall
from workflow_service.domain.execution.errors import CommandRefused
from workflow_service.domain.execution.events import TaskCompensated, TaskCompensating
from workflow_service.domain.execution.explain import explain
from workflow_service.domain.execution.limits import Limits
from workflow_service.domain.execution.state import Ended
from workflow_service.domain.execution.workflow_events import (
    CompensationStarted,
    WorkflowCancelled,
    WorkflowCompleted,
    WorkflowEvent,
    WorkflowFaulted,
)
from workflow_service.domain.expressions import JsonValue

TERMINAL = (WorkflowCancelled, WorkflowCompleted, WorkflowFaulted)


def ask(name: str, undo: bool = True, more: str = "") -> str:
    """A task that calls somebody, and calls somebody else to undo it."""
    call = "call: http, with: {{method: post, endpoint: 'https://a.test/{0}', body: '${{ . }}'}}"
    compensate = "metadata: {compensate: [{undo: {" + call.format(f"undo-{name}") + "}}]}, "
    return f"{name}: {{{compensate if undo else ''}{more}{call.format(name)}}}"


def said(each: WorkflowRun) -> str:
    """Who is called now."""
    return each.http.uri.removeprefix("https://a.test/")


def bodies(each: WorkflowRun) -> dict[str, JsonValue]:
    """Who was called with what."""
    calls = [effect.call for effect in each.asked]
    return {
        call.uri.removeprefix("https://a.test/"): call.body  # type: ignore[misc]
        for call in calls
        if isinstance(call, HttpCall)
    }


def terminal(each: WorkflowRun) -> list[WorkflowEvent]:
    """How it ended."""
    return [event for event in each.events if isinstance(event, TERMINAL)]


TRIP = f"do:\n  - {ask('flight')}\n  - {ask('hotel')}\n  - {ask('car', undo=False)}"


def booked() -> WorkflowRun:
    """Flight and hotel are booked, the car is asked for."""
    return run(TRIP, {"to": "Rome"}).answer({"flight": 1}).answer({"hotel": 2})


def test_a_fault_undoes_what_was_completed_the_last_first_and_then_ends() -> None:
    trip = booked().fail(problem("runtime", 500, detail="no cars"))

    assert (trip.status, said(trip)) == ("running", "undo-hotel")
    trip.answer({})
    assert said(trip) == "undo-flight"
    trip.answer({})

    assert trip.status == "faulted"
    assert (trip.error.detail, trip.error.instance) == ("no cars", "/do/2/car")
    assert (
        trip.tasks(TaskCompensating)
        == trip.tasks(TaskCompensated)
        == ["/do/1/hotel", "/do/0/flight"]
    )
    assert [type(event) for event in terminal(trip)] == [WorkflowFaulted]


def test_each_gets_the_raw_output_of_what_it_undoes() -> None:
    trip = booked().fail().answer({}).answer({})

    assert bodies(trip)["undo-hotel"] == {"hotel": 2}
    assert bodies(trip)["undo-flight"] == {"flight": 1}


def test_it_sees_what_it_undoes_and_why() -> None:
    trip = run(
        """
do:
  - book:
      metadata:
        compensate:
          - tell: {set: {seen: '${ $compensated }', raw: '${ . }', start: '${ $workflow.input }'}}
          - check: {call: http, with: {method: post, endpoint: 'https://a.test/x', body: '${ . }'}}
      set: {id: 7}
      input: {from: '${ {asked: .to} }'}
      output: {as: '${ .id }'}
  - boom: {raise: {error: {type: 'https://a.test/e', status: 500, title: no}}}
""",
        {"to": "Rome"},
    )

    assert trip.http.body == {
        "seen": {
            "task": "/do/0/book",
            "input": {"asked": "Rome"},
            "output": {"id": 7},
            "error": {
                "type": "https://a.test/e", "status": 500, "title": "no", "instance": "/do/1/boom",
            },
        },
        "raw": {"id": 7},
        "start": {"to": "Rome"},
    }  # fmt: skip


def test_a_cancellation_undoes_too_and_says_who_cancelled_at_its_end() -> None:
    trip = booked().feed(Cancel("rain", "ada"))

    assert (trip.status, said(trip)) == ("running", "undo-hotel")
    trip.answer({}).answer({})

    assert trip.status == "cancelled"
    assert terminal(trip) == [WorkflowCancelled("rain", "ada")]


def test_a_cancellation_with_nothing_to_undo_ends_at_once() -> None:
    trip = run(TRIP).feed(Cancel("rain", "ada"))

    assert trip.status == "cancelled"
    assert trip.tasks(TaskCompensating) == []


def test_cancelling_again_ends_it_at_once() -> None:
    trip = booked().feed(Cancel("rain", "ada")).feed(Cancel("now", "bob"))

    assert trip.status == "cancelled"
    assert terminal(trip) == [WorkflowCancelled("now", "bob")]
    with pytest.raises(CommandRefused):
        trip.feed(Cancel())


def test_completing_undoes_nothing() -> None:
    trip = booked().answer({})

    assert trip.status == "completed"
    assert not any(isinstance(event, CompensationStarted) for event in trip.events)


def test_a_caught_error_undoes_nothing_until_the_workflow_itself_fails() -> None:
    caught = f"guard: {{try: [{ask('flight')}, {ask('hotel')}], catch: {{do: [{ask('plan', undo=False)}]}}}}"
    trip = run(f"do:\n  - {caught}\n  - {ask('car', undo=False)}").answer({"flight": 1}).fail()

    assert said(trip) == "plan"
    trip.answer({})
    assert said(trip) == "car"
    assert said(trip.fail()) == "undo-flight"


def test_what_a_retry_did_again_is_undone_once() -> None:
    guard = f"guard: {{try: [{ask('flight')}, {ask('hotel')}], catch: {{retry: {{delay: PT1S, limit: {{attempt: {{count: 1}}}}}}}}}}"
    trip = (
        run(f"do:\n  - {guard}").answer({"flight": 1}).fail().after(1).answer({"flight": 2}).fail()
    )

    assert (said(trip), trip.http.body) == ("undo-flight", {"flight": 2})
    assert trip.answer({}).status == "faulted"


def test_tasks_within_tasks_count_and_so_does_what_contains_them() -> None:
    outer = (
        f"trip: {{metadata: {{compensate: [{{all: {{set: {{x: 1}}}}}}]}}, do: [{ask('flight')}]}}"
    )
    trip = run(f"do:\n  - {outer}\n  - {ask('car', undo=False)}").answer({}).fail()

    assert trip.tasks(TaskCompensating) == ["/do/0/trip", "/do/0/trip/do/0/flight"]


def test_every_iteration_is_undone_with_its_own_item_and_key() -> None:
    undo = "undo: {call: http, with: {method: post, endpoint: 'https://a.test/undo', body: '${ $item }'}}"
    book = f"book: {{metadata: {{compensate: [{undo}]}}, call: http, with: {{method: post, endpoint: 'https://a.test/b'}}}}"
    trip = run(f"do: [{{all: {{for: {{in: '${{ [1, 2, 3] }}'}}, do: [{book}]}}}}]")
    trip.answer({}).answer({}).fail().answer({}).answer({})

    undone = [effect for effect in trip.asked if getattr(effect.call, "uri", "").endswith("undo")]
    assert [getattr(effect.call, "body", None) for effect in undone] == [2, 1]
    assert len({effect.key for effect in trip.asked}) == len(trip.asked)


def test_branches_are_undone_in_the_order_in_which_they_ended() -> None:
    fork = f"both: {{fork: {{branches: [{{{ask('a')}}}, {{{ask('b')}}}, {{{ask('c')}}}]}}}}"
    trip = run(f"do: [{{{fork}}}]")
    trip.answer({}, task="/do/0/both/fork/branches/1/b")
    trip.answer({}, task="/do/0/both/fork/branches/0/a")
    trip.fail(task="/do/0/both/fork/branches/2/c")

    assert said(trip) == "undo-a"
    assert said(trip.answer({})) == "undo-b"
    assert trip.answer({}).status == "faulted"


def test_a_compensation_that_fails_is_tried_again_with_the_same_key() -> None:
    trip = booked().fail().fail()

    assert not trip.pending
    assert trip.wakes_in is not None
    trip.after(61)
    assert said(trip) == "undo-hotel"
    assert len({effect.key for effect in trip.asked if "undo" in effect.key}) == 1


def given_up() -> WorkflowRun:
    """The hotel cannot be undone."""
    trip = WorkflowRun(TRIP, limits=Limits(default_retries=1)).start({})
    trip.answer({}).answer({}).fail(problem("runtime", 500, detail="no cars"))
    return trip.fail().after(61).fail(problem("runtime", 500, detail="hotel is closed"))


def test_when_it_is_given_up_the_fault_says_so_and_keeps_its_cause() -> None:
    trip = given_up()

    assert trip.status == "faulted"
    assert trip.error.instance == "/do/2/car"
    assert str(trip.error.detail).startswith("no cars; undoing /do/1/hotel was given up")
    assert "hotel is closed" in str(trip.error.detail)


def test_a_retry_goes_on_undoing_and_then_ends_with_the_first_cause() -> None:
    trip = given_up().retry()

    assert said(trip) == "undo-hotel"
    trip.answer({}).answer({})
    assert trip.status == "faulted"
    assert trip.error.detail == "no cars"
    assert trip.tasks(TaskCompensated) == ["/do/1/hotel", "/do/0/flight"]


def test_a_retry_from_another_task_is_refused_while_it_is_being_undone() -> None:
    trip = given_up()

    with pytest.raises(CommandRefused):
        trip.retry(Retry(input={"x": 1}))
    assert trip.status == "faulted"


def test_what_was_undone_as_a_whole_cannot_be_retried() -> None:
    trip = booked().fail().answer({}).answer({})

    with pytest.raises(CommandRefused, match="undone"):
        trip.retry()


def test_a_cancellation_that_cannot_undo_faults_and_tells_both() -> None:
    trip = WorkflowRun(TRIP, limits=Limits(default_retries=0)).start({})
    trip.answer({}).answer({}).feed(Cancel("rain", "ada")).fail(problem(detail="closed"))

    assert trip.status == "faulted"
    assert "it was cancelled, and undoing /do/1/hotel" in str(trip.error.detail)
    assert trip.retry().answer({}).answer({}).status == "cancelled"


def test_the_time_limit_of_the_workflow_ends_with_its_work() -> None:
    trip = run(f"timeout: {{after: PT10S}}\n{TRIP}").answer({}).after(11)

    assert said(trip) == "undo-flight"
    trip.after(100)
    assert trip.answer({}).error.status == 408


def test_it_can_be_suspended_and_goes_on() -> None:
    trip = booked().fail().suspend()
    trip.answer({})

    assert (trip.status, trip.pending) == ("suspended", [])
    assert said(trip.resume()) == "undo-flight"


def test_a_suspended_execution_that_is_cancelled_undoes() -> None:
    trip = booked().suspend().feed(Cancel())

    assert (trip.status, said(trip)) == ("running", "undo-hotel")


def test_a_new_owner_performs_again_what_was_under_way() -> None:
    trip = booked().fail().recover()

    assert said(trip) == "undo-hotel"
    assert trip.asked[-1] == trip.asked[-2]


@pytest.mark.parametrize("directive", ["end", "exit"])
def test_end_and_exit_end_the_compensation_and_nothing_else(directive: str) -> None:
    text = f"""
do:
  - first: {{metadata: {{compensate: [{{a: {{set: {{x: 1}}, then: {directive}}}}}, {{b: {{set: {{x: 2}}}}}}]}}, set: {{x: 0}}}}
  - second: {{metadata: {{compensate: [{{c: {{do: [{{d: {{set: {{x: 1}}, then: {directive}}}}}]}}}}]}}, set: {{x: 0}}}}
  - boom: {{raise: {{error: {{type: 'https://a.test/e', status: 500}}}}}}
"""
    trip = run(text)

    assert trip.tasks(TaskCompensated) == ["/do/1/second", "/do/0/first"]
    assert trip.status == "faulted"


def test_what_could_not_be_undone_any_more_is_not_done() -> None:
    trip = WorkflowRun(TRIP, limits=Limits(compensations=1)).start({}).answer({})

    assert said(trip) == "undo-flight"
    assert trip.answer({}).error.instance == "/do/1/hotel"
    assert "AUTOWORKER_LIMIT_COMPENSATIONS" in str(trip.error.detail)


def test_explain_says_that_it_is_undoing_and_why() -> None:
    trip = booked().fail(problem("runtime", 500, detail="no cars"))

    told = explain(trip.state, trip.now)
    assert told.status == "running"
    assert "compensating, because it failed" in told.summary
    assert "no cars" in told.summary
    assert "It undoes /do/1/hotel, and 1 more after that" in told.summary


def test_the_state_of_an_ended_one_keeps_nothing_to_undo() -> None:
    trip = booked().fail().answer({}).answer({})

    assert isinstance(trip.state, Ended)
    assert structs.asdict(trip.state)["stood"] is None


# ---------------------------------------------------------------- what an author may write


@pytest.mark.parametrize(
    ("compensate", "pointer", "part"),
    [
        ("{}", "", "list of tasks"),
        ("[]", "", "list of tasks"),
        ("[{a: {set: {x: 1}}, b: {set: {x: 1}}}]", "", "exactly one member"),
        ("[{a: 1}]", "", "must be an object"),
        ("[{a: {set: {x: '${ .. | ( }'}}}]", "/0/a/set/x", "does not compile"),
        ("[{a: {nothing: 1}}]", "/0/a", "no kind"),
        ("[{a: {set: {x: 1}, then: elsewhere}}]", "/0/a/then", "no task"),
        ("[{a: {set: {x: 1}, metadata: {compensate: [{b: {set: {x: 1}}}]}}}]",
         "/0/a/metadata/compensate", "cannot be compensated"),
    ],
)  # fmt: skip
def test_what_is_wrong_in_a_compensation_is_told_at_its_place(
    compensate: str, pointer: str, part: str
) -> None:
    with pytest.raises(DefinitionInvalid) as refused:
        definition_of(f"do: [{{t: {{metadata: {{compensate: {compensate}}}, set: {{x: 1}}}}}}]")

    (found,) = refused.value.details
    assert found.field == f"/do/0/t/metadata/compensate{pointer}"
    assert part in found.message


def test_other_metadata_is_left_alone() -> None:
    definition = definition_of("do: [{t: {metadata: {team: [blue]}, set: {x: 1}}}]")

    assert not definition.compensates
