"""One suite per module, and somebody new for each test."""

from collections.abc import AsyncIterator, Iterator

import pytest

from tests.support.gateway_client import Person, signed_up
from tests.support.mailbox import SETTINGS
from tests.support.suite import Suite, started


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite that the tests of a module share."""
    # Tests ask more, and sign up more people, than one address may within a minute.
    with started(
        tmp_path_factory.mktemp("suite"),
        AUTOWORKER_AUTH_RATE_LIMIT="100000/60",
        AUTOWORKER_ANONYMOUS_RATE_LIMIT="100000/60",
    ) as running:
        yield running


@pytest.fixture
async def ada(suite: Suite) -> AsyncIterator[Person]:
    """Somebody who has just signed up."""
    async with signed_up(suite.url) as person:
        yield person


@pytest.fixture(scope="session")
def mailing_suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite that writes its mails into files, for all tests about accounts."""
    with started(tmp_path_factory.mktemp("mailing"), **SETTINGS) as running:
        yield running
