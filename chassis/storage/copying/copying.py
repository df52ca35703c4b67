"""Fills one store from another one, batch by batch, so that it can go on where it was ended."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import msgspec

from chassis.errors import CannotStart
from chassis.storage.copying.records import Kind, Note, Store, packed, unpacked
from chassis.storage.unfinished import DONE

COPYING: Final = "copying"
CLEARING: Final = "clearing"

Told = Callable[[str, Kind, int], None]
"""Is told of a service, a kind, and how many records more are there now."""


async def totals_of(store: Store) -> Mapping[str, int]:
    """How many records of each kind *store* has."""
    return {kind.name: await store.count(kind) for kind in store.kinds}


async def admitted(target: Store, source: str, totals: Mapping[str, int], *, restart: bool) -> Note:
    """Where the copy into *target* stands; nothing is changed.

    Args:
        target: is empty, or half of the same copy, or has all of it.
        source: what the source is called.
        totals: what it has.
        restart: whether the half of any copy may be cleared and begun anew.

    Raises:
        CannotStart: it has something else.
    """
    note = await target.note()
    new = Note(state=COPYING, source=source, totals=totals)
    if note is None or note.state == DONE:
        if note is not None and (note.source, note.totals) == (source, totals):
            return note
        await _refuse_used(target)
        return new
    if restart or note.state == CLEARING:
        return msgspec.structs.replace(new, state=CLEARING)
    if note.source != source:
        raise CannotStart(
            f"the store of {target.service} is half of a copy of {note.source}: finish that one, or"
            " begin anew with --restart"
        )
    if note.totals != totals:
        raise CannotStart(
            f"{source} has changed since the copy of {target.service} was begun: begin anew with"
            " --restart"
        )
    return note


async def begun(target: Store, note: Note) -> Note:
    """Note in *target* where its copy stands, which keeps services away; what is to be cleared is."""
    await target.put_note(note)
    if note.state != CLEARING:
        return note
    await target.clear()
    note = msgspec.structs.replace(note, state=COPYING)
    await target.put_note(note)
    return note


async def copied(source: Store, target: Store, note: Note, told: Told) -> None:
    """Bring what *note* does not tell of yet from *source* to *target*."""
    for kind in source.kinds:
        if kind.name in note.copied and not _is_last(kind, note):
            continue
        after = unpacked(note.place) if _is_last(kind, note) and note.place else ()
        count = note.copied.get(kind.name, 0)
        more = True
        while more:
            page = await source.read(kind, after)
            more, after, count = page.more, page.cursor, count + len(page.records)
            so_far = {**note.copied, kind.name: count}
            note = msgspec.structs.replace(note, copied=so_far, place=packed(after))
            if page.records:
                await target.write(kind, page.records, note)
            told(source.service, kind, len(page.records))


async def finished(target: Store) -> None:
    """Note that the copy is whole."""
    note = await target.note()
    if note is not None:
        await target.put_note(msgspec.structs.replace(note, state=DONE))


async def _refuse_used(target: Store) -> None:
    for kind in target.kinds:
        if not kind.always and await target.count(kind):
            raise CannotStart(
                f"the store of {target.service} there is not empty (it has {kind.name}): copy into"
                " another one, or take that one away first"
            )


def _is_last(kind: Kind, note: Note) -> bool:
    return bool(note.copied) and kind.name == list(note.copied)[-1]
