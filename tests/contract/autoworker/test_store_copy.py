"""`autoworker store copy`: everything arrives, whatever ends the copy on its way, and whoever changes something is found out."""

from __future__ import annotations

import asyncio
import json
import shutil
import signal
import sqlite3
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
import pytest
from pymongo import MongoClient
from pymongo.database import Database
from typer.testing import CliRunner, Result

from autoworker.cli.app import app
from autoworker.copying.services import DATABASES, FILES
from chassis.clock import SystemClock
from chassis.errors import CannotStart
from chassis.storage.copying.records import Note
from chassis.storage.copying.tables import TableStore
from chassis.storage.copying.tables import opened as opened_alone
from chassis.storage.mongo import opened
from chassis.storage.mongo_presence import Presence
from notification_service.adapters.sqlite.store import opened as opened_file
from tests.contract.autoworker.full_stores import contents_of, fill
from tests.support.mongodb import database_url, patient
from tests.support.servers import mongo_url
from tests.support.suite import ROOT, environment, until
from workflow_service.adapters.mongo import stores
from workflow_service.adapters.payloads import PayloadCodec

MANY = 2_000
OF_PROCESSES = {
    "auth leases",
    "auth nodes",
    "auth policy_books",
    "notification nodes",
    "workflow derived",
    "workflow leases",
}
"""What is only about processes and their turns, and is not copied. Whoever adds a collection sees here whether it is."""
SLOW = 300.0
"""Seconds for what copies everything several times while the machine is busy."""
CHANGES: list[tuple[str, dict[str, object], dict[str, object], str]] = [
    ("commits", {}, {"$set": {"at": 7}}, "commits position="),
    ("log", {"told.0": {"$exists": True}}, {"$set": {"told.0.at": 7}}, "outbox position="),
    ("executions", {}, {"$set": {"status": "lost"}}, "executions execution="),
    ("payloads", {"parts": 1}, {"$set": {"data": b"other"}}, "payloads tenant="),
    ("secrets", {"sealed": {"$exists": True}}, {"$unset": {"sealed": ""}}, "secrets tenant="),
]


class Operator:
    """Somebody with a shell, a full data directory and an empty server."""

    def __init__(self, folder: Path) -> None:
        self.files = folder / "data"
        self.files.mkdir()
        self.server = patient(database_url(mongo_url(), folder))
        self.back = folder / "back"
        self.folder = folder

    def copy(self, source: Path | str, target: Path | str, *options: str) -> Result:
        """Run the command."""
        arguments = ["store", "copy", str(source), str(target), *options]
        return CliRunner().invoke(app, arguments, env={"AUTOWORKER_DATA_DIR": str(self.folder)})

    def verified(self, code: int, *options: str) -> str:
        """Compare the two, which ends with *code*."""
        result = self.copy(self.files, self.server, "--verify-only", *options)
        assert result.exit_code == code, result.output
        return result.stdout

    def empty_collections(self) -> set[str]:
        """Those that services make and that have nothing."""
        found: set[str] = set()
        for service, made in DATABASES.items():
            with self.database(service) as database:
                names = {name for step in made.migrations for name in step.collections}
                counts = {name: database[name].count_documents({}) for name in names}
            found |= {f"{service} {name}" for name, count in counts.items() if not count}
        return found

    def killed_while_copying(self, kind: str) -> bool:
        """Begin to copy, and be killed after the first records of *kind*; False: it was too fast for that."""
        places = [str(self.files), self.server]
        command = [sys.executable, "-m", "autoworker", "store", "copy", *places]
        process = subprocess.Popen(
            command, cwd=ROOT, env=environment(self.folder), stdout=subprocess.DEVNULL
        )
        try:
            until(
                lambda: kind in self.noted() or process.poll() is not None or None,
                f"copying {kind}",
                deadline=SLOW / 2,
            )
        finally:
            process.kill()
        return process.wait() == -signal.SIGKILL

    def halt_before_the_end(self) -> None:
        """Copy everything, and take back the word that it is whole."""
        successful(self.copy(self.files, self.server))
        for service in FILES:
            with self.database(service) as database:
                found = database["store_copy"].find_one({})
                assert found is not None
                note = msgspec.msgpack.decode(found["note"], type=Note)
                half = msgspec.msgpack.encode(msgspec.structs.replace(note, state="copying"))
                change = {"$set": {"state": "copying", "note": half}}
                database["store_copy"].update_one({}, change)

    def noted(self) -> Mapping[str, int]:
        """How many records of each kind of workflows are told to be on the server."""
        with self.database("workflow") as database:
            found = database["store_copy"].find_one({"state": "copying"})
        return {} if found is None else msgspec.msgpack.decode(found["note"], type=Note).copied

    async def taken_over_on_server(self) -> set[str]:
        """Open the store as the service does, and take over what was left busy."""
        opening = stores.opened(
            self.server,
            node="n",
            clock=SystemClock(),
            wanted=lambda _: True,
            codec=PayloadCodec(),
        )
        async with opening as opened_stores:
            return set(await opened_stores.events.take_over("n", 1_000))

    @contextmanager
    def database(self, service: str) -> Iterator[Database[dict[str, Any]]]:
        """The database of a service."""
        client: MongoClient[dict[str, Any]] = MongoClient(self.server)
        with client:
            name = self.server.partition("?")[0].rpartition("/")[2]
            yield client[f"{name}_{service}"]


@pytest.fixture
def operator(tmp_path: Path) -> Operator:
    return Operator(tmp_path)


