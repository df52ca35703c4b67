"""Checking workflows on this machine: the same rules as at registration, and no server."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Final

import msgspec
from rich.console import Console
from rich.text import Text

from autoworker.cli.looks import consoles
from autoworker.cli.positions import Positions
from autoworker.testing.cases import Cases, CasesUnreadable, read_as
from autoworker.testing.running import SUFFIX
from chassis.errors import FieldProblem, ServiceError
from workflow_service.domain.definition.documents import parse_document
from workflow_service.domain.definition.limits import DEFAULT_LIMITS
from workflow_service.domain.definition.unreadable import DocumentUnreadable
from workflow_service.domain.definition.validation import read_document
from workflow_service.domain.expressions import Expressions

STDIN: Final = "-"


class Found(msgspec.Struct, frozen=True):
    """One problem of a file."""

    pointer: str
    message: str
    line: int | None = None


class Checked(msgspec.Struct, frozen=True, omit_defaults=True):
    """A file and all that is wrong with it."""

    file: str
    valid: bool
    problems: list[Found]
    unseen: list[Found] = []
    """What is fetched when it is published, and could not be checked here."""


def validate(files: Sequence[Path], *, as_json: bool = False) -> bool:
    """Tell what is wrong with *files*; whether all of them are fine."""
    out, err = consoles()
    checked = [_checked(file) for file in files]
    if as_json:
        out.print(msgspec.json.format(msgspec.json.encode(checked)).decode(), markup=False)
    else:
        for each in checked:
            _tell(each, out, err)
    return all(each.valid for each in checked)


def _checked(file: Path) -> Checked:
    name = "stdin" if str(file) == STDIN else str(file)
    unseen: list[Found] = []
    problems = list(_problems(file, unseen))
    return Checked(name, not problems, problems, unseen)


def _problems(file: Path, unseen: list[Found]) -> Iterator[Found]:
    if file.stem.endswith(SUFFIX):
        yield from _problems_of_cases(file)
        return
    kind = "application/json" if file.suffix == ".json" else "application/yaml"
    try:
        content = sys.stdin.buffer.read() if str(file) == STDIN else file.read_bytes()
        document = parse_document(content, kind)
    except OSError as exc:
        yield Found("", f"it cannot be read: {exc.strerror}")
    except DocumentUnreadable as exc:
        yield from (Found(each.field, each.message, exc.line) for each in exc.details)
    except ServiceError as exc:
        for each in exc.details or (FieldProblem("", exc.message),):
            yield Found(each.field, each.message)
    else:
        positions = Positions(content.decode())
        builder = read_document(document, Expressions(), DEFAULT_LIMITS).builder
        for each in builder.structure.problems.listed(DEFAULT_LIMITS.problems):
            yield Found(each.field, each.message, positions.line(each.field))
        for wanted in builder.wanted.values():
            told = f"{wanted.what} is fetched when it is published: it is not checked here"
            unseen.append(Found(wanted.place, told, positions.line(wanted.place)))


def _tell(checked: Checked, out: Console, err: Console) -> None:
    if checked.valid:
        out.print(Text("✓", style="green").append(f" {checked.file}", style="default"))
        _tell_each(checked.file, checked.unseen, out)
        return
    number = len(checked.problems)
    count = f"{number} problem{'s' * (number != 1)}"
    err.print(Text("✗", style="red").append(f" {checked.file}: {count}", style="default"))
    _tell_each(checked.file, checked.problems, err)


def _tell_each(file: str, found: Sequence[Found], console: Console) -> None:
    for each in found:
        place = Text("    ")
        if each.line is not None:
            place.append(f"{file}:{each.line}  ", style="dim")
        place.append(each.pointer or "/", style="yellow")
        console.print(place.append(f"  {each.message}", style="default"))


def _problems_of_cases(file: Path) -> Iterator[Found]:
    """A file of cases lies beside its workflow, and `validate *.yaml` names it, too."""
    try:
        read_as(file.read_bytes(), Cases, str(file))
    except OSError as exc:
        yield Found("", f"it cannot be read: {exc.strerror}")
    except CasesUnreadable as exc:
        yield Found("", str(exc))
