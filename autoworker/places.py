"""Paths and queries of the HTTP contract."""

from urllib.parse import quote

from autoworker.model import WorkflowReference


def reference(workflow: str | WorkflowReference) -> WorkflowReference:
    """What *workflow* names.

    Raises:
        ValueError: a text that names no workflow.
    """
    return WorkflowReference.parse(workflow) if isinstance(workflow, str) else workflow


def place(execution: str, *rest: str) -> str:
    """The path of an execution, or of something below it."""
    return "/".join(["/v1/executions", segment(execution), *rest])


def segment(text: str) -> str:
    """*text* as one segment of a path."""
    return quote(text, safe="")


def given(**values: str) -> dict[str, str]:
    """The *values* that say something."""
    return {name: value for name, value in values.items() if value}
