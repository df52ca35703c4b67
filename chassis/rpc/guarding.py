"""What surrounds every method of a server: who may call it, its context, its failures.

This is one interceptor, applied once per method when the server starts instead of once per call:
the guard and the metrics of a method are then at hand without a look-up.
"""

import asyncio
import time
from collections.abc import AsyncGenerator, Awaitable, Callable
from contextlib import AbstractContextManager, aclosing
from typing import Any, NoReturn, Protocol, TypeAlias, cast

import grpc

from chassis.clock import Clock
from chassis.errors import DeadlineExceeded, Internal, ServiceError, Unauthenticated, Unavailable
from chassis.ids import Ids
from chassis.rpc import guards, status
from chassis.rpc.calls import END, Calls, Stream
from chassis.rpc.context import Call, Principal, enter_call
from chassis.rpc.guards import Guard
from chassis.rpc.jws import TokenRefused
from chassis.telemetry import metrics, tracing
from chassis.telemetry.logging import get_logger

# In quotes, since these are generic only in the stubs.
Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"
Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
Unary = Callable[[Any, Context], Awaitable[Any]]
Streaming = Callable[[Any, Context], AsyncGenerator[Any, None]]

_log = get_logger("chassis.rpc.server")

_HANDLED = metrics.counter("grpc_server_handled_total", "Calls answered.", ["method", "code"])
_SECONDS = metrics.histogram("grpc_server_handling_seconds", "Time a call took.", ["method"])


class Verifier(Protocol):
    """Tells whom a token stands for."""

    async def verify(self, token: str) -> Principal:
        """Whom *token* stands for.

        Raises:
            TokenRefused: it proves nothing, here and now.
            Unavailable: whatever tells cannot be had.
        """
        ...


class Surroundings(Protocol):
    """What a guarded method needs of its server."""

    clock: Clock
    ids: Ids
    calls: Calls


def guarded(
    handler: Handler, method: str, guard: Guard, verifier: Verifier, around: Surroundings
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

    Raises:
        ValueError: it streams requests only, which nothing here guards.
    """
    guarded_method = _Method(method, guard, verifier, around)
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
            await method.enter(context)
            with tracing.span(method.name):
                response = await behaviour(request, context)
        except BaseException as exc:  # noqa: BLE001 -- answered by its kind, or raised again
            await method.fail(exc, context, started)
        method.end("OK", started)
        return response

    return handle


def _stream(behaviour: Streaming, method: "_Method") -> Streaming:
    async def handle(request: Any, context: Context) -> AsyncGenerator[Any, None]:
        started = method.begin()
        try:
            await method.enter(context)
            with method.streaming() as stream:
                async with aclosing(behaviour(request, context)) as responses:
                    while (response := await stream.next(responses)) is not END:
                        yield response
        except BaseException as exc:  # noqa: BLE001 -- answered by its kind, or raised again
            await method.fail(exc, context, started)
        method.end("OK", started)

    return handle


class _Method:
    """One method: its guard, its metrics, and how its failures are told."""

    def __init__(self, name: str, guard: Guard, verifier: Verifier, around: Surroundings) -> None:
        self.name = name
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

    async def enter(self, context: Context) -> None:
        """Find out who calls, whether they may, and make it the current call."""
        token, request_id, traceparent = _metadata(context)
        request_id = request_id or self._around.ids.new()
        traceparent = tracing.accept_traceparent(traceparent)
        tracing.adopt(request_id, traceparent)
        if token is None:
            raise Unauthenticated("a token is needed")
        principal = await self._verifier.verify(token)
        guards.check(self._guard, principal)
        remaining = _remaining(context)
        deadline = None if remaining is None else self._around.clock.monotonic() + remaining
        enter_call(Call(principal, request_id, traceparent, deadline))

    async def fail(self, error: BaseException, context: Context, started: float) -> NoReturn:
        """Answer with the status that *error* stands for; always raises."""
        match error:
            case asyncio.CancelledError() if self._cut_off():
                await self._answer(
                    Unavailable("the service is stopping", retry_after=1), context, started
                )
            case asyncio.CancelledError() | GeneratorExit():
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
        code = status.CODES[error.kind]
        if isinstance(error, TokenRefused):
            _log.warning("token_refused", method=self.name, reason=error.reason)
        try:
            await context.abort(code, error.message, status.to_trailers(error))
        finally:
            self.end(code.name, started)


def _metadata(context: Context) -> tuple[str | None, str | None, str | None]:
    """The bearer token, the request id and the trace that a caller sent."""
    token = request_id = traceparent = None
    for name, value in context.invocation_metadata() or ():
        if name == "authorization":
            if token is not None:
                raise Unauthenticated("one token is enough")
            token = _bearer(value)
        elif name == "x-request-id":
            request_id = _identifier(value)
        elif name == "traceparent" and isinstance(value, str):
            traceparent = value
    return token, request_id, traceparent


def _bearer(value: str | bytes) -> str:
    scheme, _, token = value.partition(" ") if isinstance(value, str) else ("", "", "")
    if scheme.lower() != "bearer" or not token:
        raise Unauthenticated("a bearer token is needed")
    return token


def _identifier(value: str | bytes) -> str | None:
    """*value* if it can stand in a log; else the caller's id is not worth keeping."""
    good = isinstance(value, str) and 0 < len(value) <= 128 and value.isascii()
    return str(value) if good and str(value).isprintable() else None


def _ended_by(context: Context) -> str:
    remaining = _remaining(context)
    return "DEADLINE_EXCEEDED" if remaining is not None and remaining <= 0 else "CANCELLED"


def _remaining(context: Context) -> float | None:
    """Seconds that the caller still waits; None when it waits for ever (which the stubs deny)."""
    return cast("float | None", context.time_remaining())
