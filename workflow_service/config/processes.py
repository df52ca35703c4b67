"""What `run` may run; see docs/running.md and docs/security.md."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from chassis.config import Environment
from workflow_service.domain.definition.processes import PROCESS_KINDS, ProcessKind

_MEBIBYTE: Final = 1024 * 1024
_OF_THE_ENGINE: Final = (
    *("PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "DOCKER_CONTEXT", "DOCKER_CERT_PATH"),
    *("DOCKER_TLS_VERIFY", "CONTAINER_HOST", "XDG_RUNTIME_DIR"),
)


@dataclass(frozen=True, slots=True)
class ProcessSettings:
    """What `run` may run, and within which bounds. Times are seconds, sizes bytes."""

    enabled: frozenset[ProcessKind]
    at_once: int
    timeout: float
    cpu_seconds: int
    memory: int
    total_memory: int
    groups: tuple[Path, ...]
    """Folders in which control groups can be made, which bound what a command takes as a whole."""
    processes: int
    disk: int
    output: int
    uid: int
    """As whom commands run when the service runs as root."""
    python: str | None
    node: str | None
    engine: str
    network: str
    cpus: float
    images: tuple[str, ...]
    volumes: tuple[Path, ...]
    engine_environment: dict[str, str]

    @classmethod
    def from_environment(cls, env: Environment) -> Self:
        """Read the settings; problems are told by the environment's own check."""
        return cls(
            enabled=_enabled(env),
            at_once=env.integer("AUTOWORKER_RUN_AT_ONCE", 4, minimum=1, maximum=1000),
            timeout=env.number("AUTOWORKER_RUN_TIMEOUT", 300.0, minimum=0.1, maximum=86_400.0),
            cpu_seconds=env.integer("AUTOWORKER_RUN_CPU_SECONDS", 60, minimum=1, maximum=86_400),
            memory=_size(env, "AUTOWORKER_RUN_MEMORY_BYTES", 512, least=32, most=65_536),
            total_memory=_size(
                env, "AUTOWORKER_RUN_TOTAL_MEMORY_BYTES", 1024, least=32, most=1_048_576
            ),
            groups=_groups(env),
            processes=env.integer("AUTOWORKER_RUN_PROCESSES", 64, minimum=1, maximum=10_000),
            disk=_size(env, "AUTOWORKER_RUN_DISK_BYTES", 64, least=1, most=65_536),
            output=env.integer(
                "AUTOWORKER_RUN_OUTPUT_BYTES", _MEBIBYTE, minimum=1024, maximum=3 * _MEBIBYTE
            ),
            uid=env.integer("AUTOWORKER_RUN_UID", 60_999, minimum=1, maximum=2**31),
            python=env.optional("AUTOWORKER_RUN_PYTHON"),
            node=env.optional("AUTOWORKER_RUN_NODE"),
            engine=env.text("AUTOWORKER_CONTAINER_ENGINE", "docker"),
            network=env.text("AUTOWORKER_CONTAINER_NETWORK", "none"),
            cpus=env.number("AUTOWORKER_CONTAINER_CPUS", 1.0, minimum=0.01, maximum=1024.0),
            images=env.items("AUTOWORKER_CONTAINER_IMAGES") or ("*",),
            volumes=tuple(Path(each) for each in env.items("AUTOWORKER_CONTAINER_VOLUMES")),
            engine_environment={
                name: value for name in _OF_THE_ENGINE if (value := env.optional(name)) is not None
            },
        )


def _enabled(env: Environment) -> frozenset[ProcessKind]:
    asked = env.items("AUTOWORKER_RUN")
    known = [kind for kind in PROCESS_KINDS if kind in asked]
    if len(known) < len(set(asked)):
        env.problem("AUTOWORKER_RUN", f"must be of {', '.join(PROCESS_KINDS)}")
    return frozenset(known)


def _groups(env: Environment) -> tuple[Path, ...]:
    folders = tuple(Path(each) for each in env.items("AUTOWORKER_RUN_CGROUPS"))
    for folder in folders:
        if not (folder / "cgroup.procs").exists():
            env.problem("AUTOWORKER_RUN_CGROUPS", f"{folder} is no control group")
    return folders


def _size(env: Environment, name: str, default: int, *, least: int, most: int) -> int:
    return env.integer(
        name,
        default * _MEBIBYTE,
        minimum=least * _MEBIBYTE,
        maximum=most * _MEBIBYTE,
    )
