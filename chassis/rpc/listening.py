"""Hearing what a stream says, for as long as it says anything."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from typing import TypeVar

from chassis.errors import Unavailable

Res = TypeVar("Res")
FEED_SILENCE = 6.0
"""Seconds after which a feed that gives a sign of life every second is thought to be dead."""


class StreamSilent(Unavailable):
    """A stream has said nothing for too long."""


async def spoken(responses: AsyncIterator[Res], silence: float | None) -> AsyncGenerator[Res, None]:
    """The *responses* as they come.

    Raises:
        StreamSilent: there was none for *silence* seconds; never with None.
    """
    while True:
        try:
            async with asyncio.timeout(silence):
                response = await anext(responses)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise StreamSilent("the stream has fallen silent", retry_after=1) from None
        yield response
