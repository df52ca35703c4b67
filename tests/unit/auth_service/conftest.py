"""Fixtures for identity."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.auth_service.fakes import Identity, identity


@pytest.fixture
async def auth() -> AsyncIterator[Identity]:
    """Identity in memory."""
    async with identity() as it:
        yield it
