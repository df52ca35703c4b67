"""How things look: marks, colours, durations, tables. Without a terminal: plain text."""

from datetime import datetime
from typing import Final

import msgspec
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from autoworker.cli.progress import Mark, Progress, Task
from autoworker.model import Execution, JsonValue

STATUS_STYLES: Final = {
    "pending": "dim",
    "running": "cyan",
    "waiting": "yellow",
    "suspended": "magenta",
    "cancelled": "magenta",
    "faulted": "bold red",
    "completed": "green",
}
_MARKS: Final = {
    Mark.RUNNING: ("•", "cyan"),
    Mark.PAUSED: ("↻", "yellow"),
    Mark.DONE: ("✓", "green"),
    Mark.FAULTED: ("✗", "red"),
    Mark.SKIPPED: ("-", "dim"),
    Mark.CANCELLED: ("■", "magenta"),
    Mark.UNDONE: ("↶", "yellow"),
}
_SPINNER: Final = "⠋⠙⠹⠸⠼⠴⠦⠧⠇⠏"
_ENDLESS: Final = 1000
_OUTCOMES: Final = {"completed": "✓", "faulted": "✗", "cancelled": "■"}


def consoles() -> tuple[Console, Console]:
    """One on stdout, one on stderr; both plain where no terminal is."""
    return _console(stderr=False), _console(stderr=True)


def _console(*, stderr: bool) -> Console:
    console = Console(highlight=False, soft_wrap=True, stderr=stderr)
    if not console.is_terminal:
        console.width = _ENDLESS  # whoever reads a file or a pipe wants whole lines
    return console


def indented(content: RenderableType) -> RenderableType:
    """*content*, two columns from the edge."""
    return Padding(content, (0, 0, 0, 2), expand=False)


def duration(seconds: float | None) -> str:
    """A length of time as people say it."""
    if seconds is None:
        return ""
    if seconds < 0.9995:
        return f"{seconds * 1000:.0f} ms"
    if seconds < 60:
        return f"{seconds:.2f} s"
    minutes, rest = divmod(round(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes} min" if hours else f"{minutes} min {rest} s"


def status(text: str) -> Text:
    """A phase in its colour."""
    return Text(text, style=STATUS_STYLES.get(text, ""))


def task_note(task: Task, now: datetime) -> str:
    """What there is to say about a task besides its name and time."""
    match task.mark:
        case Mark.PAUSED:
            left = max(0.0, (task.until - now).total_seconds()) if task.until else 0.0
            return f"attempt {task.attempts} in {left:.1f} s"
        case Mark.RUNNING if task.kind == "wait" and task.until is not None:
            return f"{max(0.0, (task.until - now).total_seconds()):.1f} s left"
        case Mark.FAULTED:
            return task.problem
        case Mark.SKIPPED:
            return "skipped: its condition does not hold"
        case Mark.CANCELLED:
            return "cancelled"
        case Mark.UNDONE:
            return "undone"
        case Mark.RUNNING | Mark.DONE:
            return ", ".join(filter(None, [_count(task), task.target]))


def _count(task: Task) -> str:
    if task.attempts > 1:
        return f"{task.attempts} attempts"
    if task.failures:
        return f"attempt {task.failures + 1}"
    return f"{task.times} times" if task.times > 1 else ""


def live_tree(progress: Progress, now: datetime, *, height: int | None = None) -> RenderableType:
    """The tasks as they stand at *now*; the last *height* of them when there is a limit."""
    tasks = list(progress.in_order())
    shown = tasks if height is None else tasks[-max(1, height) :]
    table = Table.grid(padding=(0, 2))
    # Wide enough for most from the start, so that nothing jumps while it grows.
    table.add_column(no_wrap=True, min_width=20)
    table.add_column(no_wrap=True, min_width=6, style="dim")
    table.add_column(no_wrap=True, min_width=7, justify="right")
    table.add_column(no_wrap=True, overflow="ellipsis", style="dim")
    for task in shown:
        table.add_row(*_row(task, now))
    parts: list[RenderableType] = []
    if len(shown) < len(tasks):
        parts.append(Text(f"  … {len(tasks) - len(shown)} more above", style="dim"))
    return Group(*parts, indented(table))


def _row(task: Task, now: datetime) -> tuple[Text, str, Text, Text]:
    mark, style = _MARKS[task.mark]
    if task.mark is Mark.RUNNING:
        mark = _SPINNER[int(now.timestamp() * 12) % len(_SPINNER)]
    title = Text("  " * task.depth).append(mark, style=style).append(f" {task.name}")
    if task.mark in {Mark.SKIPPED, Mark.CANCELLED}:
        title.stylize("dim")
    note_style = (
        "red" if task.mark is Mark.FAULTED else "yellow" if task.mark is Mark.PAUSED else ""
    )
    time = "" if task.mark is Mark.SKIPPED else duration(task.seconds(now))
    return title, task.kind, Text(time), Text(task_note(task, now), style=note_style)


def plain_task(task: Task, now: datetime) -> str:
    """One line for a task that has just come to an end, or to a pause."""
    mark, _ = _MARKS[task.mark]
    time = "" if task.mark in {Mark.SKIPPED, Mark.PAUSED} else duration(task.seconds(now))
    name = "  " * task.depth + f"{mark} {task.name}"
    return f"  {name:<24}  {task.kind:<6}  {time:>8}  {task_note(task, now)}".rstrip()


def outcome(
    state: str, seconds: float | None, output: JsonValue, problem: str
) -> list[RenderableType]:
    """How an execution ended, with what it came to."""
    style = STATUS_STYLES.get(state, "")
    line = Text("  ").append(f"{_OUTCOMES.get(state, '•')} {state}", style=style)
    if seconds is not None:
        line.append(f" in {duration(seconds)}", style="dim")
    if problem:
        line.append(f": {problem}")
    return [line, *([confirmation(output)] if state == "completed" else [])]


def confirmation(output: JsonValue) -> RenderableType:
    """An output as people read it: the members of a flat object, else JSON."""
    members = output if isinstance(output, dict) else {}
    if not members or any(isinstance(value, dict | list) for value in members.values()):
        return Padding(Text(pretty(output)), (0, 0, 0, 4), expand=False)
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    table.add_column()
    for name, value in members.items():
        shown = value if isinstance(value, str) else msgspec.json.encode(value).decode()
        table.add_row(name, Text(shown))
    return Padding(table, (0, 0, 0, 4), expand=False)


def pretty(value: JsonValue) -> str:
    """JSON over several lines."""
    return msgspec.json.format(msgspec.json.encode(value), indent=2).decode()


def executions_table(executions: list[Execution], now: datetime) -> Table:
    """Executions, one a row."""
    table = Table(box=None, padding=(0, 2, 0, 0), header_style="dim")
    table.add_column("EXECUTION", no_wrap=True, min_width=36)
    table.add_column("WORKFLOW", no_wrap=True)
    table.add_column("STATUS", no_wrap=True, min_width=9)
    table.add_column("CREATED", no_wrap=True, min_width=11)
    table.add_column("TOOK", no_wrap=True, min_width=7)
    for execution in executions:
        begin, end = execution.started_at, execution.ended_at
        took = ((end or now) - begin).total_seconds() if begin else None
        created = execution.created_at
        table.add_row(
            execution.id,
            str(execution.workflow),
            status(execution.status),
            created.astimezone().strftime("%m-%d %H:%M") if created else "",
            duration(took),
        )
    return table
