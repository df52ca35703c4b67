"""Records histories from real runs of the real suite.

    python -m tests.histories.record            records what is not there yet
    python -m tests.histories.record --digests  computes the digests of all recordings again

What is there is never recorded again: old histories are what the tests are for.
"""

import asyncio
import sqlite3
import sys
import tempfile
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Final

import msgspec
from aiohttp import web

from autoworker import Client
from tests.component.workflow_service.calls.channels import version_2
from tests.histories.recording import (
    RecordedCommit,
    Recording,
    digest,
    read,
    recordings,
    states,
    write,
)
from tests.histories.workflows import (
    CALL,
    CANCELLED,
    EVERY,
    EXTENDED,
    HEARD,
    REFUSE,
    RUNNING,
    SUBSCRIBED,
    TICKED,
    UNDONE,
)
from tests.support.gateway_client import PASSWORD, Person, eventually, in_phase, signed_up
from tests.support.suite import Suite, started

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Stub:
    """Somebody else's service: it fails, refuses or answers late, as it is told."""

    url: str = ""
    asked: int = 0
    open: asyncio.Event = field(default_factory=asyncio.Event)

    async def late(self, request: web.Request) -> web.Response:
        self.asked += 1
        await self.open.wait()
        return web.json_response({"late": True})

    async def moody(self, request: web.Request) -> web.Response:
        self.asked += 1
        return web.json_response({"asked": self.asked}, status=200 if self.asked % 3 == 0 else 503)

    async def channels(self, request: web.Request) -> web.Response:
        return web.Response(text=version_2(self.url.removeprefix("http://"), "ws", "talk"))

    async def talk(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse()
        await socket.prepare(request)
        for number in (1, 2):
            await socket.send_json({"n": number})
        await socket.receive()
        return socket


@asynccontextmanager
async def stub() -> AsyncIterator[Stub]:
    """A stub on a free port."""
    service = Stub()
    app = web.Application()
    app.router.add_get("/late", service.late)
    app.router.add_get("/moody", service.moody)
    app.router.add_get("/channels", service.channels)
    app.router.add_get("/talk", service.talk)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=0.1)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    service.url = f"http://127.0.0.1:{runner.addresses[0][1]}"
    try:
        yield service
    finally:
        await runner.cleanup()


@dataclass(slots=True)
class Recorder:
    """Runs suites in *folder*, one after the other on the same data, and writes down what they did."""

    folder: Path
    wanted: Callable[[str], bool]

    def keep(self, suite: Suite, execution: str, name: str, about: str) -> None:
        """Write down the history of *execution* unless there is one of that name."""
        if not self.wanted(name):
            return
        with closing(sqlite3.connect(suite.data / "workflow.db")) as store:
            status, definition = store.execute(
                "SELECT e.status, d.document FROM executions e JOIN definitions d USING (digest)"
                " WHERE e.execution = ?",
                [execution],
            ).fetchone()
            rows = store.execute(
                "SELECT version, at, events FROM commits WHERE execution = ? ORDER BY position",
                [execution],
            ).fetchall()
        commits = [
            RecordedCommit(
                version, _EPOCH + timedelta(microseconds=at), msgspec.json.decode(events)
            )
            for version, at, events in rows
        ]
        document = msgspec.json.decode(definition)
        final = digest(states(commits)[-1])
        write(Recording(name, about, document, commits, status, final))


async def example(recorder: Recorder) -> None:
    """The example that `make run` shows."""
    with started(recorder.folder, "--example") as suite:
        known = suite.administrator
        async with Client(suite.url, email=known.email, password=known.password) as client:
            found: list[str] = []

            async def is_over() -> bool:
                found.extend([e.id async for e in client.list(status="completed", name="order")])
                return bool(found)

            await eventually(is_over, "the end of the example", 40)
        recorder.keep(suite, found[0], "example-order", "The example of the first five minutes.")


async def everything(recorder: Recorder) -> None:
    """Every kind of fact, also those that need people or accidents."""
    async with stub() as service:
        address = service.url.removeprefix("http://")
        settings = {"AUTOWORKER_EGRESS_ALLOW": address}
        with started(recorder.folder, **settings) as suite:
            async with signed_up(suite.url, "Rita") as rita:
                for step in (
                    _tasks,
                    _cancelled,
                    _retried,
                    _undone,
                    _heard,
                    _extended,
                    _subscribed,
                    _running,
                    _suspended,
                ):
                    await step(recorder, suite, rita, service)
                interrupted = await _begun_late(rita, service)
            suite.kill()
        service.open.set()
        with started(recorder.folder, **settings) as suite:
            async with Client(suite.url, email=rita.email, password=PASSWORD) as again:
                await again.wait(interrupted)
            about = "A call that a crash interrupted, made again after it."
            recorder.keep(suite, interrupted, "recovered-call", about)


