"""Calling functions that are served outside of the document."""

from __future__ import annotations

from datetime import timedelta

import pytest

from tests.support.workflow_run import NOON, WorkflowRun
from workflow_service.domain.definition.documents import parse_document
from workflow_service.domain.definition.model import Definition
from workflow_service.domain.definition.parsing import parse_definition
from workflow_service.domain.definition.problems import DefinitionInvalid
from workflow_service.domain.definition.served import Served
from workflow_service.domain.execution.effects import FunctionCall
from workflow_service.domain.execution.explain import Known, explain
from workflow_service.domain.expressions import Expressions, JsonValue

SERVED: Served = {"resize": frozenset({"1.0.0", "2.0.0"})}
_HEAD = "document: {dsl: '1.0.3', namespace: test, name: spec, version: '0.1.0'}\n"


def defined(body: str, served: Served | None = SERVED) -> Definition:
    """Compile a document of somebody for whom *served* are served."""
    document = parse_document((_HEAD + body).encode(), "application/yaml")
    return parse_definition(document, Expressions(), served=served)


def refusal(body: str, served: Served = SERVED) -> tuple[str, str]:
    """Return the only problem of a document: its place and what it says."""
    with pytest.raises(DefinitionInvalid) as refused:
        defined(body, served)
    (problem,) = refused.value.details
    return problem.field, problem.message


def called(run: WorkflowRun) -> FunctionCall:
    """Return the call under way."""
    call = run.pending[0].call
    assert isinstance(call, FunctionCall)
    return call


def begun(body: str, input: JsonValue = None) -> WorkflowRun:
    """Run a document to its first call."""
    run = WorkflowRun("do: []")
    run.definition = defined(body)
    return run.start(input)


def test_a_call_asks_for_the_version_with_the_rendered_arguments() -> None:
    run = begun(
        "do:\n- shrink: {call: 'resize:1.0.0', with: {width: '${ .w / 2 }', mode: fit}}", {"w": 8}
    )
    call = called(run)

    assert (call.name, call.version, call.task) == ("resize", "1.0.0", "/do/0/shrink")
    assert call.arguments == {"width": 4, "mode": "fit"}


def test_without_arguments_the_tasks_input_is_given_and_without_version_any_will_do() -> None:
    call = called(begun("do:\n- shrink: {call: resize}", {"w": 8}))

    assert (call.version, call.arguments) == ("", {"w": 8})


def test_the_output_is_the_tasks() -> None:
    ended = begun("do:\n- shrink: {call: resize}\n- after: {set: {got: '${ . }'}}").answer(7)

    assert ended.output == {"got": 7}


def test_a_function_of_the_document_comes_before_one_that_is_served() -> None:
    run = begun("do:\n- a: {call: resize}\nuse: {functions: {resize: {set: {own: true}}}}")

    assert run.output == {"own": True}


def test_the_nearest_time_limit_is_the_deadline() -> None:
    run = begun(
        "timeout: {after: {hours: 1}}\n"
        "do:\n- shrink: {call: resize, timeout: {after: {seconds: 9}}}\n"
    )
    assert called(run).deadline == NOON + timedelta(seconds=9)


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ("rotate", "nobody has ever served a function 'rotate'"),
        ("'resize:3.0.0'", "nobody has ever served resize in version 3.0.0"),
        ("resise", "did you mean 'resize'?"),
        ("rotate", "AUTOWORKER_FUNCTIONS"),
    ],
)
def test_what_nobody_ever_served_is_refused_and_it_says_how_to_serve_it(
    call: str, said: str
) -> None:
    place, message = refusal(f"do:\n- t: {{call: {call}}}")

    assert place == "/do/0/t/call"
    assert said in message


@pytest.mark.parametrize("call", ["'https://a.b/f.yaml'", "'resize:one'", "'log@global'"])
def test_what_names_no_function_is_refused(call: str) -> None:
    assert (
        "write name, name:version or name:version@catalog"
        in refusal(f"do:\n- t: {{call: {call}}}")[1]
    )


def test_what_was_published_once_compiles_also_when_nobody_serves_it_any_longer() -> None:
    assert defined("do:\n- t: {call: gone}", served=None).tasks


def test_explain_says_when_nobody_is_there_to_serve_it() -> None:
    state = begun("do:\n- shrink: {call: 'resize:1.0.0'}").state

    lacking = explain(state, NOON, None, Known(lambda _: True))
    busy = explain(state, NOON)

    assert "waits for a worker that serves resize:1.0.0" in lacking.summary
    assert lacking.blockers[0].unblocked_by == "whoever connects such a worker"
    assert "the answer to the function resize:1.0.0" in busy.summary
