"""Errors: raise, try, catch, retry (DSL reference, "Try", "Catch", "Retry", "Error")."""

from __future__ import annotations

import pytest

from tests.support.workflow_run import WorkflowRun, problem, run
from workflow_service.domain.execution.events import (
    ErrorCaught,
    RetryScheduled,
    TaskCompleted,
    TaskFaulted,
    TaskRetried,
)
from workflow_service.domain.execution.limits import Limits

CALL = "{call: http, with: {method: get, endpoint: 'http://example.com/'}}"


def trying(catch: str) -> str:
    return (
        f"do:\n- t: {{try: [{{c: {CALL}}}], catch: {catch}}}\n- after: {{set: {{got: '${{ . }}'}}}}"
    )


def test_raise_faults_with_the_authors_error_at_its_place() -> None:
    text = "do:\n- r: {raise: {error: {type: 'https://example.com/errors/no', status: 418, title: No, detail: '${ \"no \" + .x }'}}}"
    ended = run(text, {"x": "tea"})

    assert ended.error.as_json() == {
        "type": "https://example.com/errors/no",
        "status": 418,
        "title": "No",
        "detail": "no tea",
        "instance": "/do/0/r",
    }
    assert ended.tasks(TaskFaulted) == ["/do/0/r"]


def test_raise_may_name_a_reusable_error() -> None:
    text = """
use: {errors: {busy: {type: 'https://example.com/errors/busy', status: 429, title: Busy}}}
do:
- r: {raise: {error: busy}}
"""
    assert (run(text).error.status, run(text).error.title) == (429, "Busy")


@pytest.mark.parametrize(
    "written",
    [
        "https://serverlessworkflow.io/spec/1.0.0/errors/timeout",
        "https://open-workflow-specification.org/spec/1.0.0/errors/timeout",
        "https://serverlessworkflow.io/dsl/errors/types/timeout",
    ],
)
def test_standard_error_types_are_the_same_under_all_their_names(written: str) -> None:
    text = f"do:\n- t: {{try: [{{r: {{raise: {{error: {{type: '{written}', status: 408}}}}}}}}], catch: {{errors: {{with: {{type: 'https://serverlessworkflow.io/spec/1.0.0/errors/timeout'}}}}, do: [{{ok: {{set: {{caught: '${{ $error.type }}'}}}}}}]}}}}"

    assert run(text).output == {"caught": "https://serverlessworkflow.io/spec/1.0.0/errors/timeout"}


def test_a_caught_error_without_handler_gives_the_tasks_input_on() -> None:
    ended = run(trying("{errors: {with: {status: 404}}}"), {"i": 1}).fail(problem(status=404))

    assert ended.output == {"got": {"i": 1}}
    assert ended.tasks(ErrorCaught) == ["/do/0/t"]


@pytest.mark.parametrize(
    ("wanted", "caught"),
    [
        ("{status: 503}", True),
        ("{status: 404}", False),
        ("{type: 'https://serverlessworkflow.io/spec/1.0.0/errors/communication'}", True),
        (
            "{type: 'https://open-workflow-specification.org/dsl/errors/types/communication', status: 503}",
            True,
        ),
        ("{type: 'https://serverlessworkflow.io/spec/1.0.0/errors/timeout'}", False),
        ("{instance: /do/0/t/try/0/c}", True),
        ("{instance: /do/9}", False),
        ("{title: Broken}", True),
        ("{title: Other}", False),
    ],
)
def test_the_static_filter_compares_the_members_that_are_set(wanted: str, caught: bool) -> None:
    ended = run(trying(f"{{errors: {{with: {wanted}}}}}")).fail(problem(title="Broken"))

    assert ended.status == ("completed" if caught else "faulted")


@pytest.mark.parametrize(
    ("conditions", "caught"),
    [
        ("{when: $error.status == 503}", True),
        ("{when: $error.status == 500}", False),
        ("{exceptWhen: $error.status == 503}", False),
        ("{exceptWhen: $error.status == 500}", True),
        ("{as: problem, when: $problem.status == 503}", True),
    ],
)
def test_when_and_except_when_decide_what_is_caught(conditions: str, caught: bool) -> None:
    assert run(trying(conditions)).fail().status == ("completed" if caught else "faulted")


def test_the_handler_sees_the_error_and_its_output_is_the_tasks() -> None:
    catch = (
        "{as: oops, do: [{h: {set: {status: '${ $oops.status }', where: '${ $oops.instance }'}}}]}"
    )
    ended = run(trying(catch)).fail()

    assert ended.output == {"got": {"status": 503, "where": "/do/0/t/try/0/c"}}
    assert "/do/0/t/catch/do/0/h" in ended.tasks(TaskCompleted)


def test_an_error_in_the_handler_is_not_caught_by_the_same_try() -> None:
    catch = "{do: [{h: {raise: {error: {type: 'https://example.com/worse', status: 500}}}}]}"
    ended = run(trying(catch)).fail()

    assert ended.error.type == "https://example.com/worse"
    assert ended.error.instance == "/do/0/t/catch/do/0/h"


def test_catch_then_says_where_the_error_path_goes_on() -> None:
    text = f"""
do:
- t: {{try: [{{c: {CALL}}}], catch: {{then: failed}}}}
- fine: {{set: {{ok: true}}, then: end}}
- failed: {{set: {{ok: false}}}}
"""
    assert run(text).fail().output == {"ok": False}
    assert run(text).answer(1).output == {"ok": True}


