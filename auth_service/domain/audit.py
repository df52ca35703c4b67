"""The chain of the audit trail: each entry proves itself and the one before it.

    link n = HMAC(key of the chain, all of entry n, link n-1)

Per tenant the sequence has no gaps. What is about somebody (address and the like) is in the chain as a salted
commitment only, so that it can be erased while the chain still holds. A head, apart from the entries, and checkpoints,
written elsewhere, tell that the end was cut off; an anchor says with which link a chain goes on whose old
entries were purged.

Source: RFC 2104 (HMAC), RFC 5869 (HKDF: one key for each purpose), Schneier and Kelsey, "Secure Audit Logs to Support
Computer Forensics", 1999.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

import msgspec

from chassis.audit import AuditEntry
from chassis.crypto.sealing import about, derived, same, tag

FIRST_LINK: Final = bytes(32)
SALT_BYTES: Final = 16
_FORM: Final = 1
_encode = msgspec.json.Encoder(order="sorted").encode


@dataclass(frozen=True, slots=True, repr=False)
class ChainKeys:
    """Keys for one purpose each, derived from one."""

    links: bytes
    marks: bytes
    checkpoints: bytes

    @classmethod
    def of(cls, key: bytes) -> "ChainKeys":
        """Those of *key*."""
        return cls(
            derived(key, "autoworker audit, links, 1"),
            derived(key, "autoworker audit, marks, 1"),
            derived(key, "autoworker audit, checkpoints, 1"),
        )


@dataclass(frozen=True, slots=True)
class Place:
    """How far a tenant's chain has come."""

    sequence: int
    link: bytes


BEGINNING: Final = Place(0, FIRST_LINK)


@dataclass(frozen=True, slots=True)
class Chained:
    """An entry at its place. *salt* is None once what is about somebody has been erased."""

    entry: AuditEntry
    sequence: int
    salt: bytes | None
    commitment: bytes
    previous: bytes
    link: bytes

    @property
    def place(self) -> Place:
        """Where the next one goes on."""
        return Place(self.sequence, self.link)


class Fault(StrEnum):
    """What is wrong at a place."""

    EDITED = "edited"
    """The entry is not what was written, or was never written by us."""
    MISSING = "missing"
    """The entry that ought to be here is gone."""
    CUT_OFF = "cut_off"
    """The chain ends before the place that a head or a checkpoint has seen."""
    REPLACED = "replaced"
    """The chain holds, but a checkpoint has seen another one."""
    MARK = "mark"
    """A head, an anchor or a checkpoint is not one of ours."""


@dataclass(frozen=True, slots=True)
class Broken:
    """The first place at which a chain does not hold."""

    tenant: str
    sequence: int
    fault: Fault
    entry_id: str = ""
    detail: str = ""


def chained(key: bytes, entry: AuditEntry, after: Place, salt: bytes) -> Chained:
    """*entry* at the place behind *after*."""
    commitment = _commitment(entry, salt)
    sequence = after.sequence + 1
    link = _link(key, entry, sequence, commitment, after.link)
    return Chained(entry, sequence, salt, commitment, after.link, link)


def mark_of(keys: ChainKeys, kind: str, tenant: str, place: Place) -> bytes:
    """What proves that *place* was a head or an anchor of the tenant."""
    return tag(keys.marks, about(_FORM, kind, tenant, place.sequence, place.link.hex()))


def fault_in(key: bytes, after: Place, row: Chained) -> tuple[Fault, str] | None:
    """What is wrong with *row* where the entry behind *after* ought to be, if anything is."""
    if row.sequence != after.sequence + 1:
        return Fault.MISSING, f"the next one that is there is {row.sequence}"
    link = _link(key, row.entry, row.sequence, row.commitment, row.previous)
    if not same(link, row.link):
        return Fault.EDITED, "the entry does not prove itself"
    if not same(row.previous, after.link):
        return Fault.EDITED, "the entry does not follow on the one before it"
    personal = bool(row.entry.address or row.entry.personal)
    if (row.salt is None and personal) or (
        row.salt is not None and not same(row.commitment, _commitment(row.entry, row.salt))
    ):
        return Fault.EDITED, "what it says about somebody is not what was written"
    return None


class Walk:
    """Goes along one tenant's chain and stops at the first place that does not hold.

    Args:
        keys: those of the chain.
        tenant: whose chain it is.
        start: the anchor, or the beginning.
        seen: places that the head and checkpoints have seen, with what saw them.
    """

    def __init__(
        self, keys: ChainKeys, tenant: str, start: Place, seen: Sequence[tuple[Place, str]]
    ) -> None:
        self._keys = keys
        self._tenant = tenant
        self._at = start
        self._seen = sorted(
            ((place, by) for place, by in seen if place.sequence >= start.sequence),
            key=lambda pair: pair[0].sequence,
        )
        self.entries = 0
        self.erased = 0

    @property
    def place(self) -> Place:
        """How far it has come."""
        return self._at

    def step(self, row: Chained) -> Broken | None:
        """Go over *row*; what is wrong there, if anything is."""
        if (found := self._replaced()) is not None:
            return found
        fault = fault_in(self._keys.links, self._at, row)
        if fault is not None:
            missing = fault[0] is Fault.MISSING
            sequence = self._at.sequence + 1 if missing else row.sequence
            return Broken(
                self._tenant, sequence, fault[0], "" if missing else row.entry.id, fault[1]
            )
        self._at = row.place
        self.entries += 1
        self.erased += row.salt is None
        return None

    def end(self) -> Broken | None:
        """What is wrong with there being no more entries, if anything is."""
        found = self._replaced()
        if found is None and self._seen:
            place, by = self._seen[-1]
            return Broken(
                self._tenant,
                self._at.sequence + 1,
                Fault.CUT_OFF,
                detail=f"{by} has seen the entries up to {place.sequence}",
            )
        return found

    def _replaced(self) -> Broken | None:
        """Compare with what has been seen of the place where it is."""
        while self._seen and self._seen[0][0].sequence <= self._at.sequence:
            place, by = self._seen.pop(0)
            if place.sequence == self._at.sequence and not same(place.link, self._at.link):
                return Broken(
                    self._tenant, place.sequence, Fault.REPLACED, detail=f"{by} has seen another"
                )
        return None


def _commitment(entry: AuditEntry, salt: bytes) -> bytes:
    return tag(salt, _encode([entry.address, entry.personal]))


def _link(
    key: bytes, entry: AuditEntry, sequence: int, commitment: bytes, previous: bytes
) -> bytes:
    return tag(
        key,
        about(
            _FORM,
            entry.tenant,
            sequence,
            entry.id,
            entry.at,
            entry.source,
            entry.action,
            entry.outcome,
            entry.actor,
            entry.target,
            entry.reason,
            entry.request_id,
            _encode(entry.data).decode(),
            commitment.hex(),
            previous.hex(),
        ),
    )
