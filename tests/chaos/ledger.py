"""Somebody else's service: it writes down what it was asked to do, on its own disk, and never forgets.

    python -m tests.chaos.ledger <file> <port>

Each `POST /effects` is one line, on the disk before it is answered. The answer says how often this key
has come. A body with `shaky: true` is answered 503 the first time, though the effect is done: the caller
cannot know, and has to ask again with the same key. One with `seconds` is answered as many seconds later.
"""

import asyncio
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import web

from tests.chaos.processes import Process

KEY: Final = "Idempotency-Key"


class Served(msgspec.Struct, frozen=True):
    """One line: who asked for what, under which key."""

    key: str
    execution: str
    effect: str


def served(file: Path) -> list[Served]:
    """Every line of *file*."""
    if not file.exists():
        return []
    return [msgspec.json.decode(line, type=Served) for line in file.read_bytes().splitlines()]


@contextmanager
def running(folder: Path, port: int) -> Iterator[Path]:
    """The ledger as a process of its own; yields its file."""
    file = folder / "ledger.jsonl"
    arguments = ("-m", "tests.chaos.ledger", str(file), str(port))
    process = Process("ledger", arguments, {}, folder)
    process.start()
    try:
        yield file
    finally:
        process.stop()


def application(file: Path) -> web.Application:
    """The service itself."""
    seen = Counter(line.key for line in served(file))
    disk = os.open(file, os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    async def effects(request: web.Request) -> web.Response:
        asked = await request.json()
        key = request.headers.get(KEY, "")
        line = Served(key, asked["execution"], asked["effect"])
        os.write(disk, msgspec.json.encode(line) + b"\n")
        os.fsync(disk)
        seen[key] += 1
        await asyncio.sleep(asked.get("seconds") or 0)
        if asked.get("shaky") and seen[key] == 1:
            return web.json_response({"seen": seen[key]}, status=503)
        return web.json_response({"effect": asked["effect"], "seen": seen[key]})

    app = web.Application()
    app.router.add_post("/effects", effects)
    return app


if __name__ == "__main__":
    web.run_app(application(Path(sys.argv[1])), host="127.0.0.1", port=int(sys.argv[2]), print=None)
