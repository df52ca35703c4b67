"""What must hold after every run. Each finding is one sentence; none is good news."""

from __future__ import annotations

from collections.abc import Iterator

from tests.simulation.check_effects import effect_findings
from tests.simulation.check_histories import history_findings
from tests.simulation.check_listening import listening_findings
from tests.simulation.evidence import Answered, Committed, Evidence, Knew, TakenOver
from workflow_service.domain.execution.workflow_events import (
    CompensationStarted,
    WorkflowCancelled,
    WorkflowEvent,
    WorkflowResumed,
    WorkflowRetried,
    WorkflowSuspended,
)

_EVENTS: dict[str, type[WorkflowEvent]] = {
    "suspend": WorkflowSuspended,
    "resume": WorkflowResumed,
    "cancel": WorkflowCancelled,
    "retry": WorkflowRetried,
}
_MAYBE = {"Unavailable", "Lost"}
"""Answers after which nobody knows whether it happened."""
_NEVER = {"start": set[str](), "retry": {"CommandRefused", "Invalid"}}


def findings(evidence: Evidence) -> list[str]:
    """Return everything that is wrong with a run."""
    return [
        *evidence.failures,
        *_rest(evidence),
        *_starts(evidence),
        *_commands(evidence),
        *_outcomes_as_expected(evidence),
        *(found for name in evidence.rows for found in history_findings(evidence, name)),
        *effect_findings(evidence),
        *listening_findings(evidence),
        *_fencing(evidence),
    ]


def _rest(evidence: Evidence) -> Iterator[str]:
    """No zombies: once all is calm, everything ends, or is suspended because nobody resumes it."""
    for execution, row in evidence.rows.items():
        open_ = row.summary.ended_at is None
        if open_ and execution not in evidence.left_suspended:
            yield (
                f"{execution} is stuck: {row.summary.status}, wakes at {row.wake_at}, "
                f"busy in {list(row.participants)}"
            )
    if not evidence.finished and not any(
        row.summary.ended_at is None for row in evidence.rows.values()
    ):
        yield "the run did not come to rest"


def _fencing(evidence: Evidence) -> Iterator[str]:
    """Once an execution is taken over, nobody appends to it who has not heard of it since."""
    taken: dict[str, tuple[int, str]] = {}
    heard: dict[tuple[str, str], int] = {}
    for position, entry in enumerate(evidence.entries):
        match entry:
            case TakenOver():
                taken.update(dict.fromkeys(entry.executions, (position, entry.node)))
            case Knew():
                place = (entry.node, entry.execution)
                heard[place] = max(entry.position, heard.get(place, 0))
            case Committed() if not isinstance(entry.commit.events[-1], WorkflowCancelled):
                execution = entry.commit.execution
                since, owner = taken.get(execution, (-1, entry.node))
                if owner != entry.node and heard.get((entry.node, execution), 0) <= since:
                    yield f"{entry}, which {owner} had taken over"
            case _:
                pass


# ------------------------------------------------------------ what people were told


def _starts(evidence: Evidence) -> Iterator[str]:
    """Nothing accepted is lost, and a key starts one execution."""
    begun: dict[str, list[str]] = {}
    for execution in evidence.rows:
        begun.setdefault(_mark_of(evidence, execution), []).append(execution)
    for key_text, executions in begun.items():
        if len(executions) > 1:
            yield f"the start {key_text} started {executions}"
    for answer in _answers(evidence):
        if answer.verb != "start":
            continue
        if answer.answer == "ok" and answer.execution not in evidence.rows:
            yield f"the accepted start {answer.mark} of {answer.execution} is lost"
        started = begun.get(answer.mark, [answer.execution])
        if answer.answer == "ok" and answer.execution not in started:
            yield f"the start {answer.mark} was answered with {answer.execution}, not {started}"
        yield from _unexplained(answer)


def _mark_of(evidence: Evidence, execution: str) -> str:
    """Return who asked for it, as the input says."""
    given = evidence.rows[execution].summary.input
    return str(given["by"]) if isinstance(given, dict) else ""


def _commands(evidence: Evidence) -> Iterator[str]:
    """What was answered is what happened."""
    for answer in _answers(evidence):
        kind = _EVENTS.get(answer.verb)
        if kind is None:
            continue
        times = _times(evidence, answer, kind)
        if answer.answer == "ok" and times != 1:
            yield f"{answer} was acknowledged and happened {times} times"
        elif answer.answer not in _MAYBE and answer.answer != "ok" and times:
            yield f"{answer} was refused and happened {times} times"
        elif times > 1:
            yield f"{answer} happened {times} times"
        yield from _unexplained(answer)


def _times(evidence: Evidence, answer: Answered, kind: type[WorkflowEvent]) -> int:
    """Return how often it happened; a cancellation that has to undo things first happens when that begins."""
    marked = [
        event
        for committed in evidence.of(answer.execution)
        for event in committed.commit.events
        if getattr(event, "reason", "") == answer.mark
    ]
    begun = sum(isinstance(event, CompensationStarted) for event in marked)
    return begun if begun else sum(isinstance(event, kind) for event in marked)


def _unexplained(answer: Answered) -> Iterator[str]:
    expected = {"ok"} | _NEVER.get(answer.verb, {"CommandRefused"})
    if answer.answer in expected or (answer.answer in _MAYBE and not answer.calm):
        return
    yield f"{answer} is no answer to such a request{' when all is calm' if answer.calm else ''}"


def _answers(evidence: Evidence) -> Iterator[Answered]:
    return (entry for entry in evidence.entries if isinstance(entry, Answered))


# ------------------------------------------------------------ what it came to


def _outcomes_as_expected(evidence: Evidence) -> Iterator[str]:
    """A workflow whose end does not depend on the schedule ends as it does without faults."""
    for execution, expected in evidence.expected.items():
        summary = evidence.rows[execution].summary
        if summary.status in ("cancelled", "suspended") or _was_retried(evidence, execution):
            continue
        problem = summary.problem
        found = (summary.status, summary.output if problem is None else problem.as_json())
        if summary.ended_at is not None and found != expected:
            yield f"{execution} ended as {found}, and without faults as {expected}"


def _was_retried(evidence: Evidence, execution: str) -> bool:
    return any(
        isinstance(event, WorkflowRetried)
        for committed in evidence.of(execution)
        for event in committed.commit.events
    )
