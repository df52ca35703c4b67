"""Asking a second time when the first answer is late, and taking whichever comes first."""

import asyncio
from collections.abc import Callable, Coroutine
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class _Answer(Generic[T]):
    value: T


async def hedged(ask: Callable[[], Coroutine[Any, Any, T]], after: float) -> T:
    """The answer of *ask*, or of another *ask* that begins when the first took *after* seconds.

    The one that is not needed is cancelled. A failure counts only when nobody is left who may answer.
    """
    async with asyncio.TaskGroup() as group:
        first = group.create_task(_outcome(ask))
        done, waiting = await asyncio.wait({first}, timeout=after)
        if not done:
            second = group.create_task(_outcome(ask))
            done, waiting = await asyncio.wait({first, second}, return_when=asyncio.FIRST_COMPLETED)
        if waiting and not any(isinstance(each.result(), _Answer) for each in done):
            done, waiting = await asyncio.wait(waiting)
        for task in waiting:
            task.cancel()
    outcomes = [task.result() for task in done]
    for outcome in outcomes:
        if isinstance(outcome, _Answer):
            return outcome.value
    raise next(outcome for outcome in outcomes if isinstance(outcome, Exception))


async def _outcome(ask: Callable[[], Coroutine[Any, Any, T]]) -> _Answer[T] | Exception:
    try:
        return _Answer(await ask())
    except Exception as exc:  # noqa: BLE001 -- whether it counts depends on the other
        return exc
