"""Each contract runs against every store."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.notification_service.adapters import STORES, Opener, Store


@pytest.fixture(params=STORES)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    async with STORES[request.param].opener(tmp_path)() as store:
        yield store


@pytest.fixture(params=[name for name, adapter in STORES.items() if adapter.durable])
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Opener:
    """Opens the same store, again and again."""
    return STORES[request.param].opener(tmp_path)
