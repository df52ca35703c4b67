"""The eleven steps of the data flow (DSL, "Data Flow")."""

from __future__ import annotations

import pytest

from tests.support.workflow_run import run
from workflow_service.domain.execution.events import TaskCompleted, TaskFaulted, TaskSkipped
from workflow_service.domain.expressions import JsonValue

NEEDS_ID = "{schema: {document: {type: object, required: [id]}}}"


def test_step_1_input_that_fails_the_schema_faults_before_the_first_task() -> None:
    ended = run(f"input: {NEEDS_ID}\ndo:\n- a: {{set: {{x: 1}}}}", {"name": "no id"})

    assert ended.status == "faulted"
    assert ended.error.type == "https://serverlessworkflow.io/spec/1.0.0/errors/validation"
    assert (ended.error.status, ended.error.instance) == (400, "/input")
    assert "id" in (ended.error.detail or "")
    assert not ended.tasks(TaskCompleted)


def test_step_2_the_workflows_input_is_transformed_for_its_first_task() -> None:
    ended = run("input: {from: .order}\ndo:\n- a: {set: '${ {got: .} }'}", {"order": {"id": 7}})

    assert ended.output == {"got": {"id": 7}}


def test_the_raw_workflow_input_stays_available() -> None:
    text = "input: {from: .order}\ndo:\n- a: {set: {raw: '${ $workflow.input }', input: '${ $input }'}}"

    assert run(text, {"order": 1}).output == {"raw": {"order": 1}, "input": 1}


def test_the_context_begins_as_the_transformed_input() -> None:
    assert run("do:\n- a: {set: '${ $context }'}", {"id": 1}).output == {"id": 1}


def test_step_3_a_tasks_raw_input_is_validated_before_it_is_transformed() -> None:
    text = "do:\n- a: {input: {schema: {document: {type: object, required: [id]}}, from: .x}, set: {y: 1}}"
    ended = run(text, {"x": {"id": 1}})

    assert ended.error.instance == "/do/0/a"
    assert ended.error.type.endswith("/validation")
    assert ended.tasks(TaskFaulted) == ["/do/0/a"]


def test_step_4_a_tasks_input_is_transformed_and_its_raw_input_kept() -> None:
    text = "do:\n- a: {input: {from: .x}, set: {raw: '${ $task.input }', now: '${ . }', input: '${ $input }'}}"

    assert run(text, {"x": 5}).output == {"raw": {"x": 5}, "now": 5, "input": 5}


def test_step_5_a_tasks_output_is_transformed_from_its_raw_output() -> None:
    text = "do:\n- a: {set: {a: 1, b: 2}, output: {as: '{sum: (.a + .b), raw: $task.output, in: $input}'}}"

    assert run(text, {"i": 1}).output == {"sum": 3, "raw": {"a": 1, "b": 2}, "in": {"i": 1}}


def test_output_as_may_be_an_object_of_expressions() -> None:
    assert run("do:\n- a: {set: {a: 1}, output: {as: {b: '${ .a }', c: plain}}}").output == {
        "b": 1,
        "c": "plain",
    }


def test_step_6_a_tasks_output_is_validated_after_it_is_transformed() -> None:
    schema = "schema: {document: {type: number}}"
    assert run(f"do:\n- a: {{set: {{a: 1}}, output: {{as: .a, {schema}}}}}").output == 1
    assert run(f"do:\n- a: {{set: {{a: 1}}, output: {{{schema}}}}}").error.instance == "/do/0/a"


def test_step_7_export_replaces_the_context_and_sees_the_transformed_output() -> None:
    text = """
do:
- a: {set: {a: 1}, output: {as: .a}, export: {as: '{seen: ., out: $output, before: $context}'}}
- b: {set: '${ $context }'}
"""
    assert run(text, {"i": 0}).output == {"seen": 1, "out": 1, "before": {"i": 0}}


def test_step_8_the_exported_context_is_validated() -> None:
    text = "do:\n- a: {set: {a: 1}, export: {as: .a, schema: {document: {type: object}}}}"

    assert "context" in (run(text).error.detail or "")


def test_step_9_the_output_of_one_task_is_the_input_of_the_next() -> None:
    assert run("do:\n- a: {set: {a: 1}}\n- b: {set: {b: '${ .a + 1 }'}}").output == {"b": 2}


