"""Effects of the core as calls of the HTTP runner, and outcomes back."""

from __future__ import annotations

from typing import cast

from workflow_service.adapters.task_runners import http
from workflow_service.adapters.task_runners.http_effects import HttpEffects
from workflow_service.domain.execution.effects import (
    BearerCredentials,
    Effect,
    Failed,
    HttpCall,
    Succeeded,
)
from workflow_service.domain.execution.problem import ERRORS, Problem


class Recorder:
    """Plays the HTTP runner."""

    def __init__(self, outcome: http.HttpOutcome) -> None:
        self.outcome = outcome
        self.calls: list[http.HttpCall] = []

    async def run(self, call: http.HttpCall) -> http.HttpOutcome:
        self.calls.append(call)
        return self.outcome


def around(recorder: Recorder) -> HttpEffects:
    return HttpEffects(cast("http.HttpRunner", recorder))


async def test_a_call_arrives_as_it_was_asked_for() -> None:
    recorder = Recorder(http.HttpSucceeded({"ok": True}))
    call = HttpCall(
        "POST", "https://x.test/", {"A": "b"}, {"q": 1}, body=None, output="response", redirect=True
    )

    outcome = await around(recorder).perform("e1", Effect(7, "key", call))

    assert outcome == Succeeded({"ok": True})
    assert recorder.calls == [
        http.HttpCall(
            method="POST", url="https://x.test/", idempotency_key="key", headers={"A": "b"},
            query={"q": 1}, body=None, output="response", redirect=True,
        )
    ]  # fmt: skip


async def test_no_body_is_not_a_null() -> None:
    recorder = Recorder(http.HttpSucceeded(None))

    await around(recorder).perform("e1", Effect(1, "k", HttpCall("GET", "https://x.test/")))

    assert recorder.calls[0].body is http.ABSENT


async def test_a_failure_is_a_problem_of_the_dsl() -> None:
    failure = http.HttpFailed("communication", 503, "Service Unavailable", "later", retry_after=3)

    outcome = await around(Recorder(failure)).perform(
        "e1", Effect(1, "k", HttpCall("GET", "https://x.test/"))
    )

    assert outcome == Failed(Problem(ERRORS + "communication", 503, "Service Unavailable", "later"))


async def test_credentials_and_whose_they_are_go_with_a_call() -> None:
    recorder = Recorder(http.HttpSucceeded(1))
    call = HttpCall("GET", "https://x.test/", credentials=BearerCredentials("t"))

    await around(recorder).perform("e1", Effect(1, "k", call, tenant="acme"))

    assert recorder.calls[0].credentials == BearerCredentials("t")
    assert recorder.calls[0].tenant == "acme"
