"""Secrets in use, through the real suite: callees get them, and nobody else ever sees them."""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web

from autoworker import Execution
from tests.support.gateway_client import Person
from tests.support.suite import Suite, started

CANARY = "canary-1f7ae2-value"
SPELLINGS = (
    CANARY.encode(),
    base64.b64encode(CANARY.encode())[:-4],
    CANARY.encode().hex().encode(),
)
WORKFLOW = """
document: {{dsl: 1.0.3, namespace: tests, name: {name}, version: 1.0.0}}
use:
  secrets: [shop, token, hook]
do:
{tasks}
"""


@dataclass
class Echo:
    """Answers with all that it was sent, and keeps it."""

    url: str = ""
    seen: list[dict[str, Any]] = field(default_factory=list)

    async def answer(self, request: web.Request) -> web.Response:
        """Tell the caller what he said; with the status that he wants."""
        heard = {
            "path": request.rel_url.raw_path_qs,
            "authorization": request.headers.get("Authorization", ""),
            "key": request.headers.get("X-Key", ""),
            "body": await request.text(),
        }
        self.seen.append(heard)
        return web.json_response(heard, status=int(request.query.get("status", "200")))


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    settings = {
        "AUTOWORKER_EGRESS_ALLOW": "127.0.0.1",
        "AUTOWORKER_ACCESS_LOG": "on",
        "AUTOWORKER_LOG_LEVEL": "debug",
    }
    with started(tmp_path_factory.mktemp("suite"), **settings) as running:
        yield running


@pytest.fixture
async def echo() -> AsyncIterator[Echo]:
    made = Echo()
    app = web.Application()
    app.router.add_route("*", "/{path:.*}", made.answer)
    runner = web.AppRunner(app)
    await runner.setup()
    site = web.TCPSite(runner, "127.0.0.1", 0)
    await site.start()
    host, port = runner.addresses[0][:2]
    made.url = f"http://{host}:{port}"
    yield made
    await runner.cleanup()


async def ran(person: Person, name: str, tasks: str) -> Execution:
    """Publish, run, and come back once it has ended."""
    definition = await person.publish(WORKFLOW.format(name=name, tasks=tasks))
    started = await person.start(definition.reference, {})
    return await person.wait(started.id)


def call(url: str, more: str = "") -> str:
    """One call of the echo."""
    return f"  - ask: {{call: http, with: {{method: post, endpoint: {url}{more}}}}}"


def joined(before: str, secret: str, after: str = "") -> str:
    """An address with a secret in it."""
    return f"""'${{ "{before}" + $secrets.{secret} + "{after}" }}'"""


async def test_the_callee_gets_values_and_the_history_has_stars(ada: Person, echo: Echo) -> None:
    await ada.set_secret("shop", {"username": "ada-lovelace", "password": CANARY})
    await ada.set_secret("token", CANARY)
    endpoint = f"{{uri: '{echo.url}/x', authentication: {{basic: {{use: shop}}}}}}"
    headers = (
        ", headers: {X-Key: '${ \"key \" + $secrets.token }'}, body: {pin: '${ $secrets.token }'}"
    )

    ended = await ran(ada, "all-places", call(endpoint, headers))

    assert ended.status == "completed", ended.error
    pair = base64.b64encode(f"ada-lovelace:{CANARY}".encode()).decode()
    assert echo.seen[0] == {
        "path": "/x",
        "authorization": f"Basic {pair}",
        "key": f"key {CANARY}",
        "body": json.dumps({"pin": CANARY}, separators=(",", ":")),
    }
    assert ended.output == {
        "path": "/x",
        "authorization": "Basic ******",
        "key": "key ***",
        "body": '{"pin":"***"}',
    }


async def test_a_new_value_is_used_by_the_next_call(ada: Person, echo: Echo) -> None:
    endpoint = f"{{uri: '{echo.url}/x', authentication: {{bearer: {{use: token}}}}}}"
    for value in (CANARY, CANARY + "-2"):
        await ada.set_secret("token", value)
        await ran(ada, "rotated", call(endpoint))

    heard = [each["authorization"] for each in echo.seen]
    assert heard == [f"Bearer {CANARY}", f"Bearer {CANARY}-2"]


