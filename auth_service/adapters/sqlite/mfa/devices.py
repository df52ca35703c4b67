"""Remembered devices on SQLite."""

from datetime import datetime

from auth_service.adapters.sqlite.ledger import Ledger
from auth_service.adapters.sqlite.purging import drop_ended
from auth_service.adapters.times import micros, moment
from auth_service.domain.mfa.devices import Device

_COLUMNS = "id, user_id, tenant, digest, address, user_agent, created_at, last_used_at, expires_at"
_ROTATE = f"""
UPDATE mfa_devices SET digest = :successor, last_used_at = :now
WHERE digest = :digest AND user_id = :user_id AND expires_at > :now
RETURNING {_COLUMNS}
"""  # noqa: S608 - a constant

_Row = tuple[str, str, str, bytes, str, str, int, int, int]


class SqliteDevices:
    """The port `Devices`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def add(self, device: Device) -> None:
        """See the port."""
        await self._ledger.write(
            lambda entry: entry.connection.execute(
                "INSERT INTO mfa_devices VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)", _row(device)
            )
        )

    async def rotate(
        self, user_id: str, digest: bytes, successor: bytes, now: datetime
    ) -> Device | None:
        """See the port."""
        values = {"digest": digest, "successor": successor, "user_id": user_id, "now": micros(now)}
        row = await self._ledger.write(
            lambda entry: entry.connection.execute(_ROTATE, values).fetchone()
        )
        return _device(row) if row else None

    async def list(self, tenant: str, user_id: str, now: datetime) -> tuple[Device, ...]:
        """See the port."""
        rows = await self._ledger.database.read(
            lambda connection: connection.execute(
                f"SELECT {_COLUMNS} FROM mfa_devices "  # noqa: S608 - a constant
                "WHERE user_id = ? AND tenant = ? AND expires_at > ? "
                "ORDER BY last_used_at DESC, id",
                (user_id, tenant, micros(now)),
            ).fetchall()
        )
        return tuple(_device(row) for row in rows)

    async def forget(self, tenant: str, user_id: str, device_id: str) -> bool:
        """See the port."""
        return await self._ledger.write(
            lambda entry: (
                entry.connection.execute(
                    "DELETE FROM mfa_devices WHERE id = ? AND user_id = ? AND tenant = ?",
                    (device_id, user_id, tenant),
                ).rowcount
                == 1
            )
        )

    async def forget_all(self, user_id: str) -> None:
        """See the port."""
        await self._ledger.write(
            lambda entry: entry.connection.execute(
                "DELETE FROM mfa_devices WHERE user_id = ?", (user_id,)
            )
        )

    async def purge(self, now: datetime) -> None:
        """Drop those that are not remembered any more."""
        await self._ledger.write(lambda entry: drop_ended(entry.connection, now, "mfa_devices"))


def _row(device: Device) -> _Row:
    return (
        device.id,
        device.user_id,
        device.tenant,
        device.digest,
        device.address,
        device.user_agent,
        micros(device.created_at),
        micros(device.last_used_at),
        micros(device.expires_at),
    )


def _device(row: _Row) -> Device:
    identity, user_id, tenant, digest, address, agent, created_at, last_used_at, expires_at = row
    return Device(
        id=identity,
        user_id=user_id,
        tenant=tenant,
        digest=digest,
        address=address,
        user_agent=agent,
        created_at=moment(created_at),
        last_used_at=moment(last_used_at),
        expires_at=moment(expires_at),
    )
