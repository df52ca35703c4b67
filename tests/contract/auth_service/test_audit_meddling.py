"""Whoever meddles with the store of the audit trail is found out, whichever store it is."""

import sqlite3
from collections.abc import Awaitable, Callable
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import pytest

from auth_service.adapters.sqlite.stores import sqlite_stores
from auth_service.application.ports.audit import Checkpoint
from auth_service.domain.audit import Fault
from chassis.storage.mongo import Document, MongoDatabase
from tests.contract.auth_service.adapters import process
from tests.contract.auth_service.audit_maker import entry, fill, verdict
from tests.contract.auth_service.conftest import NOW

Meddler = Callable[[MongoDatabase], Awaitable[object]]


class Meddling(NamedTuple):
    """What somebody does who can write to the store, and where that is noticed."""

    on_sqlite: str
    on_mongodb: Meddler
    sequence: int
    fault: Fault


def editing(**values: object) -> Meddler:
    """The fifth entry says something else."""
    return lambda database: database.collection("audit").update_one(
        {"sequence": 5}, {"$set": values}
    )


def deleting(**sequence: int) -> Meddler:
    """Entries are gone."""
    which = {"sequence": {f"${name}": value for name, value in sequence.items()}}
    return lambda database: database.collection("audit").delete_many(which if sequence else {})


async def exchange(database: MongoDatabase) -> None:
    audit = database.collection("audit")
    for before, after in ((5, -5), (6, 5), (-5, 6)):
        await audit.update_one({"sequence": before}, {"$set": {"sequence": after}})


def putting_in(behind: int) -> Meddler:
    """One's own entry, which follows on the one before it; all later ones are a place further."""

    async def put_in(database: MongoDatabase) -> None:
        audit = database.collection("audit")
        for place in range(10, behind, -1):
            await audit.update_one({"sequence": place}, {"$set": {"sequence": place + 1}})
        before: Document | None = await audit.find_one({"sequence": behind})
        assert before is not None
        new = {"_id": "new", "id": "new", "sequence": behind + 1, "actor": "eve"}
        await audit.insert_one(before | new | {"previous": before["link"]})

    return put_in


async def move_head(database: MongoDatabase) -> None:
    await database.collection("audit").delete_many({"sequence": {"$gt": 8}})
    await database.collection("audit_heads").update_one({}, {"$set": {"sequence": 8}})


async def make_anchor(database: MongoDatabase) -> None:
    third = await database.collection("audit").find_one({"sequence": 3})
    assert third is not None
    place = {name: third[name] for name in ("tenant", "sequence", "link")}
    await database.collection("audit_anchors").insert_one(place | {"mark": third["link"]})
    await database.collection("audit").delete_many({"sequence": {"$lte": 3}})


MEDDLING = {
    "who did it": Meddling(
        "UPDATE audit SET actor = 'eve' WHERE sequence = 5", editing(actor="eve"), 5, Fault.EDITED
    ),
    "when": Meddling(
        "UPDATE audit SET at = at - 1 WHERE sequence = 5", editing(at=1), 5, Fault.EDITED
    ),
    "from where": Meddling(
        "UPDATE audit SET address = '192.0.2.66' WHERE sequence = 5",
        editing(address="192.0.2.66"),
        5,
        Fault.EDITED,
    ),
    "its facts": Meddling(
        "UPDATE audit SET data = '{\"number\":6}' WHERE sequence = 5",
        editing(data='{"number":6}'),
        5,
        Fault.EDITED,
    ),
    "facts that are none": Meddling(
        "UPDATE audit SET data = '{' WHERE sequence = 5", editing(data="{"), 5, Fault.EDITED
    ),
    "its link": Meddling(
        "UPDATE audit SET link = zeroblob(32) WHERE sequence = 5",
        editing(link=bytes(32)),
        5,
        Fault.EDITED,
    ),
    "its tenant": Meddling(
        "UPDATE audit SET tenant = 'acme' WHERE sequence = 5",
        editing(tenant="acme"),
        5,
        Fault.MISSING,
    ),
    "deleted": Meddling("DELETE FROM audit WHERE sequence = 5", deleting(eq=5), 5, Fault.MISSING),
    "the first deleted": Meddling(
        "DELETE FROM audit WHERE sequence <= 2", deleting(lte=2), 1, Fault.MISSING
    ),
    "the last cut off": Meddling(
        "DELETE FROM audit WHERE sequence > 8", deleting(gt=8), 9, Fault.CUT_OFF
    ),
    "all cut off": Meddling("DELETE FROM audit", deleting(), 1, Fault.CUT_OFF),
    "two exchanged": Meddling(
        "UPDATE audit SET sequence = CASE sequence WHEN 5 THEN -6 ELSE -5 END "
        "WHERE sequence IN (5, 6); UPDATE audit SET sequence = -sequence WHERE sequence < 0",
        exchange,
        5,
        Fault.EDITED,
    ),
    "one put in at the end": Meddling(
        "INSERT INTO audit SELECT tenant, 11, 'new', at, source, action, outcome, 'eve', target, "
        "reason, request_id, data, address, personal, salt, commitment, link, link FROM audit "
        "WHERE sequence = 10",
        putting_in(behind=10),
        11,
        Fault.EDITED,
    ),
    "one put in between": Meddling(
        "UPDATE audit SET sequence = -sequence - 1 WHERE sequence > 5;"
        "UPDATE audit SET sequence = -sequence WHERE sequence < 0;"
        "INSERT INTO audit SELECT tenant, 6, 'new', at, source, action, outcome, 'eve', target, "
        "reason, request_id, data, address, personal, salt, commitment, link, link FROM audit "
        "WHERE sequence = 5",
        putting_in(behind=5),
        6,
        Fault.EDITED,
    ),
    "the head moved back": Meddling(
        "DELETE FROM audit WHERE sequence > 8; UPDATE audit_heads SET sequence = 8",
        move_head,
        8,
        Fault.MARK,
    ),
    "an anchor of one's own": Meddling(
        "INSERT INTO audit_anchors SELECT tenant, 3, link, link FROM audit WHERE sequence = 3;"
        "DELETE FROM audit WHERE sequence <= 3",
        make_anchor,
        3,
        Fault.MARK,
    ),
}


