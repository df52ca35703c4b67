"""A gRPC server that lets in nobody whom it does not know."""

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Self, TypeVar

import grpc
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection

from chassis.audit import SettlingAudit
from chassis.clock import Clock, SystemClock
from chassis.errors import CannotStart
from chassis.health import Health
from chassis.ids import Ids, RandomIds
from chassis.rpc.calls import Calls
from chassis.rpc.decisions import Decisions, Lookup, Reading
from chassis.rpc.guarding import Handler, guarded
from chassis.rpc.guards import AnyOf, AnyUser, Guard, ServiceOnly
from chassis.rpc.surroundings import Verifier
from chassis.rpc.transport import SERVER_OPTIONS
from chassis.telemetry.logging import get_logger

__all__ = ["AnyOf", "AnyUser", "Guard", "RpcServer", "ServiceOnly"]

S = TypeVar("S")

_log = get_logger("chassis.rpc.server")


class RpcServer:
    """Serves gRPC methods, each behind its guard. Use it with `async with`.

    Every method needs a token, of a service or of a user, in `authorization: Bearer …`. Within it
    `chassis.rpc.context.current_call` tells who calls. A ServiceError becomes its status; any other
    exception is logged and becomes INTERNAL without its text. Health checks (grpc.health.v1) need
    no token.

    Args:
        service: its name, for logs and as its name in health checks.
        host: the address to listen on.
        port: the port; 0 takes a free one, see `address`.
        verifier: tells whom a token stands for.
        verifiers: those of services that take other tokens, by `package.Service`; there the usual
            ones are refused.
        guards: who may call which method, by full name: `/package.Service/Method`.
        health: decides what health checks are told.
        decisions: policies that users' calls must satisfy besides; None: there are none.
        readings: what requests say of the resources they are about, by method, for policies.
        lookups: what the service knows of the resources that they name, by method; used only for
            policies that ask for it.
        reflection: describe the methods to anybody who asks; for development only.
        drain: seconds that calls have to end when the server stops.
        clock: what deadlines are measured with.
        ids: names requests that come without an id.
        audit: told who was not let in; no answer goes out before it has what the call changed.
    """

    def __init__(
        self,
        *,
        service: str,
        host: str,
        port: int,
        verifier: Verifier,
        guards: Mapping[str, Guard],
        health: Health,
        decisions: Decisions | None = None,
        readings: Mapping[str, Reading] | None = None,
        lookups: Mapping[str, Lookup] | None = None,
        verifiers: Mapping[str, Verifier] | None = None,
        reflection: bool = False,
        drain: float = 10.0,
        clock: Clock | None = None,
        ids: Ids | None = None,
        audit: SettlingAudit | None = None,
    ) -> None:
        self._verifier = verifier
        self._verifiers = dict(verifiers or {})
        self.clock = clock or SystemClock()
        self.ids = ids or RandomIds()
        self.calls = Calls()
        self.audit = audit
        self.decisions = decisions
        self._readings = dict(readings or {})
        self._lookups = dict(lookups or {})
        self._service = service
        self._host = host
        self._port = port
        self._guards = dict(guards)
        self._health = _HealthOf(health)
        self._reflection = reflection
        self._drain = drain
        self._adders: list[Callable[[grpc.aio.Server], None]] = []
        self._server: grpc.aio.Server | None = None

    def add(self, adder: Callable[[S, grpc.aio.Server], None], servicer: S) -> None:
        """Serve *servicer*; *adder* is the generated `add_…Servicer_to_server`."""
        self._adders.append(lambda server: adder(servicer, server))

    @property
    def address(self) -> str:
        """Where it listens, `host:port`; only once it has started."""
        if self._server is None:
            raise RuntimeError("the server has not started")
        return f"{self._host}:{self._port}"

    async def __aenter__(self) -> Self:
        # Inside the running loop, which grpc.aio ties it to.
        server = grpc.aio.server(options=SERVER_OPTIONS)
        services = self._register(server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        if self._reflection:
            names = (*services, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name)
            reflection.enable_server_reflection((*names, reflection.SERVICE_NAME), server)
        try:
            self._port = server.add_insecure_port(f"{self._host}:{self._port}")
        except RuntimeError as exc:
            raise CannotStart(
                f"{self._service} cannot listen on {self._host}:{self._port}: is the port taken?"
            ) from exc
        await server.start()
        self._server = server
        _log.info("rpc_listening", service=self._service, address=self.address)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._server is None:
            return
        self._health.drain()
        self.calls.end_streams()
        await self._server.stop(self._drain)
        # stop() returns while handlers that it aborted still clean up (grpc/grpc#37239).
        try:
            async with asyncio.timeout(self._drain):
                await self.calls.ended()
        except TimeoutError:
            _log.error("calls_abandoned", service=self._service)

    def _register(self, server: grpc.aio.Server) -> list[str]:
        """Register each added service with its methods guarded; the names of the services."""
        recorder = _Recorder()
        for adder in self._adders:
            adder(recorder)  # type: ignore[arg-type]
        methods = {
            f"/{service}/{name}": handler
            for service, handlers in recorder.services.items()
            for name, handler in handlers.items()
        }
        self._check_guards(methods)
        for service, handlers in recorder.services.items():
            safe = {
                name: self._guarded(f"/{service}/{name}", handler)
                for name, handler in handlers.items()
            }
            # Not registered one by one: grpc.aio would wait for each of them anew with every call.
            server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(service, safe),))
        return list(recorder.services)

    def _guarded(self, method: str, handler: Handler) -> Handler:
        service = method[1:].partition("/")[0]
        verifier = self._verifiers.get(service, self._verifier)
        reading, lookup = self._readings.get(method), self._lookups.get(method)
        outside = service in self._verifiers
        return guarded(
            handler, method, self._guards[method], verifier, self, reading, lookup, outside=outside
        )

    def _check_guards(self, methods: Mapping[str, object]) -> None:
        unread = sorted((self._readings.keys() | self._lookups.keys()) - methods.keys())
        if unread:
            raise CannotStart(f"readings of methods that do not exist: {', '.join(unread)}")
        unguarded = sorted(methods.keys() - self._guards.keys())
        if unguarded:
            raise CannotStart(f"methods without a guard: {', '.join(unguarded)}")
        unknown = sorted(self._guards.keys() - methods.keys())
        if unknown:
            raise CannotStart(f"guards of methods that do not exist: {', '.join(unknown)}")


class _Recorder:
    """Takes what generated code registers, so that it can be guarded before it is served."""

    def __init__(self) -> None:
        self.services: dict[str, dict[str, Handler]] = {}

    def add_registered_method_handlers(self, service: str, handlers: dict[str, Handler]) -> None:
        self.services[service] = handlers

    def add_generic_rpc_handlers(self, _handlers: object) -> None:
        """The same handlers in another form; unguarded, they must not get through."""


class _HealthOf(health_pb2_grpc.HealthServicer):
    """grpc.health.v1, answered by the service's own checks."""

    def __init__(self, health: Health) -> None:
        self._health = health

    def drain(self) -> None:
        self._health.drain()

    async def Check(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: Any
    ) -> health_pb2.HealthCheckResponse:
        report = await self._health.report()
        return health_pb2.HealthCheckResponse(
            status=health_pb2.HealthCheckResponse.SERVING
            if report.ready
            else health_pb2.HealthCheckResponse.NOT_SERVING
        )

    async def Watch(  # noqa: N802
        self, request: health_pb2.HealthCheckRequest, context: Any
    ) -> None:
        # The protocol's way to say: ask again instead. Open watches would hold up a stop.
        await context.abort(grpc.StatusCode.UNIMPLEMENTED, "use Check")
