"""What every store of signing keys, and every outbox, must do."""

import asyncio
import sqlite3
import stat
from contextlib import closing
from datetime import timedelta
from pathlib import Path

from auth_service.adapters.sqlite.schema import MIGRATIONS
from auth_service.adapters.sqlite.stores import sqlite_stores
from auth_service.bootstrap.stores import Stores
from auth_service.domain.signing_key import KeyUse, SigningKey
from auth_service.domain.user import User
from chassis.storage.migrations import migrate, revert
from tests.contract.auth_service.conftest import NOW, Maker


def key(kid: str, follows: str = "", use: KeyUse = KeyUse.ACCESS, days: int = 0) -> SigningKey:
    start = NOW + timedelta(days=days)
    end = start + timedelta(days=30)
    return SigningKey(kid, use, follows, b"pem of " + kid.encode(), start, end, end)


def modes_of(folder: Path) -> set[int]:
    return {stat.S_IMODE(file.stat().st_mode) for file in folder.glob("auth.db*")}


async def test_keys_come_back_as_they_were_oldest_first(stores: Stores) -> None:
    second, first = key("b", "a", days=30), key("a")
    assert await stores.keys.add(second)
    assert await stores.keys.add(first)

    assert list(await stores.keys.all()) == [first, second]


async def test_a_key_has_one_successor(stores: Stores) -> None:
    outcomes = await asyncio.gather(*(stores.keys.add(key(f"k{n}")) for n in range(10)))

    assert outcomes.count(True) == 1
    assert await stores.keys.add(key("other use", use=KeyUse.INTERNAL))
    assert len(await stores.keys.all()) == 2


async def test_purging_keeps_the_latest_key_even_when_it_has_expired(stores: Stores) -> None:
    await stores.keys.add(key("a"))
    await stores.keys.add(key("b", "a", days=30))

    await stores.keys.purge(NOW + timedelta(days=365))

    assert [kept.kid for kept in await stores.keys.all()] == ["b"]


async def test_the_outbox_is_read_in_order_behind_a_position(stores: Stores, make: Maker) -> None:
    for number in range(3):
        await stores.users.add(make.registered(make.user(f"user{number}@example.com")))

    everything = await stores.log.read_log(0, 10)

    assert [position for position, _ in everything] == [1, 2, 3]
    assert list(await stores.log.read_log(1, 1)) == [everything[1]]


async def test_an_event_is_a_cloud_event_with_its_tenant(stores: Stores, ada: User) -> None:
    ((_, event),) = await stores.log.read_log(0, 10)

    assert (event.source, event.type) == (
        "/autoworker/auth",
        "io.autoworker.auth.user-registered.v1",
    )
    assert (event.subject, event.time, event.extensions) == (ada.id, NOW, {"tenant": "default"})
    assert bytes(event.data) == (
        b'{"user_id":"%s","tenant":"default","email":"ada@example.com","name":"Ada",'
        b'"created_at":"2026-01-15T10:30:00.123456Z"}' % ada.id.encode()
    )


async def test_a_checkpoint_is_kept_for_each_reader(stores: Stores) -> None:
    assert await stores.log.load_checkpoint("relay") == 0
    await stores.log.save_checkpoint("relay", 7)
    await stores.log.save_checkpoint("relay", 9)

    assert await stores.log.load_checkpoint("relay") == 9
    assert await stores.log.load_checkpoint("other") == 0


async def test_what_somebody_has_yet_to_read_is_not_purged(stores: Stores, make: Maker) -> None:
    for number in range(3):
        await stores.users.add(make.registered(make.user(f"user{number}@example.com")))
    await stores.log.purge()
    assert len(await stores.log.read_log(0, 10)) == 3

    await stores.log.save_checkpoint("relay", 2)
    await stores.log.purge()

    assert [position for position, _ in await stores.log.read_log(0, 10)] == [3]


async def test_waiting_for_the_log_ends_with_the_next_event(stores: Stores, make: Maker) -> None:
    waiting = asyncio.ensure_future(stores.log.wait_for_log(0))
    await asyncio.sleep(0)

    await stores.users.add(make.registered(make.user()))

    await asyncio.wait_for(waiting, 0.9)


async def test_the_file_is_for_its_owner_only(tmp_path: Path, make: Maker) -> None:
    async with sqlite_stores(tmp_path / "auth.db") as stores:
        await stores.keys.add(key("a"))
        modes = modes_of(tmp_path)

    assert modes == {0o600}


async def test_everything_survives_closing_the_store(tmp_path: Path, make: Maker) -> None:
    user = make.user()
    async with sqlite_stores(tmp_path / "auth.db") as stores:
        await stores.users.add(make.registered(user))
        await stores.keys.add(key("a"))
    async with sqlite_stores(tmp_path / "auth.db") as stores:
        assert await stores.users.find(user.tenant, user.id) == user
        assert list(await stores.keys.all()) == [key("a")]
        assert len(await stores.log.read_log(0, 10)) == 1


def test_the_tables_can_be_taken_back() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, MIGRATIONS)
        revert(connection, MIGRATIONS, to_version=0)
        left = connection.execute(
            "SELECT name FROM sqlite_schema WHERE name NOT LIKE 'sqlite_%'"
        ).fetchall()

    assert left == [("schema_migrations",)]
