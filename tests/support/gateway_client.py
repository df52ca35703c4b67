"""The Python client for tests: people who sign up, and waiting for what they wait for."""

import asyncio
import itertools
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

from autoworker import Client, Execution, Notification
from autoworker.model import ENDED

PASSWORD = "Teapots-and-7-cups"
DEADLINE = 40.0
_NUMBERS = itertools.count(1)
_PAUSE = 0.02


class Person(Client):
    """A client that is logged in as somebody."""

    def __init__(self, url: str, email: str) -> None:
        super().__init__(url, email=email, password=PASSWORD)
        self.email = email


@asynccontextmanager
async def signed_up(url: str, name: str = "Ada") -> AsyncIterator[Person]:
    """Somebody new."""
    email = f"{name.lower()}-{next(_NUMBERS)}@example.com"
    async with Person(url, email) as person:
        await person.register(email, PASSWORD, name)
        yield person


async def eventually(
    attempt: Callable[[], Awaitable[bool]], what: str, deadline: float = DEADLINE
) -> None:
    """Return once *attempt* comes to True; fails when that takes longer than *deadline*."""
    try:
        async with asyncio.timeout(deadline):
            while not await attempt():  # noqa: ASYNC110 -- it happens in another process
                await asyncio.sleep(_PAUSE)
    except TimeoutError:
        raise AssertionError(f"{what} did not happen within {deadline} seconds") from None


async def in_phase(client: Client, execution: str, *phases: str) -> Execution:
    """The execution, once it is in one of *phases*."""
    found: list[Execution] = []

    async def attempt() -> bool:
        now = await client.get(execution)
        if now.status in phases:
            found.append(now)
        elif now.status in ENDED:
            raise AssertionError(f"it is {now.status}, not {' or '.join(phases)}: {now.error}")
        return bool(found)

    await eventually(attempt, f"becoming {' or '.join(phases)}")
    return found[0]


async def told_about(client: Client, execution: str) -> Notification:
    """The notification about *execution*, once it is in the inbox."""
    found: list[Notification] = []

    async def attempt() -> bool:
        found.extend([item async for item in client.notifications() if _is_about(item, execution)])
        return bool(found)

    await eventually(attempt, "the notification")
    return found[0]


def _is_about(item: Notification, execution: str) -> bool:
    return isinstance(item.data, dict) and item.data.get("execution_id") == execution
