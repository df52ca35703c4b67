"""``run: workflow``: what the core asks for, and what it makes of the answer."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.workflow_run import NOON, WorkflowRun, problem, run
from workflow_service.domain.execution.commands import Accept
from workflow_service.domain.execution.effects import WorkflowCall
from workflow_service.domain.execution.explain import explain
from workflow_service.domain.execution.limits import Limits
from workflow_service.domain.execution.origin import ParentTask

CHILD = "{namespace: test, name: child, version: '1.0.0', input: {user: '${ .who }'}}"
PARENT = f"do:\n- ask: {{run: {{workflow: {CHILD}}}}}\n"
DETACHED = f"do:\n- ask: {{run: {{await: false, workflow: {CHILD}}}}}\n"


def called(run: WorkflowRun) -> WorkflowCall:
    call = run.pending[0].call
    assert isinstance(call, WorkflowCall)
    return call


def test_it_asks_for_the_workflow_with_the_rendered_input() -> None:
    call = called(run(PARENT, {"who": "ada"}))

    assert (call.namespace, call.name, call.version) == ("test", "child", "1.0.0")
    assert call.input == {"user": "ada"}
    assert (call.tenant, call.owner) == ("default", "u1")
    assert call.parent == ParentTask("e1", "/do/0/ask", 1, 1, awaited=True)


@pytest.mark.parametrize("version", ["", ", version: latest"])
def test_the_latest_version_is_the_newest_at_the_time_of_the_start(version: str) -> None:
    body = f"do:\n- ask: {{run: {{workflow: {{namespace: test, name: child{version}}}}}}}\n"
    call = called(run(body))

    assert call.version == ""
    assert call.input == {}


def test_which_workflow_may_depend_on_the_data() -> None:
    body = "do:\n- ask: {run: {workflow: {namespace: test, name: '${ .kind }', input: '${ . }'}}}\n"
    call = called(run(body, {"kind": "dog"}))

    assert (call.name, call.input) == ("dog", {"kind": "dog"})


def test_a_name_that_is_none_faults_the_task() -> None:
    body = "do:\n- ask: {run: {workflow: {namespace: test, name: '${ 7 }'}}}\n"

    assert run(body).error.type.endswith("/configuration")


def test_the_output_of_the_workflow_is_the_output_of_the_task() -> None:
    assert run(PARENT, {"who": "ada"}).answer({"done": True}).output == {"done": True}


def test_without_waiting_the_output_is_the_input() -> None:
    begun = run(DETACHED, {"who": "ada"})

    assert called(begun).parent.awaited is False
    assert begun.answer(None).output == {"who": "ada"}


def test_that_also_holds_when_it_began_while_the_parent_was_suspended() -> None:
    begun = run(DETACHED, {"who": "ada"}).suspend().answer(None)

    assert begun.status == "suspended"
    assert begun.resume().output == {"who": "ada"}


def test_an_error_of_the_workflow_can_be_caught_and_tried_again_with_another_child() -> None:
    guarded = (
        "do:\n- guard:\n    try:\n    - ask: {run: {workflow: {namespace: test, name: child}}}\n"
        "    catch: {errors: {with: {status: 503}}, retry: {delay: PT1S, limit: {attempt: {count: 1}}}}\n"
    )
    begun = run(guarded)
    first = called(begun).execution
    begun.fail(problem("communication", 503)).after(1)

    assert called(begun).execution != first
    assert begun.answer("ok").output == "ok"


def test_a_repetition_after_a_crash_asks_for_the_same_child() -> None:
    begun = run(PARENT, {"who": "ada"})
    first = called(begun)

    assert called(begun.recover()) == first


def test_each_iteration_has_a_child_of_its_own() -> None:
    loop = (
        "do:\n- all:\n    for: {in: '${ [1, 2] }'}\n    do:\n"
        "    - ask: {run: {workflow: {namespace: test, name: child}}}\n"
    )
    begun = run(loop)
    first = called(begun).execution

    assert called(begun.answer(1)).execution != first


def test_a_timeout_ends_the_task() -> None:
    begun = run(PARENT.replace("}}}\n", "}}, timeout: {after: PT1M}}\n"), {"who": "ada"})

    assert begun.after(60).error.type.endswith("/timeout")


def test_workflows_that_run_each_other_without_end_are_stopped_by_a_bound() -> None:
    def child_at(depth: int) -> WorkflowRun:
        parent = ParentTask("e0", "/do/0/ask", 1, depth, awaited=True)
        begun = WorkflowRun(PARENT, limits=Limits(workflow_depth=3))
        return begun.feed(Accept("e1", "default", "u1", {"who": "x"}, origin=parent))

    assert called(child_at(2)).parent.depth == 3
    assert "limit workflow_depth" in (child_at(3).error.detail or "")


def test_it_is_explained_which_execution_is_awaited() -> None:
    begun = run(PARENT, {"who": "ada"})
    found = explain(begun.state, NOON + timedelta(seconds=1))
    (blocker,) = found.blockers

    assert f"execution {called(begun).execution} of test/child 1.0.0" in blocker.waits_for
    assert called(begun).execution in blocker.unblocked_by


def test_an_output_that_is_not_wanted_is_none() -> None:
    begun = run(PARENT.replace("{run: {", "{run: {return: none, "), {"who": "ada"})

    assert begun.answer({"done": True}).output is None


def test_what_only_processes_return_leaves_the_output_of_a_workflow_as_it_is() -> None:
    begun = run(PARENT.replace("{run: {", "{run: {return: all, "), {"who": "ada"})

    assert begun.answer({"done": True}).output == {"done": True}
