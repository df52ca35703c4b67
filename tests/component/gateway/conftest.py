"""One world for each test."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.component.gateway.world import World, a_world


@pytest.fixture
async def world(tmp_path: Path) -> AsyncIterator[World]:
    """A gateway with its usual settings."""
    async with a_world(tmp_path) as world:
        yield world
