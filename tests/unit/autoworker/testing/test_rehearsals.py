"""A rehearsal runs the real core in virtual time; mocks are the world."""

from __future__ import annotations

import pytest

from autoworker.testing import MockedWorld, NeverEnds, Rehearsal
from tests.support.workflow_run import definition_of
from tests.unit.autoworker.testing.workflows import CALL, differences, run


def test_a_month_takes_no_time_and_is_told_as_a_month() -> None:
    result = run("do: [{a: {wait: P30D}}]", "expect: {duration: P30D}")

    assert result.passed
    assert result.observed.seconds == 30 * 86_400


def test_a_call_without_a_mock_fails_the_case_and_says_what_was_called() -> None:
    found = differences(f"do: [{{ask: {CALL}}}]", "mocks: [{http: POST *, answer: {output: 1}}]")

    assert len(found) == 1
    assert "/do/0/ask calls what no mock is for" in found[0]
    assert "http://shop.example/stock" in found[0]
    assert "POST *" in found[0]


@pytest.mark.parametrize(
    "purpose",
    [
        "task: ask",
        "task: /do/0/ask",
        "http: GET http://shop.example/*",
        "call: {kind: http, method: get}",
    ],
)
def test_a_mock_is_for_a_task_or_for_a_call(purpose: str) -> None:
    case = f"mocks: [{{{purpose}, answer: {{body: {{left: 3}}}}}}]\nexpect: {{output: {{left: 3}}}}"

    assert differences(f"do: [{{ask: {CALL}}}]", case) == []


@pytest.mark.parametrize(
    "purpose",
    ["task: other", "task: /do/1/ask", "http: 'GET http://shop.example/{id}/x'", "function: ask"],
)
def test_a_mock_that_is_for_something_else_does_not_answer(purpose: str) -> None:
    case = f"mocks: [{{{purpose}, answer: {{output: 1}}}}]"

    assert "no mock is for" in differences(f"do: [{{ask: {CALL}}}]", case)[0]


def test_answers_come_one_after_another_and_the_last_one_stays() -> None:
    workflow = f"do: [{{each: {{for: {{each: n, in: [1, 2, 3]}}, do: [{{ask: {CALL}}}]}}}}]"
    case = "mocks: [{task: ask, answers: [{output: a}, {output: b}]}]\nexpect: {output: b, calls: [{}, {}, {}]}"

    assert differences(workflow, case) == []


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        ("{status: 503}", "{type: communication, status: 503}"),
        ("{fails: connection}", "{type: communication, status: 500}"),
        ("{fails: timeout, after: PT1S}", "{type: timeout, status: 408}"),
        ("{fails: refused}", "{type: authorization, status: 403}"),
        ("{error: {type: authentication}}", "{type: authentication, status: 401}"),
        (
            "{error: {type: 'https://example.com/e', status: 409, title: No}}",
            "{status: 409, title: No}",
        ),
    ],
)
def test_a_mock_can_fail_in_every_way_that_the_world_can(answer: str, error: str) -> None:
    case = f"mocks: [{{task: ask, answer: {answer}}}]\nexpect: {{error: {error}}}"

    assert differences(f"do: [{{ask: {CALL}}}]", case) == []


def test_a_call_that_nobody_answers_leaves_the_execution_running() -> None:
    case = "mocks: [{task: ask, answer: {silent: true}}]\nexpect: {status: running}"

    assert differences(f"do: [{{ask: {CALL}}}]", case) == []


def test_a_slow_answer_loses_against_a_timeout() -> None:
    workflow = f"do: [{{ask: {CALL.replace('}}', '}, timeout: {after: PT1M}}')}}}]"
    case = "mocks: [{task: ask, answer: {output: 1, after: PT2M}}]\nexpect: {error: {type: timeout}, duration: PT1M}"

    assert differences(workflow, case) == []


def test_people_can_suspend_resume_cancel_and_retry() -> None:
    workflow = f"do: [{{hold: {{wait: PT1H}}}}, {{ask: {CALL}}}]"
    case = """
mocks: [{task: ask, answers: [{status: 500}, {output: done}]}]
steps:
  - {when: {started: hold}, after: PT1M, suspend: {reason: lunch}}
  - {when: {status: suspended}, after: PT2H, resume: {}}
  - {when: {status: faulted}, retry: {}}
expect: {output: done, duration: PT2H1M}
"""
    assert differences(workflow, case) == []


def test_what_a_phase_does_not_allow_is_told_as_a_difference() -> None:
    found = differences("do: [{a: {wait: PT1S}}]", "steps: [{when: {started: a}, resume: {}}]")

    assert len(found) == 1
    assert "resumed" in found[0]


def test_a_crash_changes_nothing_and_asks_for_nothing_new() -> None:
    definition = definition_of(f"do: [{{a: {{set: {{n: 1}}}}}}, {{ask: {CALL}}}]")
    from autoworker.testing import Answer, Mock

    world = MockedWorld([Mock(task="ask", answers=[Answer(output=1), Answer(output=2)])])
    crashes: list[int] = []

    def crash_once(rehearsal: Rehearsal) -> None:
        if rehearsal.asked and not crashes:
            crashes.append(1)
            rehearsal.crash()

    rehearsal = Rehearsal(definition, world, committed=crash_once)
    rehearsal.run({})

    assert [effect.key for effect in rehearsal.asked] == ["rehearsal:/do/1/ask"] * 2
    assert len(world.calls) == 1


def test_a_workflow_that_goes_round_and_round_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("autoworker.testing.rehearsal.MOST_STEPS", 50)
    definition = definition_of("do: [{a: {wait: PT1S}}, {b: {set: {n: 1}, then: a}}]")

    with pytest.raises(NeverEnds, match="50"):
        Rehearsal(definition, MockedWorld([])).run({})
