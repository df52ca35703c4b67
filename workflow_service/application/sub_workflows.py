"""Runs workflows for tasks of other workflows, and ends those that nobody awaits any longer.

The id of the child is part of the effect, so a repetition after a crash finds the child that is there. Whoever waits for
its end costs a future and no slot: ends of this process are told at once, and those that were missed (an answer of the
store that was lost, another process's commits) are found by one look for all who wait, every now and then.
"""

from __future__ import annotations

import asyncio
from collections import defaultdict
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Final

import msgspec

from chassis.errors import NotFound, RateLimited, ServiceError, Unavailable
from chassis.telemetry.logging import get_logger
from workflow_service.application.caller import Caller
from workflow_service.application.children_ports import Children, OpenChild
from workflow_service.application.commands.cancel_execution import (
    CancelExecution,
    CancelExecutionHandler,
)
from workflow_service.application.commands.start_execution import (
    StartExecution,
    StartExecutionHandler,
)
from workflow_service.application.engine.engine import Engine
from workflow_service.application.engine.loading import is_undone, restore
from workflow_service.application.ports import EventStore, Runner, Summaries, Summary
from workflow_service.domain.execution.effects import (
    Effect,
    Failed,
    Outcome,
    Succeeded,
    WorkflowCall,
)
from workflow_service.domain.execution.errors import CommandRefused
from workflow_service.domain.execution.problem import configuration, runtime
from workflow_service.domain.execution.schedule import performing
from workflow_service.domain.execution.state import Open, Performing, State

_log = get_logger("workflow_service.sub_workflows")

PAGE: Final = 500
"""How many executions one look at the store is about."""
_FIRST_DELAY: Final = 0.1
_LONGEST_DELAY: Final = 10.0


@dataclass(frozen=True, slots=True)
class Offspring:
    """The use cases by which children live: those that everybody else uses, too."""

    engine: Engine
    start: StartExecutionHandler
    cancel: CancelExecutionHandler


