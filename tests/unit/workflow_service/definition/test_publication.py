"""Publishing checks a document and keeps it for ever under its version."""

from __future__ import annotations

import asyncio
from datetime import datetime

import pytest

from chassis.errors import Conflict, NotFound, PayloadTooLarge, UnsupportedMediaType
from tests.support.time import ManualClock
from tests.unit.workflow_service.definition.support import EXPRESSIONS, HEAD
from workflow_service.application.commands.publish_definition import (
    PublishDefinition,
    PublishDefinitionHandler,
    PublishedDefinition,
)
from workflow_service.application.compiled_definitions import CompiledDefinitions
from workflow_service.application.ports import Definitions, Page, StoredDefinition
from workflow_service.application.queries.get_definition import (
    DefinitionNotFound,
    GetDefinition,
    GetDefinitionHandler,
)
from workflow_service.application.queries.list_definitions import (
    ListDefinitions,
    ListDefinitionsHandler,
)
from workflow_service.domain.definition.documents import DocumentUnreadable
from workflow_service.domain.definition.limits import DefinitionLimits
from workflow_service.domain.definition.problems import DefinitionInvalid
from workflow_service.domain.semver import precedence


class KeptDefinitions(Definitions):
    """Definitions in a dictionary."""

    def __init__(self) -> None:
        self.kept: dict[tuple[str, str, str, str], StoredDefinition] = {}

    async def add(self, definition: StoredDefinition) -> StoredDefinition:
        key = (definition.tenant, definition.namespace, definition.name, definition.version)
        return self.kept.setdefault(key, definition)

    async def get(
        self, tenant: str, namespace: str, name: str, version: str
    ) -> StoredDefinition | None:
        return self.kept.get((tenant, namespace, name, version))

    async def newest(self, tenant: str, namespace: str, name: str) -> StoredDefinition | None:
        versions = [d for key, d in self.kept.items() if key[:3] == (tenant, namespace, name)]
        return max(versions, key=lambda each: precedence(each.version), default=None)

    async def by_digest(self, tenant: str, digest: str) -> StoredDefinition | None:
        return next((each for each in self.kept.values() if each.digest == digest), None)

    async def list(
        self,
        tenant: str,
        *,
        namespace: str | None,
        name: str | None,
        limit: int,
        cursor: str | None,
    ) -> Page[StoredDefinition]:
        return Page(tuple(self.kept.values())[:limit])


class Publisher:
    """Publishes documents the way the service does."""

    def __init__(self, limits: DefinitionLimits | None = None) -> None:
        self.definitions = KeptDefinitions()
        self.clock = ManualClock()
        self.compiled = CompiledDefinitions(EXPRESSIONS)
        self.handler = PublishDefinitionHandler(
            self.definitions,
            self.compiled,
            EXPRESSIONS,
            self.clock,
            limits or DefinitionLimits(),
        )

    async def publish(
        self, content: str, media_type: str = "application/yaml", tenant: str = "default"
    ) -> PublishedDefinition:
        return await self.handler(PublishDefinition(tenant, "ada", content.encode(), media_type))


ONE_TASK = HEAD + "do: [{a: {set: {x: 1}}}]"
SAME_AS_JSON = (
    '{"do": [{"a": {"set": {"x": 1}}}], "document": {"version": "1.0.0", "name": "order",'
    ' "namespace": "shop", "dsl": "1.0.3"}}'
)


async def test_a_new_version_is_created() -> None:
    publisher = Publisher()
    published = await publisher.publish(ONE_TASK)
    assert published.created
    stored = published.definition
    assert (stored.tenant, stored.namespace, stored.name, stored.version) == (
        "default", "shop", "order", "1.0.0",
    )  # fmt: skip
    assert (stored.created_by, stored.created_at) == ("ada", publisher.clock.now())
    assert stored.digest.startswith("sha256:")
    assert stored.document.startswith(b'{"do":[{"a":')


async def test_publishing_the_same_again_changes_nothing_in_whatever_order_or_language() -> None:
    publisher = Publisher()
    first = await publisher.publish(ONE_TASK)
    publisher.clock.advance(60)
    again = await publisher.publish(SAME_AS_JSON, "application/json")
    assert not again.created
    assert again.definition == first.definition


async def test_publishing_the_same_within_the_same_moment_changes_nothing_either() -> None:
    publisher = Publisher()
    await publisher.publish(ONE_TASK)
    assert not (await publisher.publish(ONE_TASK)).created


