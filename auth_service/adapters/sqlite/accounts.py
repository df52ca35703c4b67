"""Accounts on SQLite: every change in one transaction with its mails, events and ended sessions."""

import sqlite3
from collections.abc import Sequence
from datetime import datetime
from typing import Final

from auth_service.adapters.places import PLACES_KEPT
from auth_service.adapters.sqlite.erasing import erase_rows
from auth_service.adapters.sqlite.ledger import Entry, Ledger
from auth_service.adapters.sqlite.purging import drop_ended
from auth_service.adapters.sqlite.rows import USER_COLUMNS, user_from
from auth_service.adapters.sqlite.session_list import end_sessions
from auth_service.adapters.times import maybe_micros, micros, moment
from auth_service.application.ports import Change, RevocationKind
from auth_service.application.ports.accounts import (
    AccountChange,
    Ending,
    Erasure,
    PageKey,
    UserFilter,
)
from auth_service.application.ports.mail import OutgoingMail
from auth_service.domain.account import AccountToken, Purpose
from auth_service.domain.errors import (
    AccountChanged,
    AccountTokenRefused,
    EmailTaken,
    LastAdministrator,
    UserNotFound,
)
from auth_service.domain.user import EmailAddress, User

_TOKEN: Final = "digest, purpose, tenant, user_id, email, email_key, created_at, expires_at"  # noqa: S105

_UPDATE = """
UPDATE users SET email = :email, email_key = :email_key, name = :name,
    password_hash = :password_hash, email_verified_at = :verified, disabled_at = :disabled,
    updated_at = :updated
WHERE id = :id AND tenant = :tenant AND password_hash = :old_hash AND email_key = :old_key
    AND disabled_at IS :old_disabled
"""

_ADMINISTRATOR = """
SELECT 1 FROM users WHERE id = ? AND disabled_at IS NULL
    AND instr(' ' || roles || ' ', ' admin ')
"""

_OTHER_ADMINISTRATOR = """
SELECT 1 FROM users WHERE tenant = ? AND id <> ? AND disabled_at IS NULL AND kind = 'user'
    AND instr(' ' || roles || ' ', ' admin ')
"""