class SubWorkflows:
    """The ``Runner`` port: workflows are run here, everything else is performed elsewhere.

    Args:
        rest: performs everything else.
        offspring: asked for once effects are performed; the engine and its runner need each other.
        store: has the parents.
        summaries: have the children.
        children: finds those that have ended, and those that are open.
    """

    def __init__(
        self,
        rest: Runner,
        offspring: Callable[[], Offspring],
        store: EventStore,
        summaries: Summaries,
        children: Children,
    ) -> None:
        self._rest = rest
        self._offspring = offspring
        self._store = store
        self._summaries = summaries
        self._children = children
        self._awaited: set[asyncio.Future[Summary]] = set()
        self._left: list[OpenChild] = []
        self._changed = asyncio.Event()

    async def perform(self, execution: str, effect: Effect) -> Outcome:
        """Perform *effect*; a workflow that is not awaited has only to begin."""
        call = effect.call
        if not isinstance(call, WorkflowCall):
            return await self._rest.perform(execution, effect)
        if not call.parent.awaited:
            begun = await self._begun(call)
            return begun if isinstance(begun, Failed) else Succeeded(None)
        try:
            return await self._end_of(call)
        except asyncio.CancelledError:
            # The task ended without it, or this process ends: whoever looks at the parent next finds out.
            self._left.append(OpenChild(call.execution, call.tenant, call.owner, call.parent))
            self._changed.set()
            raise

    async def _end_of(self, call: WorkflowCall) -> Outcome:
        with self._offspring().engine.endings.expecting(call.execution) as ending:
            self._awaited.add(ending)
            try:
                begun = await self._begun(call)
                if isinstance(begun, Failed):
                    return begun
                return outcome_of(call, begun if begun.ended_at is not None else await ending)
            finally:
                self._awaited.discard(ending)

    async def _begun(self, call: WorkflowCall) -> Summary | Failed:
        """Start the child unless it is there; where there is no room for it, wait."""
        delay = _FIRST_DELAY
        while True:
            try:
                known = await self._summaries.get(call.tenant, call.execution)
                return known or await self._offspring().start(_start_of(call))
            except (RateLimited, Unavailable) as busy:
                _log.debug("child_waits", execution=call.execution, reason=busy.message)
                await asyncio.sleep(delay)
                delay = min(delay * 2, _LONGEST_DELAY)
            except ServiceError as refused:
                return Failed(configuration(f"{call.wanted} cannot be run: {refused.message}"))

    # ------------------------------------------------------------ what was missed, and what was left

    async def run(self, every: float) -> None:
        """End at once what nobody awaits any longer, and look every so many seconds for what was missed; for ever."""
        try:
            await self._look(every)
        finally:
            for ending in self._awaited:
                ending.cancel()  # the process ends: the next one waits for the same children

    async def _look(self, every: float) -> None:
        loop = asyncio.get_running_loop()
        next_round = loop.time()
        while True:
            try:
                await self._end_left()
                if loop.time() >= next_round:
                    next_round = loop.time() + every
                    await self.round()
            except ServiceError as failure:
                _log.warning("sub_workflows_wait", reason=failure.message)
                await asyncio.sleep(_LONGEST_DELAY / 2)
            try:
                async with asyncio.timeout_at(next_round):
                    _ = await self._changed.wait()
            except TimeoutError:
                continue

    async def round(self) -> None:
        """Tell those who wait what they missed, and end the children whose parents do not await them.

        Raises:
            Unavailable: the store does not answer.
        """
        endings = self._offspring().engine.endings
        expected = endings.expected
        for begin in range(0, len(expected), PAGE):
            for summary in await self._children.ended_among(expected[begin : begin + PAGE]):
                endings.ended(summary.execution, summary)
        place = ""
        while page := await self._children.open_children(place, PAGE):
            attended = set(endings.expected)
            await self._end_unawaited(each for each in page if each.execution not in attended)
            place = page[-1].execution

    async def _end_left(self) -> None:
        self._changed.clear()
        left, self._left = self._left, []
        for child in left:
            async with self._offspring().engine.turn(child.execution):
                pass  # its start, if that is under way, is over
        await self._end_unawaited(left)

    async def _end_unawaited(self, found: Iterable[OpenChild]) -> None:
        families: defaultdict[str, list[OpenChild]] = defaultdict(list)
        for child in found:
            if child.parent.awaited:
                families[child.parent.execution].append(child)
        for parent, children in families.items():
            awaited = await self._awaited_by(parent)
            for child in children:
                if child.parent.effect not in awaited:
                    await self._end(child)

    async def _awaited_by(self, parent: str) -> set[int]:
        stored = await self._store.load(parent)
        return set() if stored is None else awaited_in(restore(stored))

    async def _end(self, child: OpenChild) -> None:
        if await is_undone(self._store, child.execution):
            return
        reason = f"execution {child.parent.execution} does not await it any longer"
        try:
            await self._offspring().cancel(
                CancelExecution(Caller(child.owner, child.tenant), child.execution, reason)
            )
        except (NotFound, CommandRefused):
            return  # it never began, or has ended


def awaited_in(state: State) -> set[int]:
    """Return the numbers of the effects whose outcome an execution in *state* waits for."""
    if not isinstance(state, Open):
        return set()
    doing = (frame.activity for frame in performing(state))
    return {activity.effect.number for activity in doing if isinstance(activity, Performing)}


def outcome_of(call: WorkflowCall, summary: Summary) -> Outcome:
    """Return what the end of a child means to the task that ran it: an error is passed on, placed at the task."""
    match summary:
        case Summary(status="completed", output=output):
            return Succeeded(None if output is msgspec.UNSET else output)
        case Summary(status="faulted", problem=problem) if problem is not None:
            return Failed(msgspec.structs.replace(problem, instance=None))
        case _:
            return Failed(runtime(f"execution {call.execution} of {call.wanted} was cancelled"))


def _start_of(call: WorkflowCall) -> StartExecution:
    return StartExecution(
        Caller(call.owner, call.tenant),
        call.namespace,
        call.name,
        call.version or None,
        call.input,
        priority=call.priority,
        execution=call.execution,
        origin=call.parent,
        shared=not call.parent.awaited,
    )
