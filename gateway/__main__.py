"""Runs the gateway on its own: ``python -m gateway``."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvloop

from chassis.config import Environment, SettingsInvalid
from chassis.discovery.opening import registry_at
from chassis.lifecycle import run_until_stopped
from chassis.telemetry.logging import configure_logging
from gateway.bootstrap import Running, running
from gateway.config import Settings


@asynccontextmanager
async def service(settings: Settings) -> AsyncIterator[Running]:
    """The gateway with the registry that its settings name."""
    async with (
        registry_at(settings.backends) as registry,
        running(settings, registry=registry) as gateway,
    ):
        yield gateway


def main() -> int:
    """Serve until SIGTERM; the exit code."""
    configure_logging()
    environment = Environment()
    settings = Settings.from_environment(environment)
    try:
        environment.check()
    except SettingsInvalid as exc:
        for problem in exc.problems:
            sys.stderr.write(f"{problem}\n")
        return 1
    drain = settings.drain_delay + 3 * settings.drain_timeout
    return uvloop.run(run_until_stopped(service(settings), drain=drain))


if __name__ == "__main__":
    sys.exit(main())
