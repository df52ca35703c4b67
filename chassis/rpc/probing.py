"""Asking instances whether they are there, beside the calls: so that nobody's call is lost to find it out.

A network that swallows what is sent refuses nothing, and a caller that gives up first says nothing of the instance: by its
calls alone such an instance would look well for ever, or until the connection is known to be dead.
"""

import asyncio
from collections.abc import Callable, Iterable
from typing import Any, Final

import grpc
from grpc_health.v1 import health_pb2

from chassis.clock import Clock
from chassis.rpc.instances import Instance, Turn

PATIENCE: Final = 2.0
"""Seconds that an instance has to answer."""
SILENT: Final = frozenset({grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.DEADLINE_EXCEEDED})
"""What a call ends with when its instance does not answer, or has too much to do."""
_WATCH: Final = "/grpc.health.v1.Health/Watch"
"""Answered at once. `Check` is not: it waits for the store and the bus, and when they are away nobody would be left."""


class Probes:
    """Asks those that are in doubt.

    Args:
        clock: what doubt is measured with.
        turned: called with an instance for which that has changed something.
    """

    def __init__(self, clock: Clock, turned: Callable[[Instance, Turn], None]) -> None:
        self._clock = clock
        self._turned = turned
        self._tasks: set[asyncio.Task[None]] = set()

    def look(self, instances: Iterable[Instance], now: float) -> None:
        """Ask those of *instances* that are in doubt; returns at once."""
        for instance in instances:
            if instance.is_doubtful(now):
                instance.asked()
                task = asyncio.get_running_loop().create_task(self._ask(instance))
                self._tasks.add(task)
                task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        """Ask nothing any more."""
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _ask(self, instance: Instance) -> None:
        try:
            answered = await _answers(instance.channel)
        finally:
            instance.probing = False
        turn = instance.probed(answered=answered, now=self._clock.monotonic())
        if turn is not None:
            self._turned(instance, turn)


async def _answers(channel: grpc.aio.Channel) -> bool:
    """Whether anything comes back: any answer will do, also that it is not well or knows no such question."""
    watch: Any = channel.unary_stream(
        _WATCH,
        request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
        response_deserializer=health_pb2.HealthCheckResponse.FromString,
    )
    try:
        call = watch(health_pb2.HealthCheckRequest(), timeout=PATIENCE)
    except grpc.aio.UsageError:
        return True  # Its address was given up meanwhile: nobody picks it any more.
    try:
        await call.read()
    except grpc.aio.AioRpcError as exc:
        return exc.code() not in SILENT
    finally:
        call.cancel()
    return True
