"""Events from outside, in MongoDB: kept in the same log as histories, so that one relay publishes both."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from chassis.storage.mongo import MongoDatabase
from workflow_service.adapters.bells import IntakeBell, LogBell
from workflow_service.adapters.columns import micros
from workflow_service.adapters.mongo.commit_events import Arriving, arriving
from workflow_service.adapters.mongo.entries import Group, View
from workflow_service.adapters.mongo.journal import Journal
from workflow_service.application.ports import InboundEvent


class InboundEntry:
    """Some events that came together."""

    __slots__ = ("_announce", "_arriving", "_at")

    executions: Sequence[str] = ()
    keys: Sequence[str] = ()

    def __init__(self, arriving: Sequence[Arriving], at: int, *, announce: bool) -> None:
        self._arriving = arriving
        self._at = at
        self._announce = announce

    @property
    def size(self) -> int:
        """Bytes: they stand in the log and in the intake."""
        return sum(200 + 2 * len(each.data) for each in self._arriving)

    @property
    def events(self) -> Sequence[str]:
        """By what they are known."""
        return [each.key for each in self._arriving]

    def decide(self, view: View, group: Group) -> int:
        """Keep those not seen before; return how many that are."""
        new = [each.data for each in self._arriving if each.write(view, group)]
        if new:
            told = {"at": self._at, "events": b"[" + b",".join(new) + b"]"}
            group.add(told if self._announce else {}, self._at)
        return len(new)

    async def before(self, database: MongoDatabase) -> None:
        """Nothing is too large here."""


class MongoInboundEvents:
    """The ``InboundEvents`` port on a journal."""

    def __init__(self, journal: Journal, *, bell: LogBell, intake: IntakeBell) -> None:
        self._journal = journal
        self._bell = bell
        self._intake = intake

    async def add(
        self, events: Sequence[InboundEvent], at: datetime, *, announce: bool = True
    ) -> int:
        """Keep those not seen before and return how many."""
        if not events:
            return 0
        entries = [arriving(event, at) for event in events]
        accepted: int = await self._journal.put(
            InboundEntry(entries, micros(at), announce=announce)
        )
        if accepted:
            self._bell.ring()
            self._intake.ring()
        return accepted
