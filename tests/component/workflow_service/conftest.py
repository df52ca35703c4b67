"""One running service with all definitions of the tests."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.component.workflow_service.workflows import EVERY
from tests.component.workflow_service.world import User, World, world


@pytest.fixture
async def suite(tmp_path: Path) -> AsyncIterator[World]:
    async with world(tmp_path) as opened:
        for definition in EVERY:
            await opened.user("author").publish(definition)
        yield opened


@pytest.fixture
def ada(suite: World) -> User:
    return suite.user("ada")
