"""Attack 25: a stolen copy of the stores, and what is said in passing. (Rows that were changed: `tests/contract`.)"""

import asyncio
import contextlib
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from pyotp import TOTP

from autoworker import AutoworkerError, Client
from tests.support.suite import Suite, started

EMAIL = "canary.person@example.com"
PASSWORD = "Canary-Password-7319"
WRONG = "Canary-Wrong-Guess-2284"
SECRET = "canary-secret-value-5b1d"
WORKFLOW = """
document: {{dsl: 1.0.3, namespace: rest, name: canary, version: 0.1.0}}
use: {{secrets: [shop]}}
do:
  - knock:
      call: http
      with: {{method: post, endpoint: "http://127.0.0.1:{port}/shop", body: {{token: "${{ $secrets.shop }}"}}}}
"""


@dataclass(slots=True)
class Collector:
    """Takes everything that is sent to it, and answers it with what it got."""

    port: int = 0
    bodies: list[bytes] = field(default_factory=list)

    async def visit(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(asyncio.IncompleteReadError, ConnectionError), closing(writer):
            while True:
                head = await reader.readuntil(b"\r\n\r\n")
                size = next(
                    int(line.split(b":")[1])
                    for line in head.lower().split(b"\r\n")
                    if line.startswith(b"content-length:")
                )
                body = await reader.readexactly(size)
                self.bodies.append(head + body)
                echo = json.dumps({"you sent": body.decode("latin-1")}).encode()
                writer.write(
                    b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\n"
                    b"Content-Length: %d\r\n\r\n%b" % (len(echo), echo)
                )
                await writer.drain()


@asynccontextmanager
async def collecting() -> AsyncIterator[Collector]:
    collector = Collector()
    async with await asyncio.start_server(collector.visit, "127.0.0.1", 0) as server:
        collector.port = server.sockets[0].getsockname()[1]
        yield collector


def running(folder: Path, **settings: str) -> contextlib.AbstractContextManager[Suite]:
    return started(folder, AUTOWORKER_LOG_LEVEL="DEBUG", AUTOWORKER_ACCESS_LOG="on", **settings)


async def journey(suite: Suite, port: int) -> tuple[dict[str, str], list[str]]:
    """Everything that has a secret in it; the secrets, and all that was said about it."""
    said = list[str]()
    async with Client(suite.url, email=EMAIL, password=PASSWORD) as ada:
        await ada.register(EMAIL, PASSWORD, "Canary")
        tokens = await ada.login(EMAIL, PASSWORD)
        fresh = await ada.refresh(tokens.refresh_token)
        for email in (EMAIL, WRONG, f"{WRONG}@example.com"):
            with pytest.raises(AutoworkerError) as refused:
                await ada.login(email, WRONG)
            said.append(str(refused.value))
        key = await ada.create_api_key("canary", ["executions:read"])
        totp = await ada.enrol_totp()
        recovery = (await ada.confirm_factor("totp", TOTP(totp.secret).now())).recovery_codes
        await ada.set_secret("shop", SECRET)
        await ada.publish(WORKFLOW.format(port=port))
        execution = await ada.start("rest/canary", wait=20)
        assert execution.status == "completed"
        said += [str(execution), *[str(event) async for event in ada.events(execution.id)]]
    known = suite.administrator
    async with Client(suite.url, email=known.email, password=known.password) as admin:
        client = await admin.create_oauth_client(
            "canary", grant_types=["client_credentials"], scope="executions:read"
        )
    assert client.client_secret
    return {
        "seed": totp.secret,
        **{f"recovery code {number}": code for number, code in enumerate(recovery)},
        "client secret": client.client_secret,
        "password": PASSWORD,
        "wrong password": WRONG,
        "secret": SECRET,
        "API key": key.key,
        "access token": fresh.access_token.rpartition(".")[2],
        "first access token": tokens.access_token.rpartition(".")[2],
        "refresh token": fresh.refresh_token,
        "spent refresh token": tokens.refresh_token,
        "private key": "-----BEGIN",
    }, said


def files_of(data: Path) -> Iterator[Path]:
    """The stores with their logs, and all else but the operator's keys and the file that says so."""
    for path in sorted(data.rglob("*")):
        if path.is_file() and path.parent.name != "keys" and path.name != "admin.json":
            yield path


async def test_no_copy_and_nothing_that_is_said_has_a_secret(tmp_path: Path) -> None:
    async with collecting() as shop, collecting() as traces:
        with running(
            tmp_path,
            AUTOWORKER_EGRESS_ALLOW=f"127.0.0.1:{shop.port}",
            OTEL_EXPORTER_OTLP_ENDPOINT=f"http://127.0.0.1:{traces.port}",
        ) as suite:
            secrets, said = await journey(suite, shop.port)
            assert any(SECRET.encode() in body for body in shop.bodies), "the control"
            # As a thief finds it: with the logs of what has not been folded in yet.
            places = {str(path): path.read_bytes() for path in files_of(suite.data)}
            assert {Path(name).name for name in places} >= {"auth.db", "auth.db-wal", "workflow.db"}
            suite.stop()
        places |= {f"{path}, stopped": path.read_bytes() for path in files_of(suite.data)}
    places["log"] = (suite.logged + suite.said).encode()
    places["answers"] = "".join(said).encode()
    places["traces"] = b"".join(traces.bodies)

    assert b"logged_in" in places["log"], "it says what happened"
    found = [
        (what, place)
        for what, secret in secrets.items()
        for place, content in places.items()
        if secret.encode() in content
    ]
    assert found == []
    assert EMAIL.encode() not in places["log"] + places["traces"]