def successful(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def refused(result: Result) -> str:
    assert result.exit_code == 1, result.output
    assert "error: " in result.stderr
    return result.stderr


@pytest.mark.timeout(SLOW)
def test_everything_goes_to_a_server_and_comes_back_the_same(operator: Operator) -> None:
    fill(operator.files)
    before = contents_of(operator.files)
    assert [name for name, rows in before.items() if not rows] == []

    told = json.loads(successful(operator.copy(operator.files, operator.server, "--json")))
    assert operator.empty_collections() == OF_PROCESSES
    successful(operator.copy(operator.server, operator.back))

    assert told["different"] == 0
    assert told["records"] > 300
    assert contents_of(operator.back) == before
    assert contents_of(operator.files) == before


def test_a_dry_run_tells_and_writes_nothing(operator: Operator) -> None:
    fill(operator.files)

    told = successful(operator.copy(operator.files, operator.server, "--dry-run"))

    assert "workflow: " in told
    assert "Nothing was copied." in told
    with operator.database("workflow") as database:
        assert not database["executions"].count_documents({})
        assert not database["store_copy"].count_documents({})


def test_a_store_that_has_something_is_not_written_over(operator: Operator) -> None:
    fill(operator.files)
    with operator.database("notification") as database:
        database["contacts"].insert_one({"_id": '["t","u"]', "email": "e", "name": "", "as_of": 1})

    told = refused(operator.copy(operator.files, operator.server))

    assert "notification" in told
    assert "not empty" in told
    with operator.database("workflow") as database:
        assert not database["executions"].count_documents({})


@pytest.mark.timeout(SLOW)
def test_whoever_changes_takes_or_adds_a_record_is_found_out(operator: Operator) -> None:
    fill(operator.files)
    successful(operator.copy(operator.files, operator.server))
    assert "--verify-only" in refused(operator.copy(operator.files, operator.server))
    assert "Both have the same" in operator.verified(0)

    for collection, which, change, told in CHANGES:
        with operator.database("workflow") as database:
            before = database[collection].find_one_and_update(which, change)
            assert before is not None
        verified = operator.verified(1)
        assert f"workflow {told}" in verified
        assert "1 records are not the same" in verified
        with operator.database("workflow") as database:
            database[collection].replace_one({"_id": before["_id"]}, before)

    with operator.database("notification") as database:
        gone = database["mails"].find_one_and_delete({})
        database["settled_events"].insert_one({"_id": '["s","one too many"]'})
    assert gone is not None
    differences = json.loads(operator.verified(1, "--json"))["differences"]
    assert [(each["key"], each["what"]) for each in differences] == [
        ("source=s id=one too many", "is only there"),
        (f"id={gone['_id']}", "is missing"),
    ]

    with operator.database("workflow") as database:
        database["commits"].update_one({}, {"$unset": {"at": ""}})
    told = refused(operator.copy(operator.files, operator.server, "--verify-only"))
    assert "workflow commits: a record cannot be read" in told


@pytest.mark.timeout(SLOW)
def test_a_copy_that_is_killed_goes_on_where_it_was(operator: Operator) -> None:
    fill(operator.files)
    with closing(sqlite3.connect(operator.files / "workflow.db")) as db:
        rows = [("many", "source", f"{number:06}", number) for number in range(MANY)]
        db.executemany("INSERT INTO inbound_events VALUES (?, ?, ?, ?)", rows)
        db.commit()

    if operator.killed_while_copying("executions"):
        with pytest.raises(CannotStart, match="half copied"):
            asyncio.run(operator.taken_over_on_server())
        assert "of them there already" in successful(operator.copy(operator.files, operator.server))

    operator.verified(0)
    with closing(sqlite3.connect(operator.files / "workflow.db")) as db:
        busy = {name for (name,) in db.execute("SELECT execution FROM executions WHERE busy")}
    assert asyncio.run(operator.taken_over_on_server()) == busy != set()


@pytest.mark.timeout(SLOW)
def test_half_a_copy_is_not_gone_on_with_from_another_or_a_changed_source(
    operator: Operator,
) -> None:
    fill(operator.files)
    operator.halt_before_the_end()
    other = operator.folder / "other"
    _ = shutil.copytree(operator.files, other)
    assert "is half of a copy of" in refused(operator.copy(other, operator.server))

    with closing(sqlite3.connect(operator.files / "notification.db")) as db:
        db.execute("DELETE FROM contacts")
        db.commit()
    assert "--restart" in refused(operator.copy(operator.files, operator.server))
    told = successful(operator.copy(operator.files, operator.server, "--restart"))
    assert "Both have the same" in told


async def test_a_file_that_is_half_a_copy_is_not_worked_on(operator: Operator) -> None:
    made, path = FILES["notification"], operator.files / "notification.db"
    with opened_alone(path, made.migrations, target=True) as db:
        half = TableStore("notification", db, made.shelves, made.migrations)
        await half.put_note(Note(state="copying", source="elsewhere", totals={}))

    with pytest.raises(CannotStart, match="half copied"):
        async with opened_file(path):
            pass


async def test_a_store_that_a_service_works_on_is_refused(operator: Operator) -> None:
    fill(operator.files)
    async with opened_file(operator.files / "notification.db"):
        told = await asyncio.to_thread(operator.copy, operator.files, operator.server)
    assert "a service uses" in refused(told)

    async with (
        opened(operator.server, "workflow") as database,
        Presence(database, "at work") as presence,
        asyncio.TaskGroup() as group,
    ):
        signs = group.create_task(presence.run(nothing))
        told = await asyncio.to_thread(operator.copy, operator.files, operator.server)
        signs.cancel()
    assert "workflow still runs" in refused(told)


async def nothing() -> None:
    """Nobody minds who has died."""
