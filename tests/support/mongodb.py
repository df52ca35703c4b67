"""A MongoDB-compatible stand-in of one's own, and databases that tests have to themselves.

No package ships a real ``mongod``; the stand-in (PyPI ``secantusdb``) is a process beside the tests and nothing that the
product knows of. With ``TEST_MONGO_URL`` the same tests run on whatever is there.
"""

from __future__ import annotations

import asyncio
import atexit
import contextlib
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final

from pymongo import MongoClient, pool_shared
from pymongo.database import Database
from pymongo.errors import PyMongoError

from tests.support.ports import free_port

BINARY: Final = Path(sys.executable).with_name("secantusd-py")
_PATIENCE: Final = "connectTimeoutMS=60000&serverSelectionTimeoutMS=60000&timeoutMS=60000"
_DEADLINE: Final = 120.0
# Whoever started it may die without a word, as workers of the test runner do: then its end of the pipe closes.
_TETHERED: Final = '"$@" & server=$!; cat >/dev/null; kill -9 $server; rm -rf "$0"'
_FILE: Final = "mongo.url"
_KEPT: Final = "schema_migrations"
_connected = pool_shared._async_create_connection
_used: list[tuple[str, str]] = []
_free: list[str] = []
_known: dict[str, str] = {}


async def _connected_or_closed(*to: Any) -> socket.socket:
    """As the driver connects, which leaves a socket open when it is cancelled meanwhile: in tests a warning, hence a failure."""
    connecting = asyncio.ensure_future(_connected(*to))
    try:
        return await asyncio.shield(connecting)
    except asyncio.CancelledError:
        with contextlib.suppress(OSError):
            (await connecting).close()
        raise


pool_shared._async_create_connection = _connected_or_closed  # type: ignore[assignment]


class Server:
    """The stand-in as a process: it can be killed and started again on what it has stored."""

    def __init__(self) -> None:
        self.folder = Path(tempfile.mkdtemp(prefix="mongodb-"))
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        """Where it is."""
        return f"mongodb://127.0.0.1:{self.port}/"

    def start(self) -> None:
        """Start it and wait until it answers."""
        command = [
            str(BINARY), "--host", "127.0.0.1", "--port", str(self.port), "--storage-path",
            str(self.folder / "data"), "--enable-test-commands", "--sync-on-commit",
            "--log-level", "ERROR",
        ]  # fmt: skip
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                ["sh", "-c", _TETHERED, str(self.folder), *command],
                stdin=subprocess.PIPE,
                stdout=log,
                stderr=log,
                start_new_session=True,
            )
        end = time.monotonic() + _DEADLINE
        while time.monotonic() < end and self.process.poll() is None:
            if _answers(self.url):
                return
        raise AssertionError(f"the stand-in did not start: {(self.folder / 'log').read_text()}")

    def end(self, how: signal.Signals = signal.SIGKILL) -> None:
        """End it."""
        if self.process is not None and self.process.poll() is None:
            os.killpg(self.process.pid, how)
            _ = self.process.wait(timeout=10)
        if self.process is not None and self.process.stdin is not None:
            self.process.stdin.close()

    def kill(self) -> None:
        """End it as a power cut would."""
        self.end()

    def freeze(self) -> None:
        """Let it hold still, with its connections open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Let it go on."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: signal.Signals) -> None:
        assert self.process is not None
        os.killpg(self.process.pid, number)

    def remove(self) -> None:
        """End it and everything that it has."""
        self.end()
        shutil.rmtree(self.folder, ignore_errors=True)


def start() -> str:
    """Start one that ends with this process; return its URL."""
    server = Server()
    atexit.register(server.remove)
    server.start()
    return server.url


def database_url(server: str, folder: Path) -> str:
    """Return where the databases of *folder* are: the same for every process that asks with the same folder."""
    file = folder / _FILE
    if not file.exists():
        name = _free.pop() if _free else f"t{secrets.token_hex(6)}"
        base, _, options = server.partition("?")
        url = f"{base.rstrip('/')}/{name}"
        file.write_text(f"{url}?{options}" if options else url)
        _used.append((file.read_text(), name))
    return file.read_text()


def kept_url(folder: Path) -> str | None:
    """Where the databases of *folder* are, if another process has asked already."""
    file = folder / _FILE
    return file.read_text() if file.exists() else None


def patient(url: str) -> str:
    """Return *url* for what must succeed, however slow the machine is."""
    return f"{url}{'&' if '?' in url else '?'}{_PATIENCE}"


def empty_databases() -> None:
    """Empty all that ``database_url`` has given out in this process since the last time, for others to use.

    Their collections and indexes stay, since making them takes longer than most tests.
    """
    while _used:
        url, name = _used.pop()
        for database in _databases(url, name):
            for collection in _filled(database, set(database.list_collection_names()) - {_KEPT}):
                database[collection].delete_many({})
        _free.append(name)
        _known[name] = url


def drop_databases() -> None:
    """Drop everything."""
    for name, url in _known.items():
        for database in _databases(url, name):
            database.client.drop_database(database.name)


def _databases(url: str, name: str) -> Iterator[Database[dict[str, Any]]]:
    client: MongoClient[dict[str, Any]] = MongoClient(url, serverSelectionTimeoutMS=5_000)
    with client:
        for each in client.list_database_names():
            if each.startswith(f"{name}_"):
                yield client[each]


def _filled(database: Database[dict[str, Any]], names: Iterable[str]) -> list[str]:
    """Those of *names* that have anything: asked for at once, since most are empty and there are many."""
    asked = [
        {
            "coll": name,
            "pipeline": [{"$limit": 1}, {"$project": {"_id": 0, "in": {"$literal": name}}}],
        }
        for name in names
    ]
    # What is asked for first may be missing, and has nothing.
    found = database["nothing"].aggregate([{"$unionWith": each} for each in asked])
    return [each["in"] for each in found]


def _answers(url: str) -> bool:
    client: MongoClient[dict[str, Any]] = MongoClient(url, serverSelectionTimeoutMS=200)
    with client:
        try:
            client.admin.command("ping")
        except PyMongoError:
            return False
    return True
