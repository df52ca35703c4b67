"""What a process hears from Redis: which keys have changed, and what is published.

Two connections of its own: one listens, the other has the server track keys for it (`CLIENT TRACKING … REDIRECT … BCAST`) and
sends a sign through the server to the listening one again and again. Only while these signs come back is it known that no change goes
unheard; whoever keeps values nearer than Redis may believe them only as long. Source: Redis' documentation, "Client-side caching".
"""

import asyncio
import math
import secrets
from collections.abc import AsyncIterator, Awaitable, Callable, Coroutine, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from random import uniform
from typing import Any, Final, TypeAlias, cast

from redis.asyncio import Redis
from redis.asyncio.connection import AbstractConnection
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import RedisError

from chassis.caching.memory_locks import MemoryChannels
from chassis.caching.port import Listener
from chassis.clock import Clock
from chassis.telemetry.logging import get_logger

BEAT: Final = 0.5
"""Seconds between two signs."""
TRUST: Final = 2.0
"""Seconds after a sign was sent for which it is known that nothing goes unheard."""
_PATIENCE: Final = 2.0
_PAUSES: Final = (0.02, 1.0)
"""Seconds before connecting again: the first time, and the longest."""
# Messages about changes go to another connection in the older protocol only.
_PLAIN: Final = {
    "protocol": 2,
    "health_check_interval": 0,
    "maint_notifications_config": None,
    "maint_notifications_pool_handler": None,
}
_INVALIDATE: Final = b"__redis__:invalidate"

Changed: TypeAlias = Callable[[str | None], None]
Signed: TypeAlias = Callable[[], Awaitable[None]]
Answer: TypeAlias = bytes | int | list["Answer"] | None
_log = get_logger("chassis.caching")


