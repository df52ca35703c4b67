"""Two auth services on one store: what one of them does, the other one knows."""

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from auth_service.adapters.sqlite.stores import sqlite_stores
from auth_service.application.commands.ensure_first_administrator import EnsureFirstAdministrator
from auth_service.application.commands.purge_expired import PurgeExpired
from auth_service.application.commands.rotate_keys import RotateKeys
from auth_service.config import FirstAdministratorSettings
from chassis.crypto.key_file import load_or_create
from chassis.errors import CannotStart, Unauthenticated
from protos.auth.v1 import auth_pb2
from tests.component.auth_service.gateway import EMAIL, Gateway, gateway, patient_url, says
from tests.support.mongodb import empty_databases
from tests.support.time import ManualClock, eventually

ADMIN = FirstAdministratorSettings("root@example.com", "Administrators-and-7-cups")
Pair = tuple[Gateway, Gateway]


def shared(folder: Path) -> dict[str, object]:
    """The settings of a service whose store is shared by those of *folder*."""
    return {"store_url": patient_url(folder), "administrator": ADMIN}


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def pair(tmp_path: Path, clock: ManualClock) -> AsyncIterator[Pair]:
    settings = shared(tmp_path)
    async with (
        gateway(tmp_path, clock=clock, settings=settings) as one,
        gateway(tmp_path, clock=clock, settings=settings) as other,
    ):
        yield one, other
    empty_databases()


async def test_an_account_a_session_and_its_end_count_at_both(pair: Pair) -> None:
    one, other = pair
    await one.register()
    first = await one.login()
    assert (await other.me(first.access_token)).email == EMAIL
    second = await other.refresh(first.refresh_token)

    async with one.revocations() as feed:
        assert (await anext(feed)).position == 0
        session = await other.logout(second.access_token)
        while (told := await anext(feed)).position == 0:
            pass

    assert (told.kind, told.subject) == (auth_pb2.REVOCATION_KIND_SESSION, session)
    assert session == says(first.access_token)["sid"]
    with pytest.raises(Unauthenticated):
        await one.refresh(second.refresh_token)


async def test_of_many_refreshes_at_both_one_succeeds(pair: Pair) -> None:
    await pair[0].register()
    tokens = await pair[0].login()

    outcomes = await asyncio.gather(
        *(pair[number % 2].refresh(tokens.refresh_token) for number in range(20)),
        return_exceptions=True,
    )

    assert sum(isinstance(each, auth_pb2.Tokens) for each in outcomes) == 1
    assert sum(isinstance(each, Unauthenticated) for each in outcomes) == 19


async def test_keys_that_both_rotate_at_once_are_the_same(pair: Pair, clock: ManualClock) -> None:
    before = await pair[0].keys()
    clock.advance(30 * 24 * 3600 - 60)

    await asyncio.gather(*(each.service.app.commands.rotate_keys(RotateKeys()) for each in pair))

    after = [await each.keys() for each in pair]
    assert after[0] == after[1] != before


async def test_a_tenant_gets_one_first_administrator(pair: Pair) -> None:
    ensure = EnsureFirstAdministrator("acme", "root@acme.example")

    made = await asyncio.gather(
        *(each.service.app.commands.ensure_first_administrator(ensure) for each in pair)
    )

    assert {each.email for each in made} == {"root@acme.example"}
    assert sum(each.generated_password is not None for each in made) == 1


async def test_what_is_announced_is_published_by_one_of_them(pair: Pair) -> None:
    await pair[0].register("one@example.com")
    await pair[1].register("two@example.com")

    def published() -> list[str]:
        events = [event for each in pair for event in each.events]
        return [event.id for event in events if event.type.endswith("user-registered.v1")]

    await eventually(lambda: len(set(published())) == 3)
    assert len(published()) == 3


async def test_both_keep_house_at_once(pair: Pair, clock: ManualClock) -> None:
    await pair[0].register()
    kept = await pair[0].login()
    clock.advance(40 * 24 * 3600)

    for _ in range(2):
        both = [each.service.app.commands for each in pair]
        await asyncio.gather(*(each.rotate_keys(RotateKeys()) for each in both))
        await asyncio.gather(*(each.purge_expired(PurgeExpired()) for each in both))

    fresh = await pair[1].login()
    with pytest.raises(Unauthenticated):
        await pair[0].refresh(kept.refresh_token)
    assert (await pair[0].refresh(fresh.refresh_token)).access_token


async def test_a_database_without_accounts_is_refused_where_a_file_has_some(
    tmp_path: Path,
) -> None:
    keys = load_or_create(tmp_path / "keys" / "auth.keys")
    async with sqlite_stores(tmp_path / "auth.db", keys):
        pass

    with pytest.raises(CannotStart, match="store copy"):
        async with gateway(tmp_path, settings=shared(tmp_path)):
            raise AssertionError
    empty_databases()
