"""Factors and recovery codes on SQLite."""

from collections.abc import Sequence
from datetime import datetime

from auth_service.adapters.sqlite.ledger import Entry, Ledger
from auth_service.adapters.times import micros, moment
from auth_service.application.ports import Change, RevocationKind
from auth_service.application.ports.mfa import FactorsChanged
from auth_service.domain.mfa.factors import Factor, FactorKind

_COLUMNS = (
    "id, user_id, tenant, kind, target, created_at, confirmed_at, last_used_at, "
    "sealed_seed, last_step"
)
_SELECT = f"SELECT {_COLUMNS} FROM mfa_factors "  # noqa: S608 - a constant

_Row = tuple[str, str, str, str, str, int, int | None, int | None, bytes, int]

_SPEND_STEP = """
UPDATE mfa_factors SET last_step = :step, last_used_at = :at
WHERE id = :id AND last_step < :step AND confirmed_at IS NOT NULL
"""
_CONFIRM = """
UPDATE mfa_factors SET confirmed_at = ?, last_used_at = ?, last_step = ?
WHERE id = ? AND user_id = ? AND confirmed_at IS NULL
"""
_REPLACED = "DELETE FROM mfa_factors WHERE user_id = ? AND kind = ? AND confirmed_at IS NOT NULL"


