"""The calls that a server has under way, so that it can stop without cutting them in two."""

import asyncio
from collections.abc import AsyncGenerator, Iterator
from contextlib import contextmanager
from typing import Any

from chassis.errors import Unavailable


class Calls:
    """The calls that are under way."""

    def __init__(self) -> None:
        self._streams: set[Stream] = set()
        self.stopping = False
        self._count = 0
        self._none = asyncio.Event()
        self._none.set()

    def begin(self) -> None:
        """One more."""
        self._count += 1
        self._none.clear()

    def end(self) -> None:
        """One less."""
        self._count -= 1
        if self._count == 0:
            self._none.set()

    @contextmanager
    def streaming(self) -> Iterator["Stream"]:
        """Inside: the current task sends a stream, which would go on for as long as it is read."""
        stream = Stream(self, asyncio.current_task())
        self._streams.add(stream)
        try:
            yield stream
        finally:
            self._streams.discard(stream)

    def end_streams(self) -> None:
        """Cut every stream off; their readers learn that the service is unavailable."""
        self.stopping = True
        for stream in self._streams:
            stream.cut_off()

    async def ended(self) -> None:
        """Wait until there are none."""
        await self._none.wait()


class Stream:
    """One stream of responses under way.

    It is cut off between two responses only: a cancellation that met gRPC while it sends one would end
    the method without a status, and the reader would never learn that it is over.
    """

    def __init__(self, calls: Calls, task: asyncio.Task[Any] | None) -> None:
        self._calls = calls
        self._task = task
        self._between = False

    def cut_off(self) -> None:
        """End it now, or as soon as what is being sent is sent."""
        if self._between and self._task is not None:
            self._task.cancel()

    async def next(self, responses: AsyncGenerator[Any, None]) -> Any:
        """The next response, or END.

        Raises:
            Unavailable: the service is stopping.
        """
        if self._calls.stopping:
            raise Unavailable("the service is stopping", retry_after=1)
        self._between = True
        try:
            return await anext(responses, END)
        finally:
            self._between = False


END = object()
"""What comes after the last response."""
