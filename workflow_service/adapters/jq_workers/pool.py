"""Killable processes for expressions whose cost nobody can tell."""

import queue
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Self

from workflow_service.adapters.jq_workers.process import (
    WorkerDied,
    WorkerLimits,
    WorkerProcess,
    WorkerRefused,
    WorkerTimedOut,
)
from workflow_service.domain.bounds import beyond
from workflow_service.domain.expressions import ExpressionFailed, ExpressionsUnavailable
from workflow_service.domain.expressions.program import MAX_MESSAGE, program_text


class JqWorkers:
    """A `CostlyEvaluator`: at most *workers* processes, started when first needed.

    Blocking and safe to use from several threads; a caller waits at most *max_wait* seconds for
    a free process. A process that is too slow or dies is killed and replaced at once.
    """

    def __init__(
        self,
        *,
        workers: int = 2,
        max_wait: float = 5.0,
        limits: WorkerLimits | None = None,
    ) -> None:
        self._limits = limits or WorkerLimits()
        self._max_wait = max_wait
        self._closed = False
        self._lock = threading.Lock()
        self._alive: set[WorkerProcess] = set()
        # Last in, first out: with little to do one process serves, the others stay unborn.
        self._places: queue.LifoQueue[WorkerProcess | None] = queue.LifoQueue()
        for _ in range(workers):
            self._places.put(None)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def alive(self) -> int:
        """How many processes exist now."""
        with self._lock:
            return len(self._alive)

    def warm_up(self) -> None:
        """Start one process, without waiting for it."""
        place = self._place()
        self._places.put(place or self._started())

    def evaluate(
        self, source: str, variables: Sequence[str], document_json: bytes, deadline_s: float
    ) -> bytes:
        """See `CostlyEvaluator.evaluate`."""
        program = program_text(source, variables).encode()
        worker: WorkerProcess | None = None
        place = self._place()
        try:
            worker = place or self._started()
            place = None
            answer = worker.run(program, document_json, deadline_s)
            place, worker = worker, None
            return answer
        except WorkerRefused as exc:
            place, worker = worker, None
            raise ExpressionFailed(_told(str(exc)[:MAX_MESSAGE])) from exc
        except WorkerTimedOut as exc:
            told = f"the expression took longer than {deadline_s:g} s"
            raise ExpressionFailed(beyond(told, "expression_seconds")) from exc
        except WorkerDied as exc:
            raise self._death() from exc
        finally:
            self._leave(place, worker)

    def close(self) -> None:
        """End every process; evaluations under way fail as unavailable."""
        with self._lock:
            self._closed = True
            alive, self._alive = self._alive, set()
        for worker in alive:
            worker.kill()

    # ------------------------------------------------------------ places
    def _place(self) -> WorkerProcess | None:
        try:
            return self._places.get(timeout=self._max_wait)
        except queue.Empty:
            raise ExpressionsUnavailable("all expression workers are busy") from None

    def _leave(self, kept: WorkerProcess | None, ended: WorkerProcess | None) -> None:
        """Give the place back, with a fresh process in it when one had to end."""
        if kept is not None and kept.worn_out:
            kept, ended = None, kept
        try:
            if ended is not None:
                self._kill(ended)
                kept = None if self._closed else self._started()
        except (OSError, ExpressionsUnavailable):
            kept = None  # the next caller tries to start one, and hears why not
        finally:
            self._places.put(kept)

    def _started(self) -> WorkerProcess:
        try:
            worker = WorkerProcess(self._limits)
        except OSError as exc:
            raise ExpressionsUnavailable("no expression worker could be started") from exc
        with self._lock:
            if not self._closed:
                self._alive.add(worker)
                return worker
        worker.kill()
        raise ExpressionsUnavailable("the expression workers are closed")

    def _kill(self, worker: WorkerProcess) -> None:
        with self._lock:
            self._alive.discard(worker)
        worker.kill()

    def _death(self) -> ExpressionFailed | ExpressionsUnavailable:
        if self._closed:
            return ExpressionsUnavailable("the expression workers are closed")
        return ExpressionFailed(
            beyond(
                f"the expression needed more than {self._limits.memory // (1024 * 1024)} MiB of"
                " memory or too deep a recursion",
                "expression_memory_bytes",
            )
        )


def _told(message: str) -> str:
    """Name the limit that a worker, which knows no names, has refused for."""
    if message.startswith("the result is larger than "):
        return beyond(message, "expression_output_bytes")
    return message
