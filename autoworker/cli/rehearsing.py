"""`autoworker test`: cases of workflows, run in virtual time, told to people and to CI."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import typer
from rich.console import Console
from rich.table import Table
from rich.text import Text

from autoworker.cli.looks import consoles, duration, indented
from autoworker.testing.cases import CasesUnreadable
from autoworker.testing.junit import junit
from autoworker.testing.matching import like
from autoworker.testing.running import (
    Reached,
    Result,
    Suite,
    WorkflowInvalid,
    cases_beside,
    load,
    reached,
    run_case,
)

PASSED: Final = 0
FAILED: Final = 1
UNREADABLE: Final = 2


@dataclass(frozen=True, slots=True)
class Wanted:
    """What the command line asks for."""

    case: str = ""
    """Only cases whose name has this in it; `*` is any text."""
    junit: Path | None = None
    """Where the results go as XML."""
    coverage: bool = False
    """Whether to show every task, and not only those that were never reached."""
    at_least: int = 0
    """Percent of the tasks that have to be reached."""


def rehearse(files: Sequence[Path], wanted: Wanted) -> int:
    """Run the cases of *files* and tell what came of them; the exit code."""
    out, err = consoles()
    suites = _loaded(files, err)
    if suites is None:
        return UNREADABLE
    results = {str(suite.path): (suite, _run(suite, wanted, out)) for suite in suites}
    if wanted.junit is not None:
        wanted.junit.write_bytes(junit(results))
    return _summed_up(results, wanted, out)


def _loaded(files: Sequence[Path], err: Console) -> list[Suite] | None:
    suites: list[Suite] = []
    for file in files:
        try:
            suites.append(load(cases_beside(file)))
        except OSError as exc:
            err.print(Text(f"error: cannot read {exc.filename}: {exc.strerror}"))
        except CasesUnreadable as exc:
            err.print(Text(f"error: {exc}"))
        except WorkflowInvalid as exc:
            err.print(Text(f"error: {exc}"))
            for problem in exc.problems:
                err.print(Text(f"    {problem.field or '/'}  {problem.message}"))
    return suites if len(suites) == len(files) else None


def _run(suite: Suite, wanted: Wanted, out: Console) -> list[Result]:
    out.print(Text(f"{suite.path}").append(f"  {suite.workflow.name}", style="dim"))
    results: list[Result] = []
    for case in suite.cases:
        if not wanted.case or like(f"*{wanted.case}*", case.name):
            results.append(run_case(suite.definition, case))
            _tell(results[-1], out)
    _tell_coverage(reached(suite.definition, results), wanted, out)
    return results


def _tell(result: Result, out: Console) -> None:
    mark, style = ("✓", "green") if result.passed else ("✗", "red")
    line = Text("  ").append(mark, style=style).append(f" {result.case.name}")
    if result.observed.seconds:
        line.append(f"  {duration(result.observed.seconds)}", style="dim")
    out.print(line)
    for difference in result.differences:
        out.print(Text(f"      {difference}", style="red"))
    if not result.passed:
        for row in result.observed.described().splitlines():
            out.print(Text(f"      {row}", style="dim"))


def _tell_coverage(tasks: Sequence[Reached], wanted: Wanted, out: Console) -> None:
    shown = tasks if wanted.coverage else [task for task in tasks if not task.started]
    if not shown:
        return
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("TASK", no_wrap=True)
    for name in ("STARTED", "SKIPPED", "FAULTED"):
        table.add_column(name, justify="right")
    for task in shown:
        style = "" if task.started else "yellow"
        counts = (task.started, task.skipped, task.faulted)
        table.add_row(Text(task.task, style=style), *(str(count or "") for count in counts))
    out.print(Text("\n  Tasks" if wanted.coverage else "\n  Tasks that no case reached"))
    out.print(indented(table))


def _summed_up(
    results: Mapping[str, tuple[Suite, Sequence[Result]]], wanted: Wanted, out: Console
) -> int:
    every = [result for _, found in results.values() for result in found]
    failed = sum(not result.passed for result in every)
    tasks = [task for suite, found in results.values() for task in reached(suite.definition, found)]
    seen = sum(bool(task.started) for task in tasks)
    counts = f"{len(every) - failed} passed" + (f", {failed} failed" if failed else "")
    out.print(Text(f"\n{counts}; {seen} of {len(tasks)} tasks reached"))
    if not every:
        typer.echo("error: no case has such a name", err=True)
        return UNREADABLE
    if seen * 100 < wanted.at_least * len(tasks):
        typer.echo(f"error: less than {wanted.at_least} % of the tasks were reached", err=True)
        return FAILED
    return FAILED if failed else PASSED
