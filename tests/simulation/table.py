"""How many seeds find each planted bug: measured, and written into docs/simulation.md."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from tests.simulation.finding import failures
from tests.simulation.planted_bugs import BUGS

RUNS = 200
"""Seeds per bug."""

_PAGE = Path(__file__).parents[2] / "docs" / "simulation.md"
_BEGIN = "<!-- table: python -m tests.simulation --table -->\n"
_END = "<!-- end of table -->\n"


@dataclass(frozen=True, slots=True)
class Measured:
    """What was found of one bug."""

    bug: str
    what: str
    found: int
    first: int | None
    example: str


def found_by(number: int) -> Measured:
    """Plant one bug and run the seeds."""
    bug = BUGS[number]
    with bug.planted():
        found = list(failures(range(RUNS)))
    if not found:
        return Measured(bug.name, bug.what, 0, None, "")
    return Measured(bug.name, bug.what, len(found), found[0].seed, found[0].findings[0])


def write_table(rows: Sequence[Measured]) -> list[str]:
    """Put the table into the page and return its lines."""
    lines = [
        f"| bug | what it does wrong | found by, of {RUNS} seeds | first seed |",
        "| --- | --- | --: | --: |",
        *(f"| {r.bug} | {r.what} | {r.found} | {_first(r)} |" for r in rows),
    ]
    page = _PAGE.read_text()
    before, rest = page.split(_BEGIN)
    _, after = rest.split(_END)
    _PAGE.write_text(before + _BEGIN + "\n" + "\n".join(lines) + "\n\n" + _END + after)
    return lines


def _first(row: Measured) -> str:
    return "-" if row.first is None else str(row.first)
