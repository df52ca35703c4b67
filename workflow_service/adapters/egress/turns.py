"""A turn at a host: its address judged, a place at its gate, and what its failures say about it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from workflow_service.adapters.egress.connecting import GuardedResolver
from workflow_service.adapters.egress.errors import EgressError
from workflow_service.adapters.egress.hosts import HostGates, Visit
from workflow_service.adapters.egress.limits import Allowance, EgressLimits
from workflow_service.adapters.egress.urls import Target
from workflow_service.adapters.egress.verdicts import blame


class Turns:
    """Hands out turns; what a turn may take is an allowance, which runs only where its holder lets it run."""

    def __init__(self, resolver: GuardedResolver, gates: HostGates, limits: EgressLimits) -> None:
        self._resolver = resolver
        self._gates = gates
        self._limits = limits

    def allowance(self, timeout: float | None) -> Allowance:
        """The time that a call may take which asks for *timeout* seconds; None asks for as much as there is."""
        longest = self._limits.total_timeout
        return Allowance(min(timeout or longest, longest))

    @asynccontextmanager
    async def at(
        self, place: Target, left: Allowance, scheme: str | None = None
    ) -> AsyncIterator[Visit]:
        """Wait for a turn at *place*; an error within the block says what it says about the host.

        Args:
            place: where; an address is judged at once, a name when it is looked up.
            left: what the call may take.
            scheme: what is spoken there, when that is not what *place* says.

        Raises:
            EgressRefused: it may not be called.
            HostUnavailable: it is to be left alone, or too many calls wait for it.
        """
        self._resolver.admit(place.host, place.port)
        origin = (scheme or place.scheme, place.host, place.port)
        async with self._gates.passing(origin) as visit:
            try:
                yield visit
            except EgressError as exc:
                # Whoever gave little time learns nothing about the host.
                patient = left.given >= self._limits.total_timeout
                visit.verdict = blame(exc, patient=patient)
                raise
