"""Methods that stream both ways: nobody is served before it is known who calls."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import grpc
import pytest

from chassis.errors import CannotStart, Conflict
from chassis.health import Health
from chassis.rpc.context import Principal, current_call
from chassis.rpc.credentials import ServiceIdentity, TokenVerifier
from chassis.rpc.guards import Guard, ServiceOnly
from chassis.rpc.jws import TokenRefused
from chassis.rpc.server import RpcServer
from chassis.rpc.surroundings import Verifier
from tests.support.time import eventually

NAME = "test.v1.Talk"
TALK = f"/{NAME}/Talk"


@dataclass
class Talk:
    """Says everything again, with the name of who said it."""

    begun: int = 0
    ended: asyncio.Event = field(default_factory=asyncio.Event)

    async def talk(
        self, requests: AsyncIterator[bytes], _context: object
    ) -> AsyncGenerator[bytes, None]:
        """Both ways."""
        self.begun += 1
        try:
            async for request in requests:
                if request == b"conflict":
                    raise Conflict("not like this")
                if request == b"break":
                    raise RuntimeError("a secret")
                yield current_call().principal.id.encode() + b": " + request
        finally:
            self.ended.set()


class OnlyTickets:
    """Takes tokens of another kind."""

    async def verify(self, token: str) -> Principal:
        """Whom a ticket stands for."""
        if token != "ticket":
            raise TokenRefused("no ticket")
        return Principal(id="traveller", tenant="", kind="service")


@asynccontextmanager
async def serving(
    keys: Path,
    talk: Talk,
    guard: Guard | None = None,
    verifiers: dict[str, Verifier] | None = None,
    *,
    handler: Any = None,
) -> AsyncIterator[RpcServer]:
    """A server of the one method."""

    def adder(servicer: Talk, server: Any) -> None:
        made = handler or grpc.stream_stream_rpc_method_handler(servicer.talk)
        server.add_registered_method_handlers(NAME, {"Talk": made})

    server = RpcServer(
        service="talk",
        host="127.0.0.1",
        port=0,
        verifier=TokenVerifier("svc:talk", keys),
        guards={TALK: guard or ServiceOnly()},
        health=Health(),
        verifiers=verifiers,
        drain=2.0,
    )
    server.add(adder, talk)
    async with server:
        yield server


@asynccontextmanager
async def talking(server: RpcServer, token: str | None) -> AsyncIterator[Any]:
    """An open stream."""
    metadata = () if token is None else (("authorization", f"Bearer {token}"),)
    async with grpc.aio.insecure_channel(server.address) as channel:
        call: Any = channel.stream_stream(TALK)(metadata=metadata)
        yield call
        call.cancel()


@pytest.fixture
def token(tmp_path: Path) -> str:
    return ServiceIdentity.load_or_create(tmp_path, "caller").token("svc:talk")


async def test_each_request_gets_its_answer_while_the_stream_stays_open(
    tmp_path: Path, token: str
) -> None:
    async with serving(tmp_path, Talk()) as server, talking(server, token) as call:
        for word in (b"one", b"two"):
            await call.write(word)
            assert await call.read() == b"caller: " + word
        await call.done_writing()
        assert await call.read() is grpc.aio.EOF
        assert await call.code() is grpc.StatusCode.OK


@pytest.mark.parametrize("bad", [None, "x.y.z", "ticket"])
async def test_the_method_is_not_begun_for_whom_the_server_does_not_know(
    tmp_path: Path, bad: str | None
) -> None:
    talk = Talk()
    async with serving(tmp_path, talk) as server, talking(server, bad) as call:
        assert await call.code() is grpc.StatusCode.UNAUTHENTICATED
    assert talk.begun == 0


async def test_the_guard_keeps_others_out(tmp_path: Path, token: str) -> None:
    talk, other = Talk(), ServiceOnly(frozenset({"somebody"}))
    async with serving(tmp_path, talk, other) as server, talking(server, token) as call:
        assert await call.code() is grpc.StatusCode.PERMISSION_DENIED
    assert talk.begun == 0


async def test_a_service_with_a_verifier_of_its_own_takes_its_tokens_and_no_others(
    tmp_path: Path, token: str
) -> None:
    own: dict[str, Verifier] = {NAME: OnlyTickets()}
    async with serving(tmp_path, Talk(), None, own) as server:
        async with talking(server, "ticket") as call:
            await call.write(b"hello")
            assert await call.read() == b"traveller: hello"
        async with talking(server, token) as call:
            assert await call.code() is grpc.StatusCode.UNAUTHENTICATED


async def test_failures_in_the_middle_are_told_by_their_kind_and_nothing_else(
    tmp_path: Path, token: str
) -> None:
    async with serving(tmp_path, Talk()) as server:
        async with talking(server, token) as call:
            await call.write(b"conflict")
            assert await call.code() is grpc.StatusCode.FAILED_PRECONDITION
            assert await call.details() == "not like this"
        async with talking(server, token) as call:
            await call.write(b"break")
            assert await call.code() is grpc.StatusCode.INTERNAL
            assert "secret" not in await call.details()


async def test_a_caller_that_breaks_off_ends_the_method(tmp_path: Path, token: str) -> None:
    talk = Talk()
    async with serving(tmp_path, talk) as server:
        async with talking(server, token) as call:
            await call.write(b"hello")
            await call.read()
        await eventually(talk.ended.is_set)


async def test_stopping_cuts_the_stream_off(tmp_path: Path, token: str) -> None:
    talk = Talk()
    async with serving(tmp_path, talk) as server, talking(server, token) as call:
        await call.write(b"hello")
        await call.read()
        async with asyncio.timeout(20):
            await server.__aexit__(None, None, None)
            assert await call.code() is grpc.StatusCode.UNAVAILABLE
    assert talk.ended.is_set()


async def test_methods_that_stream_requests_only_are_still_refused(tmp_path: Path) -> None:
    handler: Any = grpc.stream_unary_rpc_method_handler(Talk().talk)
    with pytest.raises((ValueError, CannotStart), match="streams requests only"):
        async with serving(tmp_path, Talk(), handler=handler):
            pass
