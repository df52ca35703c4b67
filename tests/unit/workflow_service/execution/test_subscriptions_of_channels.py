"""`call: asyncapi` with a subscription, in the core."""

from __future__ import annotations

from datetime import timedelta

import msgspec
import pytest

from tests.support.workflow_run import NOON, WorkflowRun, run
from tests.unit.workflow_service.definition.support import problems
from workflow_service.domain.execution.effects import AsyncApiReceive
from workflow_service.domain.expressions import JsonValue

TEXT = """do:
- hear:
    call: asyncapi
    with:
      document: {endpoint: 'https://docs.test/asyncapi.yaml'}
      channel: chat
      subscription: %s
"""


def message(number: int) -> JsonValue:
    """A message as it comes."""
    return {"payload": {"n": number}, "headers": {}}


def subscribed(subscription: str, data: JsonValue = None) -> WorkflowRun:
    running = run(TEXT % subscription, data)
    assert running.status == "running", running.error
    return running


def waiting(running: WorkflowRun) -> AsyncApiReceive:
    """What is waited for now."""
    call = running.pending[0].call
    assert isinstance(call, AsyncApiReceive)
    return call


def test_messages_are_waited_for_until_there_are_enough() -> None:
    running = subscribed("{consume: {amount: 3}}")
    assert waiting(running) == AsyncApiReceive(
        target=waiting(running).target, subscription="e1:/do/0/hear", most=3, enough=True
    )

    running.answer([message(1), message(2)])
    assert waiting(running).most == 1
    running.answer([message(3)])

    assert running.output == [message(1), message(2), message(3)]


def test_only_messages_that_pass_the_filter_count() -> None:
    running = subscribed(
        "{filter: '${ .payload.n > $workflow.input.least }', consume: {amount: 2}}", {"least": 5}
    )

    assert not waiting(running).enough
    running.answer([message(1), message(7)])
    assert waiting(running).most == 1
    running.answer([message(2)]).answer([message(8)])

    assert running.output == [message(7), message(8)]


def test_a_subscription_ends_with_its_time() -> None:
    running = subscribed("{consume: {amount: 3, for: {seconds: 10}}}")
    assert waiting(running).until == NOON + timedelta(seconds=10)

    running.now += timedelta(seconds=4)
    running.answer([message(1)])
    assert waiting(running).until == NOON + timedelta(seconds=10)
    running.now = NOON + timedelta(seconds=10)
    running.answer([])

    assert running.output == [message(1)]


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ("until: '${ length == 2 }'", [1, 2]),
        ("until: '${ $item.payload.n == 2 }'", [1, 2]),
        ("until: '${ true }'", []),
        ("while: '${ $item.payload.n < 2 }'", [1, 2]),
        ("while: '${ false }'", [1]),
    ],
)
def test_a_condition_says_when_it_is_enough(condition: str, expected: list[int]) -> None:
    running = subscribed_or_done(f"{{consume: {{{condition}}}}}")

    for number in expected:
        assert waiting(running).most == 1
        running.answer([message(number)])

    assert running.output == [message(number) for number in expected]


def subscribed_or_done(subscription: str) -> WorkflowRun:
    return run(TEXT % subscription, None)


FOREACH = """
        consume: {until: '${ ($context.seen // []) | length == 2 }'}
        foreach:
          item: heard
          at: number
          do:
          - keep: {set: {n: '${ $heard.payload.n * 10 + $number }'}}
          - pause: {wait: PT1S}
          output: {as: '${ .n }'}
          export: {as: '${ {seen: (($context.seen // []) + [.])} }'}
"""


def test_something_is_done_with_each_message_in_turn() -> None:
    running = subscribed(FOREACH)

    running.answer([message(1)])
    assert running.status == "waiting"
    assert running.pending == []
    running.after(1)
    running.answer([message(2)]).after(1)

    assert running.output == [10, 21]


def test_an_error_within_faults_the_task_and_a_retry_goes_on_with_the_message() -> None:
    running = subscribed(
        "{consume: {amount: 1}, foreach: {do: [{bad: {raise: {error: {type: 'https://e.test', status: 500}}}}]}}"
    )

    running.answer([message(1)])

    assert running.error.instance == "/do/0/hear/with/subscription/foreach/do/0/bad"
    running.retry()
    assert running.status == "faulted"


def test_a_channel_that_fails_faults_the_task_at_its_place() -> None:
    running = subscribed("{consume: {amount: 1}}")

    running.fail()

    assert running.error.status == 503
    running.retry()
    running.answer([message(1)])
    assert running.output == [message(1)]


def test_messages_that_come_while_it_is_suspended_are_kept() -> None:
    running = subscribed("{consume: {amount: 2}}")

    running.suspend().answer([message(1)])
    assert running.status == "suspended"
    running.resume().answer([message(2)])

    assert running.output == [message(1), message(2)]


def test_a_subscription_survives_another_owner() -> None:
    running = subscribed("{consume: {amount: 2}}")
    running.answer([message(1)]).recover()

    assert waiting(running).most == 1
    running.answer([message(2)])

    assert msgspec.json.encode(running.output) == msgspec.json.encode([message(1), message(2)])


def test_an_amount_is_at_least_one() -> None:
    found = problems(TEXT % "{consume: {amount: 0}}")

    assert found == {"/do/0/hear/with/subscription/consume/amount": "must be at least 1"}
