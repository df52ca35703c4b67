"""The bus that the settings name."""

import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final
from urllib.parse import urlsplit

from chassis.clock import Clock, SystemClock
from chassis.config import Environment
from chassis.crypto.key_file import load_or_create
from chassis.messaging.memory import MemoryBus
from chassis.messaging.port import Bus
from chassis.messaging.rabbitmq.bus import RabbitBus
from chassis.messaging.rabbitmq.envelope import Seals
from chassis.messaging.rabbitmq.settings import RabbitSettings

_PREFIX: Final = re.compile(r"[A-Za-z0-9_.-]{1,64}")


@dataclass(frozen=True, slots=True)
class BusSettings:
    """Which bus it is: RabbitMQ, or without it the one within a process."""

    rabbit: RabbitSettings | None = None
    key_file: Path = field(default=Path("data/keys/bus.keys"))
    """The keys under which messages are sealed; all services have the same."""


def bus_settings(env: Environment, data_dir: Path) -> BusSettings:
    """What `AUTOWORKER_BUS_…` says. Wrong settings are left as findings in *env*."""
    url = _bus_url(env)
    key_file = env.path("AUTOWORKER_BUS_KEY_FILE", data_dir / "keys" / "bus.keys")
    prefix = env.text("AUTOWORKER_BUS_PREFIX", "autoworker")
    if _PREFIX.fullmatch(prefix) is None:
        env.problem("AUTOWORKER_BUS_PREFIX", "must have 1 to 64 of letters, digits, _ . -")
    largest = env.integer(
        "AUTOWORKER_BUS_MESSAGE_BYTES", 8 * 1024**2, minimum=64 * 1024, maximum=64 * 1024**2
    )
    in_flight = env.integer("AUTOWORKER_BUS_IN_FLIGHT", 500, minimum=1, maximum=10_000)
    if url.startswith("memory:"):
        return BusSettings(key_file=key_file)
    return BusSettings(
        RabbitSettings(url=url, prefix=prefix, largest=largest, in_flight=in_flight), key_file
    )


def _bus_url(env: Environment) -> str:
    """It may hold a password, so it may come from a file, and its text is not reported."""
    name, default = "AUTOWORKER_BUS_URL", "memory://"
    url = env.secret(name) or default
    try:
        parts = urlsplit(url)
        known = parts.scheme == "memory" or (parts.scheme in ("amqp", "amqps") and parts.hostname)
        _ = parts.port
    except ValueError:
        known = False
    if known and "://" in url:
        return url
    env.problem(name, "is not a URL that starts with memory:// or amqp://host or amqps://host")
    return default


def bus_of(settings: BusSettings, client: str, clock: Clock | None = None) -> Bus:
    """The bus that *settings* name, to be entered; *client* is who uses it.

    Raises:
        CannotStart: the file of keys cannot be used.
    """
    if settings.rabbit is None:
        return MemoryBus()
    seals = Seals(client, load_or_create(settings.key_file), clock or SystemClock())
    return RabbitBus(settings.rabbit, seals, client=client)
