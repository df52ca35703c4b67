"""What every store of definitions must do."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, closing
from pathlib import Path
from typing import Any

import pytest

from chassis.errors import Invalid
from chassis.storage.migrations import migrate, revert
from chassis.storage.sqlite import SqliteDatabase
from tests.contract.workflow_service.adapters import mongo_database
from tests.support.time import ManualClock
from workflow_service.adapters.mongo import definitions as mongo_definitions
from workflow_service.adapters.mongo.definitions import MongoDefinitions
from workflow_service.adapters.sqlite import definitions as sqlite_definitions
from workflow_service.adapters.sqlite.definitions import MIGRATIONS, SqliteDefinitions
from workflow_service.application.ports import Definitions, StoredDefinition

Open = Callable[[Path], AbstractAsyncContextManager[Definitions]]


@asynccontextmanager
async def _sqlite(path: Path | None) -> AsyncIterator[Definitions]:
    async with await SqliteDatabase.open(path, migrations=MIGRATIONS) as database:
        yield SqliteDefinitions(database)


@asynccontextmanager
async def _mongo(folder: Path) -> AsyncIterator[Definitions]:
    async with mongo_database(folder) as database:
        yield MongoDefinitions(database)


DEFINITIONS: dict[str, Open] = {
    "sqlite": lambda folder: _sqlite(folder / "workflow.db"),
    "sqlite in memory": lambda _: _sqlite(None),
    "mongodb": _mongo,
}


@pytest.fixture(params=DEFINITIONS)
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Definitions]:
    async with DEFINITIONS[request.param](tmp_path) as definitions:
        yield definitions


def definition(version: str = "1.0.0", **changes: Any) -> StoredDefinition:
    """A definition of Ada's; what is in it does not matter to a store."""
    members: dict[str, Any] = {
        "tenant": "default",
        "namespace": "shop",
        "name": "order",
        "version": version,
        "digest": f"sha256:{version}",
        "document": b'{"a":"\xc3\xa9"}',
        "created_at": ManualClock().now(),
        "created_by": "ada",
        "title": "Orders \u2713",
        "summary": "All of them",
    }
    return StoredDefinition(**members | changes)


async def versions(store: Definitions, **wanted: Any) -> list[str]:
    page = await store.list(
        "default", **{"namespace": None, "name": None, "limit": 50, "cursor": None} | wanted
    )
    return [f"{each.namespace}/{each.name} {each.version}" for each in page.items]


async def test_keeps_a_definition_as_it_was(store: Definitions) -> None:
    new = definition(pinned=b'{"/use":1}')
    assert await store.add(new) == new
    assert await store.get("default", "shop", "order", "1.0.0") == new


async def test_returns_the_one_that_is_there_when_a_version_is_taken(store: Definitions) -> None:
    first = await store.add(definition())
    assert await store.add(definition(digest="sha256:other", created_by="bob")) == first
    assert await store.get("default", "shop", "order", "1.0.0") == first


async def test_of_writers_at_the_same_time_one_wins_and_all_learn_which(store: Definitions) -> None:
    rivals = [definition(created_by=f"user-{n}") for n in range(10)]
    stored = await asyncio.gather(*(store.add(each) for each in rivals))
    assert all(each == stored[0] for each in stored)
    assert stored[0] in rivals


async def test_does_not_find_what_is_not_there(store: Definitions) -> None:
    await store.add(definition())
    assert await store.get("default", "shop", "order", "1.0.1") is None
    assert await store.get("default", "shop", "other", "1.0.0") is None
    assert await store.get("other", "shop", "order", "1.0.0") is None
    assert await store.newest("other", "shop", "order") is None
    assert await store.newest("default", "shop", "orders") is None
    assert await store.by_digest("other", "sha256:1.0.0") is None
    assert await store.by_digest("default", "sha256:2.0.0") is None


