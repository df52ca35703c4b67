"""Takes what is told, and brings it to where it is kept.

Changes are kept at once, refusals within a tenth of a second. When nothing can be kept for so long that
too much waits, what comes is counted by event, and the count becomes an entry as soon as there is room.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Iterator, Sequence
from contextvars import ContextVar
from typing import Final, Protocol

from chassis.audit.entry import HOME, REFUSED, AuditEntry, Fact, entry_of
from chassis.audit.floods import Floods
from chassis.audit.footprints import UNCONFIRMED, Footprints
from chassis.audit.port import unchanged
from chassis.clock import Clock, SystemClock
from chassis.errors import ServiceError
from chassis.ids import Ids, RandomIds
from chassis.storage.companions import Companion, Transaction, beside
from chassis.telemetry.logging import get_logger
from chassis.telemetry.metrics import counter

SOON: Final = 0.1
"""Seconds that refusals wait for others, so that a flood of them shares few writes."""
MOST: Final = 10_000
"""How many entries may wait."""
PAUSE: Final = 1.0
"""Seconds until what could not be kept is tried again."""
DROPPED: Final = "audit_entries_dropped"

_lost = counter(
    "audit_dropped_total", "Entries of the audit trail that were only counted.", ["service"]
)
_receipt: ContextVar["asyncio.Future[None] | None"] = ContextVar("audit_receipt", default=None)


class Sink(Protocol):
    """Where entries are kept."""

    async def keep(self, entries: Sequence[AuditEntry]) -> None:
        """Keep *entries*; each once, however often it is brought.

        Raises:
            ServiceError: not now.
        """
        ...

    def keep_within(self, transaction: Transaction, entry: AuditEntry) -> None:
        """The same within a transaction of the service's own store."""
        ...


