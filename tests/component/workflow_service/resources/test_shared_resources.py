"""Documents that one process has fetched, in another one."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
from aiohttp import web

from tests.component.workflow_service.egress.conftest import Server, serving
from tests.component.workflow_service.replicas import Replica, replicas
from tests.support.redis import RedisServer, redis
from tests.support.time import eventually
from workflow_service.domain.execution.credentials import BasicCredentials, Resource

__all__ = ["redis"]


class Library(Server):
    """A server of one document."""

    text = "first"
    told = "max-age=3600"

    @property
    def resource(self) -> Resource:
        return Resource(self.url("/doc"))

    @property
    def conditions(self) -> list[str | None]:
        return [request.headers.get("If-None-Match") for request in self.requests]

    async def show(self, request: web.Request) -> web.Response:
        headers = {"ETag": f'"{self.text}"', "Cache-Control": self.told}
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
        return web.Response(text=self.text, headers=headers)


@pytest.fixture
async def library() -> AsyncIterator[Library]:
    library = Library()
    library.answer = library.show
    runner = await serving(library, "127.0.0.1")
    yield library
    await runner.cleanup()


@pytest.fixture
async def two(redis: RedisServer) -> AsyncIterator[list[Replica]]:
    async with replicas(redis.url, 2) as two:
        yield two


async def read(replica: Replica, resource: Resource, tenant: str = "t") -> bytes:
    return (await replica.resources.fetch(resource, tenant=tenant)).content


async def test_what_one_process_has_fetched_another_does_not_fetch(
    two: list[Replica], library: Library
) -> None:
    one, other = two
    assert await read(one, library.resource) == b"first"

    found = await other.resources.fetch(library.resource, tenant="t")

    assert found == await one.resources.fetch(library.resource, tenant="t")
    assert len(library.requests) == 1


async def test_nothing_is_shared_between_tenants_or_credentials(
    two: list[Replica], library: Library
) -> None:
    one, other = two
    ada = Resource(library.resource.uri, BasicCredentials("ada", "1"))
    await read(one, library.resource, "a")

    await read(other, library.resource, "b")
    await read(other, ada, "a")

    assert len(library.requests) == 3


async def test_who_asks_anew_does_so_for_all_processes(
    two: list[Replica], library: Library
) -> None:
    one, other = two
    await read(other, library.resource)
    library.text = "second"
    assert await read(one, library.resource) == b"first"

    await one.resources.ask_anew([library.resource.uri], tenant="t")

    async def seen() -> bool:
        return await read(other, library.resource) == b"second"

    await eventually(seen, within=30)
    assert await read(one, library.resource) == b"second"
    # It was asked whether it had changed, by one of them, once.
    assert library.conditions == [None, '"first"']


async def test_what_its_host_does_not_want_kept_any_more_is_kept_by_nobody(
    two: list[Replica], library: Library
) -> None:
    one, other = two
    await read(other, library.resource)
    library.text, library.told = "secret", "no-store"
    await one.resources.ask_anew([library.resource.uri], tenant="t")
    await read(one, library.resource)

    async def heard() -> bool:
        return await read(other, library.resource) == b"secret"

    await eventually(heard, within=30)
    before = len(library.requests)
    assert await read(other, library.resource) == b"secret"
    assert await read(one, library.resource) == b"secret"

    assert len(library.requests) == before + 2
    assert library.conditions[before:] == [None, None]


async def test_without_redis_each_process_keeps_what_it_has_fetched(
    redis: RedisServer, two: list[Replica], library: Library
) -> None:
    await read(two[0], library.resource)
    redis.kill()

    async def kept() -> bool:
        before = len(library.requests)
        for each in two:
            assert await read(each, library.resource) == b"first"
        return len(library.requests) == before

    await eventually(kept, within=60)
    # All at once still ask once.
    elsewhere, before = Resource(library.url("/other")), len(library.requests)
    await asyncio.gather(*(read(two[0], elsewhere) for _ in range(20)))
    assert len(library.requests) == before + 1


async def test_a_document_that_somebody_put_into_redis_is_not_read(
    redis: RedisServer, two: list[Replica], library: Library
) -> None:
    from redis.asyncio import Redis

    one, other = two
    await read(one, library.resource)
    await read(one, Resource(library.url("/other")))
    async with Redis.from_url(redis.url) as anybody:
        names = [name async for name in anybody.scan_iter("autoworker:cache:v:*")]
        sealed = [await anybody.hget(name, "sealed") for name in names]
        for name, text in zip(names, sealed[1:] + sealed[:1], strict=True):
            assert text is not None
            _ = await anybody.hset(name, "sealed", text)

    assert await read(other, library.resource) == b"first"
    assert len(library.requests) == 3
