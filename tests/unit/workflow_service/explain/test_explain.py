"""Why an execution is not moving, for every way of not moving."""

from __future__ import annotations

from datetime import datetime
from typing import Any

from tests.support.executions import at
from workflow_service.domain.execution.credentials import Resource
from workflow_service.domain.execution.effects import Effect, HttpCall, OpenapiCall, Succeeded
from workflow_service.domain.execution.explain import Blocker, Explanation, explain
from workflow_service.domain.execution.problem import Problem
from workflow_service.domain.execution.state import (
    ROOT,
    Activity,
    BackingOff,
    Created,
    Doing,
    Ended,
    Faulted,
    Forking,
    Frame,
    Halted,
    NotStarted,
    Open,
    Performed,
    Performing,
    Sleeping,
)
from workflow_service.domain.execution.workflow_events import WorkflowCancelled, WorkflowSuspended

CALL = HttpCall("get", "https://ada:pw@shop.test:8443/orders?token=x")
PROBLEM = Problem("https://x.test/errors/communication", 503, "Service Not Available", "try later")


def frame(
    task: str, activity: Activity, *, parent: str = "", deadline: datetime | None = None
) -> Frame:
    return Frame(task, task, parent, None, None, activity, started_at=at(10), deadline=deadline)


def opened(*frames: Frame, **members: Any) -> Open:
    return Open(
        **{
            "execution": "e1",
            "namespace": "shop",
            "name": "order",
            "version": "1.0.0",
            "digest": "d",
            "tenant": "default",
            "owner": "ada",
            "input": None,
            "accepted_at": at(0),
            "started_at": at(1),
            "frames": {each.id: each for each in frames},
        }
        | members
    )


def only(explanation: Explanation) -> Blocker:
    (blocker,) = explanation.blockers
    return blocker


def told(state: Open | Ended) -> Explanation:
    return explain(state, at(20))


def test_nothing_yet() -> None:
    assert explain(NotStarted(), at(0)) == Explanation("pending", "It has not been accepted yet.")


def test_a_delayed_start_waits_for_its_time() -> None:
    found = told(opened(started_at=None, run_at=at(60)))

    assert found.status == "pending"
    assert found.summary == "It waits for its time to begin, until 2026-01-15T10:31:00.000Z."
    assert only(found) == Blocker("schedule", "", "its time to begin", at(0), at(60), "time alone")


def test_a_wait_ends_by_itself() -> None:
    found = told(opened(frame("/do/0/pause", Sleeping(at(60)))))

    assert found.status == "waiting"
    assert (
        found.summary
        == "It waits for the end of a pause at /do/0/pause, until 2026-01-15T10:31:00.000Z."
    )
    assert only(found) == Blocker(
        "timer", "/do/0/pause", "the end of a pause", at(10), at(60), "time alone"
    )


def test_a_wait_that_is_over_is_due() -> None:
    found = told(opened(frame("/do/0/pause", Sleeping(at(15)))))

    assert found.summary.endswith("until 2026-01-15T10:30:15.000Z, which is due.")


def test_backing_off_tells_the_last_error_and_the_next_attempt() -> None:
    found = told(opened(frame("/do/0/try", BackingOff(at(60), 2, at(5), PROBLEM))))

    blocker = only(found)
    assert (blocker.kind, blocker.task, blocker.since, blocker.wakes_at) == (
        "retry", "/do/0/try", at(5), at(60),
    )  # fmt: skip
    assert blocker.waits_for == "attempt 3, after Service Not Available (503): try later"


def test_a_call_is_named_by_method_and_host_alone() -> None:
    found = told(opened(frame("/do/0/get", Performing(Effect(1, "k", CALL)))))

    assert found.status == "running"
    assert found.summary == "It waits for the answer to GET shop.test:8443 at /do/0/get."
    assert only(found) == Blocker(
        "effect", "/do/0/get", "the answer to GET shop.test:8443", at(10), None, "whoever is called"
    )


def test_a_call_ends_at_the_nearest_time_limit_around_it() -> None:
    root = frame(ROOT, Doing())
    outer = frame("/do/0/outer", Doing(), deadline=at(90))
    inner = frame("/do/0/outer/do/0/get", Performing(Effect(1, "k", CALL)), parent=outer.id)

    found = told(opened(root, outer, inner, deadline=at(100)))

    assert only(found).wakes_at == at(90)
    assert only(found).unblocked_by == "whoever is called, or its time limit"
    assert ", at the longest until 2026-01-15T10:31:30.000Z." in found.summary


