"""Fixtures for second factors."""

from collections.abc import AsyncIterator

import pytest

from tests.unit.auth_service.mfa.person import Person, person


@pytest.fixture
async def ada() -> AsyncIterator[Person]:
    """Ada, who has no second factor yet."""
    async with person() as it:
        yield it


@pytest.fixture
async def guarded(ada: Person) -> Person:
    """Ada, whose app makes codes."""
    await ada.enrol_totp()
    return ada
