"""What a recorded trace shows of executions: one span for each, and one for each of its effects.

An execution remembers the trace of the request that began it, if that trace is recorded, across restarts and owners.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chassis.telemetry import tracing
from workflow_service.application.engine.active import Known
from workflow_service.application.ports import Summary
from workflow_service.domain.execution.effects import Effect
from workflow_service.domain.execution.schedule import performing
from workflow_service.domain.execution.state import Ended, Frame, Open, Performing


def trace_of(known: Known) -> str:
    """Return the trace that an execution belongs to, or nothing when it is not recorded."""
    match known.state:
        case Open(trace=trace):
            return trace
        case Ended(stood=Open(trace=trace)):
            return trace
        case _:
            return ""


@contextmanager
def effect_span(known: Known | None, summary: Summary, effect: Effect) -> Iterator[None]:
    """Measure an effect as a part of its execution's trace; whoever is called learns of that trace."""
    trace = "" if known is None else trace_of(known)
    if known is None or not trace:
        yield
        return
    tracing.adopt("", trace)
    kind = type(effect.call).__name__
    with tracing.span(f"effect {kind}", **_who(summary), **{"stage.name": _stage(known, effect)}):
        yield


def tell_ended(trace: str, summary: Summary) -> None:
    """Record the span of an execution that has just ended."""
    if trace:
        tracing.tell(
            f"workflow {summary.namespace}/{summary.name}",
            trace,
            summary.created_at,
            failed=summary.status == "faulted",
            **_who(summary),
            **{"workflow.status": summary.status},
        )


def _who(summary: Summary) -> dict[str, tracing.Attribute]:
    return {
        "workflow.id": summary.execution,
        "workflow.name": f"{summary.namespace}/{summary.name}",
        "workflow.version": summary.version,
        "user.id": summary.owner,
    }


def _stage(known: Known, effect: Effect) -> str:
    """Return the reference of the task that asked for *effect*."""
    state = known.state
    frames = performing(state) if isinstance(state, Open) else ()
    return next((frame.task for frame in frames if _performs(frame, effect)), "")


def _performs(frame: Frame, effect: Effect) -> bool:
    doing = frame.activity
    return isinstance(doing, Performing) and doing.effect.number == effect.number