async def test_a_version_that_is_taken_is_a_conflict_that_says_what_to_do() -> None:
    publisher = Publisher()
    await publisher.publish(ONE_TASK)
    with pytest.raises(Conflict, match=r"shop/order 1\.0\.0 .* give .* a new document\.version"):
        await publisher.publish(ONE_TASK + " # no\ntimeout: {after: PT1H}")


async def test_tenants_do_not_take_versions_from_each_other() -> None:
    publisher = Publisher()
    await publisher.publish(ONE_TASK)
    other = await publisher.publish(HEAD + "do: []", tenant="other")
    assert other.created


async def test_what_is_wrong_is_not_kept() -> None:
    publisher = Publisher(DefinitionLimits(bytes=5000))
    for content, media_type, error in (
        (HEAD + "do: [{a: {wait: soon}}]", "application/yaml", DefinitionInvalid),
        ("do: [", "application/yaml", DocumentUnreadable),
        (ONE_TASK, "application/json", DocumentUnreadable),
        (ONE_TASK, "text/plain", UnsupportedMediaType),
        (ONE_TASK + " " * 5000, "application/yaml", PayloadTooLarge),
    ):
        with pytest.raises(error):
            await publisher.publish(content, media_type)
    assert publisher.definitions.kept == {}


async def test_what_was_published_is_compiled_already() -> None:
    publisher = Publisher()
    stored = (await publisher.publish(ONE_TASK)).definition
    kept = publisher.compiled.peek(stored.digest)
    assert kept is not None
    assert await publisher.compiled.get(stored) is kept


async def test_a_stored_definition_is_compiled_once_for_all_who_ask() -> None:
    stored = (await Publisher().publish(ONE_TASK)).definition
    compiled = CompiledDefinitions(EXPRESSIONS)
    found = await asyncio.gather(*(compiled.get(stored) for _ in range(5)))
    assert all(each is found[0] for each in found)
    assert found[0].digest == stored.digest


async def test_only_so_many_definitions_are_kept_and_those_are_the_last_used() -> None:
    publisher = Publisher()
    stored = [
        (await publisher.publish(ONE_TASK.replace("'1.0.0'", f"'1.0.{n}'"))).definition
        for n in range(3)
    ]
    for compiled in (
        CompiledDefinitions(EXPRESSIONS, entries=2),
        CompiledDefinitions(EXPRESSIONS, size=2 * len(stored[0].document)),
    ):
        for definition in (stored[0], stored[1], stored[0], stored[2]):
            await compiled.get(definition)
        kept = [compiled.peek(each.digest) is not None for each in stored]
        assert kept == [True, False, True]


async def test_a_definition_larger_than_the_cache_is_compiled_but_not_kept() -> None:
    stored = (await Publisher().publish(ONE_TASK)).definition
    compiled = CompiledDefinitions(EXPRESSIONS, size=10)
    assert (await compiled.get(stored)).name == "order"
    assert compiled.peek(stored.digest) is None


async def test_one_version_or_the_newest_is_found() -> None:
    publisher = Publisher()
    for version in ("1.0.0", "1.10.0", "1.9.0", "2.0.0-rc.1"):
        await publisher.publish(ONE_TASK.replace("1.0.0", version))
    get = GetDefinitionHandler(publisher.definitions)
    assert (await get(GetDefinition("default", "shop", "order"))).version == "1.10.0"
    assert (await get(GetDefinition("default", "shop", "order", "1.9.0"))).version == "1.9.0"


@pytest.mark.parametrize(
    ("query", "message"),
    [
        (GetDefinition("default", "shop", "gone"), "there is no workflow shop/gone$"),
        (GetDefinition("default", "shop", "order", "9.9.9"), r"shop/order in version 9\.9\.9"),
        (GetDefinition("other", "shop", "order"), "there is no workflow shop/order"),
    ],
)
async def test_what_is_not_there_is_named(query: GetDefinition, message: str) -> None:
    publisher = Publisher()
    await publisher.publish(ONE_TASK)
    with pytest.raises(DefinitionNotFound, match=message) as caught:
        await GetDefinitionHandler(publisher.definitions)(query)
    assert isinstance(caught.value, NotFound)


async def test_what_is_published_is_listed() -> None:
    publisher = Publisher()
    await publisher.publish(ONE_TASK)
    page = await ListDefinitionsHandler(publisher.definitions)(ListDefinitions("default"))
    assert [(each.name, each.created_at) for each in page.items] == [
        ("order", datetime.fromisoformat("2026-01-15T10:30:00+00:00"))
    ]
