"""`python -m workflow_service`: the workflow service by itself."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvloop

from chassis.config import Environment
from chassis.discovery.opening import registry_at
from chassis.lifecycle import run_until_stopped
from chassis.messaging.opening import bus_of
from chassis.telemetry.logging import configure_logging
from workflow_service.bootstrap import Running, running
from workflow_service.config import Settings


@asynccontextmanager
async def service() -> AsyncIterator[Running]:
    """The service with what the environment says."""
    settings = Settings.from_environment(Environment())
    async with (
        registry_at(settings.backends) as registry,
        bus_of(settings.bus, "workflow") as bus,
        running(settings, registry=registry, bus=bus) as workflow,
    ):
        yield workflow


if __name__ == "__main__":
    configure_logging()
    sys.exit(uvloop.run(run_until_stopped(service())))
