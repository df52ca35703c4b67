"""The shop that the example calls: a stub on loopback, with a memory.

Its till refuses every payment twice with 503 before it takes it. Whatever it does it writes down
under the `Idempotency-Key` of the request, so that a repetition gets the first answer again and
changes nothing, not even after a restart.
"""

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import web

from autoworker.model import JsonValue
from chassis.errors import CannotStart

HOST: Final = "127.0.0.1"
REFUSALS: Final = 2
_DELAYS: Final = {"payments": 0.25, "reservations": 0.5, "shipping": 0.35}
"""Seconds that an answer takes: enough for people to see it happen."""


class Entry(msgspec.Struct, frozen=True, omit_defaults=True):
    """One request as the shop remembers it."""

    key: str
    what: str
    status: int
    answer: JsonValue = None
    repeated: bool = False


class Ledger:
    """What the shop did, in order; kept in a file, one JSON object a line."""

    def __init__(self, path: Path) -> None:
        self._path = path
        _cut_off_broken_line(path)
        self.entries: list[Entry] = list(read_ledger(path))

    def done(self, key: str, what: str) -> Entry | None:
        """What was done under *key*, if anything."""
        for entry in self.entries:
            if (entry.key, entry.what) == (key, what) and entry.status < 400:
                return entry
        return None

    def refusals(self, key: str) -> int:
        """How often *key* was refused."""
        return sum(entry.key == key and entry.status == 503 for entry in self.entries)

    def add(self, entry: Entry) -> Entry:
        """Write *entry* down."""
        with self._path.open("ab") as file:
            file.write(msgspec.json.encode(entry) + b"\n")
        self.entries.append(entry)
        return entry


def read_ledger(path: Path) -> list[Entry]:
    """The entries of the ledger at *path*; a last line that a crash cut off is dropped."""
    try:
        lines = path.read_bytes().split(b"\n")
    except FileNotFoundError:
        return []
    return [msgspec.json.decode(line, type=Entry) for line in lines[:-1]]


def _cut_off_broken_line(path: Path) -> None:
    """What a crash left unfinished, so that the next line does not grow onto it."""
    content = path.read_bytes() if path.exists() else b""
    if content and not content.endswith(b"\n"):
        with path.open("r+b") as file:
            file.truncate(content.rfind(b"\n") + 1)


class Shop:
    """The till, the warehouse and the carrier."""

    def __init__(self, ledger: Ledger) -> None:
        self._ledger = ledger

    def application(self) -> web.Application:
        """What it serves."""
        application = web.Application()
        application.add_routes(
            [
                web.post("/payments", self.pay),
                web.post("/reservations", self.reserve),
                web.get("/shipping", self.quote),
            ]
        )
        return application

    async def pay(self, request: web.Request) -> web.Response:
        """Take the money, at the third try."""
        body = await request.json()
        key = request.headers.get("Idempotency-Key", "")
        receipt = {"id": f"pay-{len(self._ledger.entries) + 1:05}", "amount": body["amount"]}
        return await self._answer("payments", key, receipt, moody=True)

    async def reserve(self, request: web.Request) -> web.Response:
        """Put the goods aside."""
        body = await request.json()
        key = request.headers.get("Idempotency-Key", "")
        kept: JsonValue = {"warehouse": "Hamburg", "items": len(body["items"])}
        return await self._answer("reservations", key, kept)

    async def quote(self, request: web.Request) -> web.Response:
        """Say when it arrives."""
        key = request.headers.get("Idempotency-Key", "")
        arrives = "in 2 days" if request.query.get("country") == "DE" else "in 5 days"
        return await self._answer("shipping", key, {"carrier": "bicycle", "arrives": arrives})

    async def _answer(
        self, what: str, key: str, answer: JsonValue, *, moody: bool = False
    ) -> web.Response:
        await asyncio.sleep(_DELAYS[what])
        known = self._ledger.done(key, what)
        if known is not None:
            entry = msgspec.structs.replace(known, repeated=True)
        elif moody and self._ledger.refusals(key) < REFUSALS:
            entry = Entry(key, what, 503, {"error": "the till is busy"})
        else:
            entry = Entry(key, what, 201, answer)
        self._ledger.add(entry)
        return web.Response(
            status=entry.status,
            body=msgspec.json.encode(entry.answer),
            content_type="application/json",
        )


@asynccontextmanager
async def running(ledger: Path, port: int) -> AsyncIterator[str]:
    """The shop, open; its address, host:port.

    It listens where it did before on the same ledger, so that orders on their way find it again
    after a restart; else on *port*, and on a free one when that is taken.

    Raises:
        CannotStart: the ledger cannot be used.
    """
    try:
        ledger.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        shop = Shop(Ledger(ledger))
    except OSError as exc:
        raise CannotStart(f"cannot read {ledger}: {exc.strerror}") from exc
    remembered = ledger.with_suffix(".port")
    runner = web.AppRunner(shop.application(), access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    try:
        for wanted in (_port_of(remembered) or port, port, 0):
            if await _listens(runner, wanted):
                break
        bound = int(runner.addresses[0][1])
        remembered.write_text(str(bound), encoding="ascii")
        yield f"{HOST}:{bound}"
    finally:
        await runner.cleanup()


def _port_of(file: Path) -> int:
    try:
        return int(file.read_text(encoding="ascii"))
    except (OSError, ValueError):
        return 0


async def _listens(runner: web.AppRunner, port: int) -> bool:
    try:
        await web.TCPSite(runner, HOST, port).start()
    except OSError as exc:
        if exc.errno != errno.EADDRINUSE:
            raise CannotStart(f"the example's shop cannot listen: {exc.strerror}") from exc
        return False
    return True
