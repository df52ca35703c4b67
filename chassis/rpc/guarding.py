"""What surrounds every method of a server: who may call it, its context, its failures.

This is one interceptor, applied once per method when the server starts instead of once per call:
the guard and the metrics of a method are then at hand without a look-up.
"""

import asyncio
import contextlib
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager, aclosing
from typing import Any, NoReturn, TypeAlias, cast

import grpc

from chassis.errors import (
    DeadlineExceeded,
    Internal,
    Kind,
    ServiceError,
    Unauthenticated,
    Unavailable,
)
from chassis.rpc import guards, metadata, status
from chassis.rpc.asking import Asker, Asking
from chassis.rpc.calls import END, Stream
from chassis.rpc.context import Call, enter_call, find_call
from chassis.rpc.decisions import Lookup, PolicyRefused, Reading
from chassis.rpc.guards import Guard
from chassis.rpc.jws import TokenRefused
from chassis.rpc.surroundings import Surroundings, Verifier
from chassis.telemetry import metrics, tracing
from chassis.telemetry.logging import get_logger

# In quotes, since these are generic only in the stubs.
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Unary = Callable[[Any, Context], Awaitable[Any]]
Streaming = Callable[[Any, Context], AsyncGenerator[Any, None]]

_log = get_logger("chassis.rpc.server")

_REFUSALS = frozenset({Kind.UNAUTHENTICATED, Kind.PERMISSION_DENIED})

_HANDLED = metrics.counter("grpc_server_handled_total", "Calls answered.", ["method", "code"])
_SECONDS = metrics.histogram("grpc_server_handling_seconds", "Time a call took.", ["method"])


def guarded(
    handler: Handler,
    method: str,
    guard: Guard,
    verifier: Verifier,
    around: Surroundings,
    reading: Reading | None = None,
    lookup: Lookup | None = None,
    *,
    outside: bool = False,
) -> Handler:
    """*handler*, reachable only for those whom *guard* lets in.

    Nobody's requests are read, nor is the method begun, before its caller is known and let in. A
    streaming method's stream of requests takes the place of the request.

    Args:
        handler: unary, streaming its responses, or streaming both ways.
        method: its full name, `/package.Service/Method`.
        guard: who may call it.
        verifier: tells whom a token stands for.
        around: what it needs of its server.
        reading: tells policies what a request says of the resource; None: nothing.
        lookup: tells them what else is known of the resource, when they ask; None: nothing.
        outside: its callers come from outside themselves, and not through the gateway.

    Raises:
        ValueError: it streams requests only, which nothing here guards.
    """
    # What streams in is not there yet when it is decided who may send it.
    asking = Asking(
        method.rpartition("/")[2], None if handler.request_streaming else reading, lookup
    )
    guarded_method = _Method(method, guard, verifier, around, asking, outside)
    if handler.request_streaming and not handler.response_streaming:
        raise ValueError(f"{method} streams requests only, which is not supported")
    if handler.request_streaming:
        return grpc.stream_stream_rpc_method_handler(
            _stream(cast("Streaming", handler.stream_stream), guarded_method),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )
    if handler.response_streaming:
        return grpc.unary_stream_rpc_method_handler(
            _stream(cast("Streaming", handler.unary_stream), guarded_method),
            request_deserializer=handler.request_deserializer,
            response_serializer=handler.response_serializer,
        )
    return grpc.unary_unary_rpc_method_handler(
        _unary(cast("Unary", handler.unary_unary), guarded_method),
        request_deserializer=handler.request_deserializer,
        response_serializer=handler.response_serializer,
    )


def _unary(behaviour: Unary, method: "_Method") -> Unary:
    async def handle(request: Any, context: Context) -> Any:
        started = method.begin()
        try:
            await method.enter(context, request)
            with tracing.span(method.name):
                response = await behaviour(request, context)
            await method.settle()
        except BaseException as exc:  # noqa: BLE001 -- answered by its kind, or raised again
            await method.fail(exc, context, started)
        method.end("OK", started)
        return response

    return handle


def _stream(behaviour: Streaming, method: "_Method") -> Streaming:
    async def handle(request: Any, context: Context) -> AsyncGenerator[Any, None]:
        started = method.begin()
        try:
            decide = await method.enter(context, request)
            with method.streaming() as stream:
                async with aclosing(behaviour(request, context)) as responses:
                    while (response := await stream.next(responses)) is not END:
                        decide()
                        yield response
        except BaseException as exc:  # noqa: BLE001 -- answered by its kind, or raised again
            await method.fail(exc, context, started)
        method.end("OK", started)

    return handle