@pytest.mark.parametrize(
    ("published", "newest"),
    [
        (["1.0.0", "1.10.0", "1.9.0"], "1.10.0"),
        (["10.0.0", "9.0.0"], "10.0.0"),
        (["1.0.0", "2.0.0-rc.1"], "1.0.0"),
        (["1.0.0-alpha.2", "1.0.0-alpha.10", "1.0.0-alpha"], "1.0.0-alpha.10"),
        (["1.0.0-rc.1", "1.0.0"], "1.0.0"),
    ],
)
async def test_the_newest_is_the_highest_release(
    store: Definitions, published: list[str], newest: str
) -> None:
    for version in published:
        await store.add(definition(version))
    found = await store.newest("default", "shop", "order")
    assert found is not None
    assert found.version == newest


async def test_finds_a_definition_by_its_content(store: Definitions) -> None:
    new = await store.add(definition("1.2.3"))
    assert await store.by_digest("default", "sha256:1.2.3") == new


async def test_lists_by_namespace_and_name_and_newest_versions_first(store: Definitions) -> None:
    for namespace, name, version in (
        ("shop", "order", "1.0.0"), ("shop", "order", "1.10.0"), ("shop", "order", "1.9.0"),
        ("shop", "order", "2.0.0-rc.1"), ("shop", "bill", "1.0.0"), ("farm", "milk", "0.1.0"),
    ):  # fmt: skip
        await store.add(definition(version, namespace=namespace, name=name))
    await store.add(definition(tenant="other", name="hidden"))
    assert await versions(store) == [
        "farm/milk 0.1.0", "shop/bill 1.0.0", "shop/order 1.10.0", "shop/order 1.9.0",
        "shop/order 1.0.0", "shop/order 2.0.0-rc.1",
    ]  # fmt: skip
    assert await versions(store, namespace="farm") == ["farm/milk 0.1.0"]
    assert await versions(store, name="bill") == ["shop/bill 1.0.0"]
    assert await versions(store, namespace="farm", name="bill") == []


@pytest.mark.parametrize("limit", [1, 2, 3, 7])
async def test_pages_together_are_the_whole_list_without_repetition(
    store: Definitions, limit: int
) -> None:
    for name in ("a", "b", "c"):
        for version in ("1.0.0", "1.0.0+build", "2.0.0", "2.0.0-rc.1"):
            await store.add(definition(version, name=name))
    whole = await versions(store)
    assert len(whole) == 12
    found: list[str] = []
    cursor: str | None = None
    while True:
        page = await store.list("default", namespace=None, name=None, limit=limit, cursor=cursor)
        assert len(page.items) <= limit
        found += [f"{each.namespace}/{each.name} {each.version}" for each in page.items]
        cursor = page.next_cursor
        if cursor is None:
            break
    assert found == whole


async def test_a_page_of_large_documents_ends_early(
    store: Definitions, monkeypatch: pytest.MonkeyPatch
) -> None:
    for module in (sqlite_definitions, mongo_definitions):
        monkeypatch.setattr(module, "PAGE_BYTES", 20)
    for version in ("1.0.0", "1.0.1", "1.0.2"):
        await store.add(definition(version, document=b"x" * 15))
    page = await store.list("default", namespace=None, name=None, limit=50, cursor=None)
    assert len(page.items) == 1
    assert page.next_cursor is not None


@pytest.mark.parametrize("cursor", ["", "x", "\u2713", "////", "WzFd", "WyJhIiwiYiIsImMiXQ"])
async def test_a_cursor_that_no_list_returned_is_refused(store: Definitions, cursor: str) -> None:
    with pytest.raises(Invalid) as caught:
        await store.list("default", namespace=None, name=None, limit=1, cursor=cursor)
    assert [detail.field for detail in caught.value.details] == ["cursor"]


async def test_what_is_on_disk_is_there_after_a_restart(tmp_path: Path) -> None:
    async with DEFINITIONS["sqlite"](tmp_path) as store:
        new = await store.add(definition())
    async with DEFINITIONS["sqlite"](tmp_path) as store:
        assert await store.get("default", "shop", "order", "1.0.0") == new


def test_the_tables_can_be_taken_back() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, MIGRATIONS)
        revert(connection, MIGRATIONS, to_version=0)
        names = {name for (name,) in connection.execute("SELECT name FROM sqlite_master")}
    assert not any(name.startswith("definitions") for name in names)


def test_migrations_have_the_numbers_of_definitions() -> None:
    assert all(100 <= migration.version < 200 for migration in MIGRATIONS)
