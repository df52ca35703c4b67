"""Clients that never give up: each start is sent until it is answered, with one key."""

import asyncio
import itertools
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Final

from autoworker import Execution
from autoworker.errors import (
    DeadlineExceeded,
    RateLimited,
    Unavailable,
    Unreachable,
)
from autoworker.model import ENDED, JsonValue
from tests.chaos.checker import Fact, Run, Trace
from tests.chaos.ledger import Served
from tests.support.gateway_client import Person, eventually

PATIENCE: Final = 150.0
"""Seconds that a suite may take to start again on a busy machine, and to do what it owes."""
PAY: Final = """
document: {dsl: 1.0.3, namespace: chaos, name: pay, version: 1.0.0}
use:
  retries:
    soon:
      delay: {milliseconds: 20}
      limit: {attempt: {count: 5}}
do:
  - reserve:
      call: http
      with:
        method: post
        endpoint: http://127.0.0.1:PORT/effects
        body: {execution: "${ $workflow.id }", effect: reserve, seconds: "${ .seconds }"}
      output: {as: "${ $workflow.input }"}
  - pause:
      wait: {milliseconds: 30}
  - each:
      for: {each: item, in: "${ [1, 2] }"}
      do:
        - charge:
            call: http
            with:
              method: post
              endpoint: http://127.0.0.1:PORT/effects
              body: {execution: "${ $workflow.id }", effect: '${ "charge-\\($item)" }'}
            output: {as: "${ $workflow.input }"}
  - insist:
      try:
        - settle:
            call: http
            with:
              method: post
              endpoint: http://127.0.0.1:PORT/effects
              body: {execution: "${ $workflow.id }", effect: settle, shaky: "${ .n % 4 == 0 }"}
            output: {as: "${ $workflow.input }"}
      catch:
        errors: {with: {type: "https://serverlessworkflow.io/spec/1.0.0/errors/communication"}}
        retry: soon
  - both:
      fork:
        branches:
          - mail:
              call: http
              with:
                method: post
                endpoint: http://127.0.0.1:PORT/effects
                body: {execution: "${ $workflow.id }", effect: mail}
          - ship:
              call: http
              with:
                method: post
                endpoint: http://127.0.0.1:PORT/effects
                body: {execution: "${ $workflow.id }", effect: ship}
      output: {as: "${ $workflow.input }"}
  - refuse:
      if: "${ .n % 7 == 0 }"
      raise:
        error: {type: "https://example.com/refused", status: 409, title: Refused}
"""
AWAY: Final = (Unreachable, Unavailable, DeadlineExceeded, RateLimited)
_OPEN: Final = ("pending", "running", "waiting", "suspended")
_PAUSE: Final = 0.05


@dataclass(slots=True)
class Load:
    """Starts executions as long as it is told to, and remembers every answer."""

    person: Person
    workers: int
    pause: float = 0.0
    """Seconds between an answer and the next start of the same worker."""
    seconds: float = 0.0
    """How long the first call of an execution takes."""
    accepted: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    newest: float = 0.0
    """When the newest request that was answered had been sent."""
    _numbers: Iterator[int] = field(default_factory=lambda: itertools.count(1))
    _asked: dict[str, dict[str, JsonValue]] = field(default_factory=dict)
    _stopping: bool = False

    @asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Start executions while the block lasts; when it is left, every start has its answer."""
        async with asyncio.TaskGroup() as group:
            for _ in range(self.workers):
                group.create_task(self._work())
            try:
                yield
            finally:
                self._stopping = True

    async def progress(self, starts: int, deadline: float = PATIENCE) -> None:
        """Return once *starts* more have been accepted."""
        wanted = len(self.accepted) + starts

        async def enough() -> bool:
            return len(self.accepted) >= wanted

        await eventually(enough, f"{starts} more starts", deadline)

    async def answered(self, since: float, deadline: float = PATIENCE) -> float:
        """Seconds from *since* to the first answer to what was sent after it."""

        async def heard() -> bool:
            return self.newest > since

        await eventually(heard, "an answer", deadline)
        return time.monotonic() - since

    async def again(self) -> None:
        """Send every start once more, a few at a time: each must be answered with what there is."""
        turns = asyncio.Semaphore(self.workers)

        async def once(key: str) -> None:
            async with turns:
                await self._start(key)

        async with asyncio.TaskGroup() as group:
            for key in list(self.accepted):
                group.create_task(once(key))

    async def _work(self) -> None:
        while not self._stopping:
            number = next(self._numbers)
            # Some clients are impatient, and send the same several times at once.
            times = 5 if number % 5 == 0 else 1
            await asyncio.gather(*(self._start(f"start-{number}") for _ in range(times)))
            await asyncio.sleep(self.pause)

    def _input(self, number: int) -> dict[str, JsonValue]:
        return {"n": number, **({"seconds": self.seconds} if self.seconds else {})}

    async def _start(self, key: str) -> None:
        asked = self._asked.setdefault(key, self._input(int(key.rpartition("-")[2])))
        while True:
            sent = time.monotonic()
            try:
                begun = await self.person.start("chaos/pay", asked, idempotency_key=key)
            except AWAY as away:
                await asyncio.sleep(min(getattr(away, "retry_after", None) or _PAUSE, 1.0))
            else:
                self.accepted[key].append(begun.id)
                self.newest = max(self.newest, sent)
                return


async def all_ended(person: Person, deadline: float = 120.0) -> float:
    """Seconds until nothing is open any more."""
    began = time.monotonic()

    async def quiet() -> bool:
        # One that goes from one open status to another while both are asked for is in neither answer.
        return not any([await _any(person, status) for status in _OPEN]) and await _have_ended(
            person
        )

    await eventually(quiet, "the end of every execution", deadline)
    return time.monotonic() - began


async def _any(person: Person, status: str) -> bool:
    try:
        return bool([found async for found in person.list(status=status, limit=1)][:1])
    except AWAY:
        return True


async def _have_ended(person: Person) -> bool:
    try:
        return all([found.status in ENDED async for found in person.list(limit=200)])
    except AWAY:
        return False


async def observed(person: Person, load: Load, ledger: list[Served], *, inbox: bool) -> Run:
    """All that can be known after the end: every execution, not only those that were answered."""
    executions = [execution async for execution in person.list(limit=200)]
    turns = asyncio.Semaphore(8)

    async def trace(execution: Execution) -> tuple[str, Trace]:
        assert execution.status in ENDED, f"{execution.id} is {execution.status}"
        async with turns:
            facts = [
                Fact(event.sequence, event.type, event.data)
                async for event in person.history(execution.id)
            ]
        return execution.id, Trace(execution.status, tuple(facts))

    traces = dict(await asyncio.gather(*map(trace, executions)))
    notified = await _inbox(person, set(traces)) if inbox else None
    return Run(dict(load.accepted), traces, ledger, notified)


async def _inbox(person: Person, expected: set[str], deadline: float = PATIENCE) -> dict[str, int]:
    """Notifications for each execution, once there is one for each; or what there is by then."""
    counts: dict[str, int] = {}
    end = time.monotonic() + deadline
    while time.monotonic() < end:
        counts = defaultdict(int)
        async for item in person.notifications():
            if isinstance(item.data, dict) and "execution_id" in item.data:
                counts[str(item.data["execution_id"])] += 1
        if expected <= counts.keys():
            break
        await asyncio.sleep(0.2)
    return dict(counts)


async def insisting(person: Person, document: str) -> None:
    """Publish *document*, however long it takes."""
    while True:
        try:
            await person.publish(document)
        except AWAY:
            await asyncio.sleep(_PAUSE)
        else:
            return
