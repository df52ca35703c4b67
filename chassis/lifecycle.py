"""Starting, watching and stopping work.

Background work is named and supervised: nothing runs that nobody would notice dying. Stopping is a
request to finish within a deadline, and what started last stops first.
"""

import asyncio
import contextlib
import contextvars
import gc
import os
import signal
from collections.abc import Callable, Coroutine, Iterator
from contextlib import AbstractAsyncContextManager
from types import TracebackType
from typing import Any, Self, TypeVar

from chassis.errors import CannotStart
from chassis.telemetry.logging import get_logger

_log = get_logger("chassis.lifecycle")
T = TypeVar("T")

STOP_DEADLINE = 10.0
"""Seconds that work has to finish when nobody says otherwise."""


class WorkFailed(Exception):
    """Long-lived work died; its own exception is the cause."""

    def __init__(self, name: str) -> None:
        super().__init__(f"{name} failed")
        self.name = name


class Supervisor:
    """Owns background tasks: starts them by name, notices their death, stops them.

    `async with` is how it is used. When long-lived work dies, the block is cancelled and leaving it
    raises `WorkFailed` with the cause. Tasks start in an empty context, so that they inherit neither
    the caller, nor the deadline, nor the trace of a request that happened to start them.
    """

    def __init__(self, *, deadline: float = STOP_DEADLINE) -> None:
        self._deadline = deadline
        self._long: dict[asyncio.Task[None], str] = {}
        self._short: dict[asyncio.Task[None], str] = {}
        self._failure: asyncio.Future[WorkFailed] | None = None
        self._first: WorkFailed | None = None
        self._owner: asyncio.Task[Any] | None = None
        self._cancelled_owner = False
        self._stopping = False

    async def __aenter__(self) -> Self:
        self._owner = asyncio.current_task()
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        await self.stop(deadline=self._deadline)
        if self._first is None or (exc is not None and not self._cancelled_by_us(exc)):
            return
        raise self._first

    def start(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run *work* for as long as the service lives; its death by an exception stops the service."""
        task = self._task(name, work)
        self._long[task] = name
        task.add_done_callback(self._long_ended)
        return task

    def spawn(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        """Run *work* that ends by itself; a failure is logged and nothing else happens."""
        task = self._task(name, work)
        self._short[task] = name
        task.add_done_callback(self._short_ended)
        return task

    async def failed(self) -> None:
        """Wait until long-lived work dies.

        Raises:
            WorkFailed: naming the first that died.
        """
        if self._first is None:
            if self._failure is None:
                self._failure = asyncio.get_running_loop().create_future()
            raise await asyncio.shield(self._failure)
        raise self._first

    async def stop(self, *, deadline: float) -> None:
        """Cancel long-lived work, let short-lived work end, all within *deadline* seconds.

        Short-lived work that has not ended by half of it is cancelled as well. What ignores its
        cancellation is named in the log and left behind. Calling it again changes nothing.
        """
        self._stopping = True
        for task in reversed(list(self._long)):
            task.cancel()
        await _settle([*self._long, *self._short], deadline / 2)
        for task in list(self._short):
            task.cancel()
        await _settle([*self._long, *self._short], deadline / 2)
        for name in (*self._long.values(), *self._short.values()):
            _log.error("work_abandoned", work=name, deadline=deadline)

    def _task(self, name: str, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        if self._stopping:
            work.close()
            raise RuntimeError(f"cannot start {name}: the supervisor is stopping")
        return asyncio.get_running_loop().create_task(
            work, name=name, context=contextvars.Context()
        )

    def _long_ended(self, task: asyncio.Task[None]) -> None:
        name = self._long.pop(task)
        if task.cancelled() or (exc := task.exception()) is None:
            return
        _log.error("work_failed", work=name, exc_info=exc)
        if self._first is not None:
            return
        self._first = WorkFailed(name)
        self._first.__cause__ = exc
        if self._failure is not None and not self._failure.done():
            self._failure.set_result(self._first)
        if not self._stopping and self._owner is not None and not self._owner.done():
            self._cancelled_owner = self._owner.cancel()

    def _short_ended(self, task: asyncio.Task[None]) -> None:
        name = self._short.pop(task)
        if not task.cancelled() and (exc := task.exception()) is not None:
            _log.error("work_failed", work=name, exc_info=exc)

    def _cancelled_by_us(self, exc: BaseException) -> bool:
        """Whether *exc* is our own cancellation of the block, and nobody else's too."""
        if not self._cancelled_owner or self._owner is None:
            return False
        self._cancelled_owner = False
        return self._owner.uncancel() == 0 and isinstance(exc, asyncio.CancelledError)


YOUNG_OBJECTS = 20_000
"""How many more objects there may be before the garbage collector looks at the young ones."""


@contextlib.contextmanager
def collecting_less() -> Iterator[None]:
    """Inside: the garbage collector leaves alone what is there now, and looks at new things less often.

    For a service that has started: its modules and tables stay, and nearly all that a request makes
    goes by its count of references. With the interpreter's 700 the collector runs several times for
    each request.
    """
    before = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(YOUNG_OBJECTS, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)
        gc.unfreeze()


async def run_until_stopped(
    service: AbstractAsyncContextManager[object],
    *,
    drain: float = 30.0,
    tell: Callable[[str], None] | None = None,
) -> int:
    """Run *service* until SIGTERM or SIGINT, let it drain, and say how it went.

    A second SIGINT kills the process at once. Only for the main task of a process.

    Args:
        service: entering it starts the service, leaving it drains and stops it.
        drain: seconds that stopping may take.
        tell: takes the reason why the service could not start; None logs it.

    Returns:
        The exit code: 0 after an orderly stop, 1 when the service could not start or died.
    """
    stop = asyncio.Event()
    with _signals(stop):
        try:
            async with contextlib.AsyncExitStack() as stack:
                await stack.enter_async_context(service)
                with collecting_less():
                    await stop.wait()
                _log.info("stopping", drain=drain)
                async with asyncio.timeout(drain):
                    await stack.aclose()
        except CannotStart as exc:
            if tell is None:
                _log.error("cannot_start", reason=str(exc))
            else:
                tell(str(exc))
            return 1
        except WorkFailed as exc:
            _log.error("service_died", work=exc.name)
            return 1
        except Exception:  # noqa: BLE001 -- the end of the line: logged, and told by the exit code
            _log.exception("service_failed")
            return 1
    _log.info("stopped")
    return 0


@contextlib.contextmanager
def _signals(stop: asyncio.Event) -> Any:
    loop = asyncio.get_running_loop()

    def interrupt() -> None:
        if stop.is_set():
            signal.signal(signal.SIGINT, signal.SIG_DFL)
            os.kill(os.getpid(), signal.SIGINT)
        stop.set()

    loop.add_signal_handler(signal.SIGINT, interrupt)
    loop.add_signal_handler(signal.SIGTERM, stop.set)
    try:
        yield
    finally:
        loop.remove_signal_handler(signal.SIGINT)
        loop.remove_signal_handler(signal.SIGTERM)


async def undisturbed(work: Coroutine[Any, Any, T]) -> T:
    """What *work* comes to; a cancellation meanwhile takes effect when it has ended.

    For short exchanges with a server whose driver gives up a connection when it is cancelled in between.
    """
    task = asyncio.get_running_loop().create_task(work)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        await asyncio.wait([task])
        if not task.cancelled():
            _ = task.exception()  # nobody is left who could be told
        raise


async def _settle(tasks: list[asyncio.Task[None]], seconds: float) -> None:
    if tasks:
        await asyncio.wait(tasks, timeout=seconds)
        # Their done callbacks are queued behind this task: let them take the tasks off the books.
        await asyncio.sleep(0)
