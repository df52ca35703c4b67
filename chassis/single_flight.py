"""One piece of work for all who want its result at the same time."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Hashable
from dataclasses import dataclass
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


@dataclass(frozen=True, slots=True)
class _Done(Generic[V]):
    value: V


@dataclass(frozen=True, slots=True)
class _Abandoned:
    """Whoever did the work was cancelled."""


class SingleFlight(Generic[K, V]):
    """Lets the first who asks for a key do the work; whoever asks meanwhile shares the result, or the failure.

    The work belongs to the one who does it: when that one is cancelled, one of those who wait takes it up anew.
    """

    def __init__(self) -> None:
        self._waiting: dict[K, list[asyncio.Future[_Done[V] | _Abandoned]]] = {}

    async def run(self, key: K, work: Callable[[], Awaitable[V]]) -> V:
        """Return what *work* comes to, done by this caller or by another one.

        Raises:
            Exception: whatever the work raised.
        """
        while (others := self._waiting.get(key)) is not None:
            mine: asyncio.Future[_Done[V] | _Abandoned]
            mine = asyncio.get_running_loop().create_future()
            others.append(mine)
            result = await mine
            if isinstance(result, _Done):
                return result.value
        return await self._lead(key, work)

    async def _lead(self, key: K, work: Callable[[], Awaitable[V]]) -> V:
        waiting = self._waiting[key] = []
        result: _Done[V] | _Abandoned | Exception = _Abandoned()
        try:
            value = await work()
            result = _Done(value)
        except Exception as exc:
            result = exc
            raise
        finally:
            del self._waiting[key]
            for each in waiting:
                _tell(each, result)
        return value


def _tell(
    waiting: asyncio.Future[_Done[V] | _Abandoned], result: _Done[V] | _Abandoned | Exception
) -> None:
    if waiting.done():
        return
    if isinstance(result, Exception):
        waiting.set_exception(result)
    else:
        waiting.set_result(result)
