"""Through the whole suite, over HTTP: published, started, watched, with real servers outside."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import msgspec
from msgspec import UNSET

from autoworker import Client, Execution
from autoworker.errors import InvalidRequest
from autoworker.testing import Fact, Observed, Step, When
from autoworker.testing.observed import fact_of
from autoworker.testing.steps import cloud_event
from tests.conformance.scenario import Scenario
from tests.conformance.stand_ins import KINDS, StandIn
from tests.support.gateway_client import eventually, signed_up
from tests.support.sandbox import processes
from tests.support.suite import started
from workflow_service.domain.expressions import JsonValue


class Stage:
    """A suite with its stand-ins, on which scenarios are played one after another."""

    def __init__(self, client: Client, outside: Sequence[StandIn], run: str) -> None:
        self._client = client
        self._outside = outside
        self._run = run
        self._numbers = itertools.count(1)

    async def refusals(self, scenario: Scenario) -> list[tuple[str, str]]:
        """Publish the definition; where it is refused, and why."""
        try:
            await self._client.publish(scenario.document(self._name()))
        except InvalidRequest as refused:
            return [(each.field, each.message) for each in refused.details]
        return []

    async def play(self, scenario: Scenario) -> Observed:
        """Run it to its end, or to the phase that it expects."""
        name = self._name()
        there: dict[str, str] = {}
        for stand_in in self._outside:
            there |= await stand_in.expect(name, scenario)
        document = _replaced(scenario.document(name), there)
        assert isinstance(document, dict)
        for secret, value in scenario.secrets.items():
            await self._client.set_secret(secret, _secret(value))
        definition = await self._client.publish(document)
        given = _replaced(scenario.input, there)
        execution = await self._client.start(definition.reference, given)
        for step in scenario.steps:
            await self._do(step, execution.id, there)
        ended = await self._reaches(execution.id, scenario.expect.phase)
        return await self._observed(ended, name, {here: out for out, here in there.items()})

    # ------------------------------------------------------------ how

    def _name(self) -> str:
        return f"c{self._run}-{next(self._numbers)}"

    async def _do(self, step: Step, execution: str, there: Mapping[str, str]) -> None:
        when = step.when
        if when is not None:
            await eventually(lambda: self._holds(when, execution), "what a step waits for")
        await asyncio.sleep(step.seconds)
        if step.suspend is not None:
            await self._client.suspend(execution, step.suspend.reason)
        elif step.resume is not None:
            await self._client.resume(execution, step.resume.reason)
        elif step.cancel is not None:
            await self._client.cancel(execution, step.cancel.reason)
        elif step.retry is not None:
            given = step.retry.input
            again = given if given is UNSET else _replaced(given, there)
            await self._client.retry(execution, input=again, reason=step.retry.reason)
        elif step.event is not None:
            event = cloud_event(step.event, f"{self._run}-{next(self._numbers)}")
            kind = {"Content-Type": "application/cloudevents+json"}
            await self._client._send("POST", "/v1/events", msgspec.json.encode(event), kind)

    async def _holds(self, when: When, execution: str) -> bool:
        status = (await self._client.get(execution)).status
        return when.holds(await self._facts(execution), status)

    async def _reaches(self, execution: str, phase: str) -> Execution:
        """The execution once it has ended or is in the phase that is expected; as it is when neither happens."""
        found: list[Execution] = []

        async def reached() -> bool:
            found.append(await self._client.get(execution))
            return found[-1].ended or found[-1].status == phase

        with contextlib.suppress(AssertionError):
            await eventually(reached, f"reaching {phase}")
        return found[-1]

    async def _facts(self, execution: str) -> list[Fact]:
        return [
            fact_of(event.type, msgspec.to_builtins(event.data))
            async for event in self._client.history(execution)
        ]

    async def _observed(self, ended: Execution, name: str, back: Mapping[str, str]) -> Observed:
        error = None if ended.error is None else msgspec.to_builtins(ended.error)
        told = Observed(
            status=ended.status,
            output=_own(ended.output) if ended.status == "completed" else UNSET,
            error=None if error is None else {k: v for k, v in error.items() if v is not None},
            facts=await self._facts(ended.id),
            calls=[call for each in self._outside for call in each.calls(name)],
        )
        changed = _replaced(msgspec.to_builtins(told), back)
        return msgspec.convert(changed, Observed)


@asynccontextmanager
async def stage(folder: Path, run: str) -> AsyncIterator[Stage]:
    """A suite of its own, with somebody logged in and every stand-in serving."""
    async with AsyncExitStack() as stack:
        suite = stack.enter_context(
            started(
                folder,
                AUTOWORKER_AUTH_RATE_LIMIT="100000/60",
                AUTOWORKER_ANONYMOUS_RATE_LIMIT="100000/60",
                AUTOWORKER_EGRESS_ALLOW="127.0.0.1",
                # One host stands in for all, and many scenarios are about its failures.
                AUTOWORKER_EGRESS_BREAKER_MINIMUM="1000000",
                **processes(),
            )
        )
        client = await stack.enter_async_context(signed_up(suite.url))
        outside = [await stack.enter_async_context(kind(client)) for kind in KINDS]
        yield Stage(client, outside, run)


def _replaced(value: JsonValue, texts: Mapping[str, str]) -> JsonValue:
    """*value* with every text that *texts* has replaced by what stands in its place."""
    written = msgspec.json.encode(value).decode()
    for text, other in texts.items():
        written = written.replace(text, other)
    changed: JsonValue = msgspec.json.decode(written)
    return changed


def _own(value: object) -> JsonValue:
    plain: JsonValue = msgspec.to_builtins(value)
    return plain


def _secret(value: JsonValue) -> str | dict[str, JsonValue]:
    assert isinstance(value, str | dict), "a secret is a text or an object"
    return value