@pytest.mark.parametrize("what", MEDDLING)
async def test_whoever_meddles_with_the_file_is_found_out(tmp_path: Path, what: str) -> None:
    async with sqlite_stores(tmp_path / "auth.db") as stores:
        await fill(stores)
        assert (await verdict(stores)).broken is None

    meddle(tmp_path / "auth.db", MEDDLING[what].on_sqlite)

    async with sqlite_stores(tmp_path / "auth.db") as stores:
        broken = (await verdict(stores)).broken
    assert broken is not None
    assert (broken.sequence, broken.fault) == (MEDDLING[what].sequence, MEDDLING[what].fault)


@pytest.mark.parametrize("what", MEDDLING)
async def test_whoever_meddles_with_the_database_is_found_out(tmp_path: Path, what: str) -> None:
    async with process(tmp_path) as stores:
        await stores.trail.keep([entry(number) for number in range(1, 11)])

        await MEDDLING[what].on_mongodb(stores.database)

        broken = (await stores.trail.verify("default", ())).broken
    assert broken is not None
    assert (broken.sequence, broken.fault) == (MEDDLING[what].sequence, MEDDLING[what].fault)


@pytest.mark.parametrize(
    "change",
    [{"$unset": {"actor": ""}}, {"$set": {"at": "then"}}, {"$set": {"link": "linked"}}],
    ids=["a member less", "a time that is a text", "a link that is a text"],
)
async def test_a_document_that_is_none_of_ours_is_found_out(
    tmp_path: Path, change: Document
) -> None:
    async with process(tmp_path) as stores:
        await stores.trail.keep([entry(number) for number in range(1, 4)])

        await stores.database.collection("audit").update_one({"sequence": 2}, change)

        broken = (await stores.trail.verify("default", ())).broken
    assert broken is not None
    assert (broken.sequence, broken.fault) == (2, Fault.EDITED)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE audit SET actor = 'eve' WHERE sequence = 5",
        "UPDATE audit SET sequence = 50 WHERE sequence = 5",
        "UPDATE audit SET address = '192.0.2.66' WHERE sequence = 5",
        "DELETE FROM audit WHERE sequence = 5",
        "DELETE FROM audit",
    ],
)
async def test_a_file_refuses_changes_by_itself(tmp_path: Path, statement: str) -> None:
    async with sqlite_stores(tmp_path / "auth.db") as stores:
        await fill(stores)

        with pytest.raises(sqlite3.IntegrityError, match="only appended to"):
            await stores.database.write(lambda connection: connection.execute(statement))

        assert (await verdict(stores)).broken is None


async def test_a_tail_that_was_cut_off_a_file_with_its_head_is_found_by_a_checkpoint(
    tmp_path: Path,
) -> None:
    path = tmp_path / "auth.db"
    async with sqlite_stores(path) as stores:
        await fill(stores, 5)
        with closing(sqlite3.connect(path)) as connection:
            old_head = connection.execute("SELECT * FROM audit_heads").fetchone()
        await stores.trail.keep([entry(number) for number in range(6, 11)])
        checkpoint = Checkpoint(NOW, tuple(await stores.trail.checkpoint()))
        assert (await stores.trail.verify("default", [checkpoint])).broken is None

    meddle(path, "DELETE FROM audit WHERE sequence > 5")
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("INSERT OR REPLACE INTO audit_heads VALUES (?, ?, ?, ?)", old_head)
        connection.commit()

    async with sqlite_stores(path) as stores:
        assert (await verdict(stores)).broken is None  # nothing in the file itself tells
        broken = (await stores.trail.verify("default", [checkpoint])).broken
        assert broken is not None
        assert (broken.sequence, broken.fault) == (6, Fault.CUT_OFF)
        await stores.trail.keep([entry(number) for number in range(20, 30)])
        broken = (await stores.trail.verify("default", [checkpoint])).broken
    assert broken is not None
    assert (broken.sequence, broken.fault) == (10, Fault.REPLACED)


async def test_a_tail_that_was_cut_off_a_database_with_its_head_is_found_by_a_checkpoint(
    tmp_path: Path,
) -> None:
    async with process(tmp_path) as stores:
        heads = stores.database.collection("audit_heads")
        await stores.trail.keep([entry(number) for number in range(1, 6)])
        old_head = await heads.find_one({})
        assert old_head is not None
        await stores.trail.keep([entry(number) for number in range(6, 11)])
        checkpoint = Checkpoint(NOW, tuple(await stores.trail.checkpoint()))
        assert (await stores.trail.verify("default", [checkpoint])).broken is None

        await deleting(gt=5)(stores.database)
        await heads.replace_one({}, old_head)

        assert (await stores.trail.verify("default", ())).broken is None
        broken = (await stores.trail.verify("default", [checkpoint])).broken
    assert broken is not None
    assert (broken.sequence, broken.fault) == (6, Fault.CUT_OFF)


def meddle(path: Path, statements: str) -> None:
    """What somebody can do who can write to the file: the triggers do not stop them."""
    with closing(sqlite3.connect(path)) as connection:
        triggers = connection.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'")
        for (name,) in triggers.fetchall():
            connection.execute(f"DROP TRIGGER {name}")
        connection.executescript(statements)
