"""Which failed calls are made again, and how many of them."""

import random
from functools import cache
from typing import Final

import grpc
from google.protobuf import descriptor_pool
from google.protobuf.descriptor_pb2 import MethodOptions

from chassis.rpc.status import was_not_begun

ATTEMPTS: Final = 3
"""How often a call is made at the most."""
_SHARE: Final = 0.1
_MOST: Final = 10.0
_NEVER_SENT: Final = "failed to connect to all addresses"
"""What gRPC says when there was no connection to send the call over."""


class RetryBudget:
    """Lets a tenth of the calls be repeated, so that repeating does not bring down what is overloaded."""

    def __init__(self) -> None:
        self._tokens = _MOST

    def call(self) -> None:
        """A call is made for the first time."""
        if self._tokens < _MOST:
            self._tokens = min(self._tokens + _SHARE, _MOST)

    def spend(self) -> bool:
        """Whether one more may be repeated."""
        if self._tokens < 1.0:
            return False
        self._tokens -= 1.0
        return True


def pause(attempt: int) -> float:
    """Seconds to wait before *attempt* (2, 3, …), with full jitter."""
    return random.uniform(0.0, 0.01 * 2**attempt)  # noqa: S311 -- no secret


def may_repeat(error: grpc.aio.AioRpcError, method: str) -> bool:
    """Whether the call of *method* (`/package.Service/Method`) may be made again after *error*.

    Either nobody has begun with it, or it reads only, which its proto says with `idempotency_level`.
    """
    if nobody_began(error):
        return True
    return error.code() is grpc.StatusCode.UNAVAILABLE and is_repeatable(method)


def nobody_began(error: grpc.aio.AioRpcError) -> bool:
    """Whether the call was never sent, or came as its server stopped: then to repeat it is no further load, for nobody."""
    if was_not_begun(error.code(), error.details()):
        return True
    never_sent = _NEVER_SENT in (error.details() or "")
    return error.code() is grpc.StatusCode.UNAVAILABLE and never_sent


@cache
def is_repeatable(method: str) -> bool:
    """Whether doing *method* twice is the same as doing it once, by its proto."""
    return _level(method) != MethodOptions.IDEMPOTENCY_UNKNOWN


@cache
def only_reads(method: str) -> bool:
    """Whether *method* has no effect at all, by its proto."""
    return _level(method) == MethodOptions.NO_SIDE_EFFECTS


def _level(method: str) -> "MethodOptions.IdempotencyLevel.ValueType":
    service, _, name = method.removeprefix("/").rpartition("/")
    try:
        found = descriptor_pool.Default().FindMethodByName(f"{service}.{name}")
    except KeyError:
        return MethodOptions.IDEMPOTENCY_UNKNOWN
    return found.GetOptions().idempotency_level
