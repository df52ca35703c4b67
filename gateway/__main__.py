"""Runs the gateway on its own: ``python -m gateway``."""

import sys

import uvloop

from chassis.config import Environment, SettingsInvalid
from chassis.discovery.static import StaticRegistry
from chassis.lifecycle import run_until_stopped
from chassis.telemetry.logging import configure_logging
from gateway.bootstrap import running
from gateway.config import Settings


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
    registry = StaticRegistry(dict(settings.addresses))
    service = running(settings, registry=registry)
    drain = settings.drain_delay + 3 * settings.drain_timeout
    return uvloop.run(run_until_stopped(service, drain=drain))


if __name__ == "__main__":
    sys.exit(main())
