"""Calling another service: with a token, a deadline and the trace, failing in our own words."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass, field
from typing import Any, Self, TypeVar, cast

import grpc

from chassis.clock import Clock, SystemClock
from chassis.discovery.port import Registry
from chassis.errors import Cancelled, DeadlineExceeded, Kind, ServiceError
from chassis.ids import Ids, RandomIds
from chassis.rpc.balancing import Balance
from chassis.rpc.channel import Method, ServiceChannel
from chassis.rpc.context import ADDRESS, find_call
from chassis.rpc.credentials import ServiceIdentity, audience_of
from chassis.rpc.hedging import hedged
from chassis.rpc.instances import Instance
from chassis.rpc.listening import spoken
from chassis.rpc.probing import SILENT
from chassis.rpc.retries import ATTEMPTS, RetryBudget, may_repeat, nobody_began, only_reads, pause
from chassis.rpc.status import to_error
from chassis.telemetry import tracing

TIMEOUT = 30.0
"""Seconds after which a call is given up when nobody says otherwise."""

Req = TypeVar("Req")
Res = TypeVar("Res")


class RpcClient:
    """Calls one service on behalf of another. Use it with `async with`.

    It finds the service when it first calls it, and again when it has moved or restarted; so it may
    be made before the service is up. A call that reads only, or that was never sent, is made again on
    another instance when its own does not answer, within a budget; whether anything else is safe to
    repeat only the caller knows.

    Args:
        registry: knows where the service is.
        service: whom to call.
        identity: who calls.
        clock: what deadlines are measured with.
        ids: names requests that have no id yet.
        balance: how calls are spread over the instances.
        hedge_after: seconds after which a call that only reads is made on a second instance as well;
            None never does that.
    """

    def __init__(
        self,
        registry: Registry,
        service: str,
        identity: ServiceIdentity,
        *,
        clock: Clock | None = None,
        ids: Ids | None = None,
        balance: Balance = Balance.ROUND_ROBIN,
        hedge_after: float | None = None,
    ) -> None:
        self._registry = registry
        self._balance = balance
        self._hedge_after = hedge_after
        self._budget = RetryBudget()
        self._service = service
        self._identity = identity
        self._audience = audience_of(service)
        self._clock = clock or SystemClock()
        self._ids = ids or RandomIds()
        self._channel: ServiceChannel | None = None

    async def __aenter__(self) -> Self:
        # Inside the running loop, which grpc.aio ties channels to.
        self._channel = ServiceChannel(self._registry, self._service, self._clock, self._balance)
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
        affinity: str | None = None,
    ) -> Res:
        """Call *method* of a stub made of `channel` and return its response.

        Args:
            method: `stub.Method`.
            request: its argument.
            token: whom to call as; None is the service itself.
            timeout: seconds to wait; never longer than the call being served here may take.
            affinity: calls with the same one go to the same instance while it is well.

        Raises:
            ServiceError: of the kind that the service gave; Unavailable when nobody answered.
        """
        seconds = self._remaining(TIMEOUT if timeout is None else timeout)
        once = _Call(cast("Method", method), request, self._metadata(token), affinity)
        until = None if seconds is None else self._clock.monotonic() + seconds
        self._budget.call()
        try:
            after = await self._patience_for(once)
            if after is None:
                return cast("Res", await self._repeated(once, until))
            return cast("Res", await hedged(lambda: self._repeated(once, until), after))
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
        silence: float | None = None,
    ) -> AsyncIterator[Res]:
        """Call *method* of a stub made of `channel` and yield its responses as they come.

        It goes on for as long as it is read, unless *timeout* or the call being served here limit
        it, or it says nothing for *silence* seconds. Close it (`contextlib.aclosing`) when leaving early.

        Raises:
            ServiceError: of the kind that the service gave; Unavailable when nobody answered.
        """
        seconds = self._remaining(timeout)
        metadata = self._metadata(token)
        instance, bound = await cast("Method", method).pick()
        call = bound(request, timeout=seconds, metadata=metadata)
        self._entered().begun(instance)
        answered: bool | None = None
        try:
            async with aclosing(spoken(aiter(call), silence)) as responses:
                async for response in responses:
                    self._entered().heard(instance)
                    yield response
            answered = True
        except grpc.aio.AioRpcError as exc:
            answered = exc.code() is not grpc.StatusCode.UNAVAILABLE and not nobody_began(exc)
            raise self._failure(exc) from exc
        except asyncio.CancelledError:
            _check_asked_to_stop()
            raise
        finally:
            call.cancel()
            self._entered().ended(instance, answered=answered)

    async def _repeated(self, call: "_Call", until: float | None) -> Any:
        """Make *call*, and again where that is safe."""
        while True:
            try:
                return await self._attempt(call, until)
            except grpc.aio.AioRpcError as exc:
                attempts = len(call.tried)
                if attempts >= ATTEMPTS or not may_repeat(exc, call.method.path):
                    raise
                if not nobody_began(exc) and not self._budget.spend():
                    raise
                self._entered().doubt()
            await asyncio.sleep(pause(attempts + 1))

    async def _attempt(self, call: "_Call", until: float | None) -> Any:
        instance, bound = await call.method.pick(affinity=call.affinity, avoid=call.tried)
        seconds = None if until is None else max(until - self._clock.monotonic(), 0.0)
        call.tried.append(instance)
        self._entered().begun(instance)
        answered: bool | None = None
        try:
            response = await bound(call.request, timeout=seconds, metadata=call.metadata)
            answered = True
        except grpc.aio.AioRpcError as exc:
            answered = exc.code() not in SILENT and not nobody_began(exc)
            raise
        finally:
            self._entered().ended(instance, answered=answered)
        return response

    async def _patience_for(self, call: "_Call") -> float | None:
        """Seconds after which *call* is made a second time; None: never."""
        if self._hedge_after is None or not only_reads(call.method.path):
            return None
        return self._hedge_after if await self._entered().has_others() else None

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
        metadata = (
            ("authorization", f"Bearer {bearer}"),
            ("x-request-id", tracing.current_request_id() or self._ids.new()),
            ("traceparent", tracing.current_traceparent() or tracing.new_traceparent()),
        )
        serving = find_call()
        if serving is None or not serving.address:
            return metadata
        return (*metadata, (ADDRESS, serving.address))

    def _failure(self, error: grpc.aio.AioRpcError) -> ServiceError:
        failure = to_error(error.code(), error.details(), _pairs(error.trailing_metadata()))
        if failure.kind is Kind.UNAVAILABLE:
            self._entered().doubt()
        return failure

    def _entered(self) -> ServiceChannel:
        if self._channel is None:
            raise RuntimeError("the client was not entered")
        return self._channel


@dataclass(slots=True)
class _Call:
    """A call, and where it was made already."""

    method: Method
    request: Any
    metadata: tuple[tuple[str, str], ...]
    affinity: str | None
    tried: list[Instance] = field(default_factory=list)


def _check_asked_to_stop() -> None:
    """Find out what a CancelledError out of grpc.aio means.

    It raises that also when the *server* answered CANCELLED; then nobody asked this task to stop.
    """
    task = asyncio.current_task()
    if task is not None and task.cancelling() == 0:
        raise Cancelled("the call was cancelled") from None


def _pairs(metadata: Any) -> list[tuple[str, str | bytes]]:
    return list(metadata or ())