class RedisFeed:
    """Implements `Channels`, and tells which keys have changed. `run` does the work.

    Args:
        client: of the server; whoever opened it closes it.
        prefix: of the keys whose changes are told.
        clock: measures how long a sign is believed.
        beat: seconds between two signs.
        trust: seconds for which one is believed.
    """

    def __init__(
        self, client: Redis, prefix: str, clock: Clock, *, beat: float = BEAT, trust: float = TRUST
    ) -> None:
        self._client = client
        self._prefix = prefix
        self._clock = clock
        self._beat = beat
        self._trust = trust
        self._changed: list[Changed] = []
        self._signed: list[Signed] = []
        self._ears = MemoryChannels()
        self._subscribed: dict[str, asyncio.Event] = {}
        self._listening: AbstractConnection | None = None
        self._until = -math.inf
        self._sign, self._sent = b"", -math.inf
        self._complained = False
        self._followed = False
        self._beats = f"{prefix}beats:{secrets.token_hex(8)}"

    def follows(self) -> bool:
        """Whether every change so far was heard, but for those of the last moments.

        Before it says no for the first time, every key is told to have changed.
        """
        if self._clock.monotonic() < self._until:
            return True
        if self._followed:
            self._followed = False
            self._tell(None)
        return False

    def on_change(self, changed: Changed) -> None:
        """Have *changed* called with each key that has changed; with None when it may be any."""
        self._changed.append(changed)

    def on_sign(self, signed: Signed) -> None:
        """Have *signed* called whenever the server has just answered; it raises nothing."""
        self._signed.append(signed)

    async def publish(self, channel: str, message: bytes) -> None:
        """See `Channels.publish`."""
        try:
            async with asyncio.timeout(self._beat):
                await self._client.publish(channel, message)
        except (RedisError, OSError, TimeoutError):
            return  # a message may be lost

    def listen(self, channel: str) -> AbstractAsyncContextManager[Listener]:
        """See `Channels.listen`; the block begins when the server knows of it, or is not there."""
        return self._hearing(channel)

    @asynccontextmanager
    async def _hearing(self, channel: str) -> AsyncIterator[Listener]:
        async with self._ears.listen(channel) as ear:
            await self._subscribe(channel)
            yield ear
        if channel not in self._ears.heard:
            await self._unsubscribe(channel)

    async def run(self) -> None:
        """Follow for as long as it is not cancelled; what is lost is connected again."""
        pause = _PAUSES[0]
        while True:
            began = self._clock.monotonic()
            try:
                await self._follow()
            except (RedisError, OSError, TimeoutError) as exc:
                self._complain(exc)
            finally:
                self._lose()
            lasted = self._clock.monotonic() - began
            pause = _PAUSES[0] if lasted > self._trust else min(2 * pause, _PAUSES[1])
            await asyncio.sleep(uniform(pause / 2, pause))  # noqa: S311 -- spreads those that come back

    async def _follow(self) -> None:
        ear, voice = self._connection(), self._connection()
        try:
            async with asyncio.timeout(_PATIENCE):
                await ear.connect()  # type: ignore[no-untyped-call]
                await voice.connect()  # type: ignore[no-untyped-call]
                identity = await _answer(ear, "CLIENT", "ID")
                self._subscribed = {name: asyncio.Event() for name in self._ears.heard}
                await ear.send_command("SUBSCRIBE", _INVALIDATE, self._beats, *self._subscribed)
                tracking = ("REDIRECT", str(identity), "BCAST", "PREFIX", self._prefix)
                await _answer(voice, "CLIENT", "TRACKING", "ON", *tracking)
                self._listening = ear
            await _both(self._hear(ear), self._send_signs(voice))
        finally:
            self._listening = None
            await ear.disconnect(nowait=True)
            await voice.disconnect(nowait=True)

    async def _hear(self, ear: AbstractConnection) -> None:
        while True:
            match await ear.read_response(timeout=math.inf):
                case [b"message", channel, None | list() as names] if channel == _INVALIDATE:
                    self._tell(names)
                case [b"message", bytes() as channel, bytes() as message]:
                    self._heard(channel.decode(errors="replace"), message)
                case [b"subscribe", bytes() as channel, _]:
                    if confirmed := self._subscribed.get(channel.decode(errors="replace")):
                        confirmed.set()
                case _:
                    pass  # answers to UNSUBSCRIBE

    async def _send_signs(self, voice: AbstractConnection) -> None:
        heard_by = self._clock.monotonic() + self._trust
        while self._clock.monotonic() < max(heard_by, self._until):
            self._sign, self._sent = secrets.token_bytes(8), self._clock.monotonic()
            async with asyncio.timeout(_PATIENCE):
                heard = await _answer(voice, "PUBLISH", self._beats, self._sign)
                info = await _answer(voice, "CLIENT", "TRACKINGINFO")
            if heard != 1 or not _tracks(info):
                raise RedisConnectionError("the server does not track keys any more")
            for signed in self._signed:
                await signed()
            await asyncio.sleep(self._beat)
        raise RedisConnectionError("signs do not come back")

    def _heard(self, channel: str, message: bytes) -> None:
        if channel != self._beats:
            self._ears.tell(channel, message)
            return
        if not secrets.compare_digest(message, self._sign):
            return
        if not self.follows():
            self._complained, self._followed = False, True
            _log.info("cache_tracking_found")
            # Meanwhile others may have changed what this process kept for itself.
            self._tell(None)
        self._until = self._sent + self._trust

    def _tell(self, names: Sequence[Answer] | None) -> None:
        for changed in self._changed:
            if names is None:
                changed(None)
                continue
            for name in names:
                changed(name.decode(errors="replace") if isinstance(name, bytes) else None)

    def _complain(self, why: Exception) -> None:
        if not self._complained:
            self._complained = True
            _log.warning("cache_tracking_lost", reason=str(why))

    def _lose(self) -> None:
        self._until = -math.inf
        self._sign = b""
        _ = self.follows()
        for confirmed in self._subscribed.values():
            confirmed.set()
        self._subscribed = {}
        for channel in self._ears.heard:
            self._ears.tell(channel, None)

    async def _subscribe(self, channel: str) -> None:
        """Return when the server has confirmed it; whoever cannot be told hears nothing, which may always be."""
        confirmed = self._subscribed.get(channel)
        if self._listening is None:
            return  # connecting subscribes to what is listened to by then
        try:
            async with asyncio.timeout(self._beat):
                if confirmed is None:
                    confirmed = self._subscribed[channel] = asyncio.Event()
                    await self._listening.send_command("SUBSCRIBE", channel)
                _ = await confirmed.wait()
        except (RedisError, OSError, TimeoutError):
            return

    async def _unsubscribe(self, channel: str) -> None:
        if self._subscribed.pop(channel, None) is None or self._listening is None:
            return
        try:
            async with asyncio.timeout(self._beat):
                await self._listening.send_command("UNSUBSCRIBE", channel)
        except (RedisError, OSError, TimeoutError):
            return

    def _connection(self) -> AbstractConnection:
        pool = self._client.connection_pool
        settings = {**pool.connection_kwargs, **_PLAIN}
        return pool.connection_class(**settings)


async def _answer(connection: AbstractConnection, *command: str | bytes) -> Answer:
    await connection.send_command(*command)
    return cast("Answer", await connection.read_response())


async def _both(one: Coroutine[Any, Any, None], other: Coroutine[Any, Any, None]) -> None:
    """Do both until one of them fails, and raise why.

    Not a TaskGroup: that cancels whoever waits for it, and a cancellation from outside at the same moment would be lost.
    """
    loop = asyncio.get_running_loop()
    tasks = [loop.create_task(one), loop.create_task(other)]
    try:
        ended, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        for task in ended:
            task.result()
    finally:
        for task in tasks:
            _ = task.cancel()
        _ = await asyncio.gather(*tasks, return_exceptions=True)


def _tracks(info: Answer) -> bool:
    if not isinstance(info, list):
        return False
    facts = dict(zip(info[::2], info[1::2], strict=False))
    flags = facts.get(b"flags")
    return isinstance(flags, list) and b"bcast" in flags and b"broken_redirect" not in flags
