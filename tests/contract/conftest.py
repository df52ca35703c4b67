"""What contract tests made on servers is gone after each of them."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.support.mongodb import empty_databases


@pytest.fixture(autouse=True)
def _databases_emptied() -> Iterator[None]:
    yield
    empty_databases()
