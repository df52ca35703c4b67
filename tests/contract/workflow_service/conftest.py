"""Every store, one after the other."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.contract.workflow_service.adapters import DURABLE_STORES, STORES, Open, Stores


@pytest.fixture(params=STORES)
async def stores(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Stores]:
    async with STORES[request.param](tmp_path, "first") as opened:
        yield opened


@pytest.fixture(params=DURABLE_STORES)
def durable(request: pytest.FixtureRequest) -> Open:
    return DURABLE_STORES[request.param]
