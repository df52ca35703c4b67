"""The audit trail: what the service itself tells, what others bring, and what operators ask for."""

from pathlib import Path

from auth_service.adapters.checkpoint_file import CheckpointFile
from auth_service.adapters.log_audit import ALARMING
from auth_service.adapters.mongo.offline_audit import MongoOfflineTrail
from auth_service.adapters.offline_trail import OfflineTrail
from auth_service.adapters.sqlite.offline_audit import SqliteOfflineTrail
from auth_service.application.commands.checkpoint_audit import CheckpointAuditHandler
from auth_service.application.commands.keep_audit_entries import KeepAuditEntriesHandler
from auth_service.application.commands.purge_audit import PurgeAuditHandler
from auth_service.application.groups.audit import AuditGroup
from auth_service.application.queries.find_audit import FindAuditHandler
from auth_service.application.queries.verify_audit import VerifyAuditHandler
from auth_service.bootstrap.foundation import Foundation
from auth_service.bootstrap.stores import Stores, footprints_in
from auth_service.config import Settings
from chassis.audit.recorder import Recorder
from chassis.clock import Clock
from chassis.crypto.key_file import load
from chassis.handlers import wrap
from chassis.ids import Ids


async def recorder(settings: Settings, stores: Stores, clock: Clock, ids: Ids) -> Recorder:
    """What the service tells goes into the trail itself; what a crash left untold is told now."""
    footprints = footprints_in(stores, ids)
    made = Recorder(
        "auth",
        stores.trail,
        alarming=ALARMING,
        clock=clock,
        ids=ids,
        footprints=footprints,
        tenants=settings.tenants,
    )
    await footprints.report(made)
    return made


def audit_group(base: Foundation) -> AuditGroup:
    """Every use case of the audit trail."""
    trail, world = base.stores.trail, base.world
    checkpoints = CheckpointFile(checkpoint_folder(base.settings), base.stores.chain)
    checkpoint = CheckpointAuditHandler(trail, checkpoints, world.clock)
    purge = PurgeAuditHandler(trail, base.settings.audit.keep, world.audit, world.clock)
    verify = VerifyAuditHandler(trail, checkpoints)
    return AuditGroup(
        keep=wrap(KeepAuditEntriesHandler(trail), name="auth.keep_audit_entries"),
        checkpoint=wrap(checkpoint, name="auth.checkpoint_audit"),
        purge=wrap(purge, name="auth.purge_audit"),
        find=wrap(FindAuditHandler(trail), name="auth.find_audit"),
        verify=wrap(verify, name="auth.verify_audit"),
    )


def checkpoint_folder(settings: Settings) -> Path:
    """Where checkpoints are written."""
    return settings.audit.checkpoints or settings.data_dir / "audit"


def offline(store: str, key_file: Path, checkpoints: Path) -> OfflineTrail:
    """The trail in the file *store*, or in the database at that URL, without any service; nothing is written.

    Raises:
        CannotStart: it cannot be used.
    """
    keys = load(key_file)
    if is_database(store):
        return MongoOfflineTrail.open(store, keys, checkpoints)
    return SqliteOfflineTrail.open(Path(store), keys, checkpoints)


def is_database(store: str) -> bool:
    """Whether *store* is the URL of a database."""
    return store.startswith(("mongodb://", "mongodb+srv://"))
