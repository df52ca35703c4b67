"""All stores of the service on one database, which processes share."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Final

from auth_service.adapters.bells import MailBell, Tide
from auth_service.adapters.key_seal import KeySeal, prove_all
from auth_service.adapters.mongo.accounts import MongoAccounts
from auth_service.adapters.mongo.api_keys import MongoApiKeys
from auth_service.adapters.mongo.audit import MongoAuditTrail
from auth_service.adapters.mongo.event_log import MongoEventLog
from auth_service.adapters.mongo.ledger import MongoLedger
from auth_service.adapters.mongo.login_places import MongoLoginPlaces
from auth_service.adapters.mongo.mail_outbox import MongoMailOutbox
from auth_service.adapters.mongo.mfa.stores import MongoMfa, mfa_stores
from auth_service.adapters.mongo.oauth_stores import MongoOAuthStores, oauth_stores
from auth_service.adapters.mongo.policies import MongoPolicies
from auth_service.adapters.mongo.revocations import MongoRevocations
from auth_service.adapters.mongo.roles import MongoRoles
from auth_service.adapters.mongo.schema import MIGRATIONS
from auth_service.adapters.mongo.session_list import MongoSessionList
from auth_service.adapters.mongo.sessions import MongoSessions
from auth_service.adapters.mongo.signing_keys import MongoSigningKeys
from auth_service.adapters.mongo.tides import Tides
from auth_service.adapters.mongo.users import MongoUsers
from auth_service.application.ports import Perishables
from auth_service.domain.audit import ChainKeys
from chassis.crypto.key_file import WrappingKeys
from chassis.crypto.mongo_data_keys import own_key
from chassis.lifecycle import Supervisor
from chassis.storage.mongo import MongoDatabase, opened
from chassis.storage.mongo_leading import Leadership
from chassis.storage.mongo_migrations import migrate
from chassis.storage.mongo_presence import Presence

SERVICE: Final = "auth"


@dataclass(frozen=True, slots=True)
class MongoStores:
    """The stores, and what is below them."""

    database: MongoDatabase
    presence: Presence
    ledger: MongoLedger
    users: MongoUsers
    sessions: MongoSessions
    revocations: MongoRevocations
    api_keys: MongoApiKeys
    roles: MongoRoles
    policies: MongoPolicies
    keys: MongoSigningKeys
    log: MongoEventLog
    mails: MongoMailOutbox
    trail: MongoAuditTrail
    mfa: MongoMfa
    oauth: MongoOAuthStores
    chain: ChainKeys
    """What the audit trail is proved with."""
    accounts: MongoAccounts
    session_list: MongoSessionList
    places: MongoLoginPlaces

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

    def leads(self, name: str) -> Leadership:
        """Whether this process is the one that does the work called *name*."""
        return Leadership(self.presence, name)

    async def check(self) -> None:
        """Whether the store answers, for health checks.

        Raises:
            StoreUnavailable: it does not.
        """
        await self.database.check()


@asynccontextmanager
async def mongo_stores(
    url: str, wrapping: WrappingKeys, *, node: str
) -> AsyncIterator[MongoStores]:
    """The stores in the database at *url*, brought up to date.

    Args:
        url: `mongodb://host/prefix?options`.
        wrapping: the operator's keys, the same for every process.
        node: what this process is called among those that share the database.

    Raises:
        chassis.errors.CannotStart: the database cannot be used, or the keys are not those it was made with.
    """
    async with opened(url, SERVICE) as database:
        await migrate(database, MIGRATIONS)
        key = await own_key(database, SERVICE, wrapping)
        announced, revoked, mailed = Tide(), Tide(), MailBell()
        ledger = MongoLedger(database, announced=announced, revoked=revoked, mailed=mailed)
        tides = Tides(database, announced=announced, revoked=revoked)
        async with Presence(database, node) as presence, Supervisor() as supervisor:
            _ = supervisor.start("auth-presence", presence.run(_nothing))
            _ = supervisor.start("auth-tides", tides.run())
            stores = _stores_on(presence, ledger, key, announced, revoked, mailed)
            await prove_all(stores.keys)
            yield stores


async def _nothing() -> None:
    """Whatever a process leaves behind when it dies is found by who leads next."""


def _stores_on(
    presence: Presence,
    ledger: MongoLedger,
    key: bytes,
    announced: Tide,
    revoked: Tide,
    mailed: MailBell,
) -> MongoStores:
    database, chain = ledger.database, ChainKeys.of(key)
    return MongoStores(
        database=database,
        presence=presence,
        ledger=ledger,
        users=MongoUsers(ledger),
        sessions=MongoSessions(ledger),
        revocations=MongoRevocations(database, revoked),
        api_keys=MongoApiKeys(ledger),
        roles=MongoRoles(ledger),
        policies=MongoPolicies(ledger),
        log=MongoEventLog(database, announced),
        mails=MongoMailOutbox(ledger, mailed),
        trail=MongoAuditTrail(ledger, chain),
        mfa=mfa_stores(ledger),
        oauth=oauth_stores(ledger),
        chain=chain,
        keys=MongoSigningKeys(ledger, KeySeal(key)),
        accounts=MongoAccounts(ledger),
        session_list=MongoSessionList(ledger),
        places=MongoLoginPlaces(ledger),
    )
