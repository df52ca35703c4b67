"""The audit trail in a file, read without any service."""

import sqlite3
from collections.abc import Sequence
from pathlib import Path
from typing import Self

from auth_service.adapters.checkpoint_file import CheckpointFile
from auth_service.adapters.offline_trail import PAGE, OfflineTrail
from auth_service.adapters.sqlite.audit import beginning, find_in, go_on
from auth_service.application.ports.audit import AuditFilter, Checkpoint, KeptEntry, Verdict
from auth_service.domain.audit import Broken, ChainKeys
from chassis.crypto.data_keys import unwrapped
from chassis.crypto.key_file import WrappingKeys
from chassis.errors import CannotStart


class SqliteOfflineTrail(OfflineTrail):
    """Implements `OfflineTrail`."""

    def __init__(
        self, connection: sqlite3.Connection, keys: ChainKeys, checkpoints: CheckpointFile
    ) -> None:
        super().__init__(keys, checkpoints)
        self._connection = connection

    @classmethod
    def open(cls, store: Path, wrapping: WrappingKeys, checkpoints: Path) -> Self:
        """The trail in the file *store*.

        Raises:
            CannotStart: it is none, or the keys are not those it was made with.
        """
        try:
            connection = sqlite3.connect(f"{store.absolute().as_uri()}?mode=ro", uri=True)
            row = connection.execute(
                "SELECT wrapped_by, sealed FROM store_keys WHERE name = 'auth'"
            ).fetchone()
        except sqlite3.Error as exc:
            raise CannotStart(f"{store} has no audit trail: {exc}") from exc
        if row is None:
            raise CannotStart(f"{store} has no audit trail")
        keys = ChainKeys.of(unwrapped("auth", row[0], row[1], wrapping))
        return cls(connection, keys, CheckpointFile(checkpoints, keys))

    def close(self) -> None:
        """See `OfflineTrail`."""
        self._connection.close()

    def _owners(self) -> set[str]:
        return {
            tenant
            for table in ("audit", "audit_heads", "audit_anchors")
            for (tenant,) in self._connection.execute(f"SELECT DISTINCT tenant FROM {table}")  # noqa: S608 - constants
        }

    def _walked(self, tenant: str, checkpoints: Sequence[Checkpoint]) -> Verdict:
        walk = beginning(self._keys, tenant, checkpoints, self._connection)
        if isinstance(walk, Broken):
            return Verdict(tenant, 0, 0, 0, 0, walk)
        while True:
            done = go_on(walk, tenant, self._connection)
            if done is not None:
                return done

    def _page(self, wanted: AuditFilter, before: int | None) -> Sequence[KeptEntry]:
        return find_in(self._connection, wanted, before, PAGE)
