"""All stores of the service on one database."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path

from auth_service.adapters.bells import MailBell, Tide
from auth_service.adapters.key_seal import KeySeal
from auth_service.adapters.sqlite.accounts import SqliteAccounts
from auth_service.adapters.sqlite.api_keys import SqliteApiKeys
from auth_service.adapters.sqlite.audit import SqliteAuditTrail
from auth_service.adapters.sqlite.event_log import SqliteEventLog
from auth_service.adapters.sqlite.ledger import Ledger
from auth_service.adapters.sqlite.login_places import SqliteLoginPlaces
from auth_service.adapters.sqlite.mail_outbox import SqliteMailOutbox
from auth_service.adapters.sqlite.mfa.challenges import (
    SqliteChallenges,
    SqliteSentCodes,
    SqliteTallies,
)
from auth_service.adapters.sqlite.mfa.devices import SqliteDevices
from auth_service.adapters.sqlite.mfa.factors import SqliteFactors, SqliteRecoveryCodes
from auth_service.adapters.sqlite.oauth_stores import SqliteOAuthStores, oauth_stores
from auth_service.adapters.sqlite.policies import SqlitePolicies
from auth_service.adapters.sqlite.revocations import SqliteRevocations
from auth_service.adapters.sqlite.roles import SqliteRoles
from auth_service.adapters.sqlite.schema import MIGRATIONS
from auth_service.adapters.sqlite.session_list import SqliteSessionList
from auth_service.adapters.sqlite.sessions import SqliteSessions
from auth_service.adapters.sqlite.signing_keys import SqliteSigningKeys, seal_plain_keys
from auth_service.adapters.sqlite.users import SqliteUsers
from auth_service.application.ports import Perishables
from auth_service.domain.audit import ChainKeys
from chassis.crypto.data_keys import own_key
from chassis.crypto.key_file import WrappingKeys, ephemeral, load_or_create
from chassis.storage.sqlite import SqliteDatabase

KEY_FILE = Path("keys") / "auth.keys"
"""Where the operator's keys are unless somebody says so, below the data directory."""


@dataclass(frozen=True, slots=True)
class SqliteMfa:
    """The stores of second factors."""

    factors: SqliteFactors
    recovery: SqliteRecoveryCodes
    challenges: SqliteChallenges
    sent: SqliteSentCodes
    tallies: SqliteTallies
    devices: SqliteDevices


@dataclass(frozen=True, slots=True)
class SqliteStores:
    """The stores, and what is below them."""

    database: SqliteDatabase
    ledger: Ledger
    users: SqliteUsers
    sessions: SqliteSessions
    revocations: SqliteRevocations
    keys: SqliteSigningKeys
    api_keys: SqliteApiKeys
    roles: SqliteRoles
    policies: SqlitePolicies
    log: SqliteEventLog
    mails: SqliteMailOutbox
    mfa: SqliteMfa
    trail: SqliteAuditTrail
    chain: ChainKeys
    """What the audit trail is proved with."""
    oauth: SqliteOAuthStores
    accounts: SqliteAccounts
    session_list: SqliteSessionList
    places: SqliteLoginPlaces

    @property
    def perishables(self) -> Sequence[Perishables]:
        """All of which something ends with time."""
        return (
            self.accounts,
            self.sessions,
            self.revocations,
            self.keys,
            self.api_keys,
            self.mfa.challenges,
            self.mfa.devices,
            *self.oauth.perishables,
        )

    async def check(self) -> None:
        """Whether the store answers, for health checks.

        Raises:
            StoreUnavailable: it does not.
        """
        await self.database.read(lambda connection: connection.execute("SELECT 1").fetchone())


@asynccontextmanager
async def sqlite_stores(
    path: Path | None, wrapping: WrappingKeys | None = None
) -> AsyncIterator[SqliteStores]:
    """The stores in the file *path*, readable by its owner only; None: in memory.

    Args:
        path: of the file.
        wrapping: the operator's keys; those in `keys/auth.keys` beside the file by default.

    Raises:
        chassis.errors.CannotStart: the file cannot be used, or the keys are not those it was made with.
    """
    if wrapping is None:
        wrapping = load_or_create(path.parent / KEY_FILE) if path else ephemeral()
    async with await SqliteDatabase.open(path, migrations=MIGRATIONS, name="auth") as database:
        key = await database.write(partial(own_key, name="auth", wrapping=wrapping))
        chain = ChainKeys.of(key)
        keys = SqliteSigningKeys(database, KeySeal(key))
        await seal_plain_keys(database, path, keys)
        announced, revoked, mailed = Tide(), Tide(), MailBell()
        ledger = Ledger(database, announced=announced, revoked=revoked, mailed=mailed)
        yield SqliteStores(
            database=database,
            ledger=ledger,
            users=SqliteUsers(ledger),
            sessions=SqliteSessions(ledger),
            revocations=SqliteRevocations(database, revoked),
            keys=keys,
            api_keys=SqliteApiKeys(ledger),
            roles=SqliteRoles(ledger),
            policies=SqlitePolicies(ledger),
            log=SqliteEventLog(database, announced),
            mails=SqliteMailOutbox(database, mailed),
            mfa=SqliteMfa(
                factors=SqliteFactors(ledger),
                recovery=SqliteRecoveryCodes(ledger),
                challenges=SqliteChallenges(ledger),
                sent=SqliteSentCodes(ledger),
                tallies=SqliteTallies(ledger),
                devices=SqliteDevices(ledger),
            ),
            trail=SqliteAuditTrail(database, chain),
            chain=chain,
            oauth=oauth_stores(ledger),
            accounts=SqliteAccounts(ledger),
            session_list=SqliteSessionList(ledger),
            places=SqliteLoginPlaces(ledger),
        )
