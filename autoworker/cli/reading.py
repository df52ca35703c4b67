"""What the user gives, and what the history says."""

import sys
from datetime import datetime
from pathlib import Path
from typing import Final

import msgspec
import typer
from rich.text import Text

from autoworker.cli.failing import fail
from autoworker.cli.looks import duration
from autoworker.cli.progress import problem_text
from autoworker.model import Event, JsonValue

_STYLES: Final = {
    "completed": "green",
    "faulted": "red",
    "cancelled": "magenta",
    "suspended": "magenta",
    "retry-scheduled": "yellow",
    "error-caught": "yellow",
}
_LONGEST: Final = 100


def input_of(option: str | None, workflow: Path) -> JsonValue:
    """The input that *option* says, or that lies beside *workflow*."""
    if option is None:
        beside = workflow.with_name(f"{workflow.stem}.input.json")
        if not beside.is_file():
            return None
        typer.echo(f"Input from {beside}", err=True)
        option = f"@{beside}"
    try:
        return _json(_text(option))
    except OSError as exc:
        fail(f"cannot read {option[1:]}: {exc.strerror}")
    except (msgspec.DecodeError, UnicodeDecodeError) as exc:
        where = option if option.startswith("@") else "--input"
        fail(f"{where} is not JSON: {exc}. To read a file, write --input @FILE")


def history_line(event: Event, first: datetime | None) -> Text:
    """One line of a history."""
    kind = event.type.removesuffix(".v1").rpartition(".")[2].removeprefix("task-")
    subject = "task" if event.task else "workflow"
    line = Text(f"{event.sequence:>5}  ", style="dim")
    since = (event.time - first).total_seconds() if first else 0.0
    line.append(f"{'+' + duration(max(0.0, since)):>10}  ", style="dim")
    line.append(f"{subject} {kind:<20}", style=_STYLES.get(kind, ""))
    if event.task:
        line.append(f" {event.task}")
    if note := _note(kind, event):
        line.append(f"  {note}", style="red" if kind == "faulted" else "dim")
    return line


def _note(kind: str, event: Event) -> str:
    data = event.data
    match kind:
        case "faulted" | "error-caught":
            return problem_text(data.get("error"))
        case "retry-scheduled":
            return f"attempt {data.get('attempt')} at {data.get('until')}"
        case "completed" if "output" in data:
            return _short(data["output"])
        case "cancelled" | "suspended" | "resumed" | "execution-retried":
            return str(data.get("reason", ""))
        case _:
            return ""


def _short(value: JsonValue) -> str:
    text = msgspec.json.encode(value).decode()
    return text if len(text) <= _LONGEST else f"{text[:_LONGEST]}…"


def _text(option: str) -> bytes:
    if option == "@-":
        return sys.stdin.buffer.read()
    return Path(option[1:]).read_bytes() if option.startswith("@") else option.encode()


def _json(text: bytes) -> JsonValue:
    value: JsonValue = msgspec.json.decode(text)
    return value