async def test_an_address_may_be_a_secret(ada: Person, echo: Echo) -> None:
    await ada.set_secret("hook", f"{echo.url}/hooks/{CANARY}?a=b")
    await ada.set_secret("token", "a/b?c&d=e f")

    first = await ran(ada, "whole-address", call("'${ $secrets.hook }'"))
    second = await ran(ada, "in-address", call(joined(f"{echo.url}/t/", "token", "/y")))

    assert (first.status, second.status) == ("completed", "completed")
    assert [each["path"] for each in echo.seen] == [
        f"/hooks/{CANARY}?a=b",
        "/t/a%2Fb%3Fc%26d%3De%20f/y",
    ]


async def test_without_the_secret_the_task_faults_with_403(ada: Person, echo: Echo) -> None:
    ended = await ran(ada, "missing", call(joined(f"{echo.url}/x?k=", "hook")))

    assert ended.status == "faulted"
    assert ended.error is not None
    assert ended.error.type.endswith("/errors/authorization")
    assert (ended.error.status, ended.error.instance) == (403, "/do/0/ask")
    assert echo.seen == []


async def test_a_marker_that_somebody_sends_in_is_never_replaced(ada: Person, echo: Echo) -> None:
    await ada.set_secret("token", CANARY)
    marker = "~aw-secret.WyJ0b2tlbiIsW11d.AAAAAAAAAAAAAAAAAAAAAA~"
    body = f", body: {{a: '{marker}', b: '${{ $secrets.token }}'}}"

    await ran(ada, "forged", call(f"'{echo.url}/x'", body))

    assert json.loads(echo.seen[0]["body"]) == {"a": marker, "b": CANARY}


async def test_nothing_that_anybody_can_read_has_the_value(
    suite: Suite, ada: Person, echo: Echo
) -> None:
    """Last of the module: it looks at all that the tests before it left, too."""
    await ada.set_secret("shop", {"username": "ada-lovelace", "password": CANARY})
    for name in ("token", "hook"):
        await ada.set_secret(name, CANARY)
    tasks = f"""
  - keep: {{set: {{a: '${{ $secrets.token }}', all: '${{ $secrets }}'}}, export: {{as: '${{ . }}'}}}}
  - tell: {{emit: {{event: {{with: {{source: 'https://a.test', type: com.test.told, data: {{a: '${{ .a }}'}}}}}}}}}}
  - fails:
      try:
        - ask: {{call: http, with: {{method: get, endpoint: '${{ "{echo.url}/x?status=500&k=" + $context.a }}'}}}}
      catch: {{errors: {{with: {{status: 500}}}}, as: err, do: [{{note: {{set: '${{ {{e: $err, c: $context}} }}'}}}}]}}
  - nobody: {{try: [{{ask: {{call: http, with: {{method: get, endpoint: '${{ "http://127.0.0.1:1/" + $context.a }}'}}}}}}],
             catch: {{retry: {{limit: {{attempt: {{count: 1}}}}, delay: {{milliseconds: 10}}}}}}}}
  - boom: {{raise: {{error: {{type: 'https://a.test/e', status: 500, title: '${{ $context.a }}', detail: '${{ "it was " + $context.a }}'}}}}}}
"""
    ended = await ran(ada, "canary", tasks)
    answers = await _everything_shown(suite, ada, ended.id)
    await asyncio.sleep(0)

    assert ended.status == "faulted"
    assert any(CANARY in str(each) for each in echo.seen)
    assert b"***" in answers
    shown = {
        "answers": answers,
        "stdout": suite.out.read_bytes(),
        "stderr": suite.err.read_bytes(),
    } | _files(suite.data)
    for place, content in shown.items():
        for spelling in SPELLINGS:
            assert spelling not in content, place


def _files(folder: Path) -> dict[str, bytes]:
    return {str(path): path.read_bytes() for path in folder.rglob("*") if path.is_file()}


async def _everything_shown(suite: Suite, ada: Person, execution: str) -> bytes:
    """All answers that could tell of it."""
    token = (await ada.login(ada.email, "Teapots-and-7-cups")).access_token
    headers = {"Authorization": f"Bearer {token}"}
    paths = [
        f"/v1/executions/{execution}",
        f"/v1/executions/{execution}/history?limit=200",
        f"/v1/executions/{execution}/explain",
        f"/v1/executions/{execution}/events",
        "/v1/executions?limit=200",
        "/v1/notifications",
        "/v1/secrets",
        "/v1/secrets/token",
    ]
    found = b""
    async with aiohttp.ClientSession(suite.url, headers=headers) as http:
        for path in paths:
            async with http.get(path) as answer:
                assert answer.status == 200, path
                found += await answer.read()
    return found
