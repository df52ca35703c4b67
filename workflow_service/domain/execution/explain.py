"""Why an execution is not moving: what it waits for, since when, and what would unblock it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Final, Literal, TypeAlias

import msgspec

from workflow_service.domain.execution.called import called
from workflow_service.domain.execution.effects import (
    ContainerCall,
    Effect,
    FunctionCall,
    ScriptCall,
    ShellCall,
    WorkflowCall,
)
from workflow_service.domain.execution.listeners import Listening
from workflow_service.domain.execution.problem import Problem
from workflow_service.domain.execution.schedule import status_of
from workflow_service.domain.execution.state import (
    BackingOff,
    Ended,
    Faulted,
    Frame,
    NotStarted,
    Open,
    Performing,
    Sleeping,
    State,
    Status,
    nearest_deadline,
)
from workflow_service.domain.execution.workflow_events import WorkflowCancelled, WorkflowSuspended

Kind: TypeAlias = Literal["timer", "retry", "effect", "event", "schedule", "suspension", "fault"]

_TIME: Final = "time alone"


class Blocker(msgspec.Struct, frozen=True):
    """One thing that an execution waits for."""

    kind: Kind
    task: str
    """Reference of the task; empty when the whole execution is meant."""
    waits_for: str
    since: datetime | None
    wakes_at: datetime | None
    """None when nothing happens by itself."""
    unblocked_by: str


class Explanation(msgspec.Struct, frozen=True):
    """Where an execution stands, for a person."""

    status: Status
    summary: str
    blockers: tuple[Blocker, ...] = ()


Lacking: TypeAlias = Callable[[FunctionCall], bool]
"""Whether nobody who serves a function is there now."""


Awaited: TypeAlias = Callable[[Frame], str]
"""Which events a listener waits for, in words."""


class Known(msgspec.Struct, frozen=True):
    """What is known besides the state."""

    lacking: Lacking = lambda _: False
    awaited: Awaited = lambda _: "events"


_NOTHING_KNOWN: Final = Known()


def explain(
    state: State,
    now: datetime,
    decided: WorkflowSuspended | WorkflowCancelled | None = None,
    known: Known = _NOTHING_KNOWN,
) -> Explanation:
    """Say what an execution in *state* waits for.

    Args:
        state: where it stands.
        now: tells what is due from what is to come.
        decided: the last fact of a person's that suspended or cancelled it, which says who and why.
        known: tells what the state does not.
    """
    status = status_of(state)
    match state:
        case NotStarted():
            return Explanation(status, "It has not been accepted yet.")
        case Ended():
            return _ended(status, state, decided)
        case Open():
            blockers = tuple(_blockers(state, decided, known))
            sentence = f"{_undoing(state)}{_sentence(blockers, now)}"
            return Explanation(status, sentence, blockers)


def _ended(
    status: Status, ended: Ended, decided: WorkflowSuspended | WorkflowCancelled | None
) -> Explanation:
    match ended.status:
        case "completed":
            return Explanation(status, f"It completed at {_at(ended.ended_at)}.")
        case "cancelled":
            return Explanation(
                status, f"It was cancelled{_who(decided)} at {_at(ended.ended_at)}{_why(decided)}."
            )
        case "faulted":
            fault = _fault(ended)
            place = f" at {fault.task}" if fault.task else ""
            summary = f"It faulted{place}: {fault.waits_for}. Retry it to take it up again."
            return Explanation(status, summary, (fault,))


def _fault(ended: Ended) -> Blocker:
    frame = _faulted_frame(ended)
    return Blocker(
        kind="fault",
        task="" if frame is None else frame.task,
        waits_for="an error that nobody told" if ended.problem is None else _told(ended.problem),
        since=ended.ended_at,
        wakes_at=None,
        unblocked_by="a retry by its owner, with another input or once the cause is mended",
    )


def _faulted_frame(ended: Ended) -> Frame | None:
    """Return the frame that the fault began in: the innermost of those that faulted."""
    frames = {} if ended.stood is None else ended.stood.frames
    faulted = [frame for frame in frames.values() if isinstance(frame.activity, Faulted)]
    outer = {frame.parent for frame in faulted}
    return next((frame for frame in faulted if frame.id not in outer), None)


def _blockers(
    opened: Open, decided: WorkflowSuspended | WorkflowCancelled | None, known: Known
) -> Iterator[Blocker]:
    if opened.suspended_at is not None:
        yield Blocker(
            kind="suspension",
            task="",
            waits_for=f"being resumed: it was suspended{_who(decided)}{_why(decided)}",
            since=opened.suspended_at,
            wakes_at=None,
            unblocked_by="its owner or an administrator, who may resume it",
        )
    if opened.started_at is None and opened.run_at is not None:
        yield Blocker("schedule", "", "its time to begin", opened.accepted_at, opened.run_at, _TIME)
    for frame in opened.frames.values():
        yield from _waiting(opened, frame, known)


def _waiting(opened: Open, frame: Frame, known: Known) -> Iterator[Blocker]:
    match frame.activity:
        case Sleeping(until):
            yield Blocker("timer", frame.task, "the end of a pause", frame.started_at, until, _TIME)
        case BackingOff() as pause:
            waits_for = f"attempt {pause.retries + 1}, after {_told(pause.problem)}"
            since = pause.first_fault_at
            yield Blocker("retry", frame.task, waits_for, since, pause.until, _TIME)
        case Performing(effect):
            limit = nearest_deadline(opened, frame)
            answer, helper = _awaited(effect, known.lacking)
            unblocked_by = helper if limit is None else f"{helper}, or its time limit"
            yield Blocker("effect", frame.task, answer, frame.started_at, limit, unblocked_by)
        case Listening() as listener if not listener.occupied and not listener.progress.closed:
            limit = nearest_deadline(opened, frame)
            sender = "whoever sends such an event"
            helper = sender if limit is None else f"{sender}, or its time limit"
            waits_for = known.awaited(frame)
            yield Blocker("event", frame.task, waits_for, frame.started_at, limit, helper)
        case _:
            pass


def _awaited(effect: Effect, lacking: Lacking) -> tuple[str, str]:
    """Return what an effect waits for, and who can bring it."""
    call = effect.call
    if isinstance(call, FunctionCall) and lacking(call):
        return f"a worker that serves {call.wanted}", "whoever connects such a worker"
    if isinstance(call, WorkflowCall):
        return f"the end of {called(effect.call)}", f"execution {call.execution}"
    if isinstance(call, ShellCall | ScriptCall | ContainerCall):
        return f"the end of {called(effect.call)}", "the process itself"
    return f"the answer to {called(effect.call)}", "whoever is called"


def _sentence(blockers: tuple[Blocker, ...], now: datetime) -> str:
    if not blockers:
        return "It is being worked on; nothing holds it up."
    first = min(blockers, key=_weight)
    others = len(blockers) - 1
    more = f", and for {others} more thing{'s' if others > 1 else ''}" if others else ""
    place = f" at {first.task}" if first.task else ""
    return f"It waits for {first.waits_for}{place}{_until(first, now)}{more}."


def _undoing(opened: Open) -> str:
    """Say that an execution is on its way to its end, where it is."""
    phase, left = opened.compensating, opened.compensations
    if phase is None or not left:
        return ""
    by = f" by {phase.by}" if phase.by else ""
    why = f"it was cancelled{by}" if phase.error is None else f"it failed: {_told(phase.error)}"
    more = f", and {len(left) - 1} more after that" if len(left) > 1 else ""
    return f"It is compensating, because {why}. It undoes {left[-1].task}{more}. "


def _weight(blocker: Blocker) -> tuple[bool, bool, float]:
    """Sort what a person must do first, then what comes by itself the soonest."""
    wakes_at = blocker.wakes_at
    moment = 0.0 if wakes_at is None else wakes_at.timestamp()
    return blocker.kind != "suspension", wakes_at is None, moment


def _until(blocker: Blocker, now: datetime) -> str:
    if blocker.wakes_at is None:
        return ""
    verb = "until" if blocker.kind in {"timer", "schedule", "retry"} else "at the longest until"
    due = ", which is due" if blocker.wakes_at <= now else ""
    return f", {verb} {_at(blocker.wakes_at)}{due}"


def _told(problem: Problem) -> str:
    title = problem.title or problem.type
    detail = f": {problem.detail}" if problem.detail else ""
    return f"{title} ({problem.status}){detail}"


def _who(decided: WorkflowSuspended | WorkflowCancelled | None) -> str:
    return f" by {decided.by}" if decided is not None and decided.by else ""


def _why(decided: WorkflowSuspended | WorkflowCancelled | None) -> str:
    return f" ({decided.reason})" if decided is not None and decided.reason else ""


def _at(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")
