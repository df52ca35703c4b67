"""A trail is read and verified without any service, whichever store it is in."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar

import pytest
from typer.testing import CliRunner, Result

from auth_service.adapters.checkpoint_file import CheckpointFile
from auth_service.adapters.mongo.stores import mongo_stores
from auth_service.adapters.offline_trail import OfflineTrail
from auth_service.adapters.sqlite.stores import sqlite_stores
from auth_service.application.ports.audit import AuditFilter, Checkpoint
from auth_service.bootstrap.audit import offline
from auth_service.domain.audit import Fault
from autoworker.cli.app import app
from chassis.crypto.key_file import load_or_create
from chassis.errors import CannotStart
from tests.contract.auth_service.adapters import patient_url
from tests.contract.auth_service.audit_maker import entry
from tests.contract.auth_service.conftest import NOW

T = TypeVar("T")


@dataclass
class Place:
    """Where a trail is, and what it is read with."""

    folder: Path
    store: str
    stores: Any

    async def read(self, work: Callable[[OfflineTrail], T]) -> T:
        """What *work* finds, in a thread of its own: as a command has one."""

        def reading() -> T:
            with closing(self.open()) as trail:
                return work(trail)

        return await asyncio.to_thread(reading)

    def open(self, keys: str = "auth.keys") -> OfflineTrail:
        """The trail, with those keys."""
        return offline(self.store, self.folder / keys, self.folder / "checkpoints")


@asynccontextmanager
async def in_a_file(folder: Path) -> AsyncIterator[Place]:
    path = folder / "auth.db"
    async with sqlite_stores(path, load_or_create(folder / "auth.keys")) as stores:
        yield Place(folder, str(path), stores)


@asynccontextmanager
async def in_a_database(folder: Path) -> AsyncIterator[Place]:
    url = patient_url(folder)
    keys = load_or_create(folder / "auth.keys")
    async with mongo_stores(url, keys, node="n1") as stores:
        yield Place(folder, url, stores)


@pytest.fixture(params=[in_a_file, in_a_database])
async def place(request: pytest.FixtureRequest, tmp_path: Path) -> AsyncIterator[Place]:
    async with request.param(tmp_path) as opened:
        yield opened


def ids(trail: OfflineTrail, tenant: str) -> Sequence[str]:
    return [each.entry.id for each in trail.find(AuditFilter(tenant))]


async def test_every_tenant_is_found_read_and_verified(place: Place) -> None:
    await place.stores.trail.keep([entry(1), entry(2), entry(1, tenant="acme")])

    assert await place.read(lambda trail: trail.tenants()) == ["acme", "default"]
    assert await place.read(lambda trail: ids(trail, "default")) == ["default-2", "default-1"]
    verdict = await place.read(lambda trail: trail.verify("default"))
    assert (verdict.broken, verdict.entries, verdict.checkpoints) == (None, 2, 0)


async def test_a_chain_that_checkpoints_have_seen_is_missed(place: Place) -> None:
    await place.stores.trail.keep([entry(1), entry(1, tenant="acme")])
    places = tuple(await place.stores.trail.checkpoint())
    checkpoints = CheckpointFile(place.folder / "checkpoints", place.stores.chain)
    seen = tuple((f"{tenant}-gone", where) for tenant, where in places)
    await checkpoints.write(Checkpoint(NOW, places + seen))

    tenants = await place.read(lambda trail: trail.tenants())
    found = await place.read(lambda trail: {each: trail.verify(each).broken for each in tenants})

    assert {name for name, broken in found.items() if broken is None} == {"acme", "default"}
    faults = {name: broken.fault for name, broken in found.items() if broken is not None}
    assert faults == {"acme-gone": Fault.CUT_OFF, "default-gone": Fault.CUT_OFF}


async def test_the_command_line_names_the_place_that_was_edited_in_a_database(
    tmp_path: Path,
) -> None:
    async with in_a_database(tmp_path) as place:
        await place.stores.trail.keep([entry(1), entry(2)])
        arguments = ("--store", place.store, "--key-file", str(tmp_path / "auth.keys"))

        intact = await command_line("verify", *arguments)
        exported = await command_line("export", *arguments)
        audit = place.stores.database.collection("audit")
        await audit.update_one({"sequence": 2}, {"$set": {"actor": "eve"}})
        broken = await command_line("verify", *arguments)

    assert (intact.exit_code, broken.exit_code) == (0, 1), intact.output + broken.output
    assert "default: intact: 2 entries" in intact.stdout
    assert len(exported.stdout.splitlines()) == 2
    assert "default: BROKEN at entry 2 (default-2): edited" in broken.stdout


async def command_line(*arguments: str) -> Result:
    return await asyncio.to_thread(CliRunner().invoke, app, ["audit", *arguments])


async def test_other_keys_open_nothing(place: Place) -> None:
    _ = load_or_create(place.folder / "other.keys")

    with pytest.raises(CannotStart):
        await asyncio.to_thread(place.open, "other.keys")


async def test_a_database_without_a_trail_is_told(tmp_path: Path) -> None:
    place = Place(tmp_path, patient_url(tmp_path), None)
    _ = load_or_create(tmp_path / "auth.keys")

    with pytest.raises(CannotStart, match="no audit trail"):
        await asyncio.to_thread(place.open)
