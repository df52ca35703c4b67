"""Processes without an operating system: event loops that share one virtual time and one seeded scheduler.

Each simulated process has an event loop of its own, so that it can be stopped, go on, or die at any callback, and
nothing of it runs afterwards. Which process runs next, and for how long, is the seed's choice.
"""

from __future__ import annotations

import asyncio
import contextlib
import heapq
from collections import deque
from collections.abc import Callable, Coroutine
from contextvars import Context
from itertools import count
from random import Random
from typing import Any, TypeVar
from weakref import WeakSet

T = TypeVar("T")
Unhandled = dict[str, Any]

_MOST_STEPS = 20_000
"""Callbacks after which a run is taken for one that spins; an ordinary one has hundreds."""
_BURST = 6
"""The most callbacks that a process runs before another one may."""


class Spinning(Exception):
    """Something is done over and over again."""


class Scheduler:
    """Virtual time, and whose turn it is."""

    def __init__(self, random: Random) -> None:
        self.now = 0.0
        self.steps = 0
        self.unhandled: list[Unhandled] = []
        self._random = random
        self._order = count()
        self._events: list[tuple[float, int, Callable[[], None]]] = []
        self._loops: list[ProcessLoop] = []

    def new_loop(self, name: str) -> ProcessLoop:
        """Return the loop of a new process."""
        loop = ProcessLoop(self, name)  # type: ignore[abstract]  # the rest is for real processes
        self._loops.append(loop)
        return loop

    def later(self, delay: float, action: Callable[[], None]) -> None:
        """Do *action* outside of all processes in *delay* seconds."""
        heapq.heappush(self._events, (self.now + delay, next(self._order), action))

    def run(self, over: Callable[[], bool], until: float) -> bool:
        """Run until it is *over*, or until virtual time is *until*; say whether it is over."""
        try:
            while True:
                self._drain()
                if over():
                    return True
                moment = self._next()
                if moment is None or moment > until:
                    return over()
                self._advance_to(moment)
        finally:
            asyncio._set_running_loop(None)

    def _drain(self) -> None:
        """Run callbacks until nothing can go on without time passing."""
        random = self._random
        while True:
            if self.steps > _MOST_STEPS:
                raise Spinning
            runnable = [loop for loop in self._loops if loop.ready and not loop.paused]
            if not runnable:
                return
            loop = runnable[0] if len(runnable) == 1 else random.choice(runnable)
            asyncio._set_running_loop(loop)
            for _ in range(random.randint(1, _BURST) if len(runnable) > 1 else _BURST):
                if not loop.ready or loop.paused:
                    break
                self.steps += 1
                handle = loop.ready.popleft()
                if not handle.cancelled():
                    handle._run()
            asyncio._set_running_loop(None)

    def _next(self) -> float | None:
        moments = [self._events[0][0]] if self._events else []
        moments += [moment for loop in self._loops if (moment := loop.next_timer()) is not None]
        return min(moments, default=None)

    def _advance_to(self, moment: float) -> None:
        self.now = max(self.now, moment)
        while self._events and self._events[0][0] <= self.now:
            _, _, action = heapq.heappop(self._events)
            action()
        for loop in self._loops:
            loop.collect_due(self.now)
        self._loops = [loop for loop in self._loops if not loop.dead]


