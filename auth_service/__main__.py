"""`python -m auth_service`: the auth service by itself."""

import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import uvloop

from auth_service.application.commands.ensure_first_administrator import FirstAdministrator
from auth_service.bootstrap import Running, running
from auth_service.config import Settings
from chassis.config import Environment
from chassis.discovery.opening import registry_at
from chassis.lifecycle import run_until_stopped
from chassis.messaging.opening import bus_of
from chassis.telemetry.logging import configure_logging


def _show(who: str, administrator: FirstAdministrator) -> None:
    email, password = administrator
    if password is not None:
        # Past the log, which would mask it.
        sys.stdout.write(f"{who}: {email}  password: {password}\n")
        sys.stdout.flush()


@asynccontextmanager
async def service() -> AsyncIterator[Running]:
    """The service with what the environment says; shows a generated password this once."""
    settings = Settings.from_environment(Environment())
    async with (
        registry_at(settings.backends) as registry,
        bus_of(settings.bus, "auth") as bus,
        running(settings, registry=registry, bus=bus) as auth,
    ):
        _show("First administrator", auth.first_administrator)
        for tenant, administrator in auth.other_administrators.items():
            _show(f"First administrator of {tenant}", administrator)
        yield auth


if __name__ == "__main__":
    configure_logging()
    sys.exit(uvloop.run(run_until_stopped(service())))
