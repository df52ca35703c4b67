"""External resources, from a real server and from a real folder."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from aiohttp import web

from chassis.caching.opening import caches_of_one
from tests.component.workflow_service.egress.conftest import Server, names, serving
from tests.support.time import ManualClock
from workflow_service.adapters.authentication import AuthenticatedEgress
from workflow_service.adapters.egress import EgressClient, EgressLimits
from workflow_service.adapters.resources import ExternalResources, ResourceLimits
from workflow_service.application.resource_ports import ResourceFailed
from workflow_service.domain.execution.credentials import BasicCredentials, Resource
from workflow_service.domain.execution.problem import ERRORS, Problem


@dataclass
class Library:
    """Resources, and a clock that stands still."""

    client: EgressClient
    clock: ManualClock = field(default_factory=ManualClock)

    def __post_init__(self) -> None:
        self._began = self.clock.monotonic()

    @property
    def now(self) -> float:
        """Seconds since the beginning."""
        return self.clock.monotonic() - self._began

    @now.setter
    def now(self, seconds: float) -> None:
        self.clock.advance(seconds - self.now)

    def resources(self, limits: ResourceLimits | None = None) -> ExternalResources:
        return ExternalResources(
            AuthenticatedEgress(self.client), limits, caches_of_one(self.clock)
        )


@pytest.fixture
async def server() -> AsyncIterator[Server]:
    server = Server()
    runner = await serving(server, "127.0.0.1")
    yield server
    await runner.cleanup()


@pytest.fixture
async def library() -> AsyncIterator[Library]:
    limits = EgressLimits(total_timeout=20.0, max_response_bytes=100)
    async with EgressClient(allow=["127.0.0.1"], lookup=names(), limits=limits) as client:
        yield Library(client)


async def problem(resources: ExternalResources, uri: str) -> Problem:
    with pytest.raises(ResourceFailed) as failed:
        await resources.fetch(Resource(uri), tenant="t")
    return failed.value.problem


async def test_a_document_comes_with_what_it_is_and_where_it_was(
    library: Library, server: Server
) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/old":
            raise web.HTTPFound("/new/doc.yaml")
        return web.Response(text="a: 1" * 50, content_type="application/YAML")

    server.answer = answer

    found = await library.resources().fetch(Resource(server.url("/old")), tenant="t")

    # Larger than a response of a call may be: documents have a bound of their own.
    assert found.content == b"a: 1" * 50
    assert found.media_type == "application/yaml"
    assert found.uri == server.url("/new/doc.yaml")
    assert found.digest.startswith("sha256:")


async def test_a_fresh_document_is_not_fetched_again_and_a_stale_one_is_asked_about(
    library: Library, server: Server
) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.headers.get("If-None-Match") == '"1"':
            return web.Response(status=304, headers={"ETag": '"1"'})
        return web.Response(text="doc", headers={"ETag": '"1"', "Cache-Control": "max-age=10"})

    server.answer = answer
    resources = library.resources()

    for library.now in (0.0, 9.0, 11.0, 70.0, 72.0):
        found = await resources.fetch(Resource(server.url("/doc")), tenant="t")
        assert found.content == b"doc"

    # At 11 s it has become stale; the answer 304 says nothing new, so that the default of 60 s holds until 71 s.
    conditions = [request.headers.get("If-None-Match") for request in server.requests]
    assert conditions == [None, '"1"', '"1"']


async def test_a_document_outlives_a_failure_of_its_host_for_a_while(
    library: Library, server: Server
) -> None:
    working, told = True, "max-age=10"

    async def answer(request: web.Request) -> web.Response:
        if not working:
            return web.Response(status=503)
        return web.Response(text="doc", headers={"Cache-Control": told})

    server.answer = answer
    resources, resource = library.resources(), Resource(server.url("/doc"))
    await resources.fetch(resource, tenant="t")
    working = False

    library.now = 3_600.0
    assert (await resources.fetch(resource, tenant="t")).content == b"doc"
    library.now = 3_611.0
    assert (await problem(resources, resource.uri)).status == 503

    working, told = True, "max-age=10, must-revalidate"
    await resources.fetch(resource, tenant="t")
    working, library.now = False, 3_622.0
    assert (await problem(resources, resource.uri)).status == 503


async def test_many_who_want_it_at_once_fetch_it_once(library: Library, server: Server) -> None:
    resources, resource = library.resources(), Resource(server.url("/doc"))

    found = await asyncio.gather(*(resources.fetch(resource, tenant="t") for _ in range(20)))

    assert len(server.requests) == 1
    assert len({each.digest for each in found}) == 1


async def test_nothing_is_shared_between_tenants_or_credentials(
    library: Library, server: Server
) -> None:
    resources = library.resources()
    ada, bob = BasicCredentials("ada", "1"), BasicCredentials("bob", "2")

    for tenant, credentials in (("a", None), ("b", None), ("a", ada), ("a", bob), ("a", ada)):
        await resources.fetch(Resource(server.url("/doc"), credentials), tenant=tenant)

    sent = [request.headers.get("Authorization") for request in server.requests]
    assert sent == [None, None, "Basic YWRhOjE=", "Basic Ym9iOjI="]


async def test_what_cannot_be_had_is_a_problem_of_the_dsl(library: Library, server: Server) -> None:
    async def answer(request: web.Request) -> web.Response:
        if request.path == "/large":
            return web.Response(body=b"x" * 2000)
        return web.Response(status=404)

    server.answer = answer
    resources = library.resources(ResourceLimits(bytes=1024))

    missing = await problem(resources, server.url("/nowhere"))
    large = await problem(resources, server.url("/large"))
    inside = await problem(resources, "http://169.254.169.254/latest/meta-data/")
    other = await problem(resources, "ftp://127.0.0.1/doc")

    assert (missing.type, missing.status) == (ERRORS + "communication", 404)
    assert (large.type, large.status) == (ERRORS + "communication", 500)
    assert "AUTOWORKER_LIMIT_RESOURCE_BYTES" in (large.detail or "")
    assert (inside.type, inside.status) == (ERRORS + "authorization", 403)
    assert other == inside


async def test_a_redirect_leads_nowhere_that_a_document_could_not_be(
    library: Library, server: Server
) -> None:
    async def answer(request: web.Request) -> web.Response:
        raise web.HTTPFound("http://10.0.0.1/secret")

    server.answer = answer

    refused = await problem(library.resources(), server.url("/doc"))

    assert (refused.type, refused.status) == (ERRORS + "authorization", 403)
    assert "10.0.0.1" not in str(refused)


async def test_files_are_read_from_the_folder_of_the_operator_only(
    library: Library, tmp_path: Path
) -> None:
    folder = tmp_path / "documents"
    folder.mkdir()
    (folder / "api v1.json").write_text("{}")
    (tmp_path / "secret.txt").write_text("secret")
    (folder / "link.txt").symlink_to(tmp_path / "secret.txt")
    resources = library.resources(ResourceLimits(folder=folder))

    found = await resources.fetch(Resource(f"file://{folder}/api%20v1.json"), tenant="t")
    assert (found.content, found.media_type) == (b"{}", "application/json")

    outside = [
        f"file://{tmp_path}/secret.txt", f"file://{folder}/../secret.txt", f"FILE:{folder}/link.txt",
        f"file://{folder}/%2e%2e/secret.txt", f"file://{folder}", f"file://{folder}/nothing",
        f"file://elsewhere{folder}/api%20v1.json", "file:relative", f"file://{folder}/%00",
    ]  # fmt: skip
    told = {await problem(resources, uri) for uri in outside}
    assert {(each.type, each.status) for each in told} == {(ERRORS + "authorization", 403)}
    assert len(told) == 1
    # Without a folder nothing is read at all.
    assert told == {await problem(library.resources(), f"file://{folder}/api%20v1.json")}
