"""Values in Redis that processes share.

Whoever can write to Redis could put anything there: so values are sealed under the operator's key, for one key and until one
moment, and what does not open is as if it were not there. Names tell nothing: those of values need the key to be guessed.

A tag is a key with a random generation. A value says which generations its tags had when somebody began to work it out;
one script compares them with those of now. So invalidating a tag is one small write, however many values bear it, and
counts for values that are still being worked out. A generation that Redis lost invalidates, too.
"""

from __future__ import annotations

import asyncio
import hashlib
import secrets
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final, cast

import msgspec
from redis.asyncio import Redis
from redis.commands.core import AsyncScript
from redis.exceptions import RedisError

from chassis.caching.port import Moment
from chassis.clock import Clock
from chassis.crypto.safe import Safe
from chassis.crypto.sealing import IntegrityBroken
from chassis.errors import Unavailable
from chassis.telemetry import metrics
from chassis.telemetry.logging import get_logger

PREFIX: Final = "autoworker:cache:"
PATIENCE: Final = 0.5
"""Seconds after which an answer is given up."""
LARGEST: Final = 8 * 1024 * 1024
"""Bytes of a value; larger ones each process keeps for itself."""
_GENERATION_LIFE: Final = 30 * 86_400 * 1_000
"""Milliseconds for which a tag's generation is kept at least."""

_GET: Final = """
local found = redis.pcall('HMGET', KEYS[1], 'sealed', 'tags')
if found.err or not found[1] then return false end
for tag, generation in string.gmatch(found[2] or '', '(%S+) (%S+)') do
  if redis.pcall('GET', tag) ~= generation then
    redis.call('UNLINK', KEYS[1])
    return false
  end
end
return {found[1], redis.call('PTTL', KEYS[1]), found[2] or ''}
"""
_MOMENT: Final = """
local generations = {}
for number, tag in ipairs(KEYS) do
  local generation = redis.call('GET', tag)
  if not generation then
    generation = ARGV[1]
    redis.call('SET', tag, generation, 'PX', ARGV[2])
  end
  generations[number] = generation
end
return generations
"""
_SET: Final = """
local ttl, fence = tonumber(ARGV[2]), tonumber(ARGV[4])
for tag, generation in string.gmatch(ARGV[3], '(%S+) (%S+)') do
  if redis.call('GET', tag) ~= generation then return 0 end
  if redis.call('PTTL', tag) < ttl then redis.call('PEXPIRE', tag, math.max(ttl, tonumber(ARGV[5]))) end
end
if fence then
  local there = redis.pcall('HGET', KEYS[1], 'fence')
  if type(there) == 'string' and (tonumber(there) or 0) > fence then return 0 end
end
redis.call('UNLINK', KEYS[1])
redis.call('HSET', KEYS[1], 'sealed', ARGV[1], 'tags', ARGV[3], 'fence', ARGV[4])
redis.call('PEXPIRE', KEYS[1], ttl)
return 1
"""

_log = get_logger("chassis.caching")
_REFUSED: Final = metrics.counter(
    "cache_refused_total", "Values in Redis that were not believed, by why: forged.", ["reason"]
)


class _Sealed(msgspec.Struct, array_like=True, frozen=True):
    until: float
    """The wall clock's seconds: it bounds how long somebody can put an old value back."""
    value: bytes


@dataclass(frozen=True, slots=True)
class Found:
    """A value, and for how many seconds more it counts."""

    value: bytes
    left: float
    tags: tuple[str, ...]
    """What its tags are called in Redis."""


@asynccontextmanager
async def answered(patience: float, what: str) -> AsyncIterator[None]:
    """Give Redis *patience* seconds.

    Raises:
        Unavailable: it does not answer, or with an error.
    """
    try:
        async with asyncio.timeout(patience):
            yield
    except (RedisError, OSError, TimeoutError) as exc:
        raise Unavailable(f"{what} cannot be reached", retry_after=1) from exc


