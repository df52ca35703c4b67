"""The settings of the whole suite: those of its services, read and checked together."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, TypeVar

import auth_service.config
import gateway.config
import notification_service.config
import workflow_service.config
from chassis.config import Environment, SettingsInvalid
from gateway.routes.public_address import PublicAddress

T = TypeVar("T")
EXAMPLE_PORT: Final = 8090
_LEVELS: Final = ("DEBUG", "INFO", "WARNING", "ERROR")


class SuiteEnvironment(Environment):
    """In one process nobody needs to know the inner ports: those that are not set are free ones."""

    def integer(self, name: str, default: int, *, minimum: int, maximum: int) -> int:
        """A whole number within limits; inner ports are 0 unless they are set."""
        if name.endswith(("_GRPC_PORT", "_ADMIN_PORT")):
            default = 0
        return super().integer(name, default, minimum=minimum, maximum=maximum)


@dataclass(frozen=True, slots=True)
class OwnSettings:
    """What is about the suite and not about one of its services."""

    data_dir: Path
    log_level: str | None
    """None: WARNING on a terminal, INFO elsewhere."""
    otlp_endpoint: str | None
    example_port: int
    """Where the example's shop listens; 0 takes a free port."""
    access_log: bool


@dataclass(frozen=True, slots=True)
class SuiteSettings:
    """All that can be set."""

    own: OwnSettings
    auth: auth_service.config.Settings
    workflow: workflow_service.config.Settings
    notification: notification_service.config.Settings
    gateway: gateway.config.Settings

    @property
    def data_dir(self) -> Path:
        """Where everything is kept."""
        return self.own.data_dir


def suite_settings(values: Mapping[str, str] | None = None) -> SuiteSettings:
    """The settings that *values* hold; None takes those of the process.

    Raises:
        SettingsInvalid: with every problem of every service, each once.
    """
    problems: dict[str, None] = {}

    def read(settings_of: Callable[[Environment], T]) -> T | None:
        """One service's part; its problems are kept for the end, each once."""
        env = SuiteEnvironment(values)
        settings: T | None = None
        try:
            settings = settings_of(env)
            env.check()
        except SettingsInvalid as exc:
            problems.update(dict.fromkeys(exc.problems))
        return settings

    own = read(_own)
    auth = read(auth_service.config.Settings.from_environment)
    workflow = read(workflow_service.config.Settings.from_environment)
    notification = read(notification_service.config.Settings.from_environment)
    http = read(gateway.config.Settings.from_environment)
    if problems or not (own and auth and workflow and notification and http):
        raise SettingsInvalid(tuple(problems))
    return SuiteSettings(own, _knowing_its_pages(auth, http), workflow, notification, http)


def _knowing_its_pages(
    auth: auth_service.config.Settings, http: gateway.config.Settings
) -> auth_service.config.Settings:
    """Links in mails lead to where the gateway will listen, unless another address is configured."""
    address = PublicAddress(http.public_url)
    if http.http_port:
        address.listening(http.http_host, http.http_port)
    return replace(auth, accounts=replace(auth.accounts, public_url=address.url))


def _own(env: Environment) -> OwnSettings:
    return OwnSettings(
        data_dir=env.path("AUTOWORKER_DATA_DIR", Path("data")),
        log_level=_level(env),
        otlp_endpoint=env.optional("OTEL_EXPORTER_OTLP_ENDPOINT"),
        example_port=env.integer(
            "AUTOWORKER_EXAMPLE_PORT", EXAMPLE_PORT, minimum=0, maximum=65_535
        ),
        access_log=env.choice("AUTOWORKER_ACCESS_LOG", "auto", ("auto", "on", "off")) == "on",
    )


def _level(env: Environment) -> str | None:
    name = "AUTOWORKER_LOG_LEVEL"
    level = (env.optional(name) or "").upper()
    if not level or level in _LEVELS:
        return level or None
    env.problem(name, f"{level!r} is not one of {', '.join(_LEVELS)}")
    return None
