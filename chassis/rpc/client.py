"""Calling another service: with a token, a deadline and the trace, failing in our own words."""

import asyncio
from collections.abc import AsyncIterator
from typing import Any, Self, TypeVar, cast

import grpc

from chassis.clock import Clock, SystemClock
from chassis.discovery.port import Registry
from chassis.errors import Cancelled, DeadlineExceeded, Kind, ServiceError
from chassis.ids import Ids, RandomIds
from chassis.rpc.channel import Method, ServiceChannel
from chassis.rpc.context import find_call
from chassis.rpc.credentials import ServiceIdentity, audience_of
from chassis.rpc.status import to_error
from chassis.telemetry import tracing

TIMEOUT = 30.0
"""Seconds after which a call is given up when nobody says otherwise."""

Req = TypeVar("Req")
Res = TypeVar("Res")


class RpcClient:
    """Calls one service on behalf of another. Use it with `async with`.

    It finds the service when it first calls it, and again when it has moved or restarted; so it may
    be made before the service is up. Nothing is retried: whether that is safe only the caller knows.

    Args:
        registry: knows where the service is.
        service: whom to call.
        identity: who calls.
        clock: what deadlines are measured with.
        ids: names requests that have no id yet.
    """

    def __init__(
        self,
        registry: Registry,
        service: str,
        identity: ServiceIdentity,
        *,
        clock: Clock | None = None,
        ids: Ids | None = None,
    ) -> None:
        self._registry = registry
        self._service = service
        self._identity = identity
        self._audience = audience_of(service)
        self._clock = clock or SystemClock()
        self._ids = ids or RandomIds()
        self._channel: ServiceChannel | None = None

    async def __aenter__(self) -> Self:
        # Inside the running loop, which grpc.aio ties channels to.
        self._channel = ServiceChannel(self._registry, self._service, self._clock)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._channel is not None:
            await self._channel.close()

    @property
    def channel(self) -> grpc.aio.Channel:
        """What a generated stub is made of; only once the client was entered."""
        # Stubs use no more of a channel than `unary_unary` and `unary_stream`.
        return cast("grpc.aio.Channel", self._entered())

    async def call(
        self,
        method: "grpc.aio.UnaryUnaryMultiCallable[Req, Res]",
        request: Req,
        *,
        token: str | None = None,
        timeout: float | None = None,
    ) -> Res:
        """Call *method* of a stub made of `channel` and return its response.

        Args:
            method: `stub.Method`.
            request: its argument.
            token: whom to call as; None is the service itself.
            timeout: seconds to wait; never longer than the call being served here may take.

        Raises:
            ServiceError: of the kind that the service gave; Unavailable when nobody answered.
        """
        seconds = self._remaining(TIMEOUT if timeout is None else timeout)
        metadata = self._metadata(token)
        bound = await cast("Method", method).pick()
        try:
            return cast("Res", await bound(request, timeout=seconds, metadata=metadata))
        except grpc.aio.AioRpcError as exc:
            raise self._failure(exc) from exc
        except asyncio.CancelledError:
            _check_asked_to_stop()
            raise

    async def stream(
        self,
        method: "grpc.aio.UnaryStreamMultiCallable[Req, Res]",
        request: Req,
        *,
        token: str | None = None,
        timeout: float | None = None,
    ) -> AsyncIterator[Res]:
        """Call *method* of a stub made of `channel` and yield its responses as they come.

        It goes on for as long as it is read, unless *timeout* or the call being served here limit
        it. Close it (`contextlib.aclosing`) when leaving early.

        Raises:
            ServiceError: of the kind that the service gave; Unavailable when nobody answered.
        """
        seconds = self._remaining(timeout)
        metadata = self._metadata(token)
        bound = await cast("Method", method).pick()
        call = bound(request, timeout=seconds, metadata=metadata)
        try:
            async for response in call:
                yield response
        except grpc.aio.AioRpcError as exc:
            raise self._failure(exc) from exc
        except asyncio.CancelledError:
            _check_asked_to_stop()
            raise
        finally:
            call.cancel()

    def _remaining(self, timeout: float | None) -> float | None:
        """Seconds that a call may take, within what is left of the one being served."""
        serving = find_call()
        if serving is None or serving.deadline is None:
            return timeout
        left = serving.deadline - self._clock.monotonic()
        if left <= 0:
            raise DeadlineExceeded("there was no answer in time")
        return left if timeout is None else min(left, timeout)

    def _metadata(self, token: str | None) -> tuple[tuple[str, str], ...]:
        bearer = self._identity.token(self._audience) if token is None else token
        return (
            ("authorization", f"Bearer {bearer}"),
            ("x-request-id", tracing.current_request_id() or self._ids.new()),
            ("traceparent", tracing.current_traceparent() or tracing.new_traceparent()),
        )

    def _failure(self, error: grpc.aio.AioRpcError) -> ServiceError:
        failure = to_error(error.code(), error.details(), _pairs(error.trailing_metadata()))
        if failure.kind is Kind.UNAVAILABLE:
            self._entered().doubt()
        return failure

    def _entered(self) -> ServiceChannel:
        if self._channel is None:
            raise RuntimeError("the client was not entered")
        return self._channel


def _check_asked_to_stop() -> None:
    """Find out what a CancelledError out of grpc.aio means.

    It raises that also when the *server* answered CANCELLED; then nobody asked this task to stop.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling() == 0:
        raise Cancelled("the call was cancelled") from None


def _pairs(metadata: Any) -> list[tuple[str, str | bytes]]:
    return list(metadata or ())
