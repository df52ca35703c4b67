"""Where an execution stands: explicit, serialisable frames instead of a coroutine.

A *frame* is one task that has begun and not ended. Frames form a tree by ``parent``; the workflow itself is the root
frame, with the empty id. A wait of a month is one small frame in the store, and recovery is a load.
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias, TypeVar

import msgspec

from workflow_service.domain.execution.compensations import Compensating, Compensation
from workflow_service.domain.execution.effects import Effect, Outcome
from workflow_service.domain.execution.listeners import Listening, Subscribing
from workflow_service.domain.execution.origin import Origin
from workflow_service.domain.execution.problem import Problem
from workflow_service.domain.expressions import JsonValue

ROOT = ""
"""Id of the frame of the workflow itself."""

Status: TypeAlias = Literal[
    "pending", "running", "waiting", "suspended", "cancelled", "faulted", "completed"
]


class Created(msgspec.Struct, frozen=True, tag="created"):
    """Entered, and not begun: its condition has not been looked at."""


class Doing(msgspec.Struct, frozen=True, tag="doing"):
    """Runs a list of tasks: a ``do``, or the workflow itself."""

    index: int = -1
    round: int = 0
    """How often a ``then`` has led backwards: keeps repeated tasks apart."""


class Looping(msgspec.Struct, frozen=True, tag="looping"):
    """Runs a list of tasks once per item."""

    items: list[JsonValue]
    iteration: int = -1
    index: int = -1
    round: int = 0


class Forking(msgspec.Struct, frozen=True, tag="forking"):
    """Waits for its branches; ended ones have left their output here, by position."""

    width: int
    outputs: dict[int, JsonValue] = {}


class Trying(msgspec.Struct, frozen=True, tag="trying"):
    """Runs the tasks of a ``try``."""

    retries: int = 0
    first_fault_at: datetime | None = None
    attempt_deadline: datetime | None = None
    index: int = -1
    round: int = 0


class BackingOff(msgspec.Struct, frozen=True, tag="backing-off"):
    """A ``try`` between two attempts."""

    until: datetime
    retries: int
    first_fault_at: datetime
    problem: Problem


class Handling(msgspec.Struct, frozen=True, tag="handling"):
    """Runs the ``catch.do`` of a ``try``."""

    problem: Problem
    index: int = -1
    round: int = 0


class Calling(msgspec.Struct, frozen=True, tag="calling"):
    """Runs the body of a function of ``use.functions``."""


class Extending(msgspec.Struct, frozen=True, tag="extending", omit_defaults=True):
    """Runs the tasks that extensions put before or after a task."""

    at: int
    """Which of the frame's extensions."""
    after: bool = False
    index: int = -1
    round: int = 0
    output: JsonValue = None
    """What the task came to, once it is over."""
    directive: str = ""
    """Where the task then leads, once it is over."""


class Sleeping(msgspec.Struct, frozen=True, tag="sleeping"):
    """A ``wait``."""

    until: datetime


class Performing(msgspec.Struct, frozen=True, tag="performing"):
    """Waits for the outcome of an effect."""

    effect: Effect


class Performed(msgspec.Struct, frozen=True, tag="performed"):
    """The outcome came while the execution was suspended; it is used on resumption."""

    outcome: Outcome


class Faulted(msgspec.Struct, frozen=True, tag="faulted"):
    """The task faulted; what it was doing is kept for a retry."""

    problem: Problem
    was: LiveActivity


class Halted(msgspec.Struct, frozen=True, tag="halted"):
    """The task was cancelled by the fault or the victory of another; kept for a retry."""

    was: LiveActivity


LiveActivity: TypeAlias = (
    Created
    | Doing
    | Looping
    | Forking
    | Trying
    | BackingOff
    | Handling
    | Calling
    | Extending
    | Sleeping
    | Listening
    | Subscribing
    | Performing
    | Performed
)
Activity: TypeAlias = LiveActivity | Faulted | Halted


A = TypeVar("A")


class HistoryBroken(Exception):
    """An event does not fit the state before it: the history was written by something else, or damaged."""


class Frame(msgspec.Struct, frozen=True, omit_defaults=True):
    """One task that has begun and not ended."""

    id: str
    """Reference, plus iterations and rounds: unique in the execution, the same in every replay."""
    task: str
    """Reference of the task in the definition; empty for the workflow itself."""
    parent: str
    raw_input: JsonValue
    input: JsonValue
    activity: Activity
    data: JsonValue = None
    """For lists: what the next task gets as its raw input."""
    branch: int = -1
    """Position among the branches of a fork."""
    started_at: datetime | None = None
    deadline: datetime | None = None
    variables: dict[str, JsonValue] = {}
    """What expressions of the tasks inside see besides the standard arguments."""
    extensions: list[int] = []
    """Which extensions of the definition apply, the outermost first."""

    @property
    def differing_id(self) -> str:
        """The id where it is not simply the task's reference: what events carry."""
        return "" if self.id == self.task else self.id

    def doing(self, kind: type[A]) -> A:
        """Return the activity, of which it is known what it is.

        Raises:
            HistoryBroken: it is something else.
        """
        if isinstance(self.activity, kind):
            return self.activity
        raise HistoryBroken(f"{self.id} is {type(self.activity).__name__}, not {kind.__name__}")

    def with_input(self, data: JsonValue) -> Frame:
        """Return the frame with a transformed input."""
        return msgspec.structs.replace(self, input=data)

    @property
    def iteration_suffix(self) -> str:
        """What tells the tasks of one iteration from those of the others."""
        activity = self.activity
        return (
            f"#{activity.iteration}"
            if isinstance(activity, Looping | Listening | Subscribing)
            else ""
        )


class NotStarted(msgspec.Struct, frozen=True, tag="not-started"):
    """Nothing has happened yet."""


class Open(msgspec.Struct, frozen=True, tag="open", omit_defaults=True):
    """Accepted and not ended."""

    execution: str
    namespace: str
    name: str
    version: str
    digest: str
    tenant: str
    owner: str
    input: JsonValue
    """The raw input."""
    accepted_at: datetime
    context: JsonValue = None
    priority: int = 0
    run_at: datetime | None = None
    started_at: datetime | None = None
    deadline: datetime | None = None
    suspended_at: datetime | None = None
    effects: int = 0
    """How many effects have been asked for so far."""
    listens: int = 0
    """How many times it has begun to listen so far."""
    frames: dict[str, Frame] = {}
    origin: Origin | None = None
    trace: str = ""
    compensations: tuple[Compensation, ...] = ()
    """What can be undone, in the order in which it was completed."""
    compensating: Compensating | None = None


def nearest_deadline(opened: Open, frame: Frame) -> datetime | None:
    """Return when a time limit around *frame* ends it, the nearest of all; None without any."""
    limits = [opened.deadline]
    inner: Frame | None = frame
    while inner is not None:
        limits.append(inner.deadline)
        # The frame of the workflow is its own parent.
        inner = None if inner.id == ROOT else opened.frames.get(inner.parent)
    return min((limit for limit in limits if limit is not None), default=None)


class Ended(msgspec.Struct, frozen=True, tag="ended", omit_defaults=True):
    """Over. A faulted execution keeps where it stood, so that it can be retried."""

    status: Literal["cancelled", "faulted", "completed"]
    ended_at: datetime
    stood: Open | None = None
    problem: Problem | None = None
    output: JsonValue | msgspec.UnsetType = msgspec.UNSET


State: TypeAlias = NotStarted | Open | Ended