class Recorder:
    """Implements the port `Audit`. `run` must go on beside it.

    Args:
        source: the service whose events they are.
        sink: where they are kept.
        alarming: events that are warnings in the log, because somebody should look.
        counted: events that are told as numbers when they come in floods, though they are no refusals.
        clock: what time is measured with.
        ids: names entries.
        most: how many may wait.
        footprints: where calls leave them, if they do.
        tenants: those that there are, where facts may name others; None believes all.
    """

    def __init__(
        self,
        source: str,
        sink: Sink,
        *,
        alarming: frozenset[str] = frozenset(),
        counted: frozenset[str] = frozenset(),
        clock: Clock | None = None,
        ids: Ids | None = None,
        most: int = MOST,
        footprints: Footprints | None = None,
        tenants: frozenset[str] | None = None,
    ) -> None:
        self._source = source
        self._sink = sink
        self._log = get_logger(f"{source}.audit")
        self._alarming = alarming
        self._clock = clock or SystemClock()
        self._ids = ids or RandomIds()
        self._most = most
        self._counted = counted
        self._footprints = footprints
        self._tenants = tenants
        self._floods = (Floods(), Floods())  # of refusals, and of what else is counted
        self._waiting: list[AuditEntry] = []
        self._dropped: Counter[str] = Counter()
        self._promised: asyncio.Future[None] | None = None
        self._open: list[asyncio.Future[None]] = []
        self._some = asyncio.Event()
        self._urgent = asyncio.Event()

    def record(self, event: str, **facts: Fact) -> None:
        """See `Audit.record`."""
        entry = self._entry(event, facts)
        counted = event in self._counted
        if entry.outcome != REFUSED and not counted:
            self._tell(event, facts)
            self._wait(entry)
            self._cover()
            self._urgent.set()
            _receipt.set(self._receipt())
        elif self._floods[counted].admits(entry, self._clock.monotonic()):
            self._tell(event, facts)  # a flood does not fill the log either
            self._wait(entry)
        self._some.set()

    @contextlib.contextmanager
    def along(self, event: str, **facts: Fact) -> Iterator[None]:
        """See `Audit.along`."""
        entry = self._entry(event, facts)
        companion = Companion(lambda transaction: self._sink.keep_within(transaction, entry))
        before = unchanged.set(False)
        try:
            with beside(companion):
                yield
            void = unchanged.get()
        finally:
            unchanged.reset(before)
        if not companion.taken:
            if not void:
                self.record(event, **facts)
        elif companion.done:
            self._tell(event, facts)
            self._cover()

    def entered(self, **facts: Fact) -> None:
        """See `SettlingAudit.entered`."""
        if self._footprints is not None:
            self._footprints.enter(facts)

    def abandoned(self) -> None:
        """See `SettlingAudit.abandoned`."""
        facts = self._footprints.left() if self._footprints is not None else None
        if facts is not None:
            self.record(UNCONFIRMED, **facts)

    async def settled(self) -> None:
        """Wait until the changes that were told in this context are kept.

        Raises:
            ServiceError: they are not, so far.
        """
        receipt = _receipt.get()
        if receipt is not None:
            _receipt.set(None)
            await asyncio.shield(receipt)
        self._cover()  # what nobody tells of is not told

    async def run(self) -> None:
        """Bring what is told to where it is kept, for ever; what is left at the end, once more."""
        try:
            while True:
                await self._something()
                if not await self._bring():
                    await asyncio.sleep(PAUSE)
        finally:
            for floods in self._floods:
                self._waiting.extend(floods.close())
            await self._bring()

    async def _something(self) -> None:
        """Until there is something to bring, and refusals have waited for each other."""
        left = [floods.seconds_left(self._clock.monotonic()) for floods in self._floods]
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(
                min((each for each in left if each is not None), default=None)
            ):
                await self._some.wait()
            async with asyncio.timeout(SOON):
                await self._urgent.wait()
        for floods in self._floods:
            self._waiting.extend(floods.ended(self._clock.monotonic()))

    async def _bring(self) -> bool:
        """Bring all that waits; False when it must be tried again."""
        self._some.clear()
        self._urgent.clear()
        waiting, dropped, receipts = len(self._waiting), self._dropped.copy(), list(self._open)
        self._promised = None
        covered = self._footprints.covered() if self._footprints is not None else ()
        try:
            if batch := [*self._waiting, *self._drops()]:
                await self._sink.keep(batch)
            if self._footprints is not None:
                await self._footprints.sweep(covered)
        except ServiceError as exc:
            self._log.warning("audit_not_kept", entries=waiting, reason=exc.message)
            self._some.set()
            self._urgent.set()
            self._answer(receipts, exc)
            return False
        del self._waiting[:waiting]
        self._dropped.subtract(dropped)
        self._dropped = +self._dropped
        self._answer(receipts, None)
        return True

    def _answer(
        self, receipts: Sequence["asyncio.Future[None]"], failure: ServiceError | None
    ) -> None:
        for receipt in receipts:
            self._open.remove(receipt)
            if failure is None:
                receipt.set_result(None)
            else:
                receipt.set_exception(failure)
                receipt.exception()  # whoever waits is told; nobody need wait

    def _cover(self) -> None:
        if self._footprints is not None and self._footprints.cover():
            self._some.set()

    def _wait(self, entry: AuditEntry) -> None:
        if len(self._waiting) < self._most:
            self._waiting.append(entry)
            return
        self._dropped[entry.action] += 1
        _lost.child(self._source).inc()

    def _drops(self) -> list[AuditEntry]:
        return [
            self._entry(DROPPED, {"target": action, "count": count})
            for action, count in self._dropped.items()
        ]

    def _entry(self, event: str, facts: dict[str, Fact]) -> AuditEntry:
        tenant = facts.get("tenant")
        if tenant and self._tenants is not None and tenant not in self._tenants:
            # Nobody could read its chain, and strangers could make as many as they like.
            facts = {**facts, "tenant": HOME, "named_tenant": tenant}
        return entry_of(self._source, event, facts, clock=self._clock, ids=self._ids)

    def _receipt(self) -> "asyncio.Future[None]":
        if self._promised is None:
            self._promised = asyncio.get_running_loop().create_future()
            self._open.append(self._promised)
        return self._promised

    def _tell(self, event: str, facts: dict[str, Fact]) -> None:
        if event in self._alarming:
            self._log.warning(event, **facts)
        else:
            self._log.info(event, **facts)
