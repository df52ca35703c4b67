"""Hands calls of functions to workers: fairly between executions, evenly between workers, and again when one is lost.

Everything here happens on one event loop and nothing of it is durable: the history says which calls are under way, and
whoever takes an execution over makes them again with the same key.
"""

from __future__ import annotations

import asyncio
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from typing import Final

from chassis.errors import Conflict, RateLimited
from chassis.ids import Ids
from chassis.telemetry import metrics, tracing
from chassis.telemetry.logging import get_logger
from workflow_service.application.functions.links import (
    Declared,
    Give,
    Job,
    Leave,
    Line,
    Link,
    TakeBack,
)
from workflow_service.domain.execution.effects import (
    Failed,
    FunctionCall,
    Outcome,
    Succeeded,
)
from workflow_service.domain.execution.problem import Problem, runtime, validation
from workflow_service.domain.expressions import JsonValue

_log = get_logger("workflow_service.functions")
_ANSWERS = metrics.counter("functions_worker_answers_total", "Answers of workers.", ["kind"])
_LOST = metrics.counter("functions_workers_lost_total", "Workers that were lost.", ["reason"])

_Place = tuple[str, str, str]
"""Tenant, name and version (empty: any) of what is called."""


class TooManyWorkers(RateLimited):
    """A tenant has as many workers as it may."""


class WorkerGone(Conflict):
    """The worker was replaced, or given up."""


@dataclass(frozen=True, slots=True)
class DispatchLimits:
    """How far the dispatcher goes."""

    waiting: int = 100_000
    """Calls that wait or are under way at the same time; one more fails."""
    workers: int = 1000
    """Workers of a tenant."""
    losses: int = 5
    """Workers that a call may lose before it is taken for the cause and fails."""


DEFAULT_LIMITS: Final = DispatchLimits()


