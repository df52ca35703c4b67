"""What the terminal shows, from events alone."""

from datetime import UTC, datetime, timedelta

import pytest
from rich.console import Console

from autoworker.cli import looks
from autoworker.cli.progress import Mark, Progress, kind_of, problem_text
from autoworker.model import Event, JsonValue

START = datetime(2026, 1, 1, tzinfo=UTC)
PAY = "/do/0/charge/try/0/pay"
DOCUMENT: dict[str, JsonValue] = {
    "do": [
        {"charge": {"try": [{"pay": {"call": "http", "with": {}}}], "catch": {}}},
        {"each": {"for": {"each": "n", "in": "${ . }"}, "do": [{"add": {"set": {}}}]}},
    ]
}


class Story:
    """Tells events one after the other."""

    def __init__(self) -> None:
        self.progress = Progress(DOCUMENT)
        self.sequence = 0

    def task(self, kind: str, reference: str, at: float, **data: JsonValue) -> None:
        prefix = "io.autoworker.workflow." if "-" in kind else "io.serverlessworkflow.task."
        self.tell(f"{prefix}{kind}.v1", at, {"task": reference, **data})

    def workflow(self, kind: str, at: float, **data: JsonValue) -> None:
        self.tell(f"io.serverlessworkflow.workflow.{kind}.v1", at, data)

    def tell(self, kind: str, at: float, data: dict[str, JsonValue]) -> None:
        self.sequence += 1
        self.progress.apply(Event(self.sequence, kind, START + timedelta(seconds=at), data))

    def shown(self, at: float, *, height: int | None = None) -> str:
        console = Console(width=100, no_color=True)
        with console.capture() as capture:
            console.print(
                looks.live_tree(self.progress, START + timedelta(seconds=at), height=height)
            )
        return "\n".join(line.rstrip() for line in capture.get().splitlines())


def charging() -> Story:
    """An order whose payment is refused once."""
    story = Story()
    story.workflow("started", 0)
    for reference in ("/do/0/charge", PAY):
        story.task("created", reference, 0)
        story.task("started", reference, 0)
    error: JsonValue = {"title": "Unsuccessful", "status": 503}
    story.task("faulted", PAY, 0.25, error=error)
    until = (START + timedelta(seconds=0.75)).isoformat()
    story.task("retry-scheduled", "/do/0/charge", 0.25, error=error, attempt=2, until=until)
    return story


def test_a_pause_before_another_attempt_is_visible() -> None:
    shown = charging().shown(0.35)

    assert "↻ charge" in shown
    assert "attempt 2 in 0.4 s" in shown
    assert "    ✗ pay" in shown
    assert "Unsuccessful" in shown


def test_an_attempt_that_succeeds_keeps_its_number_and_its_own_time() -> None:
    story = charging()
    story.task("retried", "/do/0/charge", 0.75, attempt=2)
    story.task("created", PAY, 0.75)
    story.task(
        "started", PAY, 0.75, call={"method": "post", "uri": "http://u:p@shop:81/payments?x=1"}
    )
    story.task("completed", PAY, 1.0)
    story.task("completed", "/do/0/charge", 1.0)

    lines = story.shown(9).splitlines()

    assert lines[0].split() == ["✓", "charge", "try", "1.00", "s", "2", "attempts"]
    assert lines[1].split(maxsplit=5) == [
        "✓", "pay", "http", "250", "ms", "attempt 2, POST shop:81/payments",
    ]  # fmt: skip


def test_a_loop_shows_each_of_its_tasks_once_with_its_count() -> None:
    story = Story()
    story.task("created", "/do/1/each", 0)
    for n in range(3):
        story.task("created", "/do/1/each/for/do/0/add", n, frame=f"#{n}")
        story.task("completed", "/do/1/each/for/do/0/add", n + 0.5, frame=f"#{n}")

    assert story.shown(3).count("add") == 1
    assert "3 times" in story.shown(3)


def test_tasks_of_parallel_branches_stand_below_their_branch() -> None:
    story = Story()
    for reference in ("/do/0/f", "/do/0/f/fork/branches/0/a", "/do/0/f/fork/branches/1/b"):
        story.task("created", reference, 0)
    story.task("created", "/do/0/f/fork/branches/0/a/do/0/x", 1)

    names = [task.name for task in story.progress.in_order()]

    assert names == ["f", "a", "x", "b"]


def test_a_low_terminal_shows_the_last_tasks() -> None:
    story = Story()
    for n in range(30):
        story.task("created", f"/do/{n}/step{n}", 0)

    shown = story.shown(1, height=5)

    assert "25 more above" in shown
    assert "step29" in shown
    assert "step24" not in shown


@pytest.mark.parametrize(
    ("kind", "mark"),
    [
        ("completed", Mark.DONE),
        ("cancelled", Mark.CANCELLED),
        ("task-skipped", Mark.SKIPPED),
        ("task-compensated", Mark.UNDONE),
        ("event-emitted", Mark.RUNNING),
        ("something-new", Mark.RUNNING),
    ],
)
def test_each_event_leaves_its_mark(kind: str, mark: Mark) -> None:
    story = Story()
    story.task("created", "/do/0/a", 0)
    story.task(kind, "/do/0/a", 1)

    assert story.progress.tasks["/do/0/a"].mark is mark


def test_the_end_of_the_workflow_is_taken_in() -> None:
    story = Story()
    story.workflow("started", 0)
    story.workflow("faulted", 2, error={"title": "Not ok", "detail": "too late"})

    progress = story.progress
    assert (progress.status, progress.problem) == ("faulted", "Not ok: too late")
    assert progress.ended == START + timedelta(seconds=2)


@pytest.mark.parametrize(
    ("reference", "kind"),
    [
        ("/do/0/charge", "try"),
        (PAY, "http"),
        ("/do/1/each", "for"),
        ("/do/1/each/do/0/add", "set"),
        ("/do/7/none", ""),
        ("/do/x", ""),
        ("", ""),
    ],
)
def test_the_kind_of_a_task_is_read_from_the_document(reference: str, kind: str) -> None:
    assert kind_of({**DOCUMENT} if reference else {}, reference) == kind


def test_a_problem_without_words_tells_its_type() -> None:
    assert problem_text({"type": "https://x/errors/timeout", "status": 408}) == "timeout error 408"
    assert problem_text(None) == ""


@pytest.mark.parametrize(
    ("seconds", "text"),
    [
        (None, ""),
        (0.0, "0 ms"),
        (0.0124, "12 ms"),
        (0.9999, "1.00 s"),
        (59.99, "59.99 s"),
        (61, "1 min 1 s"),
        (7260, "2 h 1 min"),
    ],
)
def test_lengths_of_time_are_told_as_people_say_them(seconds: float | None, text: str) -> None:
    assert looks.duration(seconds) == text
