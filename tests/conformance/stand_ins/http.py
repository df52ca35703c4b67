"""An HTTP server whose answers are the mocks of scenarios. Every scenario has a first segment of the path to itself."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import Self

from aiohttp import web

from autoworker.testing.calls import described_request, wire
from autoworker.testing.mocks import Answer, Mock
from tests.conformance.scenario import OUTSIDE, Scenario
from tests.support.gateway_client import Person
from tests.support.ports import free_port
from workflow_service.domain.expressions import JsonValue

_HOP = {"host", "content-length", "connection", "accept-encoding", "transfer-encoding"}


@dataclass(slots=True)
class _Part:
    """What belongs to one scenario."""

    mocks: list[Mock]
    given: dict[int, int] = field(default_factory=dict)
    calls: list[dict[str, JsonValue]] = field(default_factory=list)

    def next(self, call: dict[str, JsonValue]) -> Answer | None:
        self.calls.append(call)
        for number, mock in enumerate(self.mocks):
            if mock.http and mock.is_for(call, ""):
                times = self.given.get(number, 0)
                self.given[number] = times + 1
                return mock.given[min(times, len(mock.given) - 1)]
        return None


class HttpStandIn:
    """Serves `http://outside.test`."""

    def __init__(self, person: Person) -> None:
        self._parts: dict[str, _Part] = {}
        self._address = ""
        self._runner: web.AppRunner | None = None
        self._over = asyncio.Event()

    async def __aenter__(self) -> Self:
        app = web.Application()
        app.router.add_route("*", "/{tail:.*}", self._serve)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=1)
        await self._runner.setup()
        port = free_port()
        await web.TCPSite(self._runner, "127.0.0.1", port).start()
        self._address = f"http://127.0.0.1:{port}"
        return self

    async def __aexit__(self, *exc: object) -> None:
        self._over.set()
        assert self._runner is not None
        await self._runner.cleanup()

    async def expect(self, name: str, scenario: Scenario) -> dict[str, str]:
        """Answer as the scenario's mocks say."""
        self._parts[name] = _Part(scenario.mocks)
        return {OUTSIDE: f"{self._address}/{name}"}

    def calls(self, name: str) -> list[dict[str, JsonValue]]:
        """The requests so far."""
        return self._parts[name].calls

    async def _serve(self, request: web.Request) -> web.StreamResponse:
        name, _, rest = request.rel_url.raw_path.lstrip("/").partition("/")
        part = self._parts.get(name)
        if part is None:
            return web.Response(status=404)
        query = f"?{request.rel_url.raw_query_string}" if request.rel_url.raw_query_string else ""
        headers = {k: v for k, v in request.headers.items() if k.lower() not in _HOP}
        url = f"{OUTSIDE}/{rest}{query}"
        call = described_request(request.method, url, headers, await request.read())
        answer = part.next(call)
        if answer is None:
            return web.Response(status=501, text="no mock is for this request")
        return await self._answered(request, answer, name)

    async def _answered(
        self, request: web.Request, answer: Answer, name: str
    ) -> web.StreamResponse:
        if answer.silent or answer.fails == "timeout":
            await self._over.wait()
        await asyncio.sleep(answer.seconds)
        if answer.fails is not None and request.transport is not None:
            request.transport.abort()
        headers, body = wire(answer)
        if location := headers.get("Location"):
            headers["Location"] = location.replace(OUTSIDE, f"{self._address}/{name}")
        return web.Response(status=answer.status or 200, headers=headers, body=body or None)
