"""Every bound of the service; see docs/limits.md."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final, Self

from chassis.config import Environment
from workflow_service.application.engine.settings import EngineSettings
from workflow_service.application.queries.paging import HistoryPages
from workflow_service.domain.bounds import SETTING
from workflow_service.domain.definition.limits import DefinitionLimits
from workflow_service.domain.execution.limits import Limits
from workflow_service.domain.expressions.expression import ExpressionLimits

_MEBIBYTE: Final = 1024 * 1024
DAY: Final = 86_400.0
"""Seconds."""


class _Read:
    """Reads limits, whose names all begin alike."""

    def __init__(self, env: Environment) -> None:
        self._env = env

    def count(self, limit: str, default: int, most: int) -> int:
        return self._env.integer(_setting(limit), default, minimum=1, maximum=most)

    def size(self, limit: str, default: int = _MEBIBYTE, most: int = 3 * _MEBIBYTE) -> int:
        # A message between services may have 8 MiB, and holds an input and an output.
        return self._env.integer(_setting(limit), default, minimum=1024, maximum=most)

    def seconds(self, limit: str, default: float, most: float) -> float:
        return self._env.number(_setting(limit), default, minimum=0.1, maximum=most)


def _setting(limit: str) -> str:
    return SETTING + limit.upper()


@dataclass(frozen=True, slots=True)
class Bounds:
    """Every bound of this service; docs/limits.md says what happens at each."""

    execution: Limits
    definition: DefinitionLimits
    expression: ExpressionLimits
    expression_memory: int
    engine: EngineSettings
    pages: HistoryPages
    response_bytes: int
    secrets: int
    """Of one tenant."""
    secret_bytes: int
    stream_items: int
    channel_subscriptions: int

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read the bounds; problems are told by the environment's own check."""
        read = _Read(env)
        return cls(
            execution=_of_executions(read),
            definition=_of_definitions(read),
            expression=ExpressionLimits(
                max_input=read.size("expression_input_bytes", 8 * _MEBIBYTE, 64 * _MEBIBYTE),
                max_output=read.size("expression_output_bytes"),
                deadline=read.seconds("expression_seconds", 1.0, 60.0),
            ),
            expression_memory=env.integer(
                _setting("expression_memory_bytes"),
                256 * _MEBIBYTE,
                minimum=64 * _MEBIBYTE,
                maximum=4096 * _MEBIBYTE,
            ),
            engine=_of_the_engine(read, env),
            pages=HistoryPages(
                items=read.count("history_page", 200, 200),
                bytes=read.size("history_page_bytes", 2 * _MEBIBYTE),
            ),
            response_bytes=env.integer(
                "AUTOWORKER_CALL_RESPONSE_BYTES",
                _MEBIBYTE,
                minimum=1024,
                maximum=3 * _MEBIBYTE,
            ),
            secrets=read.count("secrets", 1_000, 1_000_000),
            secret_bytes=read.size("secret_bytes", 64 * 1024, 512 * 1024),
            stream_items=read.count("stream_items", 1_000, 100_000),
            channel_subscriptions=read.count("channel_subscriptions", 200, 10_000),
        )


def _of_executions(read: _Read) -> Limits:
    return Limits(
        tasks_per_advance=read.count("tasks_per_advance", 500, 10_000),
        advance_bytes=read.size("advance_bytes", 16 * _MEBIBYTE, 1024 * _MEBIBYTE),
        loop_items=read.count("loop_items", 100_000, 10_000_000),
        compensations=read.count("compensations", 10_000, 1_000_000),
        workflow_depth=read.count("workflow_depth", 32, 1_000),
        listen_queue=read.count("listen_queue", 1_000, 100_000),
        input_bytes=read.size("input_bytes"),
        output_bytes=read.size("output_bytes"),
        context_bytes=read.size("context_bytes"),
        default_retries=read.count("retries", 10, 1_000),
        longest_delay=read.seconds("duration_seconds", 366 * DAY, 36_600 * DAY),
        schedule_horizon=read.seconds("schedule_horizon_seconds", 3_660 * DAY, 36_600 * DAY),
    )


def _of_definitions(read: _Read) -> DefinitionLimits:
    return DefinitionLimits(
        bytes=read.size("definition_bytes"),
        depth=read.count("definition_depth", 64, 256),
        values=read.count("definition_values", 100_000, 1_000_000),
        tasks=read.count("definition_tasks", 1_000, 100_000),
        nesting=read.count("definition_nesting", 32, 128),
        fork_width=read.count("definition_fork_width", 256, 10_000),
        expressions=read.count("definition_expressions", 2_000, 100_000),
        schedule_seconds=read.seconds("schedule_seconds", 1.0, DAY),
        resources=read.count("definition_resources", 100, 10_000),
        resource_bytes=read.size("definition_resource_bytes", 4 * _MEBIBYTE, 64 * _MEBIBYTE),
    )


def _of_the_engine(read: _Read, env: Environment) -> EngineSettings:
    return EngineSettings(
        effects_at_once=read.count("effects", 200, 10_000),
        effects_per_tenant=read.count("effects_per_tenant", 160, 10_000),
        effects_per_execution=read.count("effects_per_execution", 64, 10_000),
        effects_per_host=read.count("effects_per_host", 32, 10_000),
        wakes_at_once=read.count("wakes", 200, 10_000),
        tenant_weights=_weights(env),
        reconcile_every=env.number(
            "AUTOWORKER_RECONCILE_SECONDS", 30.0, minimum=1.0, maximum=3600.0
        ),
        open_executions=read.count("open_executions", 100_000, 100_000_000),
        subscriptions=read.count("subscriptions", 100_000, 100_000_000),
    )


def _weights(env: Environment) -> dict[str, int]:
    weights: dict[str, int] = {}
    for item in env.items(_WEIGHTS):
        tenant, _, weight = item.rpartition("=")
        if tenant.strip() and weight.strip().isdecimal() and 1 <= int(weight) <= _HEAVIEST:
            weights[tenant.strip()] = int(weight)
        else:
            env.problem(_WEIGHTS, f"has {item!r}: must be tenant=weight, from 1 to {_HEAVIEST}")
    return weights


_WEIGHTS: Final = "AUTOWORKER_TENANT_WEIGHTS"
_HEAVIEST: Final = 1_000
