"""The one log of all processes: commits of many executions are one document, and that document is the commit.

Its ``_id`` is the position that follows on the document before, so that of several writers one wins and the others look
again: positions have the order of the commits, none is left out, and no reader can pass one that comes later. A writer
decides only on what it has read up to its place, which makes the log fence off those who know less.

Everything else is derived from it, by writes that stand in the same document: behind the answer, many documents at once, by the
process that added them, in their order. What an execution is changed by in another process than before is added only when what was
before is derived. So nothing depends on the order of two processes, and whoever finds something underived may do it as well.
"""

from __future__ import annotations

import asyncio
import random
import secrets
from collections import deque
from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass
from typing import Any, Final

from pymongo.errors import DuplicateKeyError

from chassis.errors import ServiceError, Unavailable
from chassis.lifecycle import Supervisor
from chassis.storage.jobs import StoreUnavailable
from chassis.storage.mongo import Document, MongoDatabase, store_errors
from chassis.telemetry import metrics
from chassis.telemetry.logging import get_logger
from workflow_service.adapters.mongo.barrier import Barrier
from workflow_service.adapters.mongo.deriving import Derivation
from workflow_service.adapters.mongo.entries import Entry, Group
from workflow_service.adapters.mongo.following import Follower
from workflow_service.adapters.mongo.known import Known
from workflow_service.adapters.mongo.lookups import looked_up

_log = get_logger("workflow_service.journal")

GROUP: Final = 200
GROUP_BYTES: Final = 4 * 1024 * 1024
"""How many entries share a document at the most, and how many bytes they have unless there is only one."""
WAITING: Final = 10_000
"""How many entries may wait before further ones are refused."""
FRESH: Final = 60.0
"""Seconds for which it counts what was read. Who has read nothing for longer must not write unread: its place may be one that
others have had, and that retention has freed."""
PAUSE: Final = 0.004
"""Seconds for which the log is left to the others between two documents, where there are others."""

_GROUPS: Final = metrics.histogram(
    "workflow_store_group_size",
    "Commits that shared one write of the log.",
    ["store"],
    (1, 2, 5, 10, 20, 50, 100, 200),
)
_LOST: Final = metrics.counter(
    "workflow_store_races_lost_total",
    "Places in the log that another process took first.",
    ["store"],
)


@dataclass(slots=True)
class _Job:
    entry: Entry
    answer: asyncio.Future[Any]


