"""What every store of secrets promises, and what a vault makes of it when somebody tampers with the store."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from chassis.clock import SystemClock
from chassis.crypto.key_file import WrappingKeys, add_key, load_or_create
from chassis.crypto.sealing import new_key
from chassis.storage.sqlite import SqliteDatabase
from tests.contract.workflow_service.adapters import mongo_database
from workflow_service.adapters.mongo.secrets import MongoSecrets, MongoTenantKeys
from workflow_service.adapters.sqlite.secrets import MIGRATIONS, SqliteSecrets, SqliteTenantKeys
from workflow_service.application.vault.errors import (
    KeyUnusable,
    SecretNotFound,
    SecretUnusable,
    TooManySecrets,
)
from workflow_service.application.vault.keys import KeyRing
from workflow_service.application.vault.ports import SecretId, SecretRecords, TenantKeys
from workflow_service.application.vault.vault import Vault
from workflow_service.domain.expressions import JsonValue

CANARY = "canary-5f2b9d-value"
SHOP = SecretId("acme", "ada", "shop")
SHARED = SecretId("acme", "", "shop")
KEYS = WrappingKeys("k1", {"k1": new_key()})


@dataclass
class Store:
    """The two ports, and the database behind them for those who tamper with it."""

    secrets: SecretRecords
    keys: TenantKeys

    def vault(self, keys: WrappingKeys = KEYS, most: int = 10) -> Vault:
        """A vault, as after a start."""
        return Vault(self.secrets, KeyRing(keys, self.keys), SystemClock(), most=most)


@dataclass
class OpenStore(Store):
    """One that is tampered with."""

    database: SqliteDatabase

    async def sql(self, statement: str, *values: object) -> list[tuple[object, ...]]:
        """What somebody does who can write to the file."""
        return await self.database.write(lambda db: db.execute(statement, values).fetchall())


Open = Callable[[Path], AbstractAsyncContextManager[Store]]


@asynccontextmanager
async def _sqlite(path: Path | None) -> AsyncIterator[OpenStore]:
    async with await SqliteDatabase.open(path, migrations=MIGRATIONS) as database:
        yield OpenStore(SqliteSecrets(database), SqliteTenantKeys(database), database)


@asynccontextmanager
async def _mongo(folder: Path) -> AsyncIterator[Store]:
    async with mongo_database(folder) as database:
        yield Store(MongoSecrets(database), MongoTenantKeys(database))


STORES: dict[str, Open] = {
    "sqlite": lambda folder: _sqlite(folder / "workflow.db"),
    "sqlite in memory": lambda _: _sqlite(None),
    "mongodb": _mongo,
}


@pytest.fixture(params=list(STORES.values()), ids=list(STORES))
async def store(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Store]:
    opened: Open = request.param
    async with opened(tmp_path) as made:
        yield made


@pytest.fixture
async def open_store(tmp_path: Path) -> AsyncIterator[OpenStore]:
    async with _sqlite(tmp_path / "workflow.db") as made:
        yield made


async def value_of(vault: Vault, id: SecretId = SHOP, owner: str = "ada") -> JsonValue:
    """What an execution gets."""
    return await vault.value(id.tenant, owner, "e1", id.name)


async def test_a_value_goes_in_and_effects_get_it(store: Store) -> None:
    vault = store.vault()
    await vault.put(SHOP, {"user": "ada", "password": CANARY}, "ada")

    assert await value_of(vault) == {"user": "ada", "password": CANARY}
    assert await value_of(store.vault()) == {"user": "ada", "password": CANARY}


async def test_setting_it_again_counts_versions_and_gives_the_new_value(store: Store) -> None:
    vault = store.vault()
    first = await vault.put(SHOP, "one", "ada")
    second = await vault.put(SHOP, "two", "ada")

    assert (first.version, second.version) == (1, 2)
    assert await value_of(vault) == "two"


async def test_setting_it_at_the_same_time_loses_no_version(store: Store) -> None:
    vault = store.vault()

    put = await asyncio.gather(*(vault.put(SHOP, f"value {n}", "ada") for n in range(4)))

    assert sorted(record.version for record in put) == [1, 2, 3, 4]


async def test_ones_own_secret_hides_the_one_of_the_tenant(store: Store) -> None:
    vault = store.vault()
    await vault.put(SHARED, "everybody's", "admin")
    await vault.put(SHOP, "ada's", "ada")

    assert await value_of(vault) == "ada's"
    assert await value_of(vault, owner="bob") == "everybody's"


async def test_secrets_of_others_and_of_other_tenants_are_not_there(store: Store) -> None:
    vault = store.vault()
    await vault.put(SHOP, CANARY, "ada")

    for tenant, owner in (("acme", "bob"), ("other", "ada")):
        with pytest.raises(SecretUnusable):
            await vault.value(tenant, owner, "e1", "shop")
        with pytest.raises(SecretNotFound):
            await vault.find(tenant, owner, "shop")
        assert await vault.list(tenant, owner, 10, None) == []


async def test_what_is_deleted_is_gone_and_the_next_value_is_a_later_version(store: Store) -> None:
    vault = store.vault()
    await vault.put(SHOP, "one", "ada")
    await vault.delete(SHOP)

    with pytest.raises(SecretUnusable):
        await value_of(vault)
    with pytest.raises(SecretNotFound):
        await vault.delete(SHOP)
    assert (await vault.put(SHOP, "two", "ada")).version == 3


async def test_a_tenant_has_at_most_so_many(store: Store) -> None:
    vault = store.vault(most=2)
    for name in ("a", "b"):
        await vault.put(SecretId("acme", "ada", name), "x", "ada")

    with pytest.raises(TooManySecrets):
        await vault.put(SecretId("acme", "ada", "c"), "x", "ada")

    assert (await vault.put(SecretId("acme", "ada", "b"), "y", "ada")).version == 2
    assert (await vault.put(SecretId("other", "ada", "c"), "x", "ada")).version == 1


async def test_lists_go_by_name_and_go_on_where_they_ended(store: Store) -> None:
    vault = store.vault()
    ids = [SecretId("acme", owner, name) for name in ("a", "b", "c") for owner in ("ada", "")]
    for id in ids:
        await vault.put(id, "x", "ada")

    first = await vault.list("acme", "ada", 4, None)
    rest = await vault.list("acme", "ada", 4, (first[-1].id.name, first[-1].id.owner))

    assert [record.id for record in (*first, *rest)] == ids


# ---------------------------------------------------------------- somebody tampers


def content_of(folder: Path) -> bytes:
    """All that somebody has who steals the files."""
    return b"".join(path.read_bytes() for path in folder.iterdir())


async def test_a_copy_of_the_database_shows_nothing(tmp_path: Path) -> None:
    async with STORES["sqlite"](tmp_path) as store:
        await store.vault().put(SHOP, {"user": "ada", "password": CANARY}, "ada")
    content = content_of(tmp_path)

    assert b"shop" in content
    assert CANARY.encode() not in content
    assert b"password" not in content
    assert KEYS.keys["k1"] not in content


async def test_values_that_change_places_are_refused(open_store: OpenStore) -> None:
    vault = open_store.vault()
    other = SecretId("acme", "ada", "other")
    for id, value in ((SHOP, "one"), (other, "two")):
        await vault.put(id, value, "ada")
    before = await open_store.sql("SELECT sealed FROM secrets WHERE name = 'other'")

    await open_store.sql("UPDATE secrets SET sealed = ? WHERE name = 'shop'", *before[0])

    with pytest.raises(SecretUnusable, match="integrity"):
        await value_of(vault)
    assert await value_of(vault, other) == "two"


async def test_values_that_change_tenants_are_refused(open_store: OpenStore) -> None:
    vault = open_store.vault()
    mallory = SecretId("evil", "ada", "shop")
    await vault.put(SHOP, CANARY, "ada")
    await vault.put(mallory, "mine", "ada")
    theirs = await open_store.sql("SELECT sealed FROM secrets WHERE tenant = 'acme'")

    await open_store.sql("UPDATE secrets SET sealed = ? WHERE tenant = 'evil'", *theirs[0])

    with pytest.raises(SecretUnusable, match="integrity"):
        await value_of(vault, mallory)


async def test_the_key_of_another_tenant_opens_nothing(open_store: OpenStore) -> None:
    vault = open_store.vault()
    mallory = SecretId("evil", "ada", "shop")
    await vault.put(SHOP, CANARY, "ada")
    await vault.put(mallory, "mine", "ada")
    theirs = await open_store.sql("SELECT sealed FROM tenant_keys WHERE tenant = 'acme'")

    await open_store.sql("UPDATE tenant_keys SET sealed = ? WHERE tenant = 'evil'", *theirs[0])

    with pytest.raises(SecretUnusable, match="integrity"):
        await value_of(open_store.vault(), mallory)


async def test_an_old_record_that_is_put_back_is_refused(open_store: OpenStore) -> None:
    vault = open_store.vault()
    await vault.put(SHOP, "old", "ada")
    old = await open_store.sql("SELECT version, sealed FROM secrets")
    await vault.put(SHOP, "new", "ada")

    await open_store.sql("UPDATE secrets SET version = ?, sealed = ?", *old[0])

    with pytest.raises(SecretUnusable, match="integrity"):
        await value_of(vault)

    await vault.put(SHOP, "mended", "ada")
    assert await value_of(vault) == "mended"


async def test_a_mark_that_was_made_up_is_refused(open_store: OpenStore) -> None:
    vault = open_store.vault()
    await vault.put(SHOP, "old", "ada")
    old = await open_store.sql("SELECT version, sealed FROM secrets")
    await vault.put(SHOP, "new", "ada")

    await open_store.sql("UPDATE secrets SET version = ?, sealed = ?", *old[0])
    await open_store.sql("UPDATE secret_versions SET version = ?", old[0][0])

    with pytest.raises(SecretUnusable, match="integrity"):
        await value_of(vault)


async def test_a_deleted_record_that_is_put_back_is_refused(open_store: OpenStore) -> None:
    vault = open_store.vault()
    await vault.put(SHOP, "old", "ada")
    row = (await open_store.sql("SELECT * FROM secrets"))[0]
    await vault.delete(SHOP)

    await open_store.sql("INSERT INTO secrets VALUES (?, ?, ?, ?, ?, ?, ?)", *row)

    with pytest.raises(SecretUnusable, match="integrity"):
        await value_of(vault)


# ---------------------------------------------------------------- keys change


async def test_after_a_rotation_the_old_key_is_not_needed_any_more(
    open_store: OpenStore, tmp_path: Path
) -> None:
    path = tmp_path / "secrets.keys"
    old = load_or_create(path)
    await open_store.vault(old).put(SHOP, CANARY, "ada")
    before = await open_store.sql("SELECT sealed FROM secrets")

    name = add_key(path)
    both = load_or_create(path)
    await KeyRing(both, open_store.keys).rewrap()

    new = WrappingKeys(name, {name: both.keys[name]})
    assert await value_of(open_store.vault(new)) == CANARY
    assert await open_store.sql("SELECT wrapped_by FROM tenant_keys") == [(name,)]
    assert await open_store.sql("SELECT sealed FROM secrets") == before
    with pytest.raises(SecretUnusable, match="integrity"):
        await value_of(open_store.vault(old))


async def test_a_rotation_that_was_cut_off_goes_on_with_the_rest(store: Store) -> None:
    tenants = [f"t{number}" for number in range(3)]
    for tenant in tenants:
        await store.vault().put(SecretId(tenant, "ada", "shop"), CANARY, "ada")
    both = WrappingKeys("k2", {**KEYS.keys, "k2": new_key()})
    await _rewrap_one(store, both, "t1")

    assert await value_of(store.vault(both), SecretId("t1", "ada", "shop")) == CANARY
    await KeyRing(both, store.keys).rewrap()

    assert list(await store.keys.wrapped_by_others("k2", 10)) == []
    for tenant in tenants:
        assert await value_of(store.vault(both), SecretId(tenant, "ada", "shop")) == CANARY


async def _rewrap_one(store: Store, keys: WrappingKeys, tenant: str) -> None:
    ring = KeyRing(keys, store.keys)
    old = await store.keys.get(tenant)
    assert old is not None
    await store.keys.rewrap(old, ring._wrapped(tenant, ring._unwrapped(old)))


async def test_a_key_that_is_missing_stops_neither_the_rotation_nor_the_others(
    store: Store,
) -> None:
    lost = WrappingKeys("lost", {"lost": new_key()})
    await store.vault(lost).put(SecretId("gone", "ada", "shop"), CANARY, "ada")
    await store.vault().put(SHOP, CANARY, "ada")
    both = WrappingKeys("k2", {**KEYS.keys, "k2": new_key()})

    await KeyRing(both, store.keys).rewrap()

    assert await value_of(store.vault(both)) == CANARY
    with pytest.raises(KeyUnusable):
        await store.vault(both).put(SecretId("gone", "ada", "shop"), "x", "ada")
