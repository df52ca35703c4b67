"""All that the workflow service keeps, in one MongoDB database that other processes may share."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable, Collection
from contextlib import asynccontextmanager
from dataclasses import dataclass

from chassis.clock import Clock
from chassis.lifecycle import Supervisor
from chassis.messaging.leading import LedLog
from chassis.messaging.relay import EventLog
from chassis.storage.mongo import MongoDatabase
from chassis.storage.mongo import opened as opened_database
from chassis.storage.mongo_leading import Leadership
from chassis.storage.mongo_migrations import migrate
from chassis.storage.mongo_presence import Presence
from workflow_service.adapters.bells import Bells
from workflow_service.adapters.metrics import observe_commit
from workflow_service.adapters.mongo.children import MongoChildren
from workflow_service.adapters.mongo.definitions import MongoDefinitions
from workflow_service.adapters.mongo.deployments import MongoOpenOfDefinitions
from workflow_service.adapters.mongo.event_log import MongoEventLog
from workflow_service.adapters.mongo.event_store import MongoEventStore
from workflow_service.adapters.mongo.functions import MongoFunctions
from workflow_service.adapters.mongo.inbound_events import MongoInboundEvents
from workflow_service.adapters.mongo.intake import MongoIntake
from workflow_service.adapters.mongo.journal import Journal
from workflow_service.adapters.mongo.leading import LedIntake
from workflow_service.adapters.mongo.retention import MongoRetention
from workflow_service.adapters.mongo.schedules import MongoSchedules
from workflow_service.adapters.mongo.schema import MIGRATIONS
from workflow_service.adapters.mongo.secrets import MongoSecrets, MongoTenantKeys
from workflow_service.adapters.mongo.subscriptions import MongoSubscriptions
from workflow_service.adapters.mongo.summaries import MongoSummaries
from workflow_service.adapters.payloads import PayloadCodec
from workflow_service.application.event_ports import Intake
from workflow_service.application.ports import Commit
from workflow_service.application.projections.announcements import Wanted

SERVICE = "workflow"


@dataclass(frozen=True, slots=True)
class MongoStores:
    """Every port that the database serves."""

    database: MongoDatabase
    node: str
    presence: Presence
    journal: Journal
    definitions: MongoDefinitions
    events: MongoEventStore
    summaries: MongoSummaries
    inbound: MongoInboundEvents
    intake: Intake
    subscriptions: MongoSubscriptions
    functions: MongoFunctions
    secrets: MongoSecrets
    tenant_keys: MongoTenantKeys
    children: MongoChildren
    open_of_definitions: MongoOpenOfDefinitions
    schedules: MongoSchedules
    log: EventLog
    retention: MongoRetention

    async def check(self) -> None:
        """Ask the database for a sign of life.

        Raises:
            Unavailable: it gives none.
        """
        await self.database.check()


@asynccontextmanager
async def opened(
    url: str,
    *,
    node: str,
    clock: Clock,
    wanted: Wanted,
    codec: PayloadCodec,
    bells: Bells | None = None,
) -> AsyncIterator[MongoStores]:
    """Open the database at *url*, brought up to date.

    Args:
        url: ``mongodb://…``.
        node: who writes.
        clock: tells which idempotency keys live.
        wanted: whether anybody listens to a type of event.
        codec: takes large values out of commits.
        bells: ring here and elsewhere; None: here.
    """
    async with opened_database(url, SERVICE) as database:
        await migrate(database, MIGRATIONS)
        presence = Presence(database, node)
        async with presence, Supervisor() as supervisor:
            journal = Journal(database, supervisor, node=node, alive=lambda: presence.alive)
            yield stores_on(
                database,
                journal,
                presence,
                clock=clock,
                wanted=wanted,
                codec=codec,
                observe=observe_commit,
                alive=lambda: presence.alive,
                dead=presence.dead,
                bells=bells,
            )
            await journal.leave()


def stores_on(
    database: MongoDatabase,
    journal: Journal,
    presence: Presence,
    *,
    clock: Clock,
    wanted: Wanted,
    codec: PayloadCodec,
    observe: Callable[[Commit], None] = lambda _: None,
    dead: Callable[[], Awaitable[Collection[str]]],
    alive: Callable[[], Collection[str]] = lambda: (),
    bells: Bells | None = None,
) -> MongoStores:
    """Return the ports on *database*, as one process has them; *dead* names those whose work may be taken over."""
    rung = bells or Bells()
    bell, arrivals = rung.log, rung.intake
    log = MongoEventLog(database, bell=bell, wanted=wanted)
    events = MongoEventStore(
        database,
        journal,
        node=presence.node,
        clock=clock,
        bell=bell,
        observe=observe,
        codec=codec,
        intake=arrivals,
        alive=alive,
        dead=dead,
    )
    return MongoStores(
        database=database,
        node=presence.node,
        presence=presence,
        journal=journal,
        definitions=MongoDefinitions(database),
        events=events,
        summaries=MongoSummaries(database, journal),
        inbound=MongoInboundEvents(journal, bell=bell, intake=arrivals),
        intake=LedIntake(
            MongoIntake(database, journal, bell=arrivals), Leadership(presence, "intake")
        ),
        subscriptions=MongoSubscriptions(database, journal),
        functions=MongoFunctions(database),
        secrets=MongoSecrets(database),
        tenant_keys=MongoTenantKeys(database),
        children=MongoChildren(database, journal),
        open_of_definitions=MongoOpenOfDefinitions(database, journal),
        schedules=MongoSchedules(database),
        log=LedLog(log, Leadership(presence, "relay")),
        retention=MongoRetention(database, journal, log),
    )


async def settled(database: MongoDatabase) -> None:
    """Make sure that everything in *database* is as its log says, for whoever reads it without a journal.

    Raises:
        StoreUnavailable: the store does not answer.
    """
    async with Supervisor() as supervisor:
        await Journal(database, supervisor, node="").barrier.settle()
