"""What a commit has to do with events: those that it emits go into the intake, and its subscriptions begin and end."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

import msgspec

from chassis.storage.keys import key_of
from chassis.storage.mongo import Document
from workflow_service.adapters.columns import micros
from workflow_service.adapters.mongo.entries import Group, View
from workflow_service.application.ports import Commit, InboundEvent
from workflow_service.application.projections.inbound import emitted
from workflow_service.domain.execution.events import EventEmitted
from workflow_service.domain.execution.listening import (
    NO_CHANGE,
    Subscription,
    SubscriptionChange,
)

_encode = msgspec.json.Encoder().encode


@dataclass(frozen=True, slots=True)
class Arriving:
    """An event on its way into the intake."""

    key: str
    """By which it is known."""
    tenant: str
    at: int
    data: bytes

    def write(self, view: View, group: Group) -> bool:
        """Give it its place; False when it has been there before."""
        if self.key in view.seen:
            return False
        document = {"tenant": self.tenant, "at": self.at, "event": self.data}
        group.writes.insert("intake", {"_id": group.arrived(view, self.key), **document})
        group.writes.insert("seen", {"_id": self.key, "at": self.at})
        return True


def arriving(event: InboundEvent, at: datetime) -> Arriving:
    """Return what is written of an event that came *at*."""
    key = key_of(event.tenant, event.source, event.id)
    return Arriving(key, event.tenant, micros(at), _encode(event))


@dataclass(frozen=True, slots=True)
class CommitEvents:
    """Made ready before its place is known."""

    tenant: str
    execution: str
    entries: Sequence[Arriving | None]
    change: SubscriptionChange

    @classmethod
    def of(cls, commit: Commit) -> CommitEvents:
        """Return what *commit* has to do with events."""
        tenant = commit.summary.tenant
        entries: list[Arriving | None] = []
        for event in commit.events:
            if isinstance(event, EventEmitted):
                told = emitted(event.event, commit.at, tenant, commit.execution)
                entries.append(None if told is None else arriving(told, commit.at))
        return cls(tenant, commit.execution, entries, commit.subscriptions)

    @property
    def known(self) -> Sequence[str]:
        """By what its events are known."""
        return [entry.key for entry in self.entries if entry is not None]

    def write(self, view: View, group: Group, position: int) -> None:
        """Put what is emitted into the intake, and the subscriptions where they belong between that."""
        ends = [group.intake]
        for entry in self.entries:
            if entry is not None:
                _ = entry.write(view, group)
            ends.append(group.intake)
        if self.change is not NO_CHANGE:
            self._write_change(group, position, ends)

    def _write_change(self, group: Group, position: int, ends: Sequence[int]) -> None:
        change, writes = self.change, group.writes
        if change.all_removed:
            which, gone = self._ended({"execution": self.execution}, position)
            writes.update_all("subscriptions", which, gone)
        for each in change.removed:
            writes.update("subscriptions", *self._ended(self._which(each, position), position))
        for each in change.moved:
            # One position has one commit: what it adds is moved by later ones only.
            moved = {"$set": {"key": each.key, "position": position}}
            writes.update("subscriptions", self._which(each, position), moved)
        for found in change.added:
            each, since = found.subscription, ends[found.emitted_before]
            # Half a step behind what the same commit removes, of which it may take the place.
            which = {"_id": self._id(each), "position": {"$lt": position + 0.5}}
            members = self._members(each) | {"since": since, "position": position + 0.5}
            writes.put("subscriptions", which, {"$set": members, "$unset": {"ended": ""}})

    def _ended(self, which: Document, position: int) -> tuple[Document, Document]:
        gone = dict.fromkeys(("tenant", "type", "shape", "key", "execution"), "")
        ended = {"$set": {"position": position}, "$unset": gone, "$currentDate": {"ended": True}}
        return which | {"position": {"$lt": position}}, ended

    def _which(self, each: Subscription, position: int) -> Document:
        return {"_id": self._id(each), "number": each.number, "position": {"$lt": position}}

    def _id(self, each: Subscription) -> str:
        return key_of(self.execution, each.frame, each.type, str(each.shape))

    def _members(self, each: Subscription) -> Document:
        return {
            "tenant": self.tenant,
            "type": each.type,
            "shape": str(each.shape),
            "key": each.key,
            "execution": self.execution,
            "frame": each.frame,
            "number": each.number,
        }
