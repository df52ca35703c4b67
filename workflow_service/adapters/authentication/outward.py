"""What authentication needs of the way out."""

from __future__ import annotations

from typing import Protocol

from workflow_service.adapters.egress import EgressRequest, EgressResponse


class Egress(Protocol):
    """The way out: ``EgressClient``, or what a rehearsal puts in its place."""

    async def request(self, request: EgressRequest) -> EgressResponse:
        """Send *request* and read the whole response; every failure is an ``EgressError``."""
        ...
