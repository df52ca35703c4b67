"""Executions: the part of the client that starts them, watches them and takes hold of them."""

import asyncio
import contextlib
from collections.abc import AsyncGenerator, AsyncIterator, Mapping
from datetime import datetime
from typing import Final

import msgspec

from autoworker.errors import Unavailable, Unreachable
from autoworker.model import Event, Execution, Explanation, JsonValue, Page, WorkflowReference
from autoworker.places import given, place, reference
from autoworker.requests import Requests
from autoworker.sse import messages
from autoworker.transport import decoded

MAX_WAIT: Final = 60.0
RECONNECTS: Final = 30
"""How often in a row a broken stream is taken up again before it is given up."""


class Executions(Requests):
    """What a client can do with executions."""

    async def start(
        self,
        workflow: str | WorkflowReference,
        input: JsonValue = None,
        *,
        wait: float = 0.0,
        idempotency_key: str | None = None,
        priority: int = 0,
        run_at: datetime | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> Execution:
        """Start a workflow; when this returns, the execution is safe.

        Args:
            workflow: `namespace/name`, `namespace/name:version` or a reference.
            input: what it works on.
            wait: seconds to wait for its end, at most 60.
            idempotency_key: starts only once however often it is sent within 24 hours.
            priority: 0 to 9, the most urgent.
            run_at: when to begin; None begins at once.
            tags: what to find it by.

        Raises:
            NotFound: there is no such workflow.
            Conflict: the key belongs to another start.
        """
        asked: dict[str, object] = {"workflow": reference(workflow), "priority": priority}
        asked |= {
            name: value
            for name, value in (("input", input), ("run_at", run_at), ("tags", tags))
            if value is not None
        }
        _, answer = await self._send(
            "POST",
            "/v1/executions",
            msgspec.json.encode(asked),
            given(**{"Idempotency-Key": idempotency_key or ""}),
            {"wait": str(wait)} if wait else None,
            patience=wait,
        )
        return decoded(answer, Execution)

    async def get(self, execution: str) -> Execution:
        """An execution as it is now.

        Raises:
            NotFound: there is none, or it is somebody else's.
        """
        return await self._get(place(execution), Execution)

    def list(
        self,
        *,
        status: str = "",
        namespace: str = "",
        name: str = "",
        tag: str = "",
        parent: str = "",
        limit: int = 50,
    ) -> AsyncIterator[Execution]:
        """Executions, newest first, those that tasks of *parent* run if it is given; fetched by pages of *limit*."""
        params = given(
            status=status, namespace=namespace, name=name, tag=tag, parent=parent, limit=str(limit)
        )
        return self._pages("/v1/executions", Page[Execution], params)

    def history(self, execution: str) -> AsyncIterator[Event]:
        """What has happened so far, oldest first."""
        return self._pages(place(execution, "history"), Page[Event], {"limit": "200"})

    async def events(self, execution: str, *, after: int = 0) -> AsyncGenerator[Event, None]:
        """What has happened and what happens, live, until the execution has ended.

        A broken stream is taken up again where it broke, so nothing is missed or told twice.

        Raises:
            NotFound: there is no such execution, or it is somebody else's.
            Unreachable: the suite stays away.
        """
        failures = 0
        while True:
            try:
                async with contextlib.aclosing(self._stream(execution, after)) as events:
                    async for event in events:
                        after, failures = event.sequence, 0
                        yield event
                if (await self.get(execution)).ended:
                    return
            except (Unreachable, Unavailable):
                failures += 1
                if failures > RECONNECTS:
                    raise
            await asyncio.sleep(min(2.0, 0.1 * 2**failures))

    async def wait(self, execution: str, *, timeout: float = MAX_WAIT) -> Execution:
        """The execution once it has ended.

        Raises:
            TimeoutError: it has not within *timeout* seconds.
        """
        async with asyncio.timeout(timeout):
            async with contextlib.aclosing(self.events(execution)) as events:
                async for _ in events:
                    pass
            return await self.get(execution)

    async def cancel(self, execution: str, reason: str = "") -> Execution:
        """Stop it for good. Raises Conflict when it has ended."""
        return await self._command(execution, "cancel", {"reason": reason})

    async def suspend(self, execution: str, reason: str = "") -> Execution:
        """Let it rest until it is resumed. Raises Conflict when its phase does not allow it."""
        return await self._command(execution, "suspend", {"reason": reason})

    async def resume(self, execution: str, reason: str = "") -> Execution:
        """Go on after a rest. Raises Conflict when it does not rest."""
        return await self._command(execution, "resume", {"reason": reason})

    async def retry(
        self,
        execution: str,
        *,
        from_task: str = "",
        input: JsonValue | msgspec.UnsetType = msgspec.UNSET,
        reason: str = "",
    ) -> Execution:
        """Take a faulted execution up again, from the task that faulted unless said otherwise.

        Raises:
            Conflict: it has not faulted.
        """
        asked: dict[str, JsonValue] = {**given(**{"from": from_task}), "reason": reason}
        if not isinstance(input, msgspec.UnsetType):
            asked["input"] = input
        return await self._command(execution, "retry", asked)

    async def explain(self, execution: str) -> Explanation:
        """Why it is not moving: what it waits for, since when, who can unblock it."""
        return await self._get(place(execution, "explain"), Explanation)

    async def _command(self, execution: str, verb: str, body: Mapping[str, JsonValue]) -> Execution:
        _, answer = await self._send("POST", place(execution, verb), msgspec.json.encode(body))
        return decoded(answer, Execution)

    async def _stream(self, execution: str, after: int) -> AsyncGenerator[Event, None]:
        headers = {"Accept": "text/event-stream", "Last-Event-ID": str(after)}
        path = place(execution, "events")
        async with self._transport.stream(path, session=self._session, headers=headers) as chunks:
            async for message in messages(chunks):
                yield decoded(message.data.encode(), Event)
