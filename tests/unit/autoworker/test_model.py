import pytest

from autoworker.model import Problem, WorkflowReference


@pytest.mark.parametrize(
    ("text", "reference"),
    [
        ("examples/hello", WorkflowReference("examples", "hello")),
        ("examples/hello:1.2.0", WorkflowReference("examples", "hello", "1.2.0")),
    ],
)
def test_a_workflow_is_named_by_a_text(text: str, reference: WorkflowReference) -> None:
    assert WorkflowReference.parse(text) == reference
    assert str(reference) == text


@pytest.mark.parametrize("text", ["", "hello", "/hello", "examples/", "a/b/c", ":1.0.0"])
def test_what_names_no_workflow_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="namespace/name"):
        WorkflowReference.parse(text)


def test_a_problem_reads_as_a_sentence() -> None:
    assert str(Problem("https://example.com/e", 409, "Not ok", "too late")) == "Not ok: too late"
    assert str(Problem("https://example.com/e", 409)) == "https://example.com/e"
