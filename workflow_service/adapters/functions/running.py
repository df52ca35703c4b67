"""Calls the functions of this process."""

from __future__ import annotations

import asyncio
import inspect
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

import msgspec

from chassis.telemetry.logging import get_logger
from workflow_service.adapters.functions.loading import Loaded
from workflow_service.application.engine.slots import FairGate
from workflow_service.application.functions.failures import problem_of
from workflow_service.domain.execution.effects import (
    Effect,
    Failed,
    FunctionCall,
    Outcome,
    Succeeded,
)
from workflow_service.domain.execution.problem import runtime, validation
from workflow_service.domain.expressions import JsonValue

_log = get_logger("workflow_service.functions")
_UNKNOWN: Final = (
    "the function failed in a way that it does not explain; the service's log says how"
)


@dataclass(frozen=True, slots=True)
class Context:
    """What a function is told about its call; ``autoworker.functions.Context`` describes it."""

    execution: str
    task: str
    idempotency_key: str
    attempt: int
    deadline: datetime | None
    tenant: str
    function: str

    @property
    def logger(self) -> Any:
        """A logger that names the call; made for those who ask, since most never do."""
        return get_logger(f"functions.{self.function}").bind(
            execution=self.execution, task=self.task
        )


class LocalFunctions:
    """Runs functions in bounded number, tenants in turns; those that are not async in threads.

    Args:
        loaded: the functions.
        at_once: how many run at the same time.
        threads: how many of those may be in threads.
    """

    def __init__(self, loaded: Sequence[Loaded], *, at_once: int = 200, threads: int = 32) -> None:
        self._loaded: Mapping[tuple[str, str], Loaded] = {
            (each.function.name, each.function.version): each for each in loaded
        }
        self._gate = FairGate(at_once)
        self._threads = ThreadPoolExecutor(threads, "function")

    def close(self) -> None:
        """Begin nothing more; threads under way cannot be stopped, only left."""
        self._threads.shutdown(wait=False, cancel_futures=True)

    async def perform(
        self, execution: str, effect: Effect, call: FunctionCall, version: str
    ) -> Outcome:
        """Call the function; cancelling this cancels it."""
        one = self._loaded[call.name, version]
        problem = None if one.input_schema is None else one.input_schema.problem(call.arguments)
        if problem is not None:
            return Failed(validation(f"the function's arguments: {problem}"))
        context = Context(
            execution=execution,
            task=call.task,
            idempotency_key=effect.key,
            attempt=1,
            deadline=call.deadline,
            tenant=call.tenant,
            function=call.name,
        )
        async with self._gate.place(call.tenant, call.priority):
            return await self._called(one, call.arguments, context)

    async def _called(self, one: Loaded, arguments: JsonValue, context: Context) -> Outcome:
        try:
            output = _plain(await self._run(one, arguments, context))
        except Exception as exc:  # noqa: BLE001 - whatever a function raises faults its task, no more
            return Failed(_problem(exc, context))
        problem = None if one.output_schema is None else one.output_schema.problem(output)
        if problem is not None:
            return Failed(validation(f"the function's output: {problem}"))
        return Succeeded(output)

    async def _run(self, one: Loaded, arguments: JsonValue, context: Context) -> object:
        call: Callable[[Any, Any], Any] = one.call
        if one.is_async:
            return await call(arguments, context)
        loop = asyncio.get_running_loop()
        result = await loop.run_in_executor(self._threads, call, arguments, context)
        return await result if inspect.isawaitable(result) else result


def _plain(output: object) -> JsonValue:
    """Return *output* as JSON has it: a copy of one's own, so that nobody changes it later.

    Raises:
        TypeError: it is something that JSON cannot say.
    """
    value: JsonValue = msgspec.json.decode(msgspec.json.encode(output))
    return value


def _problem(exc: Exception, context: Context) -> Any:
    explain = getattr(exc, "as_problem", None)
    if callable(explain):
        told = explain()
        if isinstance(told, Mapping):
            return problem_of(
                str(told.get("type", "")),
                _number(told.get("status")),
                str(told.get("title", "")),
                str(told.get("detail", "")),
            )
    _log.error("function_failed", execution=context.execution, task=context.task, exc_info=exc)
    return runtime(_UNKNOWN)


def _number(value: object) -> int:
    return value if isinstance(value, int) else 500