class Journal:
    """Puts entries into the log, in groups, one group at a time.

    Args:
        database: has the log.
        supervisor: runs the writing.
        node: who writes.
        alive: the other processes that live.
    """

    def __init__(
        self,
        database: MongoDatabase,
        supervisor: Supervisor,
        *,
        node: str,
        alive: Callable[[], Collection[str]] = lambda: (),
    ) -> None:
        self._database = database
        self._log = database.collection("log")
        self._supervisor = supervisor
        self._node = node
        self._alive = alive
        self._waiting: deque[_Job] = deque()
        self._writing = False
        self._unsure = True
        """Whether a document may have been added without our knowing."""
        self._one = asyncio.Lock()
        self._known = Known()
        self._follower = Follower(database, self._known, node=node, alive=alive)
        self._deriving = Derivation(
            database,
            supervisor,
            done=lambda place: self._known.done(node, place),
            rest=self._follower.rest,
            asked=self._follower.asked,
            others=lambda: bool(alive()),
        )
        self.barrier = Barrier(node, self._known, self._follower, self._deriving, self._one)
        """Between what the log says and those who read what is derived from it."""

    async def put(self, entry: Entry) -> Any:
        """Return what *entry* decides, once it is durable; whoever reads behind the ``barrier`` sees it.

        Raises:
            ServiceError: it was refused.
            StoreUnavailable: too many wait, or the store does not answer: whether it happened is not known.
        """
        if len(self._waiting) >= WAITING:
            raise StoreUnavailable("too many writes wait for the store")
        answer: asyncio.Future[Any] = asyncio.get_running_loop().create_future()
        self._waiting.append(_Job(entry, answer))
        if not self._writing:
            self._writing = True
            try:
                _ = self._supervisor.spawn("workflow-journal", self._write_all())
            except RuntimeError as exc:
                raise StoreUnavailable("the store is closed") from exc
        return await answer

    def forget(self, executions: Sequence[str]) -> None:
        """Executions were deleted."""
        self._known.forget(executions)

    async def leave(self) -> None:
        """Leave nothing for others to carry out."""
        await self._deriving.leave()

    # ------------------------------------------------------------ writing

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                jobs = self._taken()
                async with self._one:
                    await self._write(jobs)
                if self._alive():
                    await asyncio.sleep(random.uniform(0.5, 1.5) * PAUSE)  # noqa: S311 - no secret
        finally:
            self._writing = False
            while self._waiting:  # only when it was cancelled
                _told(self._waiting.popleft(), StoreUnavailable("the store is closed"))

    def _taken(self) -> list[_Job]:
        jobs = [self._waiting.popleft()]
        size = jobs[0].entry.size
        while self._waiting and len(jobs) < GROUP:
            size += self._waiting[0].entry.size
            if size > GROUP_BYTES:
                break
            jobs.append(self._waiting.popleft())
        return jobs

    async def _write(self, jobs: Sequence[_Job]) -> None:
        try:
            await self._deriving.room()
            if self._unsure or self._follower.idle_for > FRESH:
                await self._follower.catch_up()
                self._unsure = False
            while jobs:
                group, decided = await self._decided(jobs)
                if await self._added(group):
                    break
                jobs = [job for job, _ in decided]
            for job, outcome in decided:
                _told(job, outcome)
        except Exception as exc:  # noqa: BLE001 - whatever it is, those who wait are told
            self._unsure = True
            failure = exc if isinstance(exc, ServiceError) else _unknown(exc)
            for job in jobs:
                _told(job, failure)

    async def _decided(self, jobs: Sequence[_Job]) -> tuple[Group, list[tuple[_Job, Any]]]:
        """Let each entry decide, one after the other.

        A refusal is an outcome like others: what it rests on may be an entry of the same group, which is nothing before
        the group is added, and decides again when another process is first.
        """
        entries = [job.entry for job in jobs]
        group, outcomes = await self._tried(entries)
        if any(isinstance(each, ServiceError) for each in outcomes) and await self._was_behind():
            group, outcomes = await self._tried(entries)
        decided = list(zip(jobs, outcomes, strict=True))
        accepted = [job for job, outcome in decided if not isinstance(outcome, ServiceError)]
        await asyncio.gather(*(job.entry.before(self._database) for job in accepted))
        return group, decided

    async def _tried(self, entries: Sequence[Entry]) -> tuple[Group, list[Any]]:
        """Return what *entries* become on what is known, and what each of them decides, or why it is refused."""
        await self.barrier.in_order({name for entry in entries for name in entry.executions})
        group = Group((self._known.last or 0) + 1, self._known.intake)
        view = self._known.view(entries)
        await looked_up(self._database, entries, view)
        outcomes: list[Any] = []
        for entry in entries:
            try:
                outcomes.append(entry.decide(view, group))
            except ServiceError as refusal:
                outcomes.append(refusal)
        return group, outcomes

    async def _was_behind(self) -> bool:
        """Read what others have added; whether that was anything."""
        before = self._known.last
        await self._follower.catch_up()
        return self._known.last != before

    async def _added(self, group: Group) -> bool:
        """Make *group* the next document of the log; False when another one came first."""
        if not group.told:
            return True
        token = secrets.token_hex(8)
        document = await self._document(group, token)
        try:
            with store_errors():
                await self._log.insert_one(document)
        except DuplicateKeyError:
            if await self._follower.added_by(group.first) != token:
                _LOST.child("mongodb").inc()
                await self._follower.catch_up()
                return False
            # It was our own, and only its answer was lost.
        self._follower.added()
        self._known.learn(document)
        group.writes.record(group.first, group.told)
        _GROUPS.child("mongodb").observe(len(group.told))
        await self._deriving.add(group.first, group.writes, len(group.told))
        return True

    async def _document(self, group: Group, token: str) -> Document:
        first = self._deriving.first
        return {
            "_id": group.first,
            "last": group.next - 1,
            "intake": group.intake,
            "at": group.at,
            "by": token,
            "node": self._node,
            "derived": group.first if first is None else first,
            "tips": group.tips,
            "keys": group.keys,
            "seen": group.seen,
            "told": group.told,
            **await group.writes.stored(self._database, token),
        }


def _told(job: _Job, outcome: object) -> None:
    if job.answer.done():
        return
    if isinstance(outcome, BaseException):
        job.answer.set_exception(outcome)
    else:
        job.answer.set_result(outcome)


def _unknown(exc: Exception) -> Unavailable:
    _log.error("journal_failed", exc_info=exc)
    failure = StoreUnavailable("the store failed")
    failure.__cause__ = exc
    return failure