async def _tasks(recorder: Recorder, suite: Suite, rita: Person, service: Stub) -> None:
    definition = await rita.publish(EVERY)
    begun = await rita.start(definition.reference, {"shop": service.url, "items": [1, 2]}, wait=30)
    about = "Every kind of task: loops, branches, retries, handlers, jumps, an event, a context."
    recorder.keep(suite, begun.id, "every-task", about)


async def _cancelled(recorder: Recorder, suite: Suite, rita: Person, service: Stub) -> None:
    definition = await rita.publish(CANCELLED)
    begun = await rita.start(definition.reference, tags={"who": "rita"}, priority=7)
    await in_phase(rita, begun.id, "waiting")
    await rita.cancel(begun.id, "no longer needed")
    recorder.keep(suite, begun.id, "cancelled-wait", "Cancelled while two branches wait.")


async def _retried(recorder: Recorder, suite: Suite, rita: Person, service: Stub) -> None:
    definition = await rita.publish(REFUSE)
    begun = await rita.start(definition.reference, {"ok": False}, wait=30)
    recorder.keep(suite, begun.id, "faulted", "Raises an error that nothing catches.")
    await rita.retry(begun.id, input={"ok": True}, reason="fixed")
    await rita.wait(begun.id)
    recorder.keep(suite, begun.id, "retried", "Faulted, and taken up again by a person.")


async def _undone(recorder: Recorder, suite: Suite, rita: Person, service: Stub) -> None:
    definition = await rita.publish(UNDONE)
    begun = await rita.start(definition.reference, wait=30)
    about = "Faults, and takes back before what two iterations have done."
    recorder.keep(suite, begun.id, "undone", about)


async def _heard(recorder: Recorder, suite: Suite, rita: Person, service: Stub) -> None:
    definition = await rita.publish(HEARD)
    begun = await rita.start(definition.reference, wait=30)
    about = "Listens to what it emits itself: for each event, and for one."
    recorder.keep(suite, begun.id, "heard", about)


async def _extended(recorder: Recorder, suite: Suite, rita: Person, service: Stub) -> None:
    definition = await rita.publish(EXTENDED)
    begun = await rita.start(definition.reference, wait=30)
    recorder.keep(suite, begun.id, "extended", "A task with something before and after it.")


async def _subscribed(recorder: Recorder, suite: Suite, rita: Person, service: Stub) -> None:
    definition = await rita.publish(SUBSCRIBED)
    begun = await rita.start(definition.reference, {"shop": service.url}, wait=30)
    recorder.keep(
        suite, begun.id, "subscribed", "Takes of the messages of a channel the one that it wants."
    )


async def _running(recorder: Recorder, suite: Suite, rita: Person, service: Stub) -> None:
    await rita.publish(TICKED)
    found: list[str] = []

    async def has_ticked() -> bool:
        found.extend([each.id async for each in rita.list(tag="schedule", status="completed")])
        return bool(found)

    await eventually(has_ticked, "the start by the schedule")
    recorder.keep(suite, found[0], "ticked", "Started by a schedule.")
    definition = await rita.publish(RUNNING)
    begun = await rita.start(definition.reference, wait=30)
    recorder.keep(
        suite, begun.id, "running", "Runs another workflow, and leaves a second run to itself."
    )
    children = [each.id async for each in rita.list(parent=begun.id)]
    recorder.keep(suite, children[-1], "child", "Run by a task of another execution.")


async def _suspended(recorder: Recorder, suite: Suite, rita: Person, service: Stub) -> None:
    begun = await _begun_late(rita, service)
    await rita.suspend(begun, "lunch")
    service.open.set()

    async def is_recorded() -> bool:
        types = [event.type async for event in rita.history(begun)]
        return "io.autoworker.workflow.outcome-recorded.v1" in types

    await eventually(is_recorded, "the outcome")
    await rita.resume(begun, "coffee")
    await rita.wait(begun)
    recorder.keep(suite, begun, "suspended-call", "A call that was answered during a suspension.")


async def _begun_late(rita: Person, service: Stub) -> str:
    """An execution whose call waits for an answer."""
    service.open.clear()
    before = service.asked
    definition = await rita.publish(CALL)
    begun = await rita.start(definition.reference, {"shop": service.url})

    async def is_asked() -> bool:
        return service.asked > before

    await eventually(is_asked, "the call")
    return begun.id


def compute_digests() -> None:
    """Write the digests of all recordings anew: for a change of the state that is meant."""
    for file in recordings():
        recording = read(file)
        write(msgspec.structs.replace(recording, digest=digest(states(recording.commits)[-1])))


async def main() -> None:
    """Record what is not there yet."""
    known = {file.stem for file in recordings()}
    with tempfile.TemporaryDirectory() as folder:
        recorder = Recorder(Path(folder), lambda name: name not in known)
        await example(recorder)
        await everything(recorder)


if __name__ == "__main__":
    if "--digests" in sys.argv:
        compute_digests()
    else:
        asyncio.run(main())
