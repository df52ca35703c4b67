"""Two processes of the service on one Redis: what one of them has fetched, the other uses."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from itertools import count
from pathlib import Path

import pytest
from aiohttp import web

from tests.component.workflow_service.egress.conftest import Server, serving
from tests.component.workflow_service.world import World, world
from tests.support.authority import CLIENT, SECRET, Authority, serving_tokens
from tests.support.redis import RedisServer, redis
from tests.support.time import eventually

__all__ = ["redis"]

HEAD = "document: {{dsl: 1.0.3, namespace: test, name: {name}, version: {version}}}\n"


@pytest.fixture
async def two(redis: RedisServer, tmp_path: Path) -> AsyncIterator[list[World]]:
    """Two processes with a store each, whose operator and whose Redis are the same."""
    async with AsyncExitStack() as stack:
        yield [
            await stack.enter_async_context(
                world(
                    tmp_path / name,
                    for_real=True,
                    AUTOWORKER_CACHE_URL=redis.url,
                    AUTOWORKER_SECRETS_KEY_FILE=str(tmp_path / "secrets.keys"),
                    AUTOWORKER_EGRESS_ALLOW="127.0.0.1",
                )
            )
            for name in ("one", "other")
        ]


@pytest.fixture
async def authority() -> AsyncIterator[Authority]:
    async with serving_tokens() as authority:
        yield authority


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    runner = await serving(server, "127.0.0.1")
    yield server
    await runner.cleanup()


async def publish(where: World, name: str, task: str, version: str = "1.0.0") -> None:
    await where.user().publish(HEAD.format(name=name, version=version) + f"do: [{{only: {task}}}]")


async def run(where: World, name: str) -> str:
    """The output of a workflow, which must have completed."""
    started = await where.user().start(name, wait=30)
    ended = await where.user().get(started.id)
    assert ended.status == "completed", ended
    return ended.output.decode()


async def test_a_token_that_one_was_given_opens_the_service_for_the_other(
    two: list[World], authority: Authority
) -> None:
    policy = json.dumps(
        {
            "authority": authority.url,
            "grant": "client_credentials",
            "client": {"id": CLIENT, "secret": SECRET, "authentication": "client_secret_post"},
        }
    )
    endpoint = f"{{uri: '{authority.url}/service', authentication: {{oauth2: {policy}}}}}"
    attempts = count()

    async def asked_once() -> bool:
        """A busy machine may be late with an answer of Redis: then each asks for itself, which is right as well."""
        name, before = f"opened{next(attempts)}", len(authority.asked)
        authority.good.clear()
        for each in two:
            await publish(
                each, name, f"{{call: http, with: {{method: get, endpoint: {endpoint}}}}}"
            )
            assert "echo" in await run(each, name)
        return len(authority.asked) == before + 1

    await eventually(asked_once, within=60)


async def test_publishing_at_one_has_the_other_ask_whether_a_document_has_changed(
    two: list[World], server: Server
) -> None:
    described = "/first"

    async def answer(request: web.Request) -> web.Response:
        if request.path != "/api.json":
            return web.json_response({"path": request.path})
        operation = {"operationId": "o", "responses": {"200": {"description": "d"}}}
        document = {
            "openapi": "3.0.3",
            "info": {"title": "t", "version": "1"},
            "servers": [{"url": server.url("")}],
            "paths": {described: {"get": operation}},
        }
        return web.json_response(document, headers={"Cache-Control": "max-age=3600"})

    server.answer = answer
    one, other = two
    attempts = count()
    task = ""

    async def fetched_once() -> bool:
        nonlocal task
        address, before = server.url(f"/api.json?{next(attempts)}"), fetches()
        task = f"{{call: openapi, with: {{document: {{endpoint: '{address}'}}, operationId: o}}}}"
        for each in two:
            await publish(each, "described", task, f"1.0.{address.partition('?')[2]}")
        for each in two:
            assert "/first" in await run(each, "described")
        return fetches() == before + 1

    def fetches() -> int:
        return [request.path for request in server.requests].count("/api.json")

    await eventually(fetched_once, within=60)
    described = "/second"

    await publish(one, "described", task, "2.0.0")

    async def seen() -> bool:
        return "/second" in await run(other, "described")

    await eventually(seen, within=60)
