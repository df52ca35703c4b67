"""Deliveries: the log of those attempted, and the queue of those to be made."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from chassis.storage.sqlite import SqliteDatabase
from notification_service.adapters.bells import EventBell
from notification_service.adapters.sqlite import rows
from notification_service.adapters.sqlite.mails import wipe
from notification_service.adapters.sqlite.statements import insert_attempts
from notification_service.adapters.times import stamp
from notification_service.application.ports import LoggedAttempt
from notification_service.domain.delivery import Attempt, ChannelName, PendingDelivery
from notification_service.domain.recipient import Recipient

_Key = tuple[str, ChannelName]

_LOG = f"SELECT {rows.ATTEMPT} FROM delivery_attempts WHERE tenant = ? AND user_id = ?"  # noqa: S608 -- constants
_DUE = f"SELECT {rows.PENDING} FROM delivery_queue WHERE due_at <= ? ORDER BY due_at LIMIT ?"  # noqa: S608 -- constants


@dataclass(frozen=True, slots=True)
class SqliteDeliveryLog:
    """Implements `DeliveryLog`."""

    database: SqliteDatabase

    async def page(
        self, recipient: Recipient, *, notification_id: str | None, before: int | None, limit: int
    ) -> Sequence[LoggedAttempt]:
        """See `DeliveryLog.page`."""
        query, values = _LOG, [recipient.tenant, recipient.user_id]
        if notification_id is not None:
            query, values = f"{query} AND notification_id = ?", [*values, notification_id]
        below = 2**63 - 1 if before is None else before
        query = f"{query} AND position < ? ORDER BY position DESC LIMIT ?"

        def page(connection: sqlite3.Connection) -> list[LoggedAttempt]:
            found = connection.execute(query, (*values, below, limit))
            return [rows.attempt_of(row) for row in found]

        return await self.database.read(page)


class SqliteDeliveryQueue:
    """Implements `DeliveryQueue`.

    Claims are kept in memory: the file has one process, and when that is gone, so are its claims,
    at once and without a lease to wait for. *work* rings when the queue may have changed; one task
    at a time may `wait` for it.
    """

    def __init__(self, database: SqliteDatabase, work: EventBell) -> None:
        self._database = database
        self._work = work
        self._claimed: set[_Key] = set()
        self._claiming = asyncio.Lock()

    async def claim(self, now: datetime, limit: int) -> Sequence[PendingDelivery]:
        """See `DeliveryQueue.claim`."""
        async with self._claiming:
            # What is claimed now counts as taken even if its claim ends during the read: the read
            # may still have seen it as it was before it was settled.
            taken = frozenset(self._claimed)
            values = (stamp(now), limit + len(taken))
            found = await self._database.read(
                lambda connection: [*map(rows.pending_of, connection.execute(_DUE, values))]
            )
            free = [pending for pending in found if _key(pending) not in taken][:limit]
            self._claimed.update(map(_key, free))
            return free

    async def settle(self, attempt: Attempt, again: PendingDelivery | None) -> None:
        """See `DeliveryQueue.settle`."""

        def settle(connection: sqlite3.Connection) -> None:
            insert_attempts(connection, (attempt,))
            if again is None:
                _remove(connection, (attempt.notification_id, attempt.channel))
            else:
                _postpone(connection, again)

        await self._database.write(settle)
        self._let_go((attempt.notification_id, attempt.channel))

    async def drop(self, pending: PendingDelivery) -> None:
        """See `DeliveryQueue.drop`."""
        await self._database.write(lambda connection: _remove(connection, _key(pending)))
        self._let_go(_key(pending))

    def release(self, pending: PendingDelivery) -> None:
        """See `DeliveryQueue.release`."""
        self._let_go(_key(pending))

    async def wait(self, now: datetime, longest: float) -> None:
        """See `DeliveryQueue.wait`."""
        due = await self._next_due()
        ahead = longest if due is None else (due - now).total_seconds()
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(max(0.0, min(ahead, longest))):
                await self._work.rung()

    async def depth(self) -> int:
        """See `DeliveryQueue.depth`."""

        def count(connection: sqlite3.Connection) -> int:
            (found,) = connection.execute("SELECT count(*) FROM delivery_queue").fetchone()
            return int(found)

        return await self._database.read(count)

    def _let_go(self, key: _Key) -> None:
        if key in self._claimed:
            self._claimed.remove(key)
            self._work.ring()

    async def _next_due(self) -> datetime | None:
        """When the first delivery is due that nobody has claimed."""
        taken = frozenset(self._claimed)

        def first(connection: sqlite3.Connection) -> datetime | None:
            for row in connection.execute(_DUE, (2**63 - 1, len(taken) + 1)):
                pending = rows.pending_of(row)
                if _key(pending) not in taken:
                    return pending.due_at
            return None

        return await self._database.read(first)


def _key(pending: PendingDelivery) -> _Key:
    return pending.notification_id, pending.channel


def _remove(connection: sqlite3.Connection, key: _Key) -> None:
    notification_id, channel = key
    connection.execute(
        "DELETE FROM delivery_queue WHERE notification_id = ? AND channel = ?",
        (notification_id, channel.value),
    )
    if channel is ChannelName.MAIL:
        wipe(connection, notification_id)


def _postpone(connection: sqlite3.Connection, again: PendingDelivery) -> None:
    connection.execute(
        "UPDATE delivery_queue SET attempts = ?, due_at = ?"
        " WHERE notification_id = ? AND channel = ?",
        (again.attempts, stamp(again.due_at), again.notification_id, again.channel.value),
    )
