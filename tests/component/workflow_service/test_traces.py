"""What a recorded trace shows of a workflow."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from chassis.telemetry import tracing
from chassis.telemetry.otlp import OtlpTracer
from tests.component.workflow_service.workflows import EVERY
from tests.component.workflow_service.world import Callees, World, world
from tests.support.time import eventually
from workflow_service.domain.execution.effects import Effect, Failed, Outcome, Succeeded
from workflow_service.domain.execution.problem import runtime

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SAMPLED = f"00-{TRACE}-00f067aa0ba902b7-01"
UNSAMPLED = f"00-{TRACE}-00f067aa0ba902b7-00"


class Spans:
    """The spans of this process."""

    def __init__(self) -> None:
        self._exporter = InMemorySpanExporter()
        self.tracer = OtlpTracer("test", self._exporter)

    def named(self, name: str) -> list[ReadableSpan]:
        """Those that have ended under that name."""
        self.tracer._provider.force_flush()
        return [span for span in self._exporter.get_finished_spans() if span.name == name]


@pytest.fixture
def spans() -> Iterator[Spans]:
    recorded = Spans()
    tracing.use_tracer(recorded.tracer)
    yield recorded
    tracing.use_tracer(None)
    tracing.adopt("", "")
    recorded.tracer.close()


@pytest.fixture
async def service(tmp_path: Path, spans: Spans) -> AsyncIterator[World]:
    async with world(tmp_path) as opened:
        for definition in EVERY:
            await opened.user("author").publish(definition)
        yield opened


async def test_a_workflow_and_its_calls_are_spans_of_the_request_that_began_it(
    service: World, spans: Spans
) -> None:
    traces: list[str] = []

    def outcome(effect: Effect) -> Outcome:
        traces.append(tracing.trace_id_of(tracing.recorded_traceparent()))
        return Succeeded(None)

    service.callees.outcome = outcome
    tracing.adopt("r", SAMPLED)

    done = await service.user("ada").start("call", {"n": 1}, wait=5)

    [effect] = spans.named("effect HttpCall")
    [whole] = spans.named("workflow test/call")
    assert traces == [TRACE]
    assert effect.context is not None
    assert f"{effect.context.trace_id:032x}" == TRACE
    assert effect.attributes is not None
    assert dict(effect.attributes) == {
        "workflow.id": done.id,
        "workflow.name": "test/call",
        "workflow.version": "1.0.0",
        "user.id": "ada",
        "stage.name": "/do/0/ask",
    }
    assert whole.attributes is not None
    assert whole.attributes["workflow.status"] == "completed"
    assert whole.start_time is not None
    # Spans count nanoseconds from a float, which may be off by a few hundred.
    assert abs(whole.start_time // 1000 - done.created_at.ToMicroseconds()) <= 1


async def test_a_fault_is_an_error_of_the_workflows_span(service: World, spans: Spans) -> None:
    service.callees.outcome = lambda _: Failed(runtime("no"))
    tracing.adopt("r", SAMPLED)

    await service.user("ada").start("call", {"n": 1}, wait=5)

    [whole] = spans.named("workflow test/call")
    assert whole.status.status_code is StatusCode.ERROR


async def test_nothing_is_recorded_of_a_trace_that_nobody_samples(
    service: World, spans: Spans
) -> None:
    tracing.adopt("r", UNSAMPLED)

    await service.user("ada").start("call", {"n": 1}, wait=5)

    assert spans.named("effect HttpCall") == spans.named("workflow test/call") == []


async def test_the_trace_is_remembered_by_whoever_goes_on(tmp_path: Path, spans: Spans) -> None:
    held = Callees()
    held.hold()
    async with world(tmp_path, callees=held) as first:
        for definition in EVERY:
            await first.user("author").publish(definition)
        tracing.adopt("r", SAMPLED)
        begun = await first.user("ada").start("call", {"n": 1})
        await eventually(lambda: bool(held.seen))
    tracing.adopt("", "")

    async with world(tmp_path) as second:
        user = second.user("ada")

        async def is_over() -> bool:
            return (await user.get(begun.id)).status == "completed"

        await eventually(is_over)

    [whole] = spans.named("workflow test/call")
    assert whole.context is not None
    assert f"{whole.context.trace_id:032x}" == TRACE
