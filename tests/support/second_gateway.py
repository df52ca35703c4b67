"""Another gateway in front of a suite that runs, in the process of the test."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.caching.port import LimitPolicy
from chassis.discovery.static import StaticRegistry
from gateway.bootstrap import running
from gateway.config import Settings
from tests.support.suite import Suite

_PLENTY = LimitPolicy("plenty", 1_000_000, 60.0)


@asynccontextmanager
async def second_gateway(suite: Suite) -> AsyncIterator[str]:
    """A gateway with its own caches and its own feed; where it is."""
    settings = Settings(
        http_port=0,
        admin_port=0,
        data_dir=suite.data,
        principal_rate=_PLENTY,
        address_rate=_PLENTY,
        auth_rate=_PLENTY,
        access_log="off",
        drain_timeout=1.0,
    )
    async with running(settings, registry=StaticRegistry(suite.run.services)) as gateway:
        yield gateway.http_address
