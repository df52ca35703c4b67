"""The settings of the workflow service."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

from chassis.backends import Backends, backends_of, service_address, store_folder, store_url
from chassis.config import Environment
from chassis.messaging.opening import BusSettings, bus_settings
from workflow_service.application.schedules.settings import ScheduleSettings
from workflow_service.config.bounds import DAY, Bounds
from workflow_service.config.egress import EgressSettings
from workflow_service.config.functions import FunctionSettings
from workflow_service.config.processes import ProcessSettings
from workflow_service.config.resources import ResourceSettings
from workflow_service.config.schedules import schedules_from

__all__ = [
    "Bounds",
    "EgressSettings",
    "FunctionSettings",
    "ProcessSettings",
    "ResourceSettings",
    "Settings",
]


@dataclass(frozen=True, slots=True)
class Settings:
    """What an operator decides. Times are seconds, sizes bytes."""

    data_dir: Path
    store_dir: Path
    bus: BusSettings
    grpc_host: str
    grpc_port: int
    admin_host: str
    admin_port: int
    backends: Backends
    neighbours: tuple[str, ...]
    """Where the other services are unless the registry says otherwise; no workflow may call them."""
    egress_allow: tuple[str, ...]
    egress: EgressSettings
    resources: ResourceSettings
    processes: ProcessSettings
    functions: FunctionSettings
    schedules: ScheduleSettings
    secrets_key_file: Path
    """The keys that wrap those of tenants' secrets."""
    call_timeout: float
    jq_workers: int
    bounds: Bounds
    clock_settle: float
    """Seconds for which a clock that has jumped is not believed."""
    retention_days: int
    """How long executions are kept after their end; 0: for ever."""
    payload_bytes: int
    """Bytes of JSON above which a value is stored once, apart from the facts that have it."""
    insecure_dev: bool
    store_url: str | None = field(default=None, repr=False)
    """``mongodb://…``, which other processes may share; None: a file in ``store_dir``."""

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read and check the settings.

        Raises:
            SettingsInvalid: with every problem at once.
        """
        data_dir = env.path("AUTOWORKER_DATA_DIR", Path("data"))
        settings = cls(
            data_dir=data_dir,
            store_dir=store_folder(env, data_dir),
            bus=bus_settings(env, data_dir),
            grpc_host=env.text("AUTOWORKER_WORKFLOW_GRPC_HOST", "127.0.0.1"),
            grpc_port=env.port("AUTOWORKER_WORKFLOW_GRPC_PORT", 50052),
            admin_host=env.text("AUTOWORKER_WORKFLOW_ADMIN_HOST", "127.0.0.1"),
            admin_port=env.port("AUTOWORKER_WORKFLOW_ADMIN_PORT", 9102),
            backends=backends_of(env),
            neighbours=_neighbours(env),
            egress_allow=env.items("AUTOWORKER_EGRESS_ALLOW"),
            egress=EgressSettings.from_environment(env),
            resources=ResourceSettings.from_environment(env),
            processes=ProcessSettings.from_environment(env),
            functions=FunctionSettings.from_environment(env),
            schedules=schedules_from(env),
            secrets_key_file=env.path(
                "AUTOWORKER_SECRETS_KEY_FILE", data_dir / "keys" / "secrets.keys"
            ),
            call_timeout=env.number("AUTOWORKER_CALL_TIMEOUT", 30.0, minimum=0.1, maximum=3600.0),
            jq_workers=env.integer("AUTOWORKER_JQ_WORKERS", 2, minimum=1, maximum=64),
            bounds=Bounds.from_environment(env),
            clock_settle=env.number(
                "AUTOWORKER_CLOCK_SETTLE_SECONDS", 900.0, minimum=0.0, maximum=DAY
            ),
            retention_days=env.integer("AUTOWORKER_RETENTION_DAYS", 30, minimum=0, maximum=36_500),
            payload_bytes=env.integer(
                "AUTOWORKER_PAYLOAD_BYTES", 64 * 1024, minimum=1024, maximum=8 * 1024 * 1024
            ),
            insecure_dev=env.flag("AUTOWORKER_INSECURE_DEV", False),
            store_url=store_url(env),
        )
        env.check()
        return settings


def _neighbours(env: Environment) -> tuple[str, ...]:
    """Return the doors of the others; those on a free port (0) are found through the registry."""
    gateway = env.text("AUTOWORKER_HTTP_HOST", "127.0.0.1")
    doors = [
        service_address(env, "auth"),
        service_address(env, "notification"),
        f"{gateway}:{env.port('AUTOWORKER_HTTP_PORT', 8080)}",
    ]
    for service, port in (("GATEWAY", 9100), ("AUTH", 9101), ("NOTIFICATION", 9103)):
        host = env.text(f"AUTOWORKER_{service}_ADMIN_HOST", "127.0.0.1")
        doors.append(f"{host}:{env.port(f'AUTOWORKER_{service}_ADMIN_PORT', port)}")
    return tuple(door for door in doors if not door.endswith(":0"))
