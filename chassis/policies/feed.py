"""Following the feed of policies, for ever."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import aclosing, asynccontextmanager
from typing import Final, NamedTuple

import msgspec

from chassis.audit import Audit, SilentAudit
from chassis.clock import Clock
from chassis.errors import ServiceError
from chassis.lifecycle import Supervisor
from chassis.policies.book import PolicyBook
from chassis.policies.model import Policy
from chassis.telemetry.logging import get_logger

MOST_PAUSE: Final = 2.0

_log = get_logger("chassis.policies")
_decoder: Final = msgspec.json.Decoder(list[Policy])
_encoder: Final = msgspec.json.Encoder()


class Told(NamedTuple):
    """All policies of *tenant*, as `encode` makes them; no tenant: that is all for the moment."""

    tenant: str = ""
    policies: bytes = b""


Feed = Callable[[], AsyncGenerator[Told, None]]
"""Begins the feed: every tenant that has policies, a sign of life, then changes and such signs."""


def encode(policies: list[Policy]) -> bytes:
    """How policies travel: JSON."""
    return _encoder.encode(policies)


@asynccontextmanager
async def followed(
    feed: Feed, clock: Clock, audit: Audit | None = None
) -> AsyncIterator[PolicyBook]:
    """A book of the policies that *feed* tells, until the block is left."""
    book = PolicyBook(clock, audit or SilentAudit())
    async with Supervisor() as supervisor:
        _ = supervisor.start("policy feed", follow(feed, book))
        yield book


async def follow(feed: Feed, book: PolicyBook) -> None:
    """Keep *book* up to date; come back after each break."""
    failures = 0
    while True:
        try:
            async with aclosing(feed()) as responses:
                async for _ in _taken(responses, book):
                    failures = 0
        except (ServiceError, msgspec.DecodeError) as exc:
            if failures == 0:
                _log.warning("policy_feed_lost", reason=str(exc))
        failures += 1
        ceiling = min(0.1 * 2 ** min(failures, 10), MOST_PAUSE)
        await asyncio.sleep(random.uniform(ceiling / 2, ceiling))  # noqa: S311


async def _taken(
    responses: AsyncGenerator[Told, None], book: PolicyBook
) -> AsyncGenerator[None, None]:
    """Take each response over. What comes before the first sign of life is everything there is."""
    everything: dict[str, list[Policy]] | None = {}
    async for tenant, policies in responses:
        if not tenant:
            if everything is not None:
                book.replace(everything)
                everything = None
            book.heard()
        elif everything is not None:
            everything[tenant] = _decoder.decode(policies)
        else:
            book.put(tenant, _decoder.decode(policies))
        yield
