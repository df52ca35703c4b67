"""Performs effects and brings their outcomes back."""

from __future__ import annotations

import asyncio
from contextlib import AbstractAsyncContextManager, nullcontext
from typing import Protocol

from msgspec import structs

from chassis.errors import Unavailable
from chassis.lifecycle import Supervisor
from chassis.telemetry.logging import get_logger
from workflow_service.application.engine.active import Active, ActiveExecutions
from workflow_service.application.engine.slots import Asked, Slots
from workflow_service.application.engine.traces import effect_span
from workflow_service.application.ports import Runner, StaleOwner, Summary
from workflow_service.domain.execution.commands import RecordOutcome
from workflow_service.domain.execution.effects import (
    AsyncApiReceive,
    ContainerCall,
    Effect,
    Failed,
    FunctionCall,
    Outcome,
    ScriptCall,
    ShellCall,
    WorkflowCall,
    host_of,
)
from workflow_service.domain.execution.problem import runtime

_log = get_logger("workflow_service.effects")

_WITH_OTHER_BOUNDS = (
    AsyncApiReceive,
    FunctionCall,
    WorkflowCall,
    ShellCall,
    ScriptCall,
    ContainerCall,
)
_FIRST_DELAY = 0.05
_LONGEST_DELAY = 5.0


class Record(Protocol):
    """Feeds an outcome to its execution."""

    async def __call__(self, execution: str, stimulus: RecordOutcome) -> object:
        """Record it durably.

        Raises:
            StaleOwner: another owner has taken the execution over.
            Unavailable: not now.
        """
        ...


class Effects:
    """Runs effects in bounded number, tenants in turns, higher priorities of a tenant first."""

    def __init__(
        self,
        runner: Runner,
        slots: Slots,
        active: ActiveExecutions,
        supervisor: Supervisor,
        record: Record,
    ) -> None:
        self._runner = runner
        self._slots = slots
        self._active = active
        self._supervisor = supervisor
        self._record = record
        self._stopping = False

    def stop(self) -> None:
        """Begin nothing any more: what is asked for from now on is for the next owner to perform."""
        self._stopping = True

    def let_go(self, execution: str, active: Active, effect: Effect, summary: Summary) -> None:
        """Begin an effect, unless it is under way already."""
        if effect.number not in active.effects and not self._stopping:
            asked = Asked(execution, summary.tenant, summary.priority, host_of(effect.call))
            owned = structs.replace(effect, tenant=summary.tenant, owner=summary.owner)
            work = self._perform(execution, owned, asked, summary)
            active.effects[effect.number] = self._supervisor.spawn("effect", work)

    async def _perform(
        self, execution: str, effect: Effect, asked: Asked, summary: Summary
    ) -> None:
        with self._active.use(execution) as active:
            try:
                async with self._room(effect, asked):
                    with effect_span(active.known, summary, effect):
                        outcome = await self._outcome(execution, effect)
                await self._bring_back(execution, RecordOutcome(effect.number, outcome))
            finally:
                active.effects.pop(effect.number, None)

    def _room(self, effect: Effect, asked: Asked) -> AbstractAsyncContextManager[None]:
        """Hold a slot; functions, workflows, processes and subscriptions have bounds of their own, and may take long."""
        if isinstance(effect.call, _WITH_OTHER_BOUNDS):
            return nullcontext()
        return self._slots.room(asked)

    async def _outcome(self, execution: str, effect: Effect) -> Outcome:
        try:
            return await self._runner.perform(execution, effect)
        except Exception:  # noqa: BLE001 - a broken runner must not leave the execution waiting for ever
            _log.exception("runner_failed", execution=execution, effect=effect.key)
            return Failed(runtime("the call could not be performed; the service's log says why"))

    async def _bring_back(self, execution: str, stimulus: RecordOutcome) -> None:
        """Record an outcome however long the store takes: while this process lives it must not be lost."""
        delay = _FIRST_DELAY
        while True:
            try:
                await self._record(execution, stimulus)
            except StaleOwner:
                return  # whoever took over performs it again, with the same key
            except Unavailable as failure:
                _log.warning("outcome_waits", execution=execution, reason=failure.message)
                await asyncio.sleep(delay)
                delay = min(delay * 2, _LONGEST_DELAY)
            else:
                return
