"""The audit of a service that has a store: kept with the change, then brought to the trail."""

from dataclasses import dataclass
from typing import Self

from chassis.audit.mongo_outbox import MongoAuditOutbox
from chassis.audit.outbox import AuditOutbox, Send, SqliteAuditOutbox
from chassis.audit.recorder import Recorder
from chassis.clock import Clock
from chassis.ids import Ids
from chassis.lifecycle import Supervisor
from chassis.storage.mongo import MongoDatabase
from chassis.storage.sqlite import SqliteDatabase


@dataclass(frozen=True, slots=True)
class ServiceAudit:
    """What everybody in the service tells, and where it is kept."""

    recorder: Recorder
    outbox: AuditOutbox

    @classmethod
    def of(
        cls,
        service: str,
        database: SqliteDatabase | MongoDatabase,
        *,
        counted: frozenset[str] = frozenset(),
        clock: Clock,
        ids: Ids,
    ) -> Self:
        """In *database*, which has the outbox's table or collection; nothing runs yet."""
        outbox: AuditOutbox
        match database:
            case SqliteDatabase():
                outbox = SqliteAuditOutbox(database)
            case MongoDatabase():
                outbox = MongoAuditOutbox(database)
        return cls(Recorder(service, outbox, counted=counted, clock=clock, ids=ids), outbox)

    def start(self, supervisor: Supervisor, send: Send | None) -> None:
        """Keep what is told, and bring it to the trail with *send*; None: there is no trail."""
        _ = supervisor.start("audit", self.recorder.run())
        if send is not None:
            _ = supervisor.start("audit-outbox", self.outbox.ship(send))
