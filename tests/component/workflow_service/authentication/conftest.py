"""The way out as the service has it, and somebody who wants credentials."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass

import pytest

from chassis.caching.opening import Caches
from chassis.clock import SystemClock
from tests.component.workflow_service.egress.conftest import names
from tests.support.authority import Authority, serving_tokens
from tests.support.time import ManualClock
from workflow_service.adapters.authentication import AuthenticatedEgress
from workflow_service.adapters.egress import EgressClient, EgressLimits, EgressRequest
from workflow_service.adapters.egress.requests import EgressResponse
from workflow_service.application.credential_ports import CredentialsRefused
from workflow_service.domain.execution.credentials import Credentials
from workflow_service.domain.execution.problem import Problem


@dataclass
class Out:
    """The way out, and its clock."""

    client: EgressClient
    caches: Caches | None = None

    def __post_init__(self) -> None:
        self.clock = ManualClock(SystemClock().now())
        self.egress = AuthenticatedEgress(self.client, self.clock, caches=self.caches)

    @property
    def now(self) -> float:
        """Seconds of its clock."""
        return self.clock.monotonic()

    @now.setter
    def now(self, seconds: float) -> None:
        self.clock.advance(seconds - self.now)

    async def get(
        self, url: str, credentials: Credentials, tenant: str = "t", **more: str
    ) -> EgressResponse:
        return await self.egress.send(EgressRequest("GET", url, more), credentials, tenant=tenant)

    async def problem(self, url: str, credentials: Credentials) -> Problem:
        with pytest.raises(CredentialsRefused) as refused:
            await self.get(url, credentials)
        return refused.value.problem


@pytest.fixture
async def out() -> AsyncIterator[Out]:
    limits = EgressLimits(total_timeout=20.0)
    async with EgressClient(allow=["127.0.0.1"], lookup=names(), limits=limits) as client:
        yield Out(client)


@pytest.fixture
async def authority() -> AsyncIterator[Authority]:
    async with serving_tokens() as authority:
        yield authority
