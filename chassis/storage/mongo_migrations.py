"""How the collections of a MongoDB store came to be, step by step: the shape of `chassis.storage.migrations`.

Each step is idempotent, so that one that was interrupted is simply done again. A lock keeps several processes that start
together from doing the same step at the same time.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Final

from pymongo import IndexModel
from pymongo.errors import CollectionInvalid, DuplicateKeyError, OperationFailure

from chassis.errors import CannotStart
from chassis.storage.migrations import newer_store
from chassis.storage.mongo import MongoDatabase, store_errors
from chassis.storage.unfinished import refuse_half_database

_LEDGER: Final = "schema_migrations"
_LOCK: Final = "schema_lock"
_HELD: Final = timedelta(seconds=60)
"""After so long a lock counts as left behind."""
_PATIENCE: Final = 0.1
_NAMESPACE_NOT_FOUND, _INDEX_NOT_FOUND = 26, 27


@dataclass(frozen=True, slots=True)
class MongoMigration:
    """One step.

    Args:
        version: its place in the order, from 1.
        name: what it is for.
        collections: those that it makes, each with its indexes; taken back, they are gone with all they have.
        indexes: those that it adds to collections of earlier steps.
    """

    version: int
    name: str
    collections: Mapping[str, Sequence[IndexModel]]
    indexes: Mapping[str, Sequence[IndexModel]] = field(default_factory=dict)


async def migrate(
    database: MongoDatabase, migrations: Sequence[MongoMigration], *, half: bool = False
) -> None:
    """Apply, in order, each of *migrations* that the store does not have.

    Args:
        database: the store.
        migrations: all steps that the program knows.
        half: whether the store may be half of a copy, as it is for whoever goes on with that.

    Raises:
        CannotStart: the store has steps that are not among *migrations*: newer code wrote it. Or it is half of a copy.
        StoreUnavailable: the database does not answer; the steps that are done stand.
    """
    if not half:
        await refuse_half_database(database)
    if not await _missing(database, migrations):
        return
    async with _alone(database):
        for migration in await _missing(database, migrations):
            await _up(database, migration)
            await _record(database, migration)


async def revert(
    database: MongoDatabase, migrations: Sequence[MongoMigration], *, to_version: int
) -> None:
    """Take back, newest first, every applied step above *to_version*; 0 takes back all."""
    async with _alone(database):
        applied = await applied_at(database)
        for migration in sorted(migrations, key=lambda each: each.version, reverse=True):
            if migration.version > to_version and migration.version in applied:
                await _down(database, migration)
                with store_errors():
                    await database.collection(_LEDGER).delete_one({"_id": migration.version})


async def applied_at(database: MongoDatabase) -> dict[int, datetime]:
    """When each step was applied, by version."""
    with store_errors():
        rows = await database.collection(_LEDGER).find().to_list()
    return {row["_id"]: row["applied_at"] for row in rows}


async def _missing(
    database: MongoDatabase, migrations: Sequence[MongoMigration]
) -> list[MongoMigration]:
    applied = await applied_at(database)
    unknown = applied.keys() - {migration.version for migration in migrations}
    if unknown:
        raise CannotStart(newer_store(max(unknown)))
    return [migration for migration in migrations if migration.version not in applied]


async def _up(database: MongoDatabase, migration: MongoMigration) -> None:
    with store_errors():
        for name in migration.collections:
            try:
                await database.driver.create_collection(name)
            except CollectionInvalid:
                continue
        for name, indexes in [*migration.collections.items(), *migration.indexes.items()]:
            if indexes:
                await database.collection(name).create_indexes(list(indexes))


async def _down(database: MongoDatabase, migration: MongoMigration) -> None:
    with store_errors():
        for name, indexes in migration.indexes.items():
            for index in indexes:
                try:
                    await database.collection(name).drop_index(index.document["name"])
                except OperationFailure as exc:
                    if exc.code not in (_NAMESPACE_NOT_FOUND, _INDEX_NOT_FOUND):
                        raise
        for name in migration.collections:
            await database.collection(name).drop()


async def _record(database: MongoDatabase, migration: MongoMigration) -> None:
    note = {"$set": {"name": migration.name}, "$currentDate": {"applied_at": True}}
    with store_errors():
        await database.collection(_LEDGER).update_one({"_id": migration.version}, note, upsert=True)


@asynccontextmanager
async def _alone(database: MongoDatabase) -> AsyncIterator[None]:
    locks, mine = database.collection(_LOCK), secrets.token_hex(8)
    while not await _taken(database, mine):  # noqa: ASYNC110 - another process holds it
        await asyncio.sleep(_PATIENCE)
    try:
        yield
    finally:
        with store_errors():
            await locks.delete_one({"_id": _LOCK, "holder": mine})


async def _taken(database: MongoDatabase, mine: str) -> bool:
    locks = database.collection(_LOCK)
    with store_errors():
        # Times are the server's: clocks of different machines are not compared.
        now: datetime = (await database.driver.command("hello"))["localTime"]
        await locks.delete_many({"_id": _LOCK, "until": {"$lt": now}})
        try:
            await locks.insert_one({"_id": _LOCK, "holder": mine, "until": now + _HELD})
        except DuplicateKeyError:
            return False
    return True