class _Method:
    """One method: its guard, its metrics, and how its failures are told."""

    def __init__(
        self,
        name: str,
        guard: Guard,
        verifier: Verifier,
        around: Surroundings,
        asking: Asking,
        outside: bool,
    ) -> None:
        self.name = name
        self._outside = outside
        self._asking = asking
        self._guard = guard
        self._verifier = verifier
        self._around = around
        self._seconds = _SECONDS.child(name)

    def streaming(self) -> AbstractContextManager[Stream]:
        return self._around.calls.streaming()

    def begin(self) -> float:
        self._around.calls.begin()
        return time.perf_counter()

    def end(self, code: str, started: float) -> None:
        self._seconds.observe(time.perf_counter() - started)
        _HANDLED.child(self.name, code).inc()
        self._around.calls.end()

    async def settle(self) -> None:
        """Wait until the audit trail has what this call changed: no answer goes out before."""
        if self._around.audit is not None:
            await self._around.audit.settled()

    async def enter(self, context: Context, request: Any) -> Callable[[], None]:
        """Find out who calls, whether they may, and make it the current call.

        Returns what decides once more whether policies let the caller go on: they may have changed.
        """
        try:
            return await self._enter(context, request)
        except ServiceError as exc:
            self._tell(exc, context)
            raise

    def _tell(self, error: ServiceError, context: Context) -> None:
        """Tell the audit trail that somebody was not let in."""
        if self._around.audit is None or error.kind not in _REFUSALS:
            return
        caller = find_call()
        self._around.audit.record(
            "call_refused",
            tenant=caller.principal.tenant if caller else "",
            actor=caller.principal.id if caller else "",
            target=self.name,
            reason=_reason(error),
            address=(caller.address if caller else "") or metadata.peer_of(context),
        )

    async def _enter(self, context: Context, request: Any) -> Callable[[], None]:
        sent = metadata.read(context)
        request_id = sent.request_id or self._around.ids.new()
        traceparent = tracing.accept_traceparent(sent.traceparent)
        tracing.adopt(request_id, traceparent)
        if sent.token is None:
            raise Unauthenticated("a token is needed")
        principal = await self._verifier.verify(sent.token)
        # What the gateway says of its client; only it has tokens that the usual verifier takes.
        address = metadata.peer_of(context) if self._outside else sent.address
        remaining = _remaining(context)
        deadline = None if remaining is None else self._around.clock.monotonic() + remaining
        # Before it is decided: what is told of a refusal says whose it was.
        enter_call(Call(principal, request_id, traceparent, deadline, address))
        permission = guards.check(self._guard, principal)
        decide = await self._asking.ask(
            self._around.decisions, Asker(principal, permission, address), request
        )
        if self._around.audit is not None:
            self._around.audit.entered(
                tenant=principal.tenant,
                actor=principal.id,
                target=self.name,
                request_id=request_id,
            )
        return decide

    async def fail(self, error: BaseException, context: Context, started: float) -> NoReturn:
        """Answer with the status that *error* stands for; always raises."""
        match error:
            case asyncio.CancelledError() if self._cut_off():
                await self._answer(
                    Unavailable("the service is stopping", retry_after=1), context, started
                )
            case asyncio.CancelledError() | GeneratorExit():
                if self._around.audit is not None:
                    self._around.audit.abandoned()
                self.end(_ended_by(context), started)
                raise error
            case grpc.aio.AbortError():
                # The method answered by itself.
                self.end("ABORTED", started)
                raise error
            case ServiceError():
                await self._answer(error, context, started)
            case TimeoutError():
                await self._answer(DeadlineExceeded("not finished in time"), context, started)
            case Exception():
                _log.error("call_failed", method=self.name, exc_info=error)
                await self._answer(Internal("internal error"), context, started)
            case _:
                self.end("INTERNAL", started)
                raise error
        raise AssertionError("abort() raises")

    def _cut_off(self) -> bool:
        """Whether the current stream was cancelled by `end_streams`, and by nobody else."""
        task = asyncio.current_task()
        return self._around.calls.stopping and task is not None and task.uncancel() == 0

    async def _answer(self, error: ServiceError, context: Context, started: float) -> None:
        with contextlib.suppress(ServiceError):  # the caller is told of a failure as it is
            await self.settle()
        code = status.CODES[error.kind]
        if isinstance(error, TokenRefused):
            _log.warning("token_refused", method=self.name, reason=error.reason)
        try:
            await context.abort(code, error.message, status.to_trailers(error))
        finally:
            self.end(code.name, started)


def _reason(error: ServiceError) -> str:
    match error:
        case TokenRefused():
            return error.reason
        case PolicyRefused():
            return f"policy:{error.policy}"
        case _:
            return error.kind.value.lower()


def _ended_by(context: Context) -> str:
    remaining = _remaining(context)
    return "DEADLINE_EXCEEDED" if remaining is not None and remaining <= 0 else "CANCELLED"


def _remaining(context: Context) -> float | None:
    """Seconds that the caller still waits; None when it waits for ever (which the stubs deny)."""
    return cast("float | None", context.time_remaining())
