"""Checking workflows on this machine: the same rules as at registration, and no server."""

from collections.abc import Iterator, Sequence
from pathlib import Path

from rich.console import Console
from rich.text import Text

from autoworker.cli.looks import consoles
from chassis.errors import FieldProblem, ServiceError
from workflow_service.domain.definition.documents import parse_document
from workflow_service.domain.definition.validation import check_document
from workflow_service.domain.expressions import Expressions


def validate(files: Sequence[Path]) -> bool:
    """Tell what is wrong with *files*; whether all of them are fine."""
    out, err = consoles()
    fine = [_told(file, list(_problems(file)), out, err) for file in files]
    return all(fine)


def _problems(file: Path) -> Iterator[FieldProblem]:
    kind = "application/json" if file.suffix == ".json" else "application/yaml"
    try:
        document = parse_document(file.read_bytes(), kind)
    except OSError as exc:
        yield FieldProblem("", f"it cannot be read: {exc.strerror}")
    except ServiceError as exc:
        yield from exc.details or (FieldProblem("", exc.message),)
    else:
        yield from check_document(document, Expressions())


def _told(file: Path, problems: list[FieldProblem], out: Console, err: Console) -> bool:
    if not problems:
        out.print(Text("✓", style="green").append(f" {file}", style="default"))
        return True
    count = f"{len(problems)} problem{'s' * (len(problems) != 1)}"
    err.print(Text("✗", style="red").append(f" {file}: {count}", style="default"))
    for problem in problems:
        place = Text(f"    {problem.field or '/'}", style="yellow")
        err.print(place.append(f"  {problem.message}", style="default"))
    return False
