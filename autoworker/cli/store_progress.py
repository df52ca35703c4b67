"""How a copy looks while it goes on: bars on a terminal, a line for each part elsewhere."""

from __future__ import annotations

from types import TracebackType
from typing import TYPE_CHECKING, Self

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

if TYPE_CHECKING:
    from chassis.storage.copying.records import Kind


class StoreProgress:
    """A `Watch` on a console.

    Args:
        console: where it is shown.
    """

    def __init__(self, console: Console) -> None:
        self._console = console
        self._progress = Progress(
            TextColumn("{task.description:<24}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            TextColumn("{task.fields[kind]}"),
            console=console,
            disable=not console.is_terminal,
        )
        self._task: TaskID | None = None

    def __enter__(self) -> Self:
        self._progress.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._progress.stop()

    def begins(self, service: str, phase: str, done: int, total: int) -> None:
        """See `Watch`."""
        name = f"{phase} {service}"
        if not self._console.is_terminal:
            self._console.print(f"{name}: {total - done:,} records")
        self._task = self._progress.add_task(name, total=total, completed=done, kind="")

    def told(self, service: str, kind: Kind, records: int) -> None:
        """See `Watch`."""
        if self._task is not None:
            self._progress.update(self._task, advance=records, kind=kind.name)
