"""The settings of the workflow service."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from chassis.backends import check_backends, store_folder
from chassis.config import Environment
from workflow_service.application.engine.settings import EngineSettings
from workflow_service.application.queries.paging import HistoryPages
from workflow_service.domain.bounds import SETTING
from workflow_service.domain.definition.limits import DefinitionLimits
from workflow_service.domain.execution.limits import Limits
from workflow_service.domain.expressions.expression import ExpressionLimits

_MEBIBYTE: Final = 1024 * 1024


@dataclass(frozen=True, slots=True)
class EgressSettings:
    """What each host outside is given; see docs/egress.md."""

    concurrency: int
    waiting: int
    max_wait: float
    retry_share: float
    breaker_window: float
    breaker_minimum: int
    breaker_failure_rate: float
    breaker_open_for: float

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read the settings; problems are told by the environment's own check."""
        return cls(
            concurrency=env.integer(
                "AUTOWORKER_EGRESS_HOST_CONCURRENCY", 32, minimum=1, maximum=10_000
            ),
            waiting=env.integer(
                "AUTOWORKER_EGRESS_HOST_WAITING", 1000, minimum=0, maximum=1_000_000
            ),
            max_wait=env.number("AUTOWORKER_EGRESS_MAX_WAIT", 60.0, minimum=0.0, maximum=3600.0),
            retry_share=env.number("AUTOWORKER_EGRESS_RETRY_SHARE", 0.1, minimum=0.0, maximum=1.0),
            breaker_window=env.number(
                "AUTOWORKER_EGRESS_BREAKER_WINDOW", 30.0, minimum=0.1, maximum=3600.0
            ),
            breaker_minimum=env.integer(
                "AUTOWORKER_EGRESS_BREAKER_MINIMUM", 20, minimum=1, maximum=1_000_000
            ),
            breaker_failure_rate=env.number(
                "AUTOWORKER_EGRESS_BREAKER_FAILURE_RATE", 0.5, minimum=0.01, maximum=1.0
            ),
            breaker_open_for=env.number(
                "AUTOWORKER_EGRESS_BREAKER_OPEN_FOR", 10.0, minimum=0.01, maximum=3600.0
            ),
        )


_DAY: Final = 86_400.0


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
        )


def _of_executions(read: _Read) -> Limits:
    return Limits(
        tasks_per_advance=read.count("tasks_per_advance", 500, 10_000),
        loop_items=read.count("loop_items", 100_000, 10_000_000),
        input_bytes=read.size("input_bytes"),
        output_bytes=read.size("output_bytes"),
        context_bytes=read.size("context_bytes"),
        default_retries=read.count("retries", 10, 1_000),
        longest_delay=read.seconds("duration_seconds", 366 * _DAY, 36_600 * _DAY),
        schedule_horizon=read.seconds("schedule_horizon_seconds", 3_660 * _DAY, 36_600 * _DAY),
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


@dataclass(frozen=True, slots=True)
class FunctionSettings:
    """Functions of one's own; see docs/functions.md."""

    served: tuple[str, ...]
    """Those of this process: module:attribute."""
    at_once: int
    threads: int
    waiting: int
    heartbeat_timeout: float
    address: str | None
    """Where workers find this service, when it is not the address that it listens on."""

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read the settings; problems are told by the environment's own check."""
        return cls(
            served=env.items("AUTOWORKER_FUNCTIONS"),
            at_once=env.integer("AUTOWORKER_FUNCTIONS_AT_ONCE", 200, minimum=1, maximum=10_000),
            threads=env.integer("AUTOWORKER_FUNCTIONS_THREADS", 32, minimum=1, maximum=1000),
            waiting=env.integer(
                "AUTOWORKER_FUNCTIONS_WAITING", 100_000, minimum=1, maximum=10_000_000
            ),
            heartbeat_timeout=env.number(
                "AUTOWORKER_WORKER_HEARTBEAT_TIMEOUT", 15.0, minimum=0.2, maximum=600.0
            ),
            address=env.optional("AUTOWORKER_WORKER_ADDRESS"),
        )


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator decides. Times are seconds, sizes bytes."""

    data_dir: Path
    store_dir: Path
    grpc_host: str
    grpc_port: int
    admin_host: str
    admin_port: int
    auth_address: str
    neighbours: tuple[str, ...]
    """Where the other services are unless the registry says otherwise; no workflow may call them."""
    egress_allow: tuple[str, ...]
    egress: EgressSettings
    functions: FunctionSettings
    call_timeout: float
    jq_workers: int
    bounds: Bounds
    clock_settle: float
    """Seconds for which a clock that has jumped is not believed."""
    retention_days: int
    """How long executions are kept after their end; 0: for ever."""
    insecure_dev: bool

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read and check the settings.

        Raises:
            SettingsInvalid: with every problem at once.
        """
        data_dir = env.path("AUTOWORKER_DATA_DIR", Path("data"))
        auth_address = _address(env, "AUTH", 50051)
        settings = cls(
            data_dir=data_dir,
            store_dir=store_folder(env, data_dir),
            grpc_host=env.text("AUTOWORKER_WORKFLOW_GRPC_HOST", "127.0.0.1"),
            grpc_port=env.port("AUTOWORKER_WORKFLOW_GRPC_PORT", 50052),
            admin_host=env.text("AUTOWORKER_WORKFLOW_ADMIN_HOST", "127.0.0.1"),
            admin_port=env.port("AUTOWORKER_WORKFLOW_ADMIN_PORT", 9102),
            auth_address=auth_address,
            neighbours=(auth_address, *_neighbours(env)),
            egress_allow=env.items("AUTOWORKER_EGRESS_ALLOW"),
            egress=EgressSettings.from_environment(env),
            functions=FunctionSettings.from_environment(env),
            call_timeout=env.number("AUTOWORKER_CALL_TIMEOUT", 30.0, minimum=0.1, maximum=3600.0),
            jq_workers=env.integer("AUTOWORKER_JQ_WORKERS", 2, minimum=1, maximum=64),
            bounds=Bounds.from_environment(env),
            clock_settle=env.number(
                "AUTOWORKER_CLOCK_SETTLE_SECONDS", 900.0, minimum=0.0, maximum=_DAY
            ),
            retention_days=env.integer("AUTOWORKER_RETENTION_DAYS", 30, minimum=0, maximum=36_500),
            insecure_dev=env.flag("AUTOWORKER_INSECURE_DEV", False),
        )
        check_backends(env)
        env.check()
        return settings


def _address(env: Environment, service: str, port: int) -> str:
    host = env.text(f"AUTOWORKER_{service}_GRPC_HOST", "127.0.0.1")
    return f"{host}:{env.port(f'AUTOWORKER_{service}_GRPC_PORT', port)}"


def _neighbours(env: Environment) -> tuple[str, ...]:
    """Return the doors of the others; those on a free port (0) are found through the registry."""
    gateway = env.text("AUTOWORKER_HTTP_HOST", "127.0.0.1")
    doors = [
        _address(env, "NOTIFICATION", 50053),
        f"{gateway}:{env.port('AUTOWORKER_HTTP_PORT', 8080)}",
    ]
    for service, port in (("GATEWAY", 9100), ("AUTH", 9101), ("NOTIFICATION", 9103)):
        host = env.text(f"AUTOWORKER_{service}_ADMIN_HOST", "127.0.0.1")
        doors.append(f"{host}:{env.port(f'AUTOWORKER_{service}_ADMIN_PORT', port)}")
    return tuple(door for door in doors if not door.endswith(":0"))
