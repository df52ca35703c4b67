"""The audit trail as every store keeps it: what is kept of an entry, and walks along what is there."""

from collections.abc import Mapping, Sequence
from typing import Final, NamedTuple

import msgspec

from auth_service.application.ports.audit import Checkpoint, KeptEntry, Verdict
from auth_service.domain.audit import (
    BEGINNING,
    Broken,
    Chained,
    ChainKeys,
    Fault,
    Place,
    Walk,
    mark_of,
)
from chassis.audit import AuditEntry, Fact
from chassis.crypto.sealing import same

_encode = msgspec.json.Encoder(order="sorted").encode
_facts = msgspec.json.Decoder(dict[str, Fact]).decode


class Stored(msgspec.Struct, frozen=True):
    """An entry at its place, as it is kept."""

    tenant: str
    sequence: int
    id: str
    at: int
    source: str
    action: str
    outcome: str
    actor: str
    target: str
    reason: str
    request_id: str
    data: str
    address: str
    personal: str
    salt: bytes | None
    commitment: bytes
    previous: bytes
    link: bytes


class Marked(NamedTuple):
    """A place that is kept apart from the entries, with what proves that it was one."""

    place: Place
    mark: bytes


COLUMNS: Final = Stored.__struct_fields__
_NOTHING: Final = Stored("", 0, "", 0, "", "", "", "", "", "", "", "", "", "", b"", b"", b"", b"")


def stored(row: Chained) -> Stored:
    """*row* as it is kept."""
    entry = row.entry
    return Stored(
        tenant=entry.tenant,
        sequence=row.sequence,
        id=entry.id,
        at=entry.at,
        source=entry.source,
        action=entry.action,
        outcome=entry.outcome,
        actor=entry.actor,
        target=entry.target,
        reason=entry.reason,
        request_id=entry.request_id,
        data=_encode(entry.data).decode(),
        address=entry.address,
        personal=_encode(entry.personal).decode(),
        salt=row.salt,
        commitment=row.commitment,
        previous=row.previous,
        link=row.link,
    )


def stored_in(document: Mapping[str, object]) -> Stored:
    """What *document* has; one that is none of ours stands for nothing but its place, and proves nothing."""
    try:
        return msgspec.convert(document, Stored)
    except msgspec.ValidationError:
        tenant, place = str(document.get("tenant")), document.get("sequence")
        sequence = place if isinstance(place, int) else 0
        return msgspec.structs.replace(_NOTHING, tenant=tenant, sequence=sequence)


def chained_from(known: Stored) -> Chained:
    """The inverse of `stored`."""
    entry = AuditEntry(
        id=known.id,
        at=known.at,
        tenant=known.tenant,
        source=known.source,
        action=known.action,
        outcome=known.outcome,
        actor=known.actor,
        target=known.target,
        address=known.address,
        reason=known.reason,
        request_id=known.request_id,
        data=_read(known.data),
        personal=_read(known.personal),
    )
    return Chained(entry, known.sequence, known.salt, known.commitment, known.previous, known.link)


def kept(known: Stored) -> KeptEntry:
    """The same for who looks for entries."""
    found = chained_from(known)
    return KeptEntry(found.entry, found.sequence, found.salt is None, found.previous, found.link)


def walk_from(
    keys: ChainKeys,
    tenant: str,
    checkpoints: Sequence[Checkpoint],
    *,
    anchor: Marked | None,
    head: Marked | None,
) -> Walk | Broken:
    """A walk along the chain of *tenant*, from its *anchor* on to its *head*."""
    for what, marked in (("anchor", anchor), ("head", head)):
        if marked is not None and not same(marked.mark, mark_of(keys, what, tenant, marked.place)):
            detail = f"the {what} is not one of ours"
            return Broken(tenant, marked.place.sequence, Fault.MARK, detail=detail)
    seen = [] if head is None else [(head.place, "the head")]
    seen += [
        (place, f"the checkpoint of {checkpoint.at.isoformat()}")
        for checkpoint in checkpoints
        for owner, place in checkpoint.places
        if owner == tenant
    ]
    return Walk(keys, tenant, BEGINNING if anchor is None else anchor.place, seen)


def further(walk: Walk, tenant: str, rows: Sequence[Stored], *, more: bool) -> Verdict | None:
    """Go over *rows*; the verdict where it breaks, or at the end, if there are no *more*."""
    broken: Broken | None = None
    for row in rows:
        broken = walk.step(chained_from(row))
        if broken is not None:
            break
    if broken is None and more:
        return None
    broken = broken or walk.end()
    last = walk.place.sequence
    return Verdict(tenant, walk.entries, last - walk.entries + 1, last, walk.erased, broken)


def _read(text: str) -> dict[str, Fact]:
    """The facts in *text*; what cannot be read was not written by us, and proves nothing."""
    try:
        return _facts(text)
    except (msgspec.DecodeError, UnicodeEncodeError):
        return {"unreadable": True}
