"""A worker: a process that serves functions to workflows.

worker = Worker("http://127.0.0.1:8080", email=…, password=…)

@worker.function("resize", version="1.0.0")
async def resize(arguments, context):
    return {"width": arguments["width"] // 2}

asyncio.run(worker.run())

It connects by itself, again and again; SIGTERM lets it finish what it works on. Every task comes at
least once: a task whose worker is lost goes to another, with the same idempotency key.
"""

import asyncio
import contextlib
import os
import random
import secrets
import signal
import socket
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Final, TypeVar

import grpc
import msgspec

from autoworker.client import Client
from autoworker.errors import AutoworkerError
from autoworker.functions import Declaration, declaration_of, function
from autoworker.model import JsonValue, WorkerToken
from autoworker.sessions import Session
from autoworker.worker_tasks import Connection, Served, log
from protos.worker.v1 import worker_pb2 as pb
from protos.worker.v1.worker_pb2_grpc import WorkerServiceStub

F = TypeVar("F", bound=Callable[..., Any])
FIRST_PAUSE: Final = 0.2
LONGEST_PAUSE: Final = 15.0
_OPTIONS: Final = (
    ("grpc.max_receive_message_length", 8 * 1024 * 1024),
    ("grpc.max_send_message_length", 8 * 1024 * 1024),
)


