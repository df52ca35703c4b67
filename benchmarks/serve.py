"""What is measured, each role in a process of its own: `python -m benchmarks.serve ROLE …`.

It tells where it is as a line of JSON, answers each line that it reads with what it has used until
then, and ends when its stdin does.
"""

import asyncio
import json
import os
import resource
import sys
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final

import uvloop

import auth_service.bootstrap
import auth_service.config
import gateway.bootstrap
import gateway.config
import notification_service.bootstrap
import notification_service.config
import workflow_service.bootstrap
import workflow_service.config
from autoworker import data_dir, suite
from autoworker.settings import suite_settings
from benchmarks import skeletons
from chassis.config import Environment
from chassis.discovery.static import StaticRegistry
from chassis.lifecycle import collecting_less
from chassis.messaging.memory import MemoryBus
from chassis.telemetry.logging import configure_logging

PARENT: Final = os.dup(1)
"""Where the parent listens. Stdout is not left to it: the gateway's access log goes there."""

ADMINISTRATOR: Final = ("admin@example.com", "Correct-Horse-8")
UNLIMITED: Final = "100000000/60"


def variables(folder: str, function: str = "echo") -> dict[str, str]:
    """Settings of what is measured; *function* is one of `benchmarks.functions`."""
    ports = {
        f"AUTOWORKER_{name}_{port}_PORT": "0"
        for name in ("AUTH", "WORKFLOW", "NOTIFICATION", "GATEWAY")
        for port in ("GRPC", "ADMIN")
    }
    return {
        **ports,
        "AUTOWORKER_DATA_DIR": folder,
        "AUTOWORKER_HTTP_PORT": "0",
        "AUTOWORKER_FUNCTIONS": f"benchmarks.functions:{function}",
        "AUTOWORKER_RATE_LIMIT": UNLIMITED,
        "AUTOWORKER_AUTH_RATE_LIMIT": UNLIMITED,
        "AUTOWORKER_ANONYMOUS_RATE_LIMIT": UNLIMITED,
        "AUTOWORKER_ADMIN_EMAIL": ADMINISTRATOR[0],
        "AUTOWORKER_ADMIN_PASSWORD": ADMINISTRATOR[1],
    }


async def serve_services(folder: str, function: str = "echo", store: str = "sqlite://") -> None:
    """The three services behind the gateway in one process."""
    chosen = variables(folder, function) | {"AUTOWORKER_STORE_URL": store}
    env, registry = Environment(chosen), StaticRegistry()
    async with AsyncExitStack() as stack:
        bus = await stack.enter_async_context(MemoryBus())
        for package in (auth_service, notification_service, workflow_service):
            settings = package.config.Settings.from_environment(env)
            running = package.bootstrap.running(settings, registry=registry, bus=bus)
            await stack.enter_async_context(running)
        names = ("auth", "workflow", "notification")
        await until_left({name: (await registry.resolve(name))[0] for name in names})


async def serve_workflow(folder: str, addresses: str, function: str, store: str) -> None:
    """The workflow service alone, beside an auth service that is elsewhere."""
    env = Environment(variables(folder, function) | {"AUTOWORKER_STORE_URL": store})
    settings = workflow_service.config.Settings.from_environment(env)
    registry = StaticRegistry(json.loads(addresses))
    async with (
        MemoryBus() as bus,
        workflow_service.bootstrap.running(settings, registry=registry, bus=bus) as running,
    ):
        await until_left({"workflow": running.rpc_address})


async def serve_gateway(folder: str, addresses: str) -> None:
    """The gateway alone."""
    settings = gateway.config.Settings.from_environment(Environment(variables(folder)))
    registry = StaticRegistry(json.loads(addresses))
    async with gateway.bootstrap.running(settings, registry=registry) as running:
        await until_left({"http": running.http_address})


async def serve_suite(folder: str) -> None:
    """All four services in one process, as `autoworker up` runs them."""
    settings = suite_settings(variables(folder))
    with data_dir.held(Path(folder)):
        async with suite.running(settings) as running:
            await until_left({"http": running.url, **running.addresses.services})


async def serve_http(body: str) -> None:
    """aiohttp alone."""
    async with skeletons.http(body.encode()) as address:
        await until_left({"http": address})


async def serve_grpc() -> None:
    """grpc.aio alone."""
    async with skeletons.grpc_echo() as address:
        await until_left({"grpc": address})


async def serve_skeleton(folder: str, commits: str) -> None:
    """grpc.aio before shared commits of SQLite, and nothing else."""
    async with skeletons.durable(Path(folder) / "skeleton.db", int(commits)) as address:
        await until_left({"grpc": address})


async def until_left(addresses: dict[str, str]) -> None:
    """Tell where we are and what we use, for as long as anybody asks."""
    with collecting_less():  # as `run_until_stopped` does
        _tell(addresses)
        while await asyncio.to_thread(sys.stdin.readline):
            used = resource.getrusage(resource.RUSAGE_SELF)
            _tell({"cpu": used.ru_utime + used.ru_stime, "rss": _resident()})


def _resident() -> int:
    """Bytes held now; where /proc is not to be had, the most that ever were."""
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return pages * os.sysconf("SC_PAGE_SIZE")


def _tell(facts: object) -> None:
    os.write(PARENT, json.dumps(facts).encode() + b"\n")


ROLES: Final[dict[str, Callable[..., Awaitable[None]]]] = {
    "services": serve_services,
    "workflow": serve_workflow,
    "gateway": serve_gateway,
    "suite": serve_suite,
    "http": serve_http,
    "grpc": serve_grpc,
    "skeleton": serve_skeleton,
}

if __name__ == "__main__":
    os.dup2(2, 1)
    configure_logging("INFO", to="stderr")
    role: Callable[..., Awaitable[None]] = ROLES[sys.argv[1]]
    uvloop.run(role(*sys.argv[2:]))  # type: ignore[arg-type]
