"""What the feed of revocations must do, whatever it is about."""

import asyncio
import sqlite3
from contextlib import closing
from datetime import timedelta

import pytest

from auth_service.adapters.sqlite.schema import MIGRATIONS
from auth_service.application.ports import Change, RevocationKind
from auth_service.bootstrap.stores import Stores
from auth_service.domain.session import RefreshGrant, Session
from auth_service.domain.user import User
from chassis.storage.migrations import migrate, revert
from tests.contract.auth_service.adapters import revoke
from tests.contract.auth_service.conftest import LIFE, NOW, Maker


async def opened(stores: Stores, make: Maker, user: User) -> tuple[Session, RefreshGrant]:
    """A session in the store, with its first token."""
    session, grant = make.session(user), make.grant()
    await stores.sessions.open(session, grant)
    return session, grant


async def test_the_feed_is_in_order_and_goes_on_behind_a_position(
    stores: Stores, make: Maker, ada: User
) -> None:
    sessions = [(await opened(stores, make, ada))[0] for _ in range(3)]
    for session in sessions:
        await stores.sessions.revoke(make.revoked(session), forget_at=NOW + LIFE)

    everything = await stores.revocations.after(0, now=NOW, limit=10)

    assert [entry.change.subject for entry in everything] == [session.id for session in sessions]
    behind = await stores.revocations.after(everything[0].position, now=NOW, limit=1)
    assert list(behind) == [everything[1]]


async def test_positions_are_never_used_again(stores: Stores, make: Maker, ada: User) -> None:
    first, _ = await opened(stores, make, ada)
    await stores.sessions.revoke(make.revoked(first), forget_at=NOW)
    await stores.revocations.purge(NOW + timedelta(seconds=1))
    second, _ = await opened(stores, make, ada)
    await stores.sessions.revoke(make.revoked(second), forget_at=NOW + LIFE)

    (entry,) = await stores.revocations.after(1, now=NOW, limit=10)
    assert entry.change.subject == second.id


async def test_waiting_ends_with_the_next_revocation_or_with_time(
    stores: Stores, make: Maker, ada: User
) -> None:
    session, _ = await opened(stores, make, ada)
    await stores.revocations.wait(0, seconds=0.01)
    waiting = asyncio.ensure_future(stores.revocations.wait(0, seconds=30))
    await asyncio.sleep(0)

    await stores.sessions.revoke(make.revoked(session), forget_at=NOW + LIFE)

    await asyncio.wait_for(waiting, 5)


@pytest.mark.parametrize("kind", RevocationKind)
async def test_every_kind_is_told_in_the_transaction_that_causes_it(
    stores: Stores, kind: RevocationKind
) -> None:
    change = Change(kind, "somebody", NOW + LIFE)

    await revoke(stores, change)

    (told,) = await stores.revocations.after(0, now=NOW, limit=10)
    assert told.change == change


async def test_a_change_that_fails_is_not_told(stores: Stores) -> None:
    change = Change(RevocationKind.PRINCIPAL, "ada", NOW + LIFE)

    with pytest.raises(ValueError, match="refused"):
        await revoke(stores, change, failure=ValueError("refused"))

    assert not await stores.revocations.after(0, now=NOW, limit=10)


async def test_of_several_changes_of_one_subject_only_the_latest_is_kept(
    stores: Stores,
) -> None:
    people = [Change(RevocationKind.PRINCIPAL, each, NOW + LIFE) for each in ("ada", "bob", "ada")]
    await revoke(stores, *people, Change(RevocationKind.POLICY, "ada", NOW + LIFE))

    told = await stores.revocations.after(0, now=NOW, limit=10)

    assert [(each.position, each.change.kind, each.change.subject) for each in told] == [
        (2, RevocationKind.PRINCIPAL, "bob"),
        (3, RevocationKind.PRINCIPAL, "ada"),
        (4, RevocationKind.POLICY, "ada"),
    ]


def test_the_feed_of_sessions_alone_goes_on_where_it_was() -> None:
    with closing(sqlite3.connect(":memory:", isolation_level=None)) as connection:
        migrate(connection, [step for step in MIGRATIONS if step.version < 20])
        insert = "INSERT INTO revocations (session_id, forget_at) VALUES (?, 7)"
        connection.executemany(insert, [("s1",), ("s2",), ("s3",)])
        connection.execute("DELETE FROM revocations WHERE session_id IN ('s1', 's3')")

        migrate(connection, MIGRATIONS)
        connection.execute(
            "INSERT INTO revocation_feed (kind, subject, forget_at) VALUES ('key', 'k', 8)"
        )
        upgraded = connection.execute("SELECT * FROM revocation_feed ORDER BY position").fetchall()
        revert(connection, MIGRATIONS, to_version=19)
        taken_back = connection.execute("SELECT * FROM revocations").fetchall()

    assert upgraded == [(2, "session", "s2", 7), (4, "key", "k", 8)]
    assert taken_back == [(2, "s2", 7)]
