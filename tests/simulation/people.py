"""People who start executions and meddle with them, over a network that loses and repeats requests."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

from chassis.errors import ServiceError, Unavailable
from tests.simulation.evidence import Answered
from tests.simulation.loops import ProcessLoop
from tests.simulation.nodes import Node
from tests.simulation.universe import Universe
from workflow_service.application.caller import Caller
from workflow_service.application.commands.cancel_execution import CancelExecution
from workflow_service.application.commands.resume_execution import ResumeExecution
from workflow_service.application.commands.retry_execution import RetryExecution
from workflow_service.application.commands.start_execution import StartExecution
from workflow_service.application.commands.suspend_execution import SuspendExecution
from workflow_service.application.ports import Summary
from workflow_service.domain.execution.commands import RecordOutcome, Stimulus, Wake

ADA = Caller("ada", "default")
_PATIENCE = 20.0
"""Seconds after which a person takes a request for lost."""

Request = Callable[[Node], Coroutine[Any, Any, Summary]]


class Lost(Unavailable):
    """No answer came."""


class People:
    """All clients of a run, in a process of their own that never dies."""

    def __init__(self, universe: Universe, nodes: dict[str, Node]) -> None:
        self._universe = universe
        self._nodes = nodes
        self.loop: ProcessLoop = universe.scheduler.new_loop("people")
        self.active: set[asyncio.Task[None]] = set()
        self._marks = 0
        self.started: dict[str, None] = {}

    def begin(self, work: Coroutine[Any, Any, None]) -> None:
        """Let somebody act."""
        task = self.loop.create_task(work)
        self.active.add(task)
        task.add_done_callback(self._done)

    def _done(self, task: asyncio.Task[None]) -> None:
        self.active.discard(task)
        failure = task.exception()
        if failure is not None:
            self._universe.evidence.failures.append(f"people: {failure!r}")

    # ------------------------------------------------------------ the network

    async def ask(self, request: Request, *, repeated: bool = False) -> Summary:
        """Send *request* to some process and wait for the answer.

        Raises:
            Lost: there is no process, or no answer.
        """
        universe = self._universe
        living = [self._nodes[life.name] for life in universe.living()]
        if not living:
            await asyncio.sleep(1.0)
            raise Lost("nobody is there")
        answer: asyncio.Future[Summary] = self.loop.create_future()
        for node in universe.random.choices(living, k=2 if repeated else 1):
            self._send(node, request, answer)
        try:
            return await asyncio.wait_for(answer, _PATIENCE)
        except TimeoutError:
            raise Lost("no answer") from None

    def _send(self, node: Node, request: Request, answer: asyncio.Future[Summary]) -> None:
        universe = self._universe

        def arrive() -> None:
            if node.life.loop.dead:
                return
            task = node.serve(request(node))
            task.add_done_callback(lambda done: self._send_back(done, answer))
            if universe.chance(universe.chances.repeats * 0.2):  # the caller hangs up
                universe.scheduler.later(0.002, lambda: self._hang_up(node, task))

        universe.scheduler.later(universe.random.choice((0.0, 0.001, 0.01)), arrive)

    def _hang_up(self, node: Node, task: asyncio.Task[Summary]) -> None:
        if not node.life.loop.dead:
            node.life.loop.call_soon(task.cancel)

    def _send_back(self, done: asyncio.Task[Summary], answer: asyncio.Future[Summary]) -> None:
        if done.cancelled():
            return
        failure = done.exception()

        def reply() -> None:
            if answer.done():
                return
            if failure is not None:
                answer.set_exception(failure)
            else:
                answer.set_result(done.result())

        self._universe.scheduler.later(0.0, reply)

    async def _tell(
        self, verb: str, execution: str, mark: str, request: Request, *, repeated: bool = False
    ) -> Summary | None:
        """Send a command and keep how it was answered."""
        calm = self._universe.chances.calm
        try:
            summary = await self.ask(request, repeated=repeated)
            answer, found = "ok", summary
        except ServiceError as failure:
            answer, found = type(failure).__name__, None
        if found is not None:
            execution = found.execution
        self._universe.note(
            Answered(self._universe.now, verb, execution, mark, answer, calm, repeated)
        )
        return found

    # ------------------------------------------------------------ what people do

    def _mark(self) -> str:
        self._marks += 1
        return f"mark-{self._marks}"

    async def start(self, workflow: str, given: int) -> None:
        """Start an execution, again and again until it is acknowledged, and then perhaps meddle with it."""
        universe = self._universe
        random = universe.random
        await asyncio.sleep(random.uniform(0.0, 5.0))
        mark = self._mark()
        keyed = random.random() < 0.8
        command = StartExecution(
            ADA,
            "sim",
            workflow,
            None,
            {"n": given, "by": mark},
            priority=random.randint(0, 9),
            idempotency_key=mark if keyed else None,
            wait=random.choice((0.0, 0.0, 3.0)),
        )
        summary: Summary | None = None
        while summary is None:
            repeated = keyed and universe.chance(universe.chances.repeats)
            summary = await self._tell(
                "start", "", mark, lambda node: node.start(command), repeated=repeated
            )
            if not keyed:
                break
            await asyncio.sleep(0.5)
        if summary is not None:
            self.started[summary.execution] = None
            await self._meddle(summary.execution)

    async def _meddle(self, execution: str) -> None:
        universe = self._universe
        while not universe.chances.calm and universe.chance(universe.chances.meddling):
            await asyncio.sleep(universe.random.choice((0.0, 0.01, 0.3, 1.0, 4.0)))
            await self._choice(execution)(execution)

    def _choice(self, execution: str) -> Callable[[str], Awaitable[object]]:
        """Mostly what its phase allows, sometimes what it does not."""
        row = self._universe.tables.rows.get(execution)
        status = row.summary.status if row is not None else "running"
        random = self._universe.random
        if random.random() < 0.15:
            return random.choice((self.suspend, self.resume, self.retry, self.cancel))
        match status:
            case "suspended":
                return random.choice((self.resume, self.resume, self.resume, self.cancel))
            case "faulted" | "completed" | "cancelled":
                return self.retry
            case _:
                return random.choice((self.suspend, self.suspend, self.suspend, self.cancel))

    async def suspend(self, execution: str) -> Summary | None:
        """Ask for a suspension."""
        mark = self._mark()
        command = SuspendExecution(ADA, execution, mark)
        return await self._tell("suspend", execution, mark, lambda node: node.suspend(command))

    async def resume(self, execution: str) -> Summary | None:
        """Ask to go on."""
        mark = self._mark()
        command = ResumeExecution(ADA, execution, mark)
        return await self._tell("resume", execution, mark, lambda node: node.resume(command))

    async def cancel(self, execution: str) -> Summary | None:
        """Ask to end it."""
        mark = self._mark()
        command = CancelExecution(ADA, execution, mark)
        return await self._tell("cancel", execution, mark, lambda node: node.cancel(command))

    async def retry(self, execution: str) -> Summary | None:
        """Ask to take it up again, perhaps from an earlier task."""
        mark = self._mark()
        command = RetryExecution(ADA, execution, mark, self._from(execution))
        return await self._tell("retry", execution, mark, lambda node: node.retry(command))

    def _from(self, execution: str) -> str:
        random = self._universe.random
        row = self._universe.tables.rows.get(execution)
        if row is None or random.random() < 0.6:
            return ""
        workflow = self._universe.evidence.workflows[row.summary.digest]
        return random.choice(list(workflow.definition.tasks))

    async def sweep(self, staying: Callable[[str], bool]) -> None:
        """When all is calm: let everything come to its end, and cancel a few."""
        random = self._universe.random
        doomed = {e: None for e in list(self._universe.tables.rows) if random.random() < 0.05}
        while True:
            left = [
                (execution, row.summary)
                for execution, row in list(self._universe.tables.rows.items())
                if row.summary.ended_at is None and not staying(execution)
            ]
            for execution, summary in left:
                if summary.status == "suspended":
                    await self.resume(execution)
                elif execution in doomed:
                    await self.cancel(execution)
            if not left and len(self.active) <= 1:
                return
            await asyncio.sleep(3.0)

    # ------------------------------------------------------------ what nobody asked for

    async def repeat_stimuli(self) -> None:
        """Deliver wake-ups for nothing, and outcomes once more or before their performer says them."""
        universe = self._universe
        while not universe.chances.calm:
            await asyncio.sleep(universe.random.expovariate(universe.chances.repeats * 4))
            living = universe.living()
            if not living or not universe.tables.rows:
                continue
            node = self._nodes[universe.random.choice(living).name]
            execution = universe.random.choice(list(universe.tables.rows))
            stimulus: Stimulus = Wake()
            known = [key for key in universe.services.outcomes if key[0] == execution]
            if known and universe.random.random() < 0.7:
                key = universe.random.choice(known)
                stimulus = RecordOutcome(key[1], universe.services.outcomes[key])
            self._inject(node, execution, stimulus)

    def _inject(self, node: Node, execution: str, stimulus: Stimulus) -> None:
        def arrive() -> None:
            if not node.life.loop.dead:
                _ = node.serve(_quietly(node, execution, stimulus))

        self._universe.scheduler.later(0.0, arrive)


async def _quietly(node: Node, execution: str, stimulus: Stimulus) -> None:
    try:
        await node.engine.stimulate(execution, stimulus)
    except ServiceError:
        return