def test_an_outer_try_catches_what_an_inner_one_lets_through() -> None:
    text = f"""
do:
- outer:
    try:
    - inner: {{try: [{{c: {CALL}}}], catch: {{errors: {{with: {{status: 404}}}}}}}}
    catch: {{do: [{{h: {{set: {{by: outer, where: '${{ $error.instance }}'}}}}}}]}}
"""
    assert run(text).fail().output == {"by": "outer", "where": "/do/0/outer/try/0/inner/try/0/c"}


def retry(policy: str, more: str = "") -> str:
    return trying(f"{{retry: {policy}{more}}}")


def test_a_retry_repeats_the_effect_with_the_same_key_and_another_number() -> None:
    again = run(retry("{delay: PT1S, limit: {attempt: {count: 3}}}")).fail().after(1)

    first, second = again.asked
    assert first.key == second.key == "e1:/do/0/t/try/0/c"
    assert first.number != second.number
    assert again.tasks(TaskRetried) == ["/do/0/t"]
    assert again.answer("fine").output == {"got": "fine"}


def test_the_first_attempt_of_a_retry_waits_for_its_delay() -> None:
    waiting = run(retry("{delay: {seconds: 3}}")).fail()

    assert waiting.wakes_in == 3
    assert not waiting.after(2.9).pending
    assert waiting.after(0.1).pending


@pytest.mark.parametrize(
    ("backoff", "delays"),
    [
        ("constant", [2, 2, 2, 2]),
        ("linear", [2, 4, 6, 8]),
        ("exponential", [2, 4, 8, 16]),
    ],
)
def test_each_backoff_grows_in_its_own_way(backoff: str, delays: list[int]) -> None:
    running = run(
        retry(f"{{delay: PT2S, backoff: {{{backoff}: {{}}}}, limit: {{attempt: {{count: 4}}}}}}")
    )
    seen = []
    for _ in delays:
        seen.append(running.fail().wakes_in)
        running.after(seen[-1] or 0)

    assert seen == delays


def test_count_is_how_often_it_is_tried_again() -> None:
    running = run(retry("{delay: PT1S, limit: {attempt: {count: 2}}}"))
    running.fail().after(1).fail().after(1).fail()

    assert len(running.asked) == 3
    assert running.status == "faulted"
    assert running.error.status == 503


def test_when_the_retries_are_used_up_the_handler_runs() -> None:
    text = retry("{delay: PT1S, limit: {attempt: {count: 1}}}", ", do: [{h: {set: {gave: up}}}]")

    assert run(text).fail().after(1).fail().output == {"got": {"gave": "up"}}


def test_a_policy_without_a_limit_ends_all_the_same() -> None:
    running = WorkflowRun(retry("{delay: PT1S}"), limits=Limits(default_retries=3)).start()
    for _ in range(3):
        running.fail().after(1)

    assert running.fail().status == "faulted"


def test_a_policy_without_a_delay_waits_with_full_jitter() -> None:
    waits = {
        WorkflowRun(retry("{limit: {attempt: {count: 9}}}"), seed=n).start().fail().wakes_in
        for n in range(20)
    }

    assert len(waits) == 20
    assert all(wait is not None and 0 <= wait <= 1 for wait in waits)


def test_jitter_is_added_to_the_delay() -> None:
    text = retry("{delay: PT10S, jitter: {from: PT1S, to: PT2S}}")
    waits = [WorkflowRun(text, seed=n).start().fail().wakes_in or 0 for n in range(20)]

    assert all(11 <= wait <= 12 for wait in waits)
    assert len(set(waits)) == 20


def test_the_total_duration_limits_when_a_new_attempt_may_begin() -> None:
    running = run(retry("{delay: PT10S, limit: {duration: PT15S}}")).fail().after(10)

    assert running.fail().status == "faulted"


def test_each_attempt_may_have_a_time_limit() -> None:
    running = run(retry("{delay: PT1S, limit: {attempt: {count: 1, duration: PT5S}}}"))

    assert running.wakes_in == 5
    running.after(5)
    assert running.tasks(RetryScheduled) == ["/do/0/t"]
    running.after(1).after(5)
    assert running.error.type.endswith("/timeout")
    assert running.error.status == 408


@pytest.mark.parametrize(
    ("condition", "retried"),
    [
        ("when: $error.status == 503", True),
        ("when: $error.status == 500", False),
        ("exceptWhen: $error.status == 503", False),
        ("exceptWhen: $error.status == 500", True),
    ],
)
def test_a_policys_conditions_decide_what_is_tried_again(condition: str, retried: bool) -> None:
    running = run(retry(f"{{delay: PT1S, {condition}}}")).fail()

    assert bool(running.tasks(RetryScheduled)) is retried
    assert running.status == ("running" if retried else "completed")


def test_a_reusable_policy_is_used_by_name() -> None:
    text = f"use: {{retries: {{soon: {{delay: PT7S}}}}}}\n{retry('soon')}"

    assert run(text).fail().wakes_in == 7


def test_a_retry_begins_with_the_tasks_own_input() -> None:
    text = f"""
do:
- t:
    try:
    - s: {{set: {{n: '${{ .n + 1 }}'}}}}
    - c: {CALL}
    catch: {{retry: {{delay: PT1S}}, do: [{{h: {{set: '${{ . }}'}}}}]}}
"""
    running = run(text, {"n": 1}).fail().after(1)

    assert [
        frame.raw_input for frame in running.opened.frames.values() if frame.task.endswith("/c")
    ] == [{"n": 2}]


def test_a_zero_delay_tries_again_at_once() -> None:
    assert run(retry("{delay: PT0S}")).fail().pending


def test_an_error_in_a_condition_faults_the_try() -> None:
    ended = run(trying("{when: $error.status.x.y}")).fail()

    assert ended.error.type.endswith("/expression")
    assert ended.error.instance == "/do/0/t"
