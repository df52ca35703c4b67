"""One connection of a worker: what it says, and the tasks that it works on."""

import asyncio
import inspect
import logging
from collections.abc import AsyncIterable, AsyncIterator, Callable, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final

import msgspec

from autoworker.functions import Declaration
from protos.worker.v1 import worker_pb2 as pb

log = logging.getLogger("autoworker.worker")
_UNKNOWN: Final = "the function failed in a way that it does not explain; the worker's log says how"


@dataclass(frozen=True, slots=True)
class Served:
    """A function and what it says about itself."""

    declaration: Declaration
    implementation: Callable[..., Any]


@dataclass(frozen=True, slots=True)
class TaskContext:
    """See `autoworker.functions.Context`."""

    execution: str
    task: str
    idempotency_key: str
    attempt: int
    deadline: datetime | None
    tenant: str
    traceparent: str
    logger: logging.LoggerAdapter[logging.Logger]


class Connection:
    """What one stream carries, in both directions."""

    def __init__(
        self,
        hello: pb.ConnectRequest,
        functions: Mapping[tuple[str, str], Served],
        draining: asyncio.Event,
        threads: Executor,
    ) -> None:
        self._functions = functions
        self._draining = draining
        self._threads = threads
        self._outgoing: asyncio.Queue[pb.ConnectRequest | None] = asyncio.Queue()
        self._running: dict[str, asyncio.Task[None]] = {}
        self.send(hello)

    def send(self, message: pb.ConnectRequest) -> None:
        """Say something, after what was said before."""
        self._outgoing.put_nowait(message)

    def close(self) -> None:
        """Say nothing more, and stop what nobody will hear the answer of."""
        self._outgoing.put_nowait(None)
        for task in self._running.values():
            task.cancel()

    async def requests(self) -> AsyncIterator[pb.ConnectRequest]:
        """What is said, as the stream wants it."""
        while (message := await self._outgoing.get()) is not None:
            yield message

    async def drain(self) -> None:
        """Once the worker shall stop, say goodbye."""
        await self._draining.wait()
        self.send(pb.ConnectRequest(goodbye=pb.Goodbye()))

    async def serve(
        self,
        responses: AsyncIterable[pb.ConnectResponse],
        tasks: asyncio.TaskGroup,
        connected: asyncio.Event,
    ) -> None:
        """Work until the server ends the stream."""
        beating: asyncio.Task[None] | None = None
        try:
            async for response in responses:
                match response.WhichOneof("message"):
                    case "welcome":
                        timeout = response.welcome.heartbeat_timeout_ms / 1000
                        beating = tasks.create_task(self._beat(timeout / 3))
                        connected.set()
                    case "task":
                        task = response.task
                        self._running[task.id] = tasks.create_task(self._work(task))
                    case "cancel":
                        self._cancel(response.cancel.task_id)
                    case _:
                        log.debug("a message of a newer server was left unread")
        finally:
            if beating is not None:
                beating.cancel()

    async def _beat(self, seconds: float) -> None:
        while True:
            await asyncio.sleep(seconds)
            self.send(pb.ConnectRequest(heartbeat=pb.Heartbeat()))

    def _cancel(self, task_id: str) -> None:
        task = self._running.get(task_id)
        if task is not None:
            task.cancel()

    async def _work(self, task: pb.Task) -> None:
        answer = _failed(task.id, {"title": "Cancelled", "status": 499})
        try:
            answer = await self._answer(task)
        except asyncio.CancelledError:
            # Answered nevertheless: that is how the server learns that there is room again.
            current = asyncio.current_task()
            if current is not None:
                current.uncancel()
        finally:
            self._running.pop(task.id, None)
            self.send(answer)

    async def _answer(self, task: pb.Task) -> pb.ConnectRequest:
        try:
            output = await self._call(task)
            completed = pb.Completed(task_id=task.id, output=msgspec.json.encode(output))
            return pb.ConnectRequest(completed=completed)
        except Exception as exc:
            explain = getattr(exc, "as_problem", None)
            if callable(explain):
                return _failed(task.id, explain())
            log.exception("%s failed, execution %s", task.function, task.execution)
            return _failed(task.id, {"detail": _UNKNOWN, "title": "Runtime Error", "status": 500})

    async def _call(self, task: pb.Task) -> Any:
        served = self._functions[task.function, task.version]
        arguments, context = msgspec.json.decode(task.arguments), _context(task)
        call = served.implementation
        if inspect.iscoroutinefunction(call):
            return await call(arguments, context)
        loop = asyncio.get_running_loop()
        result = await loop.run_in_executor(self._threads, call, arguments, context)
        return await result if inspect.isawaitable(result) else result


def _context(task: pb.Task) -> TaskContext:
    deadline = None
    if task.HasField("deadline"):
        deadline = task.deadline.ToDatetime(tzinfo=UTC)
    names = {"execution": task.execution, "task": task.task}
    return TaskContext(
        execution=task.execution,
        task=task.task,
        idempotency_key=task.idempotency_key,
        attempt=task.attempt,
        deadline=deadline,
        tenant=task.tenant,
        traceparent=task.traceparent,
        logger=logging.LoggerAdapter(logging.getLogger(f"functions.{task.function}"), names),
    )


def _failed(task_id: str, problem: Mapping[str, Any]) -> pb.ConnectRequest:
    status = problem.get("status")
    error = pb.FunctionError(
        type=str(problem.get("type", "")),
        status=status if isinstance(status, int) else 500,
        title=str(problem.get("title", "")),
        detail=str(problem.get("detail", "")),
    )
    return pb.ConnectRequest(failed=pb.Failed(task_id=task_id, error=error))
