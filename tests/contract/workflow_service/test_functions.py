"""What every store of declared functions promises."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from chassis.storage.sqlite import SqliteDatabase
from tests.contract.workflow_service.adapters import mongo_database
from tests.support.workflow_run import NOON
from workflow_service.adapters.mongo.functions import MongoFunctions
from workflow_service.adapters.sqlite.functions import MIGRATIONS, SqliteFunctions
from workflow_service.application.ports import FunctionRecord, Functions

Open = Callable[[Path], AbstractAsyncContextManager[Functions]]
RESIZE = FunctionRecord(
    tenant="t",
    owner="",
    name="resize",
    version="1.0.0",
    input_schema=b'{"type":"object"}',
    last_seen_at=NOON,
)


@asynccontextmanager
async def _sqlite(path: Path | None) -> AsyncIterator[Functions]:
    async with await SqliteDatabase.open(path, migrations=MIGRATIONS) as database:
        yield SqliteFunctions(database)


@asynccontextmanager
async def _mongo(folder: Path) -> AsyncIterator[Functions]:
    async with mongo_database(folder) as database:
        yield MongoFunctions(database)


STORES: dict[str, Open] = {
    "sqlite": lambda folder: _sqlite(folder / "workflow.db"),
    "sqlite in memory": lambda _: _sqlite(None),
    "mongodb": _mongo,
}


@pytest.fixture(params=list(STORES.values()), ids=list(STORES))
async def functions(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Functions]:
    opened: Open = request.param
    async with opened(tmp_path) as store:
        yield store


async def test_what_was_declared_is_listed_as_it_was(functions: Functions) -> None:
    assert await functions.declare([RESIZE], 10)

    assert list(await functions.list("t", None, 10, None)) == [RESIZE]


async def test_declaring_again_takes_the_place_of_what_was_declared_before(
    functions: Functions,
) -> None:
    later = replace(RESIZE, input_schema=b"{}", last_seen_at=NOON + timedelta(seconds=1))
    await functions.declare([RESIZE], 10)
    await functions.declare([later], 1)

    assert list(await functions.list("t", None, 10, None)) == [later]


async def test_the_last_sight_never_goes_back(functions: Functions) -> None:
    await functions.declare([RESIZE], 10)
    await functions.declare([replace(RESIZE, last_seen_at=NOON - timedelta(hours=1))], 10)

    (found,) = await functions.list("t", None, 10, None)
    assert found.last_seen_at == NOON


async def test_more_than_a_tenant_may_have_change_nothing(functions: Functions) -> None:
    await functions.declare([RESIZE], 2)
    more = [replace(RESIZE, name=name) for name in ("a", "b")]

    assert not await functions.declare(more, 2)
    assert list(await functions.list("t", None, 10, None)) == [RESIZE]
    assert await functions.declare([replace(RESIZE, tenant="other")], 1)


async def test_users_see_their_own_and_everybodys_and_nothing_of_other_tenants(
    functions: Functions,
) -> None:
    mine, yours = replace(RESIZE, owner="ada"), replace(RESIZE, owner="eve", version="2.0.0")
    far = replace(RESIZE, tenant="far", name="far")
    await functions.declare([RESIZE, mine, yours], 10)
    await functions.declare([far], 10)

    assert list(await functions.list("t", "ada", 10, None)) == [RESIZE, mine]
    assert list(await functions.list("t", None, 10, None)) == [RESIZE, mine, yours]
    assert sorted(await functions.names("t", "eve")) == [("resize", "1.0.0"), ("resize", "2.0.0")]
    assert list(await functions.names("t", "ada")) == [("resize", "1.0.0")]


async def test_a_list_goes_on_behind_a_place(functions: Functions) -> None:
    every = [replace(RESIZE, name=name) for name in ("a", "b", "c")]
    await functions.declare(every, 10)

    first = await functions.list("t", None, 2, None)
    rest = await functions.list("t", None, 2, (first[-1].name, first[-1].version, first[-1].owner))

    assert [*first, *rest] == every