def test_step_10_the_workflows_output_is_transformed() -> None:
    text = "do:\n- a: {set: {a: 1}}\noutput: {as: '{done: .a, id: $workflow.id}'}"

    assert run(text).output == {"done": 1, "id": "e1"}


def test_step_11_the_workflows_output_is_validated() -> None:
    ended = run("do:\n- a: {set: {a: 1}}\noutput: {schema: {document: {type: string}}}")

    assert (ended.status, ended.error.instance) == ("faulted", "/output")


def test_a_skipped_task_hands_its_raw_input_on() -> None:
    ended = run(
        "do:\n- a: {set: {a: 1}}\n- b: {if: .a > 1, set: {b: 1}, then: end}\n- c: {set: '${ . }'}"
    )

    assert ended.output == {"a": 1}
    assert ended.tasks(TaskSkipped) == ["/do/1/b"]


def test_if_is_evaluated_before_the_input_is_validated() -> None:
    text = f"do:\n- a: {{if: 'false', input: {NEEDS_ID}, set: {{a: 1}}}}"

    assert run(text, {"kept": True}).output == {"kept": True}


@pytest.mark.parametrize("falsy", ["'false'", "'null'", ".missing", "1 == 2"])
def test_only_false_and_null_do_not_hold(falsy: str) -> None:
    ended = run(f"do:\n- a: {{if: {falsy}, set: {{ran: true}}}}", {"kept": 1})

    assert ended.output == {"kept": 1}


@pytest.mark.parametrize("truthy", ["'0'", "'\"\"'", "'[]'", "'{}'"])
def test_everything_else_holds(truthy: str) -> None:
    assert run(f"do:\n- a: {{if: {truthy}, set: {{ran: true}}}}").output == {"ran": True}


def test_set_replaces_the_data_and_does_not_merge() -> None:
    assert run("do:\n- a: {set: {b: 1}}", {"a": 1}).output == {"b": 1}


def test_a_failed_expression_is_the_dsls_expression_error() -> None:
    ended = run("do:\n- a: {set: {x: '${ .a.b.c }'}}", {"a": "text"})

    assert ended.error.type.endswith("/expression")
    assert (ended.error.status, ended.error.instance) == (400, "/do/0/a")


def test_text_that_came_from_input_is_never_evaluated() -> None:
    assert run("do:\n- a: {set: {x: '${ .x }'}}", {"x": "${ 1 + 1 }"}).output == {"x": "${ 1 + 1 }"}


def test_the_descriptors_say_what_runs() -> None:
    text = """
do:
- a:
    metadata: {note: kept}
    set:
      name: '${ $task.name }'
      reference: '${ $task.reference }'
      note: '${ $task.definition.metadata.note }'
      workflow: '${ $workflow.definition.document.name }'
      runtime: '${ $runtime.name }'
      started: '${ $workflow.startedAt.iso8601 }'
      task_started: '${ $task.startedAt.epoch.seconds }'
"""
    assert run(text).output == {
        "name": "a",
        "reference": "/do/0/a",
        "note": "kept",
        "workflow": "spec",
        "runtime": "autoworker",
        "started": "2026-01-15T12:00:00.000Z",
        "task_started": 1768478400,
    }


def test_big_integers_pass_unchanged() -> None:
    assert run("do:\n- a: {set: {x: '${ .x }'}}", {"x": 9007199254740993}).output == {
        "x": 9007199254740993
    }


def test_data_that_grow_beyond_the_limit_fault_the_task() -> None:
    ended = run("do:\n- a: {set: {x: '${ [.x, .x] }'}}", {"x": "y" * 600_000})

    assert ended.error.type.endswith(("/runtime", "/expression"))


def test_data_that_nest_too_deep_fault_the_task_before_anything_must_store_them() -> None:
    text = """
do:
- nest:
    for: {in: '[range(200)]'}
    do:
    - deeper: {set: {x: '${ . }'}}
"""
    ended = run(text)

    assert ended.error.type.endswith("/runtime")
    assert "128 levels" in (ended.error.detail or "")


def test_an_answer_that_nests_too_deep_faults_the_call() -> None:
    deep: JsonValue = 1
    for _ in range(200):
        deep = [deep]
    ended = run("do:\n- c: {call: http, with: {method: get, endpoint: 'http://e.com'}}").answer(
        deep
    )

    assert "128 levels" in (ended.error.detail or "")
