"""Waiting, timeouts, delayed starts, suspension: what time does to an execution."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.workflow_run import NOON, WorkflowRun, run
from workflow_service.domain.execution.errors import CommandRefused
from workflow_service.domain.execution.events import OutcomeRecorded, TaskCancelled, TaskFaulted
from workflow_service.domain.execution.workflow_events import WorkflowRecovered, WorkflowStarted

CALL = "{call: http, with: {method: get, endpoint: 'http://example.com/'}}"


@pytest.mark.parametrize(
    ("written", "seconds"),
    [
        ("{seconds: 30}", 30),
        ("PT1M", 60),
        ("{hours: 1, milliseconds: 500}", 3600.5),
        ("'${ .for }'", 5),
    ],
)
def test_wait_sleeps_for_its_duration(written: str, seconds: float) -> None:
    waiting = run(f"do:\n- w: {{wait: {written}}}", {"for": "PT5S"})

    assert waiting.status == "waiting"
    assert waiting.wakes_in == seconds


def test_wait_gives_its_input_on_when_the_time_has_come_and_not_before() -> None:
    waiting = run("do:\n- w: {wait: PT10S}", {"x": 1})

    assert waiting.after(9.999).status == "waiting"
    assert waiting.after(0.001).output == {"x": 1}


def test_looking_at_the_clock_too_often_changes_nothing() -> None:
    waiting = run("do:\n- w: {wait: PT10S}").after(1).after(0).after(1)

    assert not waiting.last


def test_a_clock_that_jumps_back_makes_a_wait_longer_and_never_shorter() -> None:
    waiting = run("do:\n- w: {wait: PT10S}").after(-3600)

    assert waiting.status == "waiting"
    assert waiting.after(3610).status == "completed"


def test_a_duration_that_is_none_is_a_configuration_error() -> None:
    assert run("do:\n- w: {wait: '${ .for }'}", {"for": "soon"}).error.type.endswith(
        "/configuration"
    )


def test_a_task_that_takes_too_long_faults_with_408() -> None:
    ended = run(f"do:\n- t: {{do: [{{c: {CALL}}}], timeout: {{after: PT5S}}}}").after(5)

    assert ended.error.type.endswith("/timeout")
    assert (ended.error.status, ended.error.instance) == (408, "/do/0/t")
    assert ended.tasks(TaskCancelled) == ["/do/0/t/do/0/c"]
    assert not ended.pending


def test_a_call_may_have_a_timeout_of_its_own() -> None:
    text = "do:\n- c: {call: http, with: {method: get, endpoint: 'http://example.com/'}, timeout: {after: PT5S}}"

    assert run(text).wakes_in == 5
    assert run(text).after(5).tasks(TaskFaulted) == ["/do/0/c"]


def test_a_timeout_can_be_caught() -> None:
    text = f"""
do:
- t:
    try: [{{slow: {{do: [{{c: {CALL}}}], timeout: {{after: PT5S}}}}}}]
    catch: {{errors: {{with: {{status: 408}}}}, do: [{{h: {{set: {{late: true}}}}}}]}}
"""
    assert run(text).after(5).output == {"late": True}


def test_a_reusable_timeout_is_used_by_name() -> None:
    text = f"use: {{timeouts: {{short: {{after: PT3S}}}}}}\ndo:\n- t: {{do: [{{c: {CALL}}}], timeout: short}}"

    assert run(text).wakes_in == 3


def test_the_workflows_timeout_ends_everything() -> None:
    ended = run(f"timeout: {{after: PT5S}}\ndo:\n- t: {{try: [{{c: {CALL}}}], catch: {{}}}}").after(
        5
    )

    assert (ended.error.status, ended.error.instance) == (408, "/timeout")


def test_what_is_due_fires_in_the_order_in_which_it_was_due() -> None:
    text = "do:\n- t: {do: [{a: {wait: PT5S}}, {b: {set: {x: 1}}}], timeout: {after: PT10S}}"

    assert run(text).after(3600).output == {"x": 1}


def test_a_delayed_start_is_pending_until_its_time() -> None:
    delayed = WorkflowRun("do:\n- a: {set: {x: 1}}").start(run_at=NOON + timedelta(hours=1))

    assert (delayed.status, delayed.wakes_in) == ("pending", 3600)
    assert not [event for event in delayed.events if isinstance(event, WorkflowStarted)]
    assert delayed.after(3600).output == {"x": 1}


def test_a_start_in_the_past_begins_at_once() -> None:
    begun = WorkflowRun("do:\n- a: {set: {x: 1}}").start(run_at=NOON - timedelta(hours=1))

    assert begun.status == "completed"


def test_a_suspended_execution_stands_still() -> None:
    held = run("do:\n- w: {wait: PT5S}").suspend()

    assert (held.status, held.wakes_in) == ("suspended", None)
    assert held.after(100).status == "suspended"
    assert held.resume().status == "completed"


def test_an_outcome_that_comes_during_a_suspension_is_kept_and_used_afterwards() -> None:
    held = run(f"do:\n- c: {CALL}\n- d: {CALL}").suspend().answer("kept")

    assert held.tasks(OutcomeRecorded) == ["/do/0/c"]
    assert not held.pending
    assert len(held.resume().pending) == 1


def test_a_failure_that_comes_during_a_suspension_faults_after_it() -> None:
    held = run(f"do:\n- c: {CALL}").suspend().fail()

    assert held.status == "suspended"
    assert held.resume().error.status == 503


def test_a_delayed_start_can_be_suspended_and_resumed() -> None:
    delayed = WorkflowRun("do:\n- a: {set: {x: 1}}").start(run_at=NOON + timedelta(seconds=5))

    assert delayed.suspend().after(10).status == "suspended"
    assert delayed.resume().output == {"x": 1}


@pytest.mark.parametrize("verb", ["suspend", "resume", "retry"])
def test_an_execution_that_has_completed_refuses_every_verb(verb: str) -> None:
    ended = run("do:\n- a: {set: {x: 1}}")

    with pytest.raises(CommandRefused, match="completed"):
        getattr(ended, verb)()


def test_suspending_twice_and_resuming_what_runs_are_refused() -> None:
    waiting = run("do:\n- w: {wait: PT5S}")
    with pytest.raises(CommandRefused, match="waiting"):
        waiting.resume()
    with pytest.raises(CommandRefused, match="suspended"):
        waiting.suspend().suspend()


def test_a_new_owner_repeats_what_has_no_recorded_outcome_with_the_same_key() -> None:
    running = run(f"do:\n- a: {CALL}\n- b: {CALL}").answer(1)
    asked = running.asked[-1]

    assert running.recover().asked[-1] == asked
    recovered = [event for event in running.events if isinstance(event, WorkflowRecovered)]
    assert recovered[0].effects == ["/do/1/b"]
    assert running.answer(2).output == 2
