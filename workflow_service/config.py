"""The settings of the workflow service."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self
from urllib.parse import unquote, urlsplit

from chassis.config import Environment

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
    effects_at_once: int
    call_timeout: float
    response_bytes: int
    data_bytes: int
    jq_workers: int
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
            store_dir=_store_dir(env, data_dir),
            grpc_host=env.text("AUTOWORKER_WORKFLOW_GRPC_HOST", "127.0.0.1"),
            grpc_port=_port(env, "AUTOWORKER_WORKFLOW_GRPC_PORT", 50052),
            admin_host=env.text("AUTOWORKER_WORKFLOW_ADMIN_HOST", "127.0.0.1"),
            admin_port=_port(env, "AUTOWORKER_WORKFLOW_ADMIN_PORT", 9102),
            auth_address=auth_address,
            neighbours=(auth_address, *_neighbours(env)),
            egress_allow=env.items("AUTOWORKER_EGRESS_ALLOW"),
            egress=EgressSettings.from_environment(env),
            effects_at_once=env.integer(
                "AUTOWORKER_WORKFLOW_EFFECTS", 200, minimum=1, maximum=10_000
            ),
            call_timeout=env.number("AUTOWORKER_CALL_TIMEOUT", 30.0, minimum=0.1, maximum=3600.0),
            response_bytes=_size(env, "AUTOWORKER_CALL_RESPONSE_BYTES"),
            data_bytes=_size(env, "AUTOWORKER_WORKFLOW_DATA_BYTES"),
            jq_workers=env.integer("AUTOWORKER_JQ_WORKERS", 2, minimum=1, maximum=64),
            insecure_dev=env.flag("AUTOWORKER_INSECURE_DEV", False),
        )
        _only_embedded(env)
        env.check()
        return settings


def _port(env: Environment, name: str, default: int) -> int:
    return env.integer(name, default, minimum=0, maximum=65_535)


def _size(env: Environment, name: str) -> int:
    # A message between services may have 8 MiB, and holds an input and an output.
    return env.integer(name, _MEBIBYTE, minimum=1024, maximum=3 * _MEBIBYTE)


def _address(env: Environment, service: str, port: int) -> str:
    host = env.text(f"AUTOWORKER_{service}_GRPC_HOST", "127.0.0.1")
    return f"{host}:{_port(env, f'AUTOWORKER_{service}_GRPC_PORT', port)}"


def _neighbours(env: Environment) -> tuple[str, ...]:
    """Return the doors of the others; those on a free port (0) are found through the registry."""
    gateway = env.text("AUTOWORKER_HTTP_HOST", "127.0.0.1")
    doors = [
        _address(env, "NOTIFICATION", 50053),
        f"{gateway}:{_port(env, 'AUTOWORKER_HTTP_PORT', 8080)}",
    ]
    for service, port in (("GATEWAY", 9100), ("AUTH", 9101), ("NOTIFICATION", 9103)):
        host = env.text(f"AUTOWORKER_{service}_ADMIN_HOST", "127.0.0.1")
        doors.append(f"{host}:{_port(env, f'AUTOWORKER_{service}_ADMIN_PORT', port)}")
    return tuple(door for door in doors if not door.endswith(":0"))


def _store_dir(env: Environment, data_dir: Path) -> Path:
    """Return the folder of ``sqlite:///folder``, in which each service has a file."""
    url = env.url("AUTOWORKER_STORE_URL", "sqlite://", ["sqlite"])
    parts = urlsplit(url)
    if parts.netloc or parts.query or parts.fragment:
        env.problem("AUTOWORKER_STORE_URL", "must have the form sqlite:///folder")
    folder = unquote(parts.path)
    # As in SQLAlchemy: three slashes before a relative path, four before an absolute one.
    return Path(folder.removeprefix("/")) if folder.strip("/") else data_dir


def _only_embedded(env: Environment) -> None:
    env.url("AUTOWORKER_BUS_URL", "memory://", ["memory"])
    env.url("AUTOWORKER_CACHE_URL", "memory://", ["memory"])
    env.url("AUTOWORKER_REGISTRY_URL", "static://", ["static"])
