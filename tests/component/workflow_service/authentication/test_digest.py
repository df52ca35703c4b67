"""Digest authentication against a server that checks every part of the answer."""

from __future__ import annotations

import hashlib
import re
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from itertools import count, product
from urllib.parse import unquote

import pytest
from aiohttp import web

from tests.component.workflow_service.authentication.conftest import Out
from workflow_service.adapters.egress import EgressRequest
from workflow_service.domain.execution.credentials import DigestCredentials
from workflow_service.domain.execution.problem import ERRORS

HASHES = {"MD5": hashlib.md5, "SHA-256": hashlib.sha256}


@dataclass
class Guarded:
    """A server that wants digests; its nonces are good until it says otherwise."""

    url: str = ""
    algorithm: str = "SHA-256"
    qop: str | None = "auth"
    userhash: bool = False
    user: str = "Ada"
    password: str = "love:lace"
    nonce: str = "n1"
    stale: bool = False
    seen: list[dict[str, str]] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    _numbers: count[int] = field(default_factory=lambda: count(2))

    def renew(self) -> None:
        """From now on the nonce is another one."""
        self.nonce, self.stale = f"n{next(self._numbers)}", True

    async def handle(self, request: web.Request) -> web.Response:
        body = await request.read()
        sent = _parts(request.headers.get("Authorization", ""))
        self.seen.append(sent)
        if sent and self._right(request, sent, body):
            self.bodies.append(body)
            return web.json_response({"path": request.path_qs})
        if not self.stale:
            self.nonce = f"n{next(self._numbers)}"
        return web.Response(status=401, headers={"WWW-Authenticate": self._challenge()})

    def _challenge(self) -> str:
        parts = ['realm="the \\"inner\\" circle"', f'nonce="{self.nonce}"', 'opaque="op"']
        parts += [f"algorithm={self.algorithm}"] + ([f'qop="{self.qop}"'] if self.qop else [])
        parts += ["stale=true"] if self.stale else []
        parts += ["userhash=true"] if self.userhash else []
        return f"Digest {', '.join(parts)}"

    def _right(self, request: web.Request, sent: dict[str, str], body: bytes) -> bool:
        def digest(text: str | bytes) -> str:
            content = text.encode() if isinstance(text, str) else text
            name = self.algorithm.removesuffix("-sess")
            return HASHES[name](content).hexdigest()

        realm = 'the "inner" circle'
        user = digest(f"{self.user}:{realm}") if self.userhash else self.user
        first = digest(f"{self.user}:{realm}:{self.password}")
        if self.algorithm.endswith("-sess"):
            first = digest(f"{first}:{sent['nonce']}:{sent['cnonce']}")
        second = f"{request.method}:{request.path_qs}"
        second = digest(second + (f":{digest(body)}" if sent.get("qop") == "auth-int" else ""))
        middle = [self.nonce]
        if self.qop:
            middle += [sent["nc"], sent["cnonce"], sent["qop"]]
        return (
            sent["response"] == digest(":".join((first, *middle, second)))
            and sent["username"] == user
            and sent["opaque"] == "op"
            and sent["uri"] == request.path_qs
        )


def _parts(header: str) -> dict[str, str]:
    found = re.findall(r'([a-z]+\*?)=(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))', header)
    parts = {name: re.sub(r"\\(.)", r"\1", quoted) or plain for name, quoted, plain in found}
    if "username*" in parts:
        parts["username"] = unquote(parts["username*"].removeprefix("UTF-8''"))
    return parts


@pytest.fixture
async def guarded() -> AsyncIterator[Guarded]:
    guarded = Guarded()
    application = web.Application()
    application.router.add_route("*", "/{path:.*}", guarded.handle)
    runner = web.AppRunner(application, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    guarded.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    yield guarded
    await runner.cleanup()


ADA = DigestCredentials("Ada", "love:lace")


@pytest.mark.parametrize(
    ("algorithm", "qop"),
    [
        *product(("MD5", "MD5-sess", "SHA-256", "SHA-256-sess"), ("auth", "auth-int")),
        ("SHA-256", "auth-int,auth"),
        ("MD5", None),
    ],
)
async def test_a_challenge_is_answered(
    out: Out, guarded: Guarded, algorithm: str, qop: str | None
) -> None:
    guarded.algorithm, guarded.qop = algorithm, qop
    request = EgressRequest("POST", f"{guarded.url}/a%20b?q=1&q=2", {}, b"body")

    response = await out.egress.send(request, ADA, tenant="t")

    assert response.status == 200
    assert guarded.bodies == [b"body"]
    assert guarded.seen[0] == {}
    assert "love" not in str(guarded.seen)


@pytest.mark.parametrize("userhash", [False, True])
@pytest.mark.parametrize("user", ["Ada", 'the "countess"', "Jäsøn Doe"])
async def test_a_user_is_named_as_the_server_wants(
    out: Out, guarded: Guarded, user: str, userhash: bool
) -> None:
    guarded.user, guarded.userhash = user, userhash

    response = await out.get(guarded.url, DigestCredentials(user, "love:lace"))

    assert response.status == 200
    assert (guarded.seen[1]["username"] == user) is not userhash


async def test_a_nonce_is_used_again_and_counted(out: Out, guarded: Guarded) -> None:
    for _ in range(3):
        await out.get(guarded.url, ADA)

    assert [sent.get("nc") for sent in guarded.seen] == [None, "00000001", "00000002", "00000003"]
    assert len({sent["cnonce"] for sent in guarded.seen[1:]}) == 3


async def test_a_stale_nonce_is_replaced(out: Out, guarded: Guarded) -> None:
    await out.get(guarded.url, ADA)
    guarded.renew()

    response = await out.get(guarded.url, ADA)

    assert response.status == 200
    assert [sent.get("nonce") for sent in guarded.seen[2:]] == ["n2", "n3"]


async def test_wrong_credentials_are_sent_once(out: Out, guarded: Guarded) -> None:
    problem = await out.problem(guarded.url, DigestCredentials("Ada", "wrong"))

    assert (problem.type, problem.status) == (ERRORS + "authentication", 401)
    assert len(guarded.seen) == 2


async def test_a_challenge_that_nobody_understands_is_not_answered(
    out: Out, guarded: Guarded
) -> None:
    guarded.algorithm = "SHA-3"

    problem = await out.problem(guarded.url, ADA)

    assert (problem.type, problem.status) == (ERRORS + "authentication", 401)
    assert guarded.seen == [{}]


async def test_nonces_are_not_shared_between_tenants(out: Out, guarded: Guarded) -> None:
    await out.get(guarded.url, ADA, "a")
    await out.get(guarded.url, ADA, "b")

    assert [bool(sent) for sent in guarded.seen] == [False, True, False, True]