class SqliteAccounts:
    """The port `Accounts`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def keep_token(self, token: AccountToken, mails: Sequence[OutgoingMail]) -> None:
        """See the port."""

        def work(entry: Entry) -> None:
            _drop_tokens(entry.connection, token.user_id, (token.purpose,))
            entry.connection.execute(
                f"INSERT INTO account_tokens ({_TOKEN}) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",  # noqa: S608
                _token_row(token),
            )
            for mail in mails:
                entry.post(mail)

        await self._ledger.write(work)

    async def find_token(
        self, digest: bytes, purposes: Sequence[Purpose], now: datetime
    ) -> AccountToken | None:
        """See the port."""
        row = await self._ledger.database.read(
            lambda connection: connection.execute(
                f"SELECT {_TOKEN} FROM account_tokens "  # noqa: S608 - a constant
                "WHERE digest = ? AND used_at IS NULL AND expires_at > ?",
                (digest, micros(now)),
            ).fetchone()
        )
        token = _token_from(row) if row else None
        return token if token is not None and token.purpose in purposes else None

    async def apply(self, change: AccountChange) -> Sequence[str]:
        """See the port."""
        return await self._ledger.write(lambda entry: _apply(entry, change))

    async def erase(self, erasure: Erasure) -> Sequence[str]:
        """See the port."""
        return await self._ledger.write(lambda entry: _erase(entry, erasure))

    async def page(
        self, tenant: str, wanted: UserFilter, after: PageKey | None, limit: int
    ) -> Sequence[User]:
        """See the port."""
        clauses, values = ["tenant = ?", "kind = 'user'"], [tenant]
        more: list[int | str] = []
        if wanted.email:
            clauses.append("substr(email_key, 1, ?) = ?")
            more += [len(wanted.email), wanted.email]
        if wanted.role is not None:
            clauses.append("instr(' ' || roles || ' ', ?)")
            more.append(f" {wanted.role} ")
        if wanted.active is not None:
            clauses.append(f"disabled_at IS {'' if wanted.active else 'NOT '}NULL")
        if after is not None:
            clauses.append("(created_at, id) < (?, ?)")
            more += [micros(after.at), after.id]
        query = (
            f"SELECT {USER_COLUMNS} FROM users WHERE {' AND '.join(clauses)} "  # noqa: S608 - ours
            "ORDER BY created_at DESC, id DESC LIMIT ?"
        )
        rows = await self._ledger.database.read(
            lambda connection: connection.execute(query, (*values, *more, limit)).fetchall()
        )
        return [user_from(row) for row in rows]

    async def purge(self, now: datetime) -> None:
        """See the port."""

        def work(connection: sqlite3.Connection) -> None:
            drop_ended(connection, now, "account_tokens")
            drop_ended(connection, now - PLACES_KEPT, "login_places", end="last_at")

        await self._ledger.database.write(work)


def _apply(entry: Entry, change: AccountChange) -> Sequence[str]:
    before, after = change.before, change.after
    if change.spend is not None:
        _spend(entry.connection, change.spend, before.id, after.updated_at)
    if before.active and not after.active:
        _keep_an_administrator(entry.connection, before)
    _update(entry.connection, before, after)
    _drop_tokens(entry.connection, before.id, change.obsolete)
    ended = () if change.ending is None else _end(entry, before, change.ending)
    for event in change.events:
        entry.announce(event)
    for mail in change.mails:
        entry.post(mail)
    return ended


def _spend(
    connection: sqlite3.Connection,
    spend: tuple[bytes, Sequence[Purpose]],
    user_id: str,
    now: datetime,
) -> None:
    digest, purposes = spend
    allowed = ", ".join("?" for _ in purposes)
    spent = connection.execute(
        "UPDATE account_tokens SET used_at = ? WHERE digest = ? AND user_id = ? "  # noqa: S608
        f"AND used_at IS NULL AND expires_at > ? AND purpose IN ({allowed})",
        (micros(now), digest, user_id, micros(now), *purposes),
    )
    if spent.rowcount != 1:
        raise AccountTokenRefused


def _update(connection: sqlite3.Connection, before: User, after: User) -> None:
    values = {
        "id": before.id,
        "tenant": before.tenant,
        "email": after.email.text,
        "email_key": after.email.key,
        "name": after.name,
        "password_hash": after.password_hash,
        "verified": maybe_micros(after.email_verified_at),
        "disabled": maybe_micros(after.disabled_at),
        "updated": micros(after.updated_at),
        "old_hash": before.password_hash,
        "old_key": before.email.key,
        "old_disabled": maybe_micros(before.disabled_at),
    }
    try:
        changed = connection.execute(_UPDATE, values)
    except sqlite3.IntegrityError as exc:
        raise EmailTaken from exc
    if changed.rowcount != 1:
        raise AccountChanged
    if before.password_hash != after.password_hash:
        # They are of whoever knew the old password.
        connection.execute("DELETE FROM mfa_devices WHERE user_id = ?", (before.id,))
        connection.execute("DELETE FROM mfa_challenges WHERE user_id = ?", (before.id,))


def _erase(entry: Entry, erasure: Erasure) -> Sequence[str]:
    user = erasure.user
    found = entry.connection.execute(
        "SELECT 1 FROM users WHERE id = ? AND tenant = ?", (user.id, user.tenant)
    ).fetchone()
    if found is None:
        raise UserNotFound
    _keep_an_administrator(entry.connection, user)
    ended = _end(entry, user, erasure.ending)
    erase_rows(entry.connection, user.id)
    for event in erasure.events:
        entry.announce(event)
    for mail in erasure.mails:
        entry.post(mail)
    return ended


def _end(entry: Entry, user: User, ending: Ending) -> Sequence[str]:
    ended = end_sessions(entry, user.tenant, user.id, ending)
    # Whatever else was cached for the user, such as what their API keys may do, is stale, too.
    entry.revoke(Change(RevocationKind.PRINCIPAL, user.id, ending.forget_at))
    return ended


def _keep_an_administrator(connection: sqlite3.Connection, user: User) -> None:
    # As they are now: their roles may have changed since they were read.
    if connection.execute(_ADMINISTRATOR, (user.id,)).fetchone() is None:
        return
    if connection.execute(_OTHER_ADMINISTRATOR, (user.tenant, user.id)).fetchone() is None:
        raise LastAdministrator


def _drop_tokens(connection: sqlite3.Connection, user_id: str, purposes: Sequence[Purpose]) -> None:
    connection.executemany(
        "DELETE FROM account_tokens WHERE user_id = ? AND purpose = ?",
        [(user_id, purpose.value) for purpose in purposes],
    )


def _token_row(token: AccountToken) -> tuple[bytes | str | int, ...]:
    return (
        token.digest,
        token.purpose.value,
        token.tenant,
        token.user_id,
        token.email.text,
        token.email.key,
        micros(token.created_at),
        micros(token.expires_at),
    )


def _token_from(row: tuple[bytes, str, str, str, str, str, int, int]) -> AccountToken:
    digest, purpose, tenant, user_id, email, email_key, created_at, expires_at = row
    return AccountToken(
        digest=digest,
        purpose=Purpose(purpose),
        tenant=tenant,
        user_id=user_id,
        email=EmailAddress(email, email_key),
        created_at=moment(created_at),
        expires_at=moment(expires_at),
    )