class RedisCache:
    """What `Cache` promises, in Redis; but each operation raises Unavailable when Redis does not answer.

    Args:
        client: of the server; whoever opened it closes it.
        safe: seals values; every process that shares them has the same keys.
        clock: its wall clock bounds how long values are believed.
        prefix: of all names in Redis.
        patience: seconds after which an operation is given up.
    """

    def __init__(
        self,
        client: Redis,
        safe: Safe,
        clock: Clock,
        *,
        prefix: str = PREFIX,
        patience: float = PATIENCE,
    ) -> None:
        self.prefix = prefix
        self._client = client
        self._safe = safe
        self._clock = clock
        self._patience = patience
        self._get: AsyncScript = client.register_script(_GET)
        self._moment: AsyncScript = client.register_script(_MOMENT)
        self._set: AsyncScript = client.register_script(_SET)

    def name(self, key: str) -> str:
        """What *key* is called in Redis; without the operator's key nobody can try what it might be."""
        return f"{self.prefix}v:{self._safe.mark(key.encode(errors='surrogatepass'))}"

    def tag_name(self, tag: str) -> str:
        """What *tag* is called in Redis: the same whichever of the operator's keys is the current one."""
        digest = hashlib.blake2b(tag.encode(errors="surrogatepass"), digest_size=16)
        return f"{self.prefix}t:{digest.hexdigest()}"

    async def get(self, key: str) -> Found | None:
        """See `Cache.get`."""
        name = self.name(key)
        async with answered(self._patience, "the shared cache"):
            answer = await self._get(keys=[name])
        if answer is None:
            return None
        text, left, tags = cast("tuple[bytes, int, bytes]", answer)
        found = self._opened(name, text, left / 1_000, tags.decode(errors="replace"))
        if found is None:
            await self._forged(name)
        return found if found is not None and found.left > 0 else None

    async def moment(self, tags: Sequence[str], order: int = 0) -> Moment:
        """See `Cache.moment`; *order* is passed on to whoever keeps values nearer."""
        names = [self.tag_name(tag) for tag in tags]
        generations: list[bytes] = []
        if names:
            fresh = (secrets.token_hex(8), _GENERATION_LIFE)
            async with answered(self._patience, "the shared cache"):
                generations = cast("list[bytes]", await self._moment(keys=names, args=fresh))
        return Moment(tuple(tags), order, tuple(generations))

    async def set(
        self,
        key: str,
        value: bytes,
        ttl: float,
        *,
        since: Moment | None = None,
        fence: int | None = None,
    ) -> None:
        """See `Cache.set`."""
        if since is not None and since.generations is None:
            return  # nobody can tell what was invalidated meanwhile
        name = self.name(key)
        if ttl <= 0:
            await self.forget([name])
            return
        tags = "" if since is None else self._tagged(since)
        sealed = self._sealed(name, value, ttl, tags)
        rest = (max(1, round(ttl * 1_000)), tags, "" if fence is None else fence, _GENERATION_LIFE)
        async with answered(self._patience, "the shared cache"):
            await self._set(keys=[name], args=[sealed, *rest])

    async def forget(self, names: Sequence[str]) -> None:
        """Forget the values and invalidate the tags that are called *names* in Redis."""
        values = [name for name in names if name.startswith(f"{self.prefix}v:")]
        tags = [name for name in names if not name.startswith(f"{self.prefix}v:")]
        async with answered(self._patience, "the shared cache"):
            pipe = self._client.pipeline(transaction=False)
            if values:
                _ = pipe.unlink(*values)
            for tag in tags:
                _ = pipe.set(tag, secrets.token_hex(8), px=_GENERATION_LIFE)
            await pipe.execute()

    async def clear(self) -> None:
        """Forget everything that is called as values and tags are."""
        async with answered(10 * self._patience, "the shared cache"):
            names = [each async for each in self._client.scan_iter(f"{self.prefix}*", count=1_000)]
            for start in range(0, len(names), 500):
                await self._client.unlink(*names[start : start + 500])

    def _sealed(self, name: str, value: bytes, ttl: float, tags: str) -> bytes:
        content = _Sealed(self._clock.now().timestamp() + ttl, value)
        return self._safe.seal(msgspec.msgpack.encode(content), name, tags)

    def _opened(self, name: str, text: bytes, left: float, tags: str) -> Found | None:
        """The value in *text*; None when nobody with the key made it for this name and these tags."""
        try:
            content = msgspec.msgpack.decode(self._safe.unseal(text, name, tags), type=_Sealed)
        except (IntegrityBroken, msgspec.DecodeError):
            return None
        believed = content.until - self._clock.now().timestamp()
        return Found(content.value, min(left, believed), tuple(tags.split()[::2]))

    async def _forged(self, name: str) -> None:
        """Make room for what is true."""
        _REFUSED.child("forged").inc()
        _log.warning("cached_value_forged", name=name)
        await self.forget([name])

    def _tagged(self, since: Moment) -> str:
        names = (self.tag_name(tag) for tag in since.tags)
        generations = (each.decode("ascii", "replace") for each in since.generations or ())
        return " ".join(
            f"{tag} {generation}" for tag, generation in zip(names, generations, strict=True)
        )
