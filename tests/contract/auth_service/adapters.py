"""Every adapter of the stores of identity: name and factory."""

from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack, asynccontextmanager
from pathlib import Path

from auth_service.adapters.mongo.ledger import MongoEntry
from auth_service.adapters.mongo.stores import MongoStores, mongo_stores
from auth_service.adapters.sqlite.ledger import Entry
from auth_service.adapters.sqlite.stores import SqliteStores, sqlite_stores
from auth_service.application.ports import Change
from auth_service.bootstrap.stores import Stores
from chassis.crypto.key_file import WrappingKeys
from chassis.ids import RandomIds
from tests.support.mongodb import database_url, patient
from tests.support.servers import mongo_url

KEYS = WrappingKeys("k1", {"k1": bytes(32)})


def patient_url(folder: Path) -> str:
    """Where the shared store of a folder is."""
    return patient(database_url(mongo_url(), folder))


def process(folder: Path, keys: WrappingKeys = KEYS) -> AbstractAsyncContextManager[MongoStores]:
    """The shared store of a folder, as one more process has it."""
    return mongo_stores(patient_url(folder), keys, node=RandomIds().new())


STORES: dict[str, Callable[[Path], AbstractAsyncContextManager[Stores]]] = {
    "sqlite in memory": lambda _: sqlite_stores(None),
    "sqlite in a file": lambda folder: sqlite_stores(folder / "auth.db"),
    "mongodb": process,
}
LASTING = ("sqlite in a file", "mongodb")
"""Those that outlive a process."""
SHARED = {"mongodb"}
"""Those that several processes may have open."""


@asynccontextmanager
async def in_processes(name: str, folder: Path) -> AsyncIterator[Sequence[Stores]]:
    """The stores of a folder as each of the processes has them that can share them: two, or the only one."""
    async with AsyncExitStack() as stack:
        count = 2 if name in SHARED else 1
        yield [await stack.enter_async_context(STORES[name](folder)) for _ in range(count)]


async def revoke(stores: Stores, *changes: Change, failure: Exception | None = None) -> None:
    """Put *changes* on the feed in one transaction, which ends with *failure*."""

    def work(entry: Entry | MongoEntry) -> None:
        for change in changes:
            entry.revoke(change)
        if failure is not None:
            raise failure

    async def waiting(entry: MongoEntry) -> None:
        work(entry)

    match stores:
        case SqliteStores():
            await stores.ledger.write(work)
        case MongoStores():
            await stores.ledger.write(waiting)
