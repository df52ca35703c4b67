"""Whether a service can do its work."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass

from chassis.errors import ServiceError
from chassis.telemetry.logging import get_logger

Check = Callable[[], Awaitable[None]]

_log = get_logger("chassis.health")
_PATIENCE = 2.0


@dataclass(frozen=True, slots=True)
class HealthReport:
    """What each check found: None when it is well, else the reason, fit for strangers."""

    checks: Mapping[str, str | None]
    draining: bool

    @property
    def ready(self) -> bool:
        """Whether requests should come here."""
        return not self.draining and all(reason is None for reason in self.checks.values())


class Health:
    """The *checks* of one service. A check that raises, or takes longer than 2 s, has failed."""

    def __init__(self, **checks: Check) -> None:
        self._checks = checks
        self._draining = False

    def add(self, name: str, check: Check) -> None:
        """Count *check* from now on."""
        if name in self._checks:
            raise ValueError(f"there is a check called {name} already")
        self._checks[name] = check

    def drain(self) -> None:
        """Say from now on that no further requests should come."""
        self._draining = True

    async def report(self) -> HealthReport:
        """Run every check, all at once."""
        reasons = await asyncio.gather(*map(_reason, self._checks.items()))
        return HealthReport(dict(zip(self._checks, reasons, strict=True)), self._draining)


async def _reason(named: tuple[str, Check]) -> str | None:
    name, check = named
    try:
        async with asyncio.timeout(_PATIENCE):
            await check()
    except TimeoutError:
        return "no answer in time"
    except ServiceError as exc:
        return exc.message
    except Exception:  # noqa: BLE001 -- whatever it is, the service is not well
        _log.exception("health_check_failed", check=name)
        return "failed"
    return None
