"""The audit trail in a database, read without any service; the user in the URL need only be allowed to read."""

import asyncio
from collections.abc import Sequence
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Final, Self

from auth_service.adapters.checkpoint_file import CheckpointFile
from auth_service.adapters.mongo.audit import MongoAuditReader
from auth_service.adapters.offline_trail import PAGE, OfflineTrail
from auth_service.application.ports.audit import AuditFilter, Checkpoint, KeptEntry, Verdict
from auth_service.domain.audit import ChainKeys
from chassis.crypto.data_keys import unwrapped
from chassis.crypto.key_file import WrappingKeys
from chassis.crypto.mongo_data_keys import STORE_KEYS
from chassis.errors import CannotStart
from chassis.storage.mongo import MongoDatabase, opened, store_errors

_SERVICE: Final = "auth"


class MongoOfflineTrail(OfflineTrail):
    """Implements `OfflineTrail`, on a loop of its own; `StoreUnavailable` when the database does not answer."""

    def __init__(
        self,
        runner: asyncio.Runner,
        stack: AsyncExitStack,
        database: MongoDatabase,
        keys: ChainKeys,
        checkpoints: CheckpointFile,
    ) -> None:
        super().__init__(keys, checkpoints)
        self._runner = runner
        self._stack = stack
        self._reader = MongoAuditReader(database, keys)

    @classmethod
    def open(cls, url: str, wrapping: WrappingKeys, checkpoints: Path) -> Self:
        """The trail in the database at *url*.

        Raises:
            CannotStart: there is none, or the keys are not those it was made with.
        """
        runner, stack = asyncio.Runner(), AsyncExitStack()
        try:
            database = runner.run(stack.enter_async_context(opened(url, _SERVICE)))
            keys = ChainKeys.of(runner.run(_key(database, wrapping)))
        except BaseException:
            _end(runner, stack)
            raise
        return cls(runner, stack, database, keys, CheckpointFile(checkpoints, keys))

    def close(self) -> None:
        """See `OfflineTrail`."""
        _end(self._runner, self._stack)

    def _owners(self) -> set[str]:
        return self._runner.run(self._reader.owners())

    def _walked(self, tenant: str, checkpoints: Sequence[Checkpoint]) -> Verdict:
        return self._runner.run(self._reader.verify(tenant, checkpoints))

    def _page(self, wanted: AuditFilter, before: int | None) -> Sequence[KeptEntry]:
        return self._runner.run(self._reader.find(wanted, before=before, limit=PAGE))


def _end(runner: asyncio.Runner, stack: AsyncExitStack) -> None:
    with runner:
        runner.run(stack.aclose())


async def _key(database: MongoDatabase, wrapping: WrappingKeys) -> bytes:
    """The store's own key, which is not made here."""
    with store_errors():
        found = await database.collection(STORE_KEYS).find_one({"_id": _SERVICE})
    if found is None:
        raise CannotStart("the database has no audit trail")
    return unwrapped(_SERVICE, found["wrapped_by"], bytes(found["sealed"]), wrapping)
