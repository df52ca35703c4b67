"""Taking a faulted execution up again, from the fault or from an earlier task."""

from __future__ import annotations

from tests.support.workflow_run import WorkflowRun, run
from workflow_service.domain.execution.commands import Retry
from workflow_service.domain.execution.events import TaskCompleted, TaskCreated
from workflow_service.domain.execution.evolve import fold
from workflow_service.domain.execution.state import NotStarted, Open

CALL = "{call: http, with: {method: get, endpoint: 'http://example.com/{id}'}}"


def test_a_retry_repeats_the_task_that_faulted_and_keeps_what_was_done_before() -> None:
    faulted = run(
        f"do:\n- a: {{set: {{id: 1}}}}\n- c: {CALL}\n- z: {{set: {{got: '${{ . }}'}}}}"
    ).fail()

    again = faulted.retry()
    assert again.status == "running"
    assert again.answer("fine").output == {"got": "fine"}
    assert again.tasks(TaskCompleted).count("/do/0/a") == 1


def test_a_retry_may_change_the_faulted_tasks_input() -> None:
    faulted = run(f"do:\n- c: {CALL}", {"id": 1}).fail()

    again = faulted.retry(Retry(input={"id": 2}))
    assert again.http.uri == "http://example.com/2"


def test_a_retry_goes_on_inside_loops_where_it_was() -> None:
    text = f"do:\n- l: {{for: {{in: '[1,2,3]'}}, do: [{{c: {CALL}}}, {{s: {{set: {{id: '${{ $item }}'}}}}}}]}}"
    faulted = run(text, {"id": 0}).answer(1).fail()

    again = faulted.retry()
    assert [effect.key for effect in again.pending] == ["e1:/do/0/l#1/do/0/c"]
    assert again.answer(1).answer(1).output == {"id": 3}


def test_a_retry_takes_the_cancelled_branches_up_again() -> None:
    text = f"do:\n- f: {{fork: {{branches: [{{a: {CALL}}}, {{b: {CALL}}}, {{c: {{set: {{x: 1}}}}}}]}}}}"
    faulted = run(text).fail(task="/do/0/f/fork/branches/0/a")

    again = faulted.retry()
    assert len(again.pending) == 2
    again.answer("A", task="/do/0/f/fork/branches/0/a")
    assert again.answer("B", task="/do/0/f/fork/branches/1/b").output == ["A", "B", {"x": 1}]


def test_a_retry_of_a_workflow_whose_input_was_wrong_begins_it_with_another() -> None:
    text = "input: {schema: {document: {type: object, required: [id]}}}\ndo:\n- a: {set: '${ . }'}"
    faulted = run(text, {"no": 1})

    assert faulted.retry(Retry(input={"id": 5})).output == {"id": 5}


def test_a_retry_of_a_workflow_that_timed_out_has_its_time_again() -> None:
    timed_out = run(f"timeout: {{after: PT5S}}\ndo:\n- c: {CALL}").after(5).after(3600)

    again = timed_out.retry()
    assert again.status == "running"
    assert again.wakes_in == 5


def test_a_retry_of_a_workflow_whose_output_was_wrong_checks_it_again() -> None:
    text = "do:\n- a: {set: {x: 1}}\noutput: {schema: {document: {type: string}}}"

    assert run(text).retry().error.instance == "/output"


def test_a_retry_from_an_earlier_task_begins_there_with_the_results_before_it() -> None:
    text = f"do:\n- a: {{set: {{id: 1}}}}\n- b: {{set: {{id: '${{ .id + 1 }}'}}}}\n- c: {CALL}"
    faulted = run(text).fail()

    again = faulted.retry(
        Retry(
            task="/do/1/b",
            position=before(faulted, "/do/1/b"),
            input={"id": 9},
        )
    )
    assert again.http.uri == "http://example.com/10"
    assert again.pending[0].number == 2


def before(faulted: WorkflowRun, task: str) -> Open:
    """The state in which *task* had just been created."""
    events = list(faulted.events)
    last = max(
        i for i, event in enumerate(events) if isinstance(event, TaskCreated) and event.task == task
    )
    state = fold(NotStarted(), [(event, faulted.now) for event in events[: last + 1]])
    assert isinstance(state, Open)
    return state
