"""Doors to what is not spoken to over HTTP: the same addresses, gates and bounds as for all other calls."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from workflow_service.adapters.egress import measures
from workflow_service.adapters.egress.breaker import Verdict
from workflow_service.adapters.egress.connecting import GuardedResolver
from workflow_service.adapters.egress.errors import EgressError, EgressFailed, Failure
from workflow_service.adapters.egress.hosts import Visit
from workflow_service.adapters.egress.turns import Turns
from workflow_service.adapters.egress.urls import Target, target
from workflow_service.adapters.egress.verdicts import outcome_of


@dataclass(frozen=True, slots=True)
class Door:
    """A place that may be connected to, at these addresses and no others."""

    host: str
    """As a certificate names it; IPv6 addresses without brackets."""
    port: int
    addresses: tuple[str, ...]
    """All judged: connect to these, never to the name."""
    seconds: float
    """How long the visit may take."""
    visit: Visit

    @property
    def authority(self) -> str:
        """Host and port, as they stand in a URL."""
        return f"{_bracketed(self.host)}:{self.port}"

    def answered(self, *, well: bool = True) -> None:
        """The host has answered; not *well* when it says itself that it cannot work."""
        self.visit.verdict = Verdict.GOOD if well else Verdict.BAD


class Doors:
    """Opens doors; whoever goes through one raises an ``EgressError`` when the host fails."""

    def __init__(self, resolver: GuardedResolver, turns: Turns) -> None:
        self._resolver = resolver
        self._turns = turns

    @asynccontextmanager
    async def open(
        self, scheme: str, host: str, port: int, timeout: float | None = None
    ) -> AsyncIterator[Door]:
        """Wait for a turn at the host, look its addresses up and judge them.

        Args:
            scheme: what is spoken there: hosts are told apart by it.
            host: a name or an address, an IPv6 one with or without brackets.
            port: 1 to 65535.
            timeout: seconds for the block, never more than for any call; None: as many.

        Raises:
            RequestInvalid: there can be no such host.
            EgressRefused: it may not be called.
            EgressFailed: it has no address.
            EgressTimedOut: the block took too long.
            HostUnavailable: it is to be left alone, or too many calls wait for it.
        """
        try:
            place = target(f"http://{_bracketed(host)}:{port}/")
            async with self._opened(scheme, place, timeout) as door:
                yield door
        except EgressError as exc:
            measures.ended(outcome_of(exc))
            raise
        measures.ended("answered")

    @asynccontextmanager
    async def _opened(
        self, scheme: str, place: Target, timeout: float | None
    ) -> AsyncIterator[Door]:
        left = self._turns.allowance(timeout)
        async with self._turns.at(place, left, scheme) as visit, left.running():
            yield Door(place.host, place.port, await self._addresses(place), left.given, visit)

    async def _addresses(self, place: Target) -> tuple[str, ...]:
        try:
            found = await self._resolver.resolve(place.host, place.port)
        except OSError as exc:
            raise EgressFailed(Failure.DNS) from exc
        return tuple(each["host"] for each in found)


def _bracketed(host: str) -> str:
    return f"[{host}]" if ":" in host and not host.startswith("[") else host
