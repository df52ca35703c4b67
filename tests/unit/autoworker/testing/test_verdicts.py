"""Every expectation that does not hold is told with its place; those that hold are not."""

from __future__ import annotations

import pytest

from autoworker.testing.matching import differences as compared
from autoworker.testing.matching import like
from tests.unit.autoworker.testing.workflows import CALL, differences

SET = "do: [{a: {set: {n: 1, deep: {er: [1, 2]}}, export: {as: '${ {kept: .n} }'}}}]"
EMIT = "do: [{a: {emit: {event: {with: {source: 'https://example.com/', type: com.example.x, data: {n: 1}}}}}}]"


@pytest.mark.parametrize(
    ("expectation", "said"),
    [
        ("output: {n: 1, deep: {er: [1, 2]}}", []),
        ("output: {n: 2, deep: {er: [1, 2]}}", ["output.n: expected 2, got 1"]),
        ("output: {n: 1}", ['output.deep: expected nothing, got {"er":[1,2]}']),
        ("output: {n: 1, deep: {er: [1, 3]}}", ["output.deep.er[1]: expected 3, got 2"]),
        ("output: {n: true, deep: {er: [1, 2]}}", ["output.n: expected true, got 1"]),
        ("context: {kept: 1}", []),
        ("context: {kept: 2}", ["context.kept: expected 2, got 1"]),
        ("status: cancelled", ["status: expected cancelled, got completed"]),
        (
            "error: {status: 400}",
            ["status: expected faulted, got completed", 'error: expected {"status":400}, got none'],
        ),
        ("tasks: {completed: [a], faulted: []}", []),
        ("tasks: {completed: []}", ["tasks completed: expected none, got /do/0/a"]),
        ("calls: []", []),
        ("duration: PT0S", []),
        ("duration: PT1S", ['duration: expected "PT1S", got 0 s']),
        ("duration: {atLeast: PT1S}", ['duration: expected {"atLeast":"PT1S"}, got 0 s']),
        ("duration: {atMost: 5}", []),
    ],
)
def test_what_a_workflow_came_to_is_compared(expectation: str, said: list[str]) -> None:
    assert differences(SET, f"expect: {{{expectation}}}") == said


@pytest.mark.parametrize(
    ("expectation", "said"),
    [
        ("[{type: com.example.x, data: {n: 1}}]", []),
        ("[{data: {n: 2}}]", ["events[0].data.n: expected 2, got 1"]),
    ],
)
def test_emitted_events_are_compared_by_the_members_that_are_named(
    expectation: str, said: list[str]
) -> None:
    assert differences(EMIT, f"expect: {{events: {expectation}}}") == said


@pytest.mark.parametrize(
    ("expectation", "said"),
    [
        ("[{http: GET http://shop.example/stock}]", []),
        ("[{http: GET http://shop.example/*, headers: {accept: '*json*'}}]", []),
        ("[{headers: {accept: '*xml'}}]", ["calls[0].headers.accept"]),
        ("[{http: POST http://shop.example/stock}]", ["calls[0]: expected POST"]),
        ("[]", ["calls: expected 0, got 1: GET http://shop.example/stock"]),
    ],
)
def test_calls_are_compared_by_the_members_that_are_named(
    expectation: str, said: list[str]
) -> None:
    case = f"mocks: [{{task: ask, answer: {{output: 1}}}}]\nexpect: {{calls: {expectation}}}"

    found = differences(f"do: [{{ask: {CALL}}}]", case)

    assert len(found) == len(said)
    assert all(text.startswith(start) for text, start in zip(found, said, strict=True))


def test_the_history_is_compared_in_order() -> None:
    began = "{type: io.serverlessworkflow.task.started.v1, data: {task: /do/0/a, startedAt: '*'}}"
    ended = "{type: io.serverlessworkflow.task.completed.v1, data: {task: /do/0/a}}"

    assert differences(SET, f"expect: {{history: [{began}, {ended}]}}") == []
    assert "history[1]" in differences(SET, f"expect: {{history: [{ended}, {began}]}}")[0]


def test_numbers_are_the_same_however_they_are_written() -> None:
    assert list(compared({"n": 1}, {"n": 1.0}, "it")) == []
    assert list(compared({"n": 1}, {"n": 1.5}, "it")) == ["it.n: expected 1, got 1.5"]


@pytest.mark.parametrize(
    ("pattern", "text", "fits"),
    [
        ("a.b", "a.b", True), ("a.b", "axb", False), ("*", "", True), ("/x/{id}", "/x/7", True),
        ("/x/{id}", "/x/7/8", False), ("/x/*", "/x/7/8", True), ("*.json", "a/b.json", True),
    ],
)  # fmt: skip
def test_patterns_hold_any_text(pattern: str, text: str, fits: bool) -> None:
    assert like(pattern, text) is fits
