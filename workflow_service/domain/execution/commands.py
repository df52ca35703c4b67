"""What can happen to an execution: the stimuli that ``decide`` turns into events."""

from __future__ import annotations

from datetime import datetime
from typing import TypeAlias

import msgspec

from workflow_service.domain.events import ReceivedEvent
from workflow_service.domain.execution.effects import Outcome
from workflow_service.domain.execution.origin import Origin
from workflow_service.domain.execution.state import Open
from workflow_service.domain.expressions import JsonValue


class Accept(msgspec.Struct, frozen=True):
    """Take on a new execution, and begin it unless it is to begin later."""

    execution: str
    tenant: str
    owner: str
    input: JsonValue
    priority: int = 0
    tags: JsonValue = None
    run_at: datetime | None = None
    origin: Origin | None = None
    """None: somebody asked for it."""
    left: bool = False
    """Whether it is only taken on, and begun by whichever process wakes it."""
    trace: str = ""
    """The ``traceparent`` (W3C Trace Context) of the request, if it is recorded: its effects belong to it."""


class RecordOutcome(msgspec.Struct, frozen=True):
    """An effect came to an end; an outcome of an effect that is no longer awaited changes nothing."""

    effect: int
    outcome: Outcome


class ReceiveEvent(msgspec.Struct, frozen=True):
    """An event came in that a listener may be waiting for; one that is not waiting any longer does not get it."""

    frame: str
    number: int
    """Of the subscription, see ``Listening``."""
    event: ReceivedEvent


class Wake(msgspec.Struct, frozen=True):
    """Look at the clock: fire what is due, go on with what is ready."""


class Suspend(msgspec.Struct, frozen=True):
    """Halt until somebody resumes it."""

    reason: str = ""
    by: str = ""


class Resume(msgspec.Struct, frozen=True):
    """Go on after a suspension."""

    reason: str = ""
    by: str = ""


class Cancel(msgspec.Struct, frozen=True):
    """End it once what can be undone is undone; while that is being done: end it at once."""

    reason: str = ""
    by: str = ""


class Retry(msgspec.Struct, frozen=True):
    """Take a faulted execution up again."""

    reason: str = ""
    by: str = ""
    task: str = ""
    """Reference of the task to begin with; empty: the task that faulted."""
    position: Open | None = None
    """The state in which *task* had just been created; needed when *task* is not the one that faulted."""
    input: JsonValue | msgspec.UnsetType = msgspec.UNSET
    """Replaces the raw input of that task."""


class Recover(msgspec.Struct, frozen=True):
    """A new owner took the execution over: what was under way in the old one must be taken up."""

    owner: str


Stimulus: TypeAlias = (
    Accept | RecordOutcome | ReceiveEvent | Wake | Suspend | Resume | Cancel | Retry | Recover
)
Asked: TypeAlias = Accept | Suspend | Resume | Cancel | Retry
"""What people ask for: they get an answer that fits what they find, whoever owns the execution."""