def test_an_address_that_is_none_is_survived() -> None:
    call = HttpCall("GET", "http://[broken")

    found = told(opened(frame("/do/0/get", Performing(Effect(1, "k", call)))))

    assert only(found).waits_for == "the answer to GET an address that cannot be read"


def test_an_operation_is_named_with_the_host_of_its_document() -> None:
    call = OpenapiCall(Resource("https://docs.test/api?token=sesame"), "order")

    found = told(opened(frame("/do/0/get", Performing(Effect(1, "k", call)))))

    assert only(found).waits_for == "the answer to the operation order that docs.test describes"


def test_branches_wait_for_several_things_and_the_soonest_is_told_first() -> None:
    found = told(
        opened(
            frame("/do/0/both", Forking(2)),
            frame("/do/0/both/fork/branches/0/a", Performing(Effect(1, "k", CALL))),
            frame("/do/0/both/fork/branches/1/b", Sleeping(at(60))),
        )
    )

    assert {blocker.kind for blocker in found.blockers} == {"effect", "timer"}
    assert found.summary == (
        "It waits for the end of a pause at /do/0/both/fork/branches/1/b, until 2026-01-15T10:31:00.000Z,"
        " and for 1 more thing."
    )


def test_what_is_being_worked_on_has_no_blockers() -> None:
    found = told(opened(frame("/do/0/a", Created())))

    assert found == Explanation("running", "It is being worked on; nothing holds it up.")


def test_a_suspension_tells_who_and_why_first() -> None:
    state = opened(
        frame("/do/0/a", Performed(Succeeded(1))),
        frame("/do/1/b", Sleeping(at(60))),
        suspended_at=at(15),
    )

    found = explain(state, at(20), WorkflowSuspended("for lunch", "ada"))

    suspension, _ = found.blockers
    assert (found.status, suspension.kind, suspension.since) == ("suspended", "suspension", at(15))
    assert suspension.waits_for == "being resumed: it was suspended by ada (for lunch)"
    assert found.summary.startswith("It waits for being resumed: it was suspended by ada")


def test_a_suspension_without_a_word() -> None:
    found = explain(opened(suspended_at=at(15)), at(20), WorkflowSuspended())

    assert only(found).waits_for == "being resumed: it was suspended"


def test_a_fault_is_placed_where_it_began_and_can_be_retried() -> None:
    inner = frame("/do/0/try/try/0/get", Faulted(PROBLEM, Created()), parent="/do/0/try")
    stood = opened(
        frame(ROOT, Faulted(PROBLEM, Doing())),
        frame("/do/0/try", Faulted(PROBLEM, Doing())),
        inner,
        frame("/do/0/other", Halted(Created())),
    )

    found = told(Ended("faulted", at(30), stood, PROBLEM))

    assert found.status == "faulted"
    assert found.summary == (
        "It faulted at /do/0/try/try/0/get: Service Not Available (503): try later."
        " Retry it to take it up again."
    )
    blocker = only(found)
    assert (blocker.kind, blocker.task, blocker.since, blocker.wakes_at) == (
        "fault", "/do/0/try/try/0/get", at(30), None,
    )  # fmt: skip


def test_a_fault_of_the_workflow_itself_has_no_place() -> None:
    found = told(Ended("faulted", at(30), opened(frame(ROOT, Faulted(PROBLEM, Doing()))), PROBLEM))

    assert found.summary.startswith("It faulted: Service Not Available")
    assert only(found).task == ""


def test_what_has_completed_waits_for_nothing() -> None:
    assert told(Ended("completed", at(30), output=1)) == Explanation(
        "completed", "It completed at 2026-01-15T10:30:30.000Z."
    )


def test_what_was_cancelled_tells_who_and_why() -> None:
    found = explain(Ended("cancelled", at(30)), at(40), WorkflowCancelled("enough", "ada"))

    assert found == Explanation(
        "cancelled", "It was cancelled by ada at 2026-01-15T10:30:30.000Z (enough)."
    )
