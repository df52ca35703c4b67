"""Users on SQLite."""

import sqlite3
from collections.abc import Sequence

from auth_service.adapters.sqlite.ledger import Entry, Ledger
from auth_service.adapters.sqlite.rows import COLUMNS, PLACES, USER_COLUMNS, user_from, user_row
from auth_service.adapters.times import micros
from auth_service.domain.errors import EmailTaken, UserNotFound
from auth_service.domain.events import UserRegistered, UserUpdated
from auth_service.domain.permissions import Role
from auth_service.domain.user import User

_INSERT = f"INSERT INTO users ({COLUMNS}) VALUES ({PLACES})"  # noqa: S608 - constants
_SELECT = f"SELECT {USER_COLUMNS} FROM users "  # noqa: S608 - a constant


class SqliteUsers:
    """The port `Users`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger
        self._database = ledger.database

    async def add(self, event: UserRegistered) -> None:
        """See the port."""

        def work(entry: Entry) -> None:
            try:
                entry.connection.execute(_INSERT, user_row(event.user))
            except sqlite3.IntegrityError as exc:
                raise EmailTaken from exc
            entry.announce(event)

        await self._ledger.write(work)

    async def rename(self, event: UserUpdated) -> None:
        """See the port."""
        user = event.user

        def work(entry: Entry) -> None:
            cursor = entry.connection.execute(
                "UPDATE users SET name = ?, updated_at = ? WHERE id = ? AND tenant = ?",
                (user.name, micros(user.updated_at), user.id, user.tenant),
            )
            if cursor.rowcount != 1:
                raise UserNotFound
            entry.announce(event)

        await self._ledger.write(work)

    async def replace_hash(self, user_id: str, old: str, new: str) -> None:
        """See the port."""
        await self._database.write(
            lambda connection: connection.execute(
                "UPDATE users SET password_hash = ? WHERE id = ? AND password_hash = ?",
                (new, user_id, old),
            )
        )

    async def find(self, tenant: str, user_id: str) -> User | None:
        """See the port."""
        return await self._one("WHERE id = ? AND tenant = ?", (user_id, tenant))

    async def find_by_email(self, tenant: str, email_key: str) -> User | None:
        """See the port."""
        return await self._one(
            "WHERE tenant = ? AND email_key = ? AND kind = 'user'", (tenant, email_key)
        )

    async def first_administrator(self, tenant: str) -> User | None:
        """See the port."""
        return await self._one(
            "WHERE tenant = ? AND instr(' ' || roles || ' ', ?) ORDER BY created_at LIMIT 1",
            (tenant, f" {Role.ADMIN} "),
        )

    async def _one(self, condition: str, values: Sequence[str]) -> User | None:
        row = await self._database.read(
            lambda connection: connection.execute(_SELECT + condition, values).fetchone()
        )
        return user_from(row) if row else None
