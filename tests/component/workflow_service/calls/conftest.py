"""A way out that reaches this machine, and a place for the documents that describe services."""

from collections.abc import AsyncIterator

import pytest

from tests.component.workflow_service.egress.conftest import Server, names, serving
from workflow_service.adapters.egress import EgressClient, EgressLimits


@pytest.fixture
async def egress() -> AsyncIterator[EgressClient]:
    """Reaches ``service.test`` and 127.0.0.1, both this machine."""
    limits = EgressLimits(total_timeout=20.0, max_response_bytes=20_000)
    known = names(service_test=["127.0.0.1"], inside_test=["10.0.0.1"])
    async with EgressClient(allow=["127.0.0.1"], lookup=known, limits=limits) as client:
        yield client


@pytest.fixture
async def documents() -> AsyncIterator[Server]:
    """A server of documents."""
    server = Server()
    runner = await serving(server, "127.0.0.1")
    yield server
    await runner.cleanup()
