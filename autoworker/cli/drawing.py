"""`autoworker graph`: a workflow as a picture."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Literal

import typer

from autoworker.cli.failing import fail
from autoworker.cli.validating import STDIN
from autoworker.graphs import graph_of, mermaid, svg
from chassis.errors import ServiceError
from workflow_service.domain.definition.documents import parse_document
from workflow_service.domain.definition.limits import DEFAULT_LIMITS
from workflow_service.domain.definition.structure import check_structure
from workflow_service.domain.expressions import JsonValue


def draw(file: Path, form: Literal["mermaid", "svg"], output: Path | None) -> None:
    """Draw the workflow of *file* to *output*, or to stdout."""
    graph = graph_of(_document(file))
    text = mermaid(graph) if form == "mermaid" else svg(graph)
    if output is None:
        typer.echo(text, nl=False)
    else:
        output.write_text(text, encoding="utf-8")


def _document(file: Path) -> dict[str, JsonValue]:
    """A document of the right form; what this runtime does not do yet can be drawn all the same."""
    kind = "application/json" if file.suffix == ".json" else "application/yaml"
    try:
        content = sys.stdin.buffer.read() if str(file) == STDIN else file.read_bytes()
        document = parse_document(content, kind)
    except OSError as exc:
        fail(f"cannot read {file}: {exc.strerror}")
    except ServiceError as exc:
        fail(exc.message)
    problems = check_structure(document, DEFAULT_LIMITS).problems.listed(DEFAULT_LIMITS.problems)
    if problems or not isinstance(document, dict):
        told = [f"  {each.field or '/'}  {each.message}" for each in problems]
        fail("\n".join([f"{file} is no workflow that can be drawn", *told]))
    return document