class ProcessLoop(asyncio.AbstractEventLoop):
    """The event loop of one process."""

    def __init__(self, scheduler: Scheduler, name: str) -> None:
        self.name = name
        self.ready: deque[asyncio.Handle] = deque()
        self.paused = False
        self.dead = False
        self._scheduler = scheduler
        self._order = count()
        self._timers: list[tuple[float, int, asyncio.TimerHandle]] = []
        self._tasks: WeakSet[asyncio.Task[Any]] = WeakSet()

    def kill(self) -> None:
        """Nothing of the process runs any more, as after SIGKILL."""
        self.dead = True
        self.ready.clear()
        self._timers.clear()
        self._scheduler.later(0.0, self._bury)

    def _bury(self) -> None:
        """Close what was left in the middle, so that nobody is warned of it; what it still does leads nowhere."""
        asyncio._set_running_loop(self)
        for task in list(self._tasks):
            task._log_destroy_pending = False  # type: ignore[attr-defined]
            coroutine = task.get_coro()
            if isinstance(coroutine, Coroutine) and not task.done():
                with contextlib.suppress(RuntimeError):  # one that awaits while it is being closed
                    coroutine.close()
        asyncio._set_running_loop(None)

    def next_timer(self) -> float | None:
        """Return when the next timer is due; a process that stands still has none."""
        while self._timers and self._timers[0][2].cancelled():
            heapq.heappop(self._timers)
        return self._timers[0][0] if self._timers and not self.paused else None

    def collect_due(self, now: float) -> None:
        """Make the timers that are due ready."""
        while not self.paused and self._timers and self._timers[0][0] <= now:
            _, _, handle = heapq.heappop(self._timers)
            if not handle.cancelled():
                self.ready.append(handle)

    # ------------------------------------------------------------ what asyncio asks of a loop

    def time(self) -> float:
        """Virtual seconds."""
        return self._scheduler.now

    def get_debug(self) -> bool:
        """No."""
        return False

    def is_running(self) -> bool:
        """Yes."""
        return True

    def is_closed(self) -> bool:
        """Whether the process is dead."""
        return self.dead

    def call_soon(
        self, callback: Callable[..., object], *args: object, context: Context | None = None
    ) -> asyncio.Handle:
        """Queue *callback*."""
        handle = asyncio.Handle(callback, args, self, context)
        if not self.dead:
            self.ready.append(handle)
        return handle

    call_soon_threadsafe = call_soon

    def call_later(
        self,
        delay: float,
        callback: Callable[..., object],
        *args: object,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Queue *callback* in *delay* virtual seconds."""
        return self.call_at(self.time() + delay, callback, *args, context=context)

    def call_at(
        self,
        when: float,
        callback: Callable[..., object],
        *args: object,
        context: Context | None = None,
    ) -> asyncio.TimerHandle:
        """Queue *callback* at a virtual time."""
        handle = asyncio.TimerHandle(when, callback, args, self, context)
        if not self.dead:
            heapq.heappush(self._timers, (when, next(self._order), handle))
        return handle

    def _timer_handle_cancelled(self, handle: asyncio.TimerHandle) -> None:
        """It is skipped when its time comes."""

    def create_future(self) -> asyncio.Future[Any]:
        """Return a future of this process."""
        return asyncio.Future(loop=self)

    def create_task(  # type: ignore[override]
        self,
        coro: Coroutine[Any, Any, T],
        *,
        name: str | None = None,
        context: Context | None = None,
    ) -> asyncio.Task[T]:
        """Start a task of this process."""
        task = asyncio.Task(coro, loop=self, name=name, context=context)
        self._tasks.add(task)
        return task

    def run_in_executor(  # type: ignore[override]
        self, executor: object, func: Callable[..., T], *args: Any
    ) -> asyncio.Future[T]:
        """Run *func* a moment later, between callbacks: threads would be nobody's to schedule."""
        future: asyncio.Future[T] = self.create_future()

        def work() -> None:
            try:
                result = func(*args)
            except Exception as failure:  # noqa: BLE001 - handed to who waits
                _settle(future, failure)
            else:
                _settle(future, None, result)

        self._scheduler.later(0.001, lambda: None if self.dead else _ignore(self.call_soon(work)))
        return future

    def call_exception_handler(self, context: Unhandled) -> None:
        """Keep what nobody handled: it is a finding."""
        if not self.dead and "exception" in context and "never retrieved" not in context["message"]:
            self._scheduler.unhandled.append({"process": self.name, **context})


def _ignore(_: object) -> None:
    return None


def _settle(future: asyncio.Future[T], failure: Exception | None, result: T | None = None) -> None:
    if future.done():
        return
    if failure is not None:
        future.set_exception(failure)
    else:
        future.set_result(result)  # type: ignore[arg-type]