class SqliteFactors:
    """The port `Factors`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def confirmed(self, user_id: str) -> tuple[Factor, ...]:
        """See the port."""
        rows = await self._ledger.database.read(
            lambda connection: connection.execute(
                _SELECT + "WHERE user_id = ? AND confirmed_at IS NOT NULL ORDER BY confirmed_at",
                (user_id,),
            ).fetchall()
        )
        return tuple(_factor(row) for row in rows)

    async def pending(self, user_id: str, kind: FactorKind) -> Factor | None:
        """See the port."""
        row = await self._ledger.database.read(
            lambda connection: connection.execute(
                _SELECT + "WHERE user_id = ? AND kind = ? AND confirmed_at IS NULL",
                (user_id, kind.value),
            ).fetchone()
        )
        return _factor(row) if row else None

    async def enrol(self, factor: Factor) -> None:
        """See the port."""

        def work(entry: Entry) -> None:
            entry.connection.execute(
                "DELETE FROM mfa_factors WHERE user_id = ? AND kind = ? AND confirmed_at IS NULL",
                (factor.user_id, factor.kind.value),
            )
            entry.connection.execute(
                f"INSERT INTO mfa_factors ({_COLUMNS}) "  # noqa: S608 - a constant
                "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
                _row(factor),
            )

        await self._ledger.write(work)

    async def confirm(self, factor: Factor, change: FactorsChanged) -> bool:
        """See the port."""

        def work(entry: Entry) -> bool:
            # First the old one, since there may be one only; it stays if the new one is gone.
            at = micros(change.at)
            entry.connection.execute("SAVEPOINT confirming")
            entry.connection.execute(_REPLACED, (factor.user_id, factor.kind.value))
            confirmed = entry.connection.execute(
                _CONFIRM, (at, at, factor.last_step, factor.id, factor.user_id)
            )
            if confirmed.rowcount != 1:
                entry.connection.execute("ROLLBACK TO confirming")
            entry.connection.execute("RELEASE confirming")
            if confirmed.rowcount == 1:
                _tell(entry, change)
            return confirmed.rowcount == 1

        return await self._ledger.write(work)

    async def remove(self, factor_id: str, change: FactorsChanged) -> bool:
        """See the port."""

        def work(entry: Entry) -> bool:
            removed = entry.connection.execute(
                "DELETE FROM mfa_factors "
                "WHERE id = ? AND user_id = ? AND tenant = ? AND confirmed_at IS NOT NULL",
                (factor_id, change.user_id, change.tenant),
            )
            if removed.rowcount != 1:
                return False
            entry.connection.execute(
                "DELETE FROM mfa_recovery_codes WHERE user_id = :user AND NOT EXISTS ("
                "SELECT 1 FROM mfa_factors WHERE user_id = :user AND confirmed_at IS NOT NULL)",
                {"user": change.user_id},
            )
            _tell(entry, change)
            return True

        return await self._ledger.write(work)

    async def remove_all(self, change: FactorsChanged) -> int:
        """See the port."""

        def work(entry: Entry) -> int:
            values = (change.user_id, change.tenant)
            where = "WHERE user_id = ? AND tenant = ?"
            counted = entry.connection.execute(
                f"DELETE FROM mfa_factors {where} AND confirmed_at IS NOT NULL",  # noqa: S608
                values,
            ).rowcount
            entry.connection.execute(f"DELETE FROM mfa_factors {where}", values)  # noqa: S608
            entry.connection.execute(
                "DELETE FROM mfa_recovery_codes WHERE user_id = ?", (change.user_id,)
            )
            _tell(entry, change)
            return counted

        return await self._ledger.write(work)

    async def spend_step(self, factor_id: str, step: int, at: datetime) -> bool:
        """See the port."""
        values = {"id": factor_id, "step": step, "at": micros(at)}
        return await self._ledger.write(
            lambda entry: entry.connection.execute(_SPEND_STEP, values).rowcount == 1
        )

    async def used(self, factor_id: str, at: datetime) -> None:
        """See the port."""
        await self._ledger.write(
            lambda entry: entry.connection.execute(
                "UPDATE mfa_factors SET last_used_at = ? WHERE id = ?", (micros(at), factor_id)
            )
        )


class SqliteRecoveryCodes:
    """The port `RecoveryCodes`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def replace(self, user_id: str, digests: Sequence[bytes], at: datetime) -> None:
        """See the port."""

        def work(entry: Entry) -> None:
            entry.connection.execute("DELETE FROM mfa_recovery_codes WHERE user_id = ?", (user_id,))
            entry.connection.executemany(
                "INSERT INTO mfa_recovery_codes VALUES (?, ?, ?, NULL)",
                [(user_id, digest, micros(at)) for digest in digests],
            )

        await self._ledger.write(work)

    async def spend(self, user_id: str, digest: bytes, at: datetime) -> bool:
        """See the port."""
        return await self._ledger.write(
            lambda entry: (
                entry.connection.execute(
                    "UPDATE mfa_recovery_codes SET used_at = ? "
                    "WHERE user_id = ? AND digest = ? AND used_at IS NULL",
                    (micros(at), user_id, digest),
                ).rowcount
                == 1
            )
        )

    async def left(self, user_id: str) -> int:
        """See the port."""
        (left,) = await self._ledger.database.read(
            lambda connection: connection.execute(
                "SELECT count(*) FROM mfa_recovery_codes WHERE user_id = ? AND used_at IS NULL",
                (user_id,),
            ).fetchone()
        )
        return int(left)


def _tell(entry: Entry, change: FactorsChanged) -> None:
    """Devices were remembered under the old factors; what is cached of the user is stale."""
    entry.connection.execute("DELETE FROM mfa_devices WHERE user_id = ?", (change.user_id,))
    entry.revoke(Change(RevocationKind.PRINCIPAL, change.user_id, change.forget_at))
    for event in change.events:
        entry.announce(event)
    for mail in change.mails:
        entry.post(mail)


def _row(factor: Factor) -> _Row:
    return (
        factor.id,
        factor.user_id,
        factor.tenant,
        factor.kind.value,
        factor.target,
        micros(factor.created_at),
        None if factor.confirmed_at is None else micros(factor.confirmed_at),
        None if factor.last_used_at is None else micros(factor.last_used_at),
        factor.sealed_seed,
        factor.last_step,
    )


def _factor(row: _Row) -> Factor:
    return Factor(
        id=row[0],
        user_id=row[1],
        tenant=row[2],
        kind=FactorKind(row[3]),
        target=row[4],
        created_at=moment(row[5]),
        confirmed_at=None if row[6] is None else moment(row[6]),
        last_used_at=None if row[7] is None else moment(row[7]),
        sealed_seed=row[8],
        last_step=row[9],
    )
