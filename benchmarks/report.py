"""What a benchmark found, as data, and as a table for people."""

from collections.abc import Sequence

import msgspec
from rich.console import Console
from rich.table import Table
from rich.text import Text


class Figure(msgspec.Struct, frozen=True, omit_defaults=True):
    """One number, beside what was measured with it."""

    what: str
    value: float
    unit: str
    reference: float | None = None
    """The same of the bare skeleton, in the same run and unit."""
    target: str = ""
    met: bool | None = None
    """Whether the target is; None when there is none."""

    @property
    def ratio(self) -> float | None:
        """The value as a share of the reference."""
        return None if not self.reference else self.value / self.reference


class Report(msgspec.Struct, frozen=True):
    """One benchmark's figures."""

    row: str
    title: str
    figures: tuple[Figure, ...]


def at_least(what: str, value: float, unit: str, target: float, reference: float) -> Figure:
    """A figure that should be large."""
    return Figure(what, value, unit, reference, f"≥ {_shown(target)}", value >= target)


def at_most(
    what: str, value: float, unit: str, target: float, reference: float | None = None
) -> Figure:
    """A figure that should be small."""
    return Figure(what, value, unit, reference, f"≤ {_shown(target)}", value <= target)


def as_json(reports: Sequence[Report]) -> bytes:
    """Every figure and its ratio, for machines."""
    rows = [
        {**msgspec.to_builtins(report), "figures": [_with_ratio(each) for each in report.figures]}
        for report in reports
    ]
    return msgspec.json.format(msgspec.json.encode(rows), indent=1)


def show(console: Console, report: Report) -> None:
    """Print *report* as a table."""
    table = Table(title=f"{report.row}  {report.title}", title_justify="left", title_style="bold")
    table.add_column("")
    for column in ("measured", "reference", "ratio", "target"):
        table.add_column(column, justify="right")
    table.add_column("")
    for figure in report.figures:
        ratio = figure.ratio
        table.add_row(
            figure.what,
            f"{_shown(figure.value)} {figure.unit}",
            "" if figure.reference is None else f"{_shown(figure.reference)} {figure.unit}",
            "" if ratio is None else f"{ratio:.2f}",
            figure.target,
            _mark(figure.met),
        )
    console.print(table)


def _with_ratio(figure: Figure) -> dict[str, object]:
    fields: dict[str, object] = msgspec.to_builtins(figure)
    return fields if figure.ratio is None else {**fields, "ratio": round(figure.ratio, 3)}


def _mark(met: bool | None) -> Text:
    match met:
        case None:
            return Text("")
        case True:
            return Text("met", style="green")
        case False:
            return Text("missed", style="red")


def _shown(value: float) -> str:
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