class Dispatcher:
    """The calls that wait for workers, and the workers."""

    def __init__(self, ids: Ids, limits: DispatchLimits = DEFAULT_LIMITS) -> None:
        self._ids = ids
        self._limits = limits
        self._links: dict[tuple[str, str, str], Link] = {}
        self._lines: defaultdict[_Place, dict[str, Line]] = defaultdict(dict)
        self._shares: Counter[str] = Counter()
        self._order = count()
        self._jobs = 0

    # ------------------------------------------------------------ callers

    async def perform(self, execution: str, key: str, call: FunctionCall) -> Outcome:
        """Have a worker answer *call*, however long that takes; who stops waiting takes it back."""
        if self._jobs >= self._limits.waiting:
            most = self._limits.waiting
            return Failed(runtime(f"more than {most} calls wait for workers (functions_waiting)"))
        answer: asyncio.Future[Outcome] = asyncio.get_running_loop().create_future()
        rank = (-call.priority, self._shares[execution], next(self._order))
        job = Job(call, execution, key, rank, answer, tracing.recorded_traceparent())
        self._jobs += 1
        self._shares[execution] += 1
        try:
            self._place(job)
            return await answer
        finally:
            self._jobs -= 1
            self._shares[execution] -= 1
            if not self._shares[execution]:
                del self._shares[execution]
            self._take_back(job)

    def lacks(self, call: FunctionCall) -> bool:
        """Whether no connected worker serves *call*."""
        return not any(link.serves(call) and not link.draining for link in self._links.values())

    def workers(self, tenant: str, owner: str, name: str, version: str) -> int:
        """Return how many connected workers serve a function, for everybody (*owner* empty) or for one."""
        return sum(
            (name, version) in link.functions
            and owner == ("" if link.everybody else link.principal)
            for link in self._links.values()
            if link.tenant == tenant
        )

    # ------------------------------------------------------------ workers

    def connect(self, link: Link) -> None:
        """Begin to give *link* work; an earlier connection of the same worker is over.

        Raises:
            TooManyWorkers: there are as many as may be.
        """
        place = (link.tenant, link.principal, link.worker)
        earlier = self._links.get(place)
        if earlier is not None:
            self.lost(earlier, "it has connected again")
        elif sum(each.tenant == link.tenant for each in self._links.values()) >= (
            self._limits.workers
        ):
            raise TooManyWorkers("there are too many workers", retry_after=10.0)
        self._links[place] = link
        self._feed(link)

    def lost(self, link: Link, reason: str) -> None:
        """Give what *link* was working on to others; what it still answers counts no longer."""
        if link.gone:
            return
        link.gone = True
        place = (link.tenant, link.principal, link.worker)
        if self._links.get(place) is link:
            del self._links[place]
        unfinished = [job for job, _ in link.running.values() if not job.answer.done()]
        link.running.clear()
        link.orders.put_nowait(Leave(reason))
        if unfinished:
            _LOST.child("busy").inc()
            _log.warning("worker_lost", worker=link.worker, tasks=len(unfinished), reason=reason)
        for job in unfinished:
            job.given = None
            if job.attempts > self._limits.losses:
                detail = f"{job.attempts} workers were lost while they worked on it"
                job.answer.set_result(Failed(runtime(detail)))
            else:
                self._place(job)

    def drain(self, link: Link) -> None:
        """Give *link* nothing new, and let it go when it has finished."""
        link.draining = True
        self._leave_if_idle(link)

    def completed(self, link: Link, task_id: str, output: JsonValue) -> None:
        """Take an answer; one to a task that is not with *link* any more is ignored."""
        taken = self._taken(link, task_id)
        if taken is not None:
            job, function = taken
            schema = function.output_schema
            problem = None if schema is None else schema.problem(output)
            job.answer.set_result(
                Succeeded(output)
                if problem is None
                else Failed(validation(f"the function's output: {problem}"))
            )
            _ANSWERS.child("completed").inc()
        self._next(link)

    def failed(self, link: Link, task_id: str, problem: Problem) -> None:
        """Take a failure; one of a task that is not with *link* any more is ignored."""
        taken = self._taken(link, task_id)
        if taken is not None:
            taken[0].answer.set_result(Failed(problem))
            _ANSWERS.child("failed").inc()
        self._next(link)

    # ------------------------------------------------------------ matching

    def _taken(self, link: Link, task_id: str) -> tuple[Job, Declared] | None:
        taken = link.running.pop(task_id, None)
        if taken is None or taken[0].answer.done():
            _ANSWERS.child("ignored").inc()
            return None
        taken[0].given = None
        return taken

    def _next(self, link: Link) -> None:
        self._feed(link)
        self._leave_if_idle(link)

    def _leave_if_idle(self, link: Link) -> None:
        if link.draining and not link.running and not link.gone:
            self.lost(link, "")

    def _place(self, job: Job) -> None:
        """Give *job* to the worker with the most room, or let it wait."""
        free = [link for link in self._links.values() if link.has_room and link.serves(job.call)]
        if free:
            self._give(min(free, key=lambda link: link.load), job)
            return
        call = job.call
        lines = self._lines[call.tenant, call.name, call.version]
        lines.setdefault(call.owner, Line()).push(job)

    def _feed(self, link: Link) -> None:
        """Give *link* what waits for it, as far as it has room."""
        while link.has_room and (line := self._best_line(link)) is not None:
            job = line.first()
            line.pop()
            if job is not None:
                self._give(link, job)

    def _best_line(self, link: Link) -> Line | None:
        best: tuple[tuple[int, int, int], Line] | None = None
        for line in self._lines_for(link):
            job = line.first()
            if job is not None and (best is None or job.rank < best[0]):
                best = (job.rank, line)
        return None if best is None else best[1]

    def _lines_for(self, link: Link) -> Iterator[Line]:
        names = {name for name, _ in link.functions}
        places = [*link.functions, *((name, "") for name in names)]
        for name, version in places:
            lines = self._lines.get((link.tenant, name, version))
            if not lines:
                continue
            for owner in list(lines) if link.everybody else [link.principal]:
                line = lines.get(owner)
                if line is not None and line.first() is None:
                    del lines[owner]
                elif line is not None:
                    yield line

    def _give(self, link: Link, job: Job) -> None:
        function = link.serves(job.call)
        if function is None:
            raise AssertionError("a job is given only to whom it was matched with")
        schema = function.input_schema
        problem = None if schema is None else schema.problem(job.call.arguments)
        if problem is not None:
            job.answer.set_result(Failed(validation(f"the function's arguments: {problem}")))
            return
        job.attempts += 1
        task_id = self._ids.new()
        job.given = (link, task_id)
        link.running[task_id] = (job, function)
        link.orders.put_nowait(Give(task_id, job, function))

    def _take_back(self, job: Job) -> None:
        """Nobody waits for *job* any longer: tell whoever works on it, or make room in its line."""
        if not job.answer.done():
            job.answer.cancel()
        if job.given is not None:
            link, task_id = job.given
            if task_id in link.running:
                link.orders.put_nowait(TakeBack(task_id))
        elif job.waiting:
            call = job.call
            place = (call.tenant, call.name, call.version)
            lines = self._lines[place]
            lines[call.owner].left()
            if lines[call.owner].first() is None:
                del lines[call.owner]
            if not lines:
                del self._lines[place]