class Worker:
    """Serves functions until it is told to stop.

    Log in with *email* and *password*, or bring a *token*, an *api_key* or a *session*. Workers of a user serve
    that user's executions; workers of an administrator serve everybody's in the tenant.

    Args:
        url: where the gateway is.
        token: an access token that somebody else looks after.
        api_key: a key with the permission `workers:connect`.
        email: whom to log in.
        password: theirs.
        session: another source of tokens.
        address: host:port of the gRPC service, when it is not the one that the gateway tells.
        concurrency: how many tasks it takes at a time.
        id: names this worker; by default after the machine and the process, with something random.
        functions: those that were declared elsewhere, with `autoworker.functions.function`.
    """

    def __init__(
        self,
        url: str = "http://127.0.0.1:8080",
        *,
        token: str | None = None,
        api_key: str | None = None,
        email: str | None = None,
        password: str | None = None,
        session: Session | None = None,
        address: str | None = None,
        concurrency: int = 10,
        id: str = "",
        functions: tuple[Callable[..., Any], ...] = (),
    ) -> None:
        self._client = Client(
            url, token=token, api_key=api_key, email=email, password=password, session=session
        )
        self._address = address
        self._concurrency = concurrency
        self._id = id or f"{socket.gethostname()}-{os.getpid()}-{secrets.token_hex(4)}"
        self._functions: dict[tuple[str, str], Served] = {}
        self._threads = ThreadPoolExecutor(concurrency, "function")
        self._draining = asyncio.Event()
        self.connected = asyncio.Event()
        """Set while the worker has been welcomed."""
        for each in functions:
            self._add(declaration_of(each), each)

    def function(
        self,
        name: str,
        *,
        version: str = "1.0.0",
        input: JsonValue = None,
        output: JsonValue = None,
    ) -> Callable[[F], F]:
        """Serve a function, async or not, that takes (arguments, context); see `autoworker.functions`."""

        def serve(implementation: F) -> F:
            declared = function(name, version=version, input=input, output=output)(implementation)
            self._add(declaration_of(declared), declared)
            return declared

        return serve

    def stop(self) -> None:
        """Take nothing new, finish what is under way, then let `run` return."""
        self._draining.set()

    async def run(self, *, signals: bool = True) -> None:
        """Serve until `stop` is called, or, with *signals*, SIGTERM or SIGINT comes.

        Raises:
            AutoworkerError: logging in is refused, or the worker is: trying again would not help.
            ValueError: it serves no functions.
        """
        if not self._functions:
            raise ValueError("a worker needs functions: decorate some with @worker.function")
        with self._on_signals() if signals else contextlib.nullcontext():
            try:
                async with self._client:
                    await self._serve()
            finally:
                self._threads.shutdown(wait=False, cancel_futures=True)

    async def _serve(self) -> None:
        pause = FIRST_PAUSE
        while not self._draining.is_set():
            try:
                await self._connection()
                pause = FIRST_PAUSE
            except (grpc.aio.AioRpcError, AutoworkerError, OSError) as exc:
                if _is_final(exc):
                    raise
                if self.connected.is_set():
                    pause = FIRST_PAUSE
                log.warning("the connection ended (%s); trying again", _told(exc))
            finally:
                self.connected.clear()
            with contextlib.suppress(TimeoutError):
                # Full jitter, so that workers do not all come back at once.
                rest = random.uniform(0, pause)  # noqa: S311 -- no secret
                async with asyncio.timeout(rest):
                    _ = await self._draining.wait()
            pause = min(pause * 2, LONGEST_PAUSE)

    async def _connection(self) -> None:
        issued = await self._client.worker_token()
        address = self._address or issued.address
        async with grpc.aio.insecure_channel(address, options=_OPTIONS) as channel:
            metadata = (("authorization", f"Bearer {issued.token}"),)
            connection = Connection(self._hello(), self._functions, self._draining, self._threads)
            call = WorkerServiceStub(channel).Connect(connection.requests(), metadata=metadata)
            # Kept until the group is over, which would wrap it.
            failure: grpc.aio.AioRpcError | None = None
            async with asyncio.TaskGroup() as tasks:
                tokens = tasks.create_task(self._refresh(connection, issued))
                drain = tasks.create_task(connection.drain())
                try:
                    await connection.serve(call, tasks, self.connected)
                except grpc.aio.AioRpcError as exc:
                    failure = exc
                finally:
                    tokens.cancel()
                    drain.cancel()
                    connection.close()
            if failure is not None:
                raise failure

    async def _refresh(self, connection: Connection, issued: WorkerToken) -> None:
        """Show a fresh token long before the last one ends."""
        while True:
            await asyncio.sleep(issued.expires_in / 3)
            try:
                issued = await self._client.worker_token()
            except AutoworkerError as exc:
                log.warning("no fresh token (%s); trying again", exc)
                continue
            connection.send(pb.ConnectRequest(heartbeat=pb.Heartbeat(token=issued.token)))

    def _hello(self) -> pb.ConnectRequest:
        declared = [_declared(each.declaration) for each in self._functions.values()]
        hello = pb.Hello(worker_id=self._id, functions=declared, concurrency=self._concurrency)
        return pb.ConnectRequest(hello=hello)

    def _add(self, declaration: Declaration, implementation: Callable[..., Any]) -> None:
        key = (declaration.name, declaration.version)
        if key in self._functions:
            raise ValueError(f"{declaration.name}:{declaration.version} is served already")
        self._functions[key] = Served(declaration, implementation)

    @contextlib.contextmanager
    def _on_signals(self) -> Iterator[None]:
        loop = asyncio.get_running_loop()
        wanted = (signal.SIGTERM, signal.SIGINT)
        for each in wanted:
            loop.add_signal_handler(each, self.stop)
        try:
            yield
        finally:
            for each in wanted:
                loop.remove_signal_handler(each)


def _declared(declaration: Declaration) -> pb.DeclaredFunction:
    return pb.DeclaredFunction(
        name=declaration.name,
        version=declaration.version,
        input_schema=_schema(declaration.input),
        output_schema=_schema(declaration.output),
    )


def _schema(schema: JsonValue) -> bytes:
    return b"" if schema is None else msgspec.json.encode(schema)


_FINAL: Final = frozenset({grpc.StatusCode.INVALID_ARGUMENT, grpc.StatusCode.PERMISSION_DENIED})


def _is_final(exc: Exception) -> bool:
    if isinstance(exc, grpc.aio.AioRpcError):
        return exc.code() in _FINAL
    return getattr(exc, "status", None) in (400, 401, 403, 422)


def _told(exc: Exception) -> str:
    if isinstance(exc, grpc.aio.AioRpcError):
        return f"{exc.code().name}: {exc.details()}"
    return str(exc)
