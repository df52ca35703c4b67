"""Every adapter of the stores of identity: name and factory."""

from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from pathlib import Path

from auth_service.adapters.sqlite.stores import SqliteStores, sqlite_stores

STORES: dict[str, Callable[[Path], AbstractAsyncContextManager[SqliteStores]]] = {
    "sqlite in memory": lambda _: sqlite_stores(None),
    "sqlite in a file": lambda folder: sqlite_stores(folder / "auth.db"),
}
