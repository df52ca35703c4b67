"""Small documents, and what is said about them."""

from __future__ import annotations

from pathlib import Path

from workflow_service.domain.definition.documents import parse_document
from workflow_service.domain.definition.limits import DEFAULT_LIMITS, DefinitionLimits
from workflow_service.domain.definition.model import Definition, Task
from workflow_service.domain.definition.parsing import parse_definition
from workflow_service.domain.definition.validation import check_document
from workflow_service.domain.expressions import Expressions, JsonValue

EXPRESSIONS = Expressions()
SHARED = Path(__file__).parents[5] / "shared"
"""Test vectors and examples of others, where the machine has them beside the repository."""

HEAD = """
document: {dsl: '1.0.3', namespace: shop, name: order, version: '1.0.0'}
"""


def read(yaml: str) -> JsonValue:
    """The value that *yaml* writes."""
    return parse_document(yaml.encode(), "application/yaml")


def problems(body: str, limits: DefinitionLimits = DEFAULT_LIMITS) -> dict[str, str]:
    """What is wrong with a document of *body* under a right head: messages by pointer."""
    found = check_document(read(HEAD + body), EXPRESSIONS, limits=limits)
    return {problem.field: problem.message for problem in found}


def parse(body: str) -> Definition:
    """The definition of *body* under a right head."""
    return parse_definition(read(HEAD + body), EXPRESSIONS)


def task(source: str, use: str = "{}") -> Task:
    """The only task, `t`, of a document."""
    return parse(f"use: {use}\ndo: [{{t: {source}}}]").do.tasks[0]
