"""`python -m auth_service`: the auth service by itself."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvloop

from auth_service.bootstrap import Running, running
from auth_service.config import Settings
from chassis.config import Environment
from chassis.discovery.static import StaticRegistry
from chassis.lifecycle import run_until_stopped
from chassis.messaging.memory import MemoryBus
from chassis.telemetry.logging import configure_logging


@asynccontextmanager
async def service() -> AsyncIterator[Running]:
    """The service with what the environment says; shows a generated password this once."""
    settings = Settings.from_environment(Environment())
    async with MemoryBus() as bus, running(settings, registry=StaticRegistry(), bus=bus) as auth:
        email, password = auth.first_administrator
        if password is not None:
            # Past the log, which would mask it.
            sys.stdout.write(f"First administrator: {email}  password: {password}\n")
            sys.stdout.flush()
        yield auth


if __name__ == "__main__":
    configure_logging()
    sys.exit(uvloop.run(run_until_stopped(service())))
