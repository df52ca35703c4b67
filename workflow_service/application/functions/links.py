"""What the dispatcher knows of workers and of the calls that it hands to them."""

from __future__ import annotations

import asyncio
import heapq
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from workflow_service.domain.definition.json_schemas import CompiledSchema
from workflow_service.domain.execution.effects import FunctionCall, Outcome
from workflow_service.domain.semver import precedence


@dataclass(frozen=True, slots=True)
class Declared:
    """A function as one worker declares it."""

    name: str
    version: str
    input_schema: CompiledSchema | None = None
    output_schema: CompiledSchema | None = None


@dataclass(frozen=True, slots=True)
class Give:
    """An order to a worker: do this."""

    task_id: str
    job: Job
    function: Declared


@dataclass(frozen=True, slots=True)
class TakeBack:
    """An order to a worker: nobody waits for this any longer."""

    task_id: str


@dataclass(frozen=True, slots=True)
class Leave:
    """The last order: the connection is over, because of *reason* if it is not the worker's own wish."""

    reason: str = ""


Order: TypeAlias = Give | TakeBack | Leave


@dataclass(slots=True, eq=False)
class Job:
    """One call that waits for its answer."""

    call: FunctionCall
    execution: str
    key: str
    rank: tuple[int, int, int]
    """Higher priorities first, then executions with fewer calls before this one, then first come."""
    answer: asyncio.Future[Outcome]
    trace: str
    """The ``traceparent`` of the call, if its trace is recorded."""
    attempts: int = 0
    given: tuple[Link, str] | None = None
    """Who works on it, under which task id."""
    waiting: bool = False
    """Whether it stands in a line."""


@dataclass(slots=True, eq=False)
class Link:
    """One connected worker."""

    worker: str
    principal: str
    tenant: str
    everybody: bool
    """Whether it serves executions of everybody in the tenant; else only of its principal."""
    functions: Mapping[tuple[str, str], Declared]
    concurrency: int
    running: dict[str, tuple[Job, Declared]] = field(default_factory=dict)
    """By task id; those that were taken back stay until the worker has put them down."""
    orders: asyncio.Queue[Order] = field(default_factory=asyncio.Queue)
    draining: bool = False
    gone: bool = False

    @property
    def has_room(self) -> bool:
        """Whether it takes one more."""
        return not self.draining and not self.gone and len(self.running) < self.concurrency

    @property
    def load(self) -> float:
        """How much of its room is taken: 0 to 1."""
        return len(self.running) / self.concurrency

    def serves(self, call: FunctionCall) -> Declared | None:
        """Return what *call* calls here: that version, or the newest when it names none."""
        if self.tenant != call.tenant or not (self.everybody or self.principal == call.owner):
            return None
        if call.version:
            return self.functions.get((call.name, call.version))
        versions = [each for (name, _), each in self.functions.items() if name == call.name]
        return max(versions, key=lambda each: precedence(each.version), default=None)


class Line:
    """Jobs in the order of their ranks; those that were answered meanwhile are left out."""

    def __init__(self) -> None:
        self._heap: list[tuple[tuple[int, int, int], Job]] = []
        self._dead = 0

    def push(self, job: Job) -> None:
        """Put *job* in its place; its rank is like no other's."""
        job.waiting = True
        heapq.heappush(self._heap, (job.rank, job))

    def first(self) -> Job | None:
        """Return the first one that still waits."""
        while self._heap and self._heap[0][1].answer.done():
            heapq.heappop(self._heap)[1].waiting = False
            self._dead = max(0, self._dead - 1)
        return self._heap[0][1] if self._heap else None

    def pop(self) -> None:
        """Take out what ``first`` returned."""
        heapq.heappop(self._heap)[1].waiting = False

    def left(self) -> None:
        """One of those in here has been answered or given up: make room before they are many."""
        self._dead += 1
        if self._dead > 16 and self._dead * 2 > len(self._heap):
            every, self._heap, self._dead = self._heap, [], 0
            for rank, job in every:
                job.waiting = not job.answer.done()
                if job.waiting:
                    self._heap.append((rank, job))
            heapq.heapify(self._heap)
