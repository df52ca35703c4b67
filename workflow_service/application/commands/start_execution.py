"""Take on a new execution of a published definition."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

import msgspec

from chassis.clock import Clock
from chassis.errors import Conflict, FieldProblem, Internal, Invalid, PayloadTooLarge
from chassis.ids import Ids
from chassis.telemetry import tracing
from workflow_service.application.caller import Caller
from workflow_service.application.compiled_definitions import CompiledDefinitions
from workflow_service.application.engine.engine import Engine
from workflow_service.application.ports import (
    Alone,
    EventStore,
    IdempotencyKey,
    Sharing,
    StartedBefore,
    StoredDefinition,
    Summaries,
    Summary,
)
from workflow_service.application.queries.get_definition import (
    GetDefinition,
    GetDefinitionHandler,
)
from workflow_service.application.reached import counting_refusals
from workflow_service.domain.bounds import beyond
from workflow_service.domain.execution.commands import Accept
from workflow_service.domain.execution.limits import Limits
from workflow_service.domain.execution.origin import Origin
from workflow_service.domain.expressions import JsonValue
from workflow_service.domain.expressions.measuring import size_of

_KEY_LIFE: Final = timedelta(hours=24)
_LONGEST_KEY: Final = 255
_MOST_TAGS: Final = 50
_LONGEST_TAG: Final = 256
_encoder = msgspec.json.Encoder(order="deterministic")


class IdempotencyKeyReused(Conflict):
    """The same idempotency key came with another request."""


@dataclass(frozen=True, slots=True)
class StartExecution:
    """Start a workflow. With an idempotency key, repetitions lead to the same execution."""

    caller: Caller
    namespace: str
    name: str
    version: str | None
    """None: the newest."""
    input: JsonValue
    priority: int = 0
    """0 (lowest) to 9."""
    run_at: datetime | None = None
    tags: JsonValue = None
    """An object of strings, or an array of strings."""
    idempotency_key: str | None = None
    wait: float = 0.0
    """Seconds to wait for the end before answering."""
    execution: str | None = None
    """The id, where repetitions must lead to the same execution for ever; None: a new one."""
    origin: Origin | None = None
    """What starts it; None: the caller."""
    shared: bool = False
    """Whether any process may begin it, since nobody here waits for its end."""


@dataclass(frozen=True, slots=True)
class StartExecutionHandler:
    """Nothing that was answered is ever lost: the start is durable before this returns."""

    engine: Engine
    get_definition: GetDefinitionHandler
    compiled: CompiledDefinitions
    store: EventStore
    summaries: Summaries
    clock: Clock
    ids: Ids
    limits: Limits
    sharing: Sharing = field(default_factory=Alone)

    async def __call__(self, command: StartExecution) -> Summary:
        """Start, or find what an earlier request with the same key has started.

        Raises:
            Invalid: priority, tags or key are not as they must be.
            PayloadTooLarge: the input is larger than the limit.
            DefinitionNotFound: there is no such workflow or version.
            IdempotencyKeyReused: the key belongs to another request.
            RateLimited: the tenant has as many open executions as it may have.
            Unavailable: the store cannot commit now.
        """
        with counting_refusals():
            self._check(command)
        summary = await self._earlier(command) or await self._start(command)
        if command.wait > 0 and summary.ended_at is None:
            return await self._end_of(summary, command.wait)
        return summary

    def _check(self, command: StartExecution) -> None:
        problems = [*_problems(command), *self._beyond_horizon(command.run_at)]
        if problems:
            raise Invalid("the execution cannot be started like this", details=problems)
        limit = self.limits.input_bytes
        if size_of(command.input, limit) > limit:
            raise PayloadTooLarge(beyond(f"the input is larger than {limit} bytes", "input_bytes"))

    def _beyond_horizon(self, run_at: datetime | None) -> Iterator[FieldProblem]:
        horizon = self.limits.schedule_horizon
        if run_at is not None and (run_at - self.clock.now()).total_seconds() > horizon:
            told = f"may be at most {horizon:.0f} s from now"
            yield FieldProblem("run_at", beyond(told, "schedule_horizon_seconds"))

    async def _start(self, command: StartExecution) -> Summary:
        caller = command.caller
        definition = await self.compiled.get(await self._definition(command))
        accept = Accept(
            execution=command.execution or self.ids.new(),
            tenant=caller.tenant,
            owner=caller.id,
            input=command.input,
            priority=command.priority,
            tags=command.tags,
            run_at=command.run_at,
            origin=command.origin,
            left=command.shared and self.sharing.works,
            trace=tracing.recorded_traceparent(),
        )
        try:
            return await self.engine.begin(definition, accept, self._key(command))
        except StartedBefore as before:
            return await self._repeated(command, before.execution, before.fingerprint)

    async def _definition(self, command: StartExecution) -> StoredDefinition:
        wanted = GetDefinition(
            command.caller.tenant, command.namespace, command.name, command.version or None
        )
        return await self.get_definition(wanted)

    def _key(self, command: StartExecution) -> IdempotencyKey | None:
        if not command.idempotency_key:
            return None
        return IdempotencyKey(
            tenant=command.caller.tenant,
            owner=command.caller.id,
            key=command.idempotency_key,
            fingerprint=fingerprint_of(command),
            expires_at=self.clock.now() + _KEY_LIFE,
        )

    async def _earlier(self, command: StartExecution) -> Summary | None:
        if not command.idempotency_key:
            return None
        caller = command.caller
        found = await self.store.started_by(caller.tenant, caller.id, command.idempotency_key)
        return None if found is None else await self._repeated(command, *found)

    async def _repeated(self, command: StartExecution, execution: str, fingerprint: str) -> Summary:
        if fingerprint != fingerprint_of(command):
            raise IdempotencyKeyReused(
                "this Idempotency-Key was used for another request; use a new key for a new start"
            )
        summary = await self.summaries.get(command.caller.tenant, execution)
        if summary is None:
            raise Internal("an idempotency key names an execution that is not in the store")
        return summary

    async def _end_of(self, summary: Summary, wait: float) -> Summary:
        """Wait for the end; what another process commits is seen when the time is up."""
        ended = await self.engine.endings.wait(summary.execution, wait)
        if ended is not None:
            return ended
        return await self.summaries.get(summary.tenant, summary.execution) or summary


def fingerprint_of(command: StartExecution) -> str:
    """Return a digest of all that a start request asks for."""
    asked = (
        command.namespace,
        command.name,
        command.version or "",
        command.input,
        command.priority,
        command.run_at,
        command.tags,
    )
    return hashlib.sha256(_encoder.encode(asked)).hexdigest()


def _problems(command: StartExecution) -> list[FieldProblem]:
    problems: list[FieldProblem] = []
    if not 0 <= command.priority <= 9:
        problems.append(FieldProblem("priority", "must be a whole number from 0 to 9"))
    key = command.idempotency_key
    if key is not None and (len(key) > _LONGEST_KEY or not key.isprintable()):
        problems.append(
            FieldProblem("Idempotency-Key", f"must be at most {_LONGEST_KEY} printable characters")
        )
    if not _are_tags(command.tags):
        problems.append(
            FieldProblem(
                "tags",
                f"must be an object or an array of at most {_MOST_TAGS} strings of up to "
                f"{_LONGEST_TAG} characters",
            )
        )
    return problems


def _are_tags(tags: JsonValue) -> bool:
    if tags is None:
        return True
    if isinstance(tags, dict):
        texts: list[JsonValue] = [*tags.keys(), *tags.values()]
    elif isinstance(tags, list):
        texts = tags
    else:
        return False
    return len(tags) <= _MOST_TAGS and all(
        isinstance(text, str) and len(text) <= _LONGEST_TAG for text in texts
    )
