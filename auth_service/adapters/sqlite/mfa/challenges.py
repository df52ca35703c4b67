"""Challenges, the codes sent for them, and what is counted, on SQLite."""

from collections.abc import Sequence
from datetime import datetime

from auth_service.adapters.sqlite.ledger import Entry, Ledger
from auth_service.adapters.sqlite.purging import drop_ended
from auth_service.adapters.times import micros, moment
from auth_service.application.ports.mfa import Burnt, Gone, Tried, Try
from auth_service.domain.mfa.challenges import MAX_TRIES, Challenge, Quota
from auth_service.domain.mfa.codes import SentCode
from auth_service.domain.mfa.factors import Method

_COLUMNS = "id, user_id, tenant, created_at, expires_at"

_ATTEMPT = f"""
UPDATE mfa_challenges SET tries = tries + 1
WHERE id = :id AND tries < :most AND met_at IS NULL AND expires_at > :now
RETURNING {_COLUMNS}
"""  # noqa: S608 - a constant
_OPEN = "SELECT 1 FROM mfa_challenges WHERE id = ? AND met_at IS NULL AND expires_at > ?"
_TAKE = """
INSERT INTO mfa_tallies (key, taken, ends_at) VALUES (:key, 1, :ends)
ON CONFLICT (key) DO UPDATE SET
    taken = CASE WHEN ends_at <= :now THEN 1 ELSE taken + 1 END,
    ends_at = CASE WHEN ends_at <= :now THEN :ends ELSE ends_at END
"""
_PUT = """
INSERT INTO mfa_sent_codes (subject, method, user_id, tag, expires_at) VALUES (?, ?, ?, ?, ?)
ON CONFLICT (subject, method) DO UPDATE SET
    user_id = excluded.user_id, tag = excluded.tag, expires_at = excluded.expires_at, used_at = NULL
"""

_Row = tuple[str, str, str, int, int]


class SqliteChallenges:
    """The port `Challenges`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def add(self, challenge: Challenge) -> None:
        """See the port."""
        values = (
            challenge.id,
            challenge.user_id,
            challenge.tenant,
            micros(challenge.created_at),
            micros(challenge.expires_at),
        )
        await self._ledger.write(
            lambda entry: entry.connection.execute(
                f"INSERT INTO mfa_challenges ({_COLUMNS}) VALUES (?, ?, ?, ?, ?)",  # noqa: S608
                values,
            )
        )

    async def attempt(self, challenge_id: str, now: datetime) -> Try:
        """See the port."""

        def work(entry: Entry) -> Try:
            values = {"id": challenge_id, "most": MAX_TRIES, "now": micros(now)}
            tried = entry.connection.execute(_ATTEMPT, values).fetchone()
            if tried is not None:
                return Tried(_challenge(tried))
            still = entry.connection.execute(_OPEN, (challenge_id, micros(now))).fetchone()
            return Gone() if still is None else Burnt()

        return await self._ledger.write(work)

    async def find(self, challenge_id: str, now: datetime) -> Challenge | None:
        """See the port."""
        row = await self._ledger.database.read(
            lambda connection: connection.execute(
                f"SELECT {_COLUMNS} FROM mfa_challenges WHERE id = ? "  # noqa: S608 - a constant
                "AND met_at IS NULL AND expires_at > ? AND tries < ?",
                (challenge_id, micros(now), MAX_TRIES),
            ).fetchone()
        )
        return _challenge(row) if row else None

    async def finish(self, challenge_id: str, now: datetime) -> bool:
        """See the port."""
        return await self._ledger.write(
            lambda entry: (
                entry.connection.execute(
                    "UPDATE mfa_challenges SET met_at = :now "
                    "WHERE id = :id AND met_at IS NULL AND expires_at > :now",
                    {"id": challenge_id, "now": micros(now)},
                ).rowcount
                == 1
            )
        )

    async def purge(self, now: datetime) -> None:
        """Drop what is over: challenges, codes and counters."""

        def work(entry: Entry) -> None:
            drop_ended(entry.connection, now, "mfa_challenges", "mfa_sent_codes")
            drop_ended(entry.connection, now, "mfa_tallies", end="ends_at")

        await self._ledger.write(work)


class SqliteSentCodes:
    """The port `SentCodes`."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def put(self, code: SentCode) -> None:
        """See the port."""
        values = (code.subject, code.method.value, code.user_id, code.tag, micros(code.expires_at))
        await self._ledger.write(lambda entry: entry.connection.execute(_PUT, values))

    async def find(self, subject: str, method: Method, now: datetime) -> SentCode | None:
        """See the port."""
        row = await self._ledger.database.read(
            lambda connection: connection.execute(
                "SELECT subject, method, user_id, tag, expires_at FROM mfa_sent_codes "
                "WHERE subject = ? AND method = ? AND used_at IS NULL AND expires_at > ?",
                (subject, method.value, micros(now)),
            ).fetchone()
        )
        if row is None:
            return None
        return SentCode(row[0], Method(row[1]), row[2], row[3], moment(row[4]))

    async def spend(self, subject: str, tag: bytes, now: datetime) -> bool:
        """See the port."""
        values = {"subject": subject, "tag": tag, "now": micros(now)}
        return await self._ledger.write(
            lambda entry: (
                entry.connection.execute(
                    "UPDATE mfa_sent_codes SET used_at = :now WHERE subject = :subject "
                    "AND tag = :tag AND used_at IS NULL AND expires_at > :now",
                    values,
                ).rowcount
                == 1
            )
        )


class SqliteTallies:
    """The port `Tallies`: windows that begin with the first thing taken."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    async def take(self, quotas: Sequence[Quota], now: datetime) -> float | None:
        """See the port."""

        def work(entry: Entry) -> float | None:
            pauses = [pause for quota in quotas if (pause := _pause(entry, quota, now))]
            if pauses:
                return max(pauses)
            for quota in quotas:
                ends = micros(now + quota.window)
                entry.connection.execute(
                    _TAKE, {"key": quota.key, "ends": ends, "now": micros(now)}
                )
            return None

        return await self._ledger.write(work)

    async def clear(self, key: str) -> None:
        """See the port."""
        await self._ledger.write(
            lambda entry: entry.connection.execute("DELETE FROM mfa_tallies WHERE key = ?", (key,))
        )


def _pause(entry: Entry, quota: Quota, now: datetime) -> float | None:
    """Seconds until *quota* has room again; None when it has."""
    row = entry.connection.execute(
        "SELECT ends_at FROM mfa_tallies WHERE key = ? AND taken >= ? AND ends_at > ?",
        (quota.key, quota.most, micros(now)),
    ).fetchone()
    return None if row is None else (moment(row[0]) - now).total_seconds()


def _challenge(row: _Row) -> Challenge:
    identity, user_id, tenant, created_at, expires_at = row
    return Challenge(identity, user_id, tenant, moment(created_at), moment(expires_at))
