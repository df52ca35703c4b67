"""What an execution has come to, made from its events; no terminal in here."""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from enum import Enum
from typing import Final
from urllib.parse import urlsplit

from autoworker.model import Event, JsonValue

_INDEX: Final = re.compile(r"/\d+(?=/|$)")
_KINDS: Final = (
    "try", "for", "call", "emit", "fork", "listen", "raise", "run", "set", "switch", "wait", "do",
)  # fmt: skip


class Mark(Enum):
    """Where a task stands."""

    RUNNING = "running"
    PAUSED = "paused"
    DONE = "done"
    FAULTED = "faulted"
    SKIPPED = "skipped"
    CANCELLED = "cancelled"
    UNDONE = "undone"


@dataclass(slots=True)
class Task:
    """One task of the workflow; a loop's tasks are one each, however often they run."""

    reference: str
    kind: str
    mark: Mark = Mark.RUNNING
    times: int = 0
    failures: int = 0
    attempts: int = 1
    created: datetime | None = None
    started: datetime | None = None
    ended: datetime | None = None
    until: datetime | None = None
    """When it goes on by itself."""
    target: str = ""
    """Whom it calls."""
    problem: str = ""

    @property
    def name(self) -> str:
        """The last word of its reference."""
        return self.reference.rpartition("/")[2].replace("~1", "/").replace("~0", "~")

    @property
    def depth(self) -> int:
        """How many tasks it is inside of."""
        return max(0, len(_INDEX.findall(self.reference)) - 1)

    def seconds(self, now: datetime) -> float | None:
        """How long it has taken so far; None when it has not begun."""
        begin = self.started or self.created
        return None if begin is None else max(0.0, ((self.ended or now) - begin).total_seconds())


@dataclass(slots=True)
class Progress:
    """Takes events in, tells what the tasks have come to.

    Args:
        document: the workflow's, to tell kinds of tasks; empty when it is not known.
    """

    document: Mapping[str, JsonValue]
    status: str = "pending"
    started: datetime | None = None
    ended: datetime | None = None
    output: JsonValue = None
    problem: str = ""
    tasks: dict[str, Task] = field(default_factory=dict)

    def apply(self, event: Event) -> Task | None:
        """Take *event* in; the task that it is about, if any."""
        kind = event.type.removesuffix(".v1").rpartition(".")[2]
        if not event.task:
            self._of_workflow(kind, event)
            return None
        task = self.tasks.get(event.task)
        if task is None:
            task = Task(event.task, kind_of(self.document, event.task))
            self.tasks[event.task] = task
        _of_task(task, kind, event)
        return task

    def in_order(self) -> Iterator[Task]:
        """The tasks as a tree, each above those inside of it."""
        below: dict[str, list[Task]] = {}
        for task in self.tasks.values():
            below.setdefault(self._parent(task.reference), []).append(task)

        def walk(reference: str) -> Iterator[Task]:
            for task in below.get(reference, ()):
                yield task
                yield from walk(task.reference)

        return walk("")

    def _parent(self, reference: str) -> str:
        while reference:
            reference = reference.rpartition("/")[0]
            if reference in self.tasks:
                return reference
        return ""

    def _of_workflow(self, kind: str, event: Event) -> None:
        match kind:
            case "started" | "resumed" | "execution-retried" | "execution-recovered":
                self.status, self.ended, self.problem = "running", None, ""
                self.started = self.started or event.time
            case "suspended":
                self.status = "suspended"
            case "completed" | "faulted" | "cancelled":
                self.status, self.ended = kind, event.time
                self.output = event.data.get("output")
                self.problem = problem_text(event.data.get("error"))
            case _:
                pass


def _of_task(task: Task, kind: str, event: Event) -> None:
    match kind:
        case "created":
            task.mark, task.started, task.ended, task.until = Mark.RUNNING, None, None, None
            task.created, task.problem = event.time, ""
            task.times += 1
        case "started":
            task.mark, task.started = Mark.RUNNING, event.time
            task.until = _moment(event.data.get("until"))
            task.target = _target(event.data.get("call"))
        case "retry-scheduled":
            task.mark, task.until = Mark.PAUSED, _moment(event.data.get("until"))
            task.problem = problem_text(event.data.get("error"))
            task.attempts = _number(event.data.get("attempt"))
        case "retried":
            task.mark, task.until = Mark.RUNNING, None
        case "completed":
            task.mark, task.ended = Mark.DONE, event.time
        case "faulted":
            task.mark, task.ended = Mark.FAULTED, event.time
            task.failures += 1
            task.problem = problem_text(event.data.get("error"))
        case "task-skipped":
            task.mark, task.ended = Mark.SKIPPED, event.time
        case "cancelled":
            task.mark, task.ended = Mark.CANCELLED, event.time
        case "task-compensated":
            task.mark = Mark.UNDONE
        case _:
            pass


def kind_of(document: Mapping[str, JsonValue], reference: str) -> str:
    """What kind of task *reference* (a JSON Pointer) leads to; empty when it cannot be told."""
    place: JsonValue = document
    for step in reference.split("/")[1:]:
        name = step.replace("~1", "/").replace("~0", "~")
        if isinstance(place, Mapping):
            place = place.get(name)
        elif isinstance(place, list) and name.isdigit() and int(name) < len(place):
            place = place[int(name)]
        else:
            return ""
    if not isinstance(place, Mapping):
        return ""
    kind = next((kind for kind in _KINDS if kind in place), "")
    return str(place["call"]) if kind == "call" else kind


def problem_text(problem: JsonValue) -> str:
    """A DSL error in a few words."""
    if not isinstance(problem, Mapping):
        return ""
    title, detail = problem.get("title"), problem.get("detail")
    words = [str(word) for word in (title, detail) if word]
    kind = str(problem.get("type", "")).rpartition("/")[2]
    return ": ".join(words) or f"{kind} error {problem.get('status', '')}".strip()


def _target(call: JsonValue) -> str:
    if not isinstance(call, Mapping):
        return ""
    parts = urlsplit(str(call.get("uri", "")))
    place = parts.netloc.rpartition("@")[2] + parts.path
    return f"{str(call.get('method', '')).upper()} {place}".strip()


def _moment(value: JsonValue) -> datetime | None:
    try:
        return datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        return None


def _number(value: JsonValue) -> int:
    return value if isinstance(value, int) else 1
