from collections.abc import Iterator

import pytest
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

from chassis.telemetry import tracing
from chassis.telemetry.otlp import OtlpTracer
from chassis.telemetry.setup import tracing_to

SAMPLED = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
UNSAMPLED = SAMPLED[:-1] + "0"


@pytest.mark.parametrize(
    "header", [SAMPLED, UNSAMPLED, "cc" + SAMPLED[2:], "cc" + SAMPLED[2:] + "-what-the-future"]
)
def test_valid_headers_are_passed_on(header: str) -> None:
    assert tracing.accept_traceparent(header) == header


@pytest.mark.parametrize(
    "header",
    [
        None,
        "",
        "nonsense",
        SAMPLED.upper(),
        SAMPLED + "-x",
        "ff" + SAMPLED[2:],
        "00-" + "0" * 32 + SAMPLED[35:],
        SAMPLED[:36] + "0" * 16 + "-01",
        SAMPLED[:-1],
        SAMPLED + "\n",
    ],
)
def test_malformed_headers_start_a_new_trace(header: str | None) -> None:
    fresh = tracing.accept_traceparent(header)
    assert fresh != header
    assert tracing.is_traceparent(fresh)


def test_new_traces_differ_and_are_not_sampled_without_a_tracer() -> None:
    one, other = tracing.new_traceparent(), tracing.new_traceparent()
    assert tracing.trace_id_of(one) != tracing.trace_id_of(other)
    assert not tracing.is_sampled(one)


@pytest.fixture
def spans() -> Iterator[InMemorySpanExporter]:
    exporter = InMemorySpanExporter()
    tracer = OtlpTracer("test", exporter)
    tracing.use_tracer(tracer)
    yield exporter
    tracing.use_tracer(None)
    tracing.adopt("", "")
    tracer.close()


def finished(spans: InMemorySpanExporter) -> dict[str, object]:
    tracer = tracing._tracer
    assert isinstance(tracer, OtlpTracer)
    tracer._provider.force_flush()
    return {span.name: span for span in spans.get_finished_spans()}


def test_without_a_tracer_a_span_changes_nothing() -> None:
    tracing.adopt("r", SAMPLED)
    with tracing.span("work", stage="one") as span:
        span.set("more", 1)
        assert tracing.current_traceparent() == SAMPLED
    tracing.adopt("", "")


def test_spans_nest_below_the_trace_of_the_caller(spans: InMemorySpanExporter) -> None:
    tracing.adopt("r", SAMPLED)
    with tracing.span("outer"):
        outer = tracing.current_traceparent()
        with tracing.span("inner", **{"workflow.id": "w1"}):
            assert tracing.current_traceparent() != outer
        assert tracing.current_traceparent() == outer
    assert tracing.current_traceparent() == SAMPLED

    found = spans_by_name(spans)
    assert found["inner"]["parent"] == outer[36:52]
    assert found["outer"]["parent"] == SAMPLED[36:52]
    assert {each["trace"] for each in found.values()} == {SAMPLED[3:35]}
    assert found["inner"]["attributes"] == {"workflow.id": "w1"}


def spans_by_name(spans: InMemorySpanExporter) -> dict[str, dict[str, object]]:
    finished(spans)
    return {
        span.name: {
            "parent": f"{span.parent.span_id:016x}" if span.parent else None,
            "trace": f"{span.context.trace_id:032x}",
            "attributes": dict(span.attributes or {}),
            "status": span.status,
        }
        for span in spans.get_finished_spans()
    }


def test_unsampled_traces_are_not_recorded(spans: InMemorySpanExporter) -> None:
    tracing.adopt("r", UNSAMPLED)
    with tracing.span("quiet"):
        assert tracing.current_traceparent() == UNSAMPLED
    assert finished(spans) == {}


def test_a_failure_is_told_without_its_secrets(spans: InMemorySpanExporter) -> None:
    tracing.adopt("r", SAMPLED)
    with pytest.raises(ValueError, match="anna"), tracing.span("work"):
        raise ValueError("no mail to anna@example.com")
    status = str(vars(spans_by_name(spans)["work"]["status"]))
    assert "ValueError" in status
    assert "anna@" not in status


def test_new_traces_are_sampled_at_the_tracers_ratio(spans: InMemorySpanExporter) -> None:
    assert tracing.is_sampled(tracing.new_traceparent())


async def test_without_an_endpoint_nothing_is_recorded() -> None:
    async with tracing_to(None, "test"):
        assert not tracing.is_sampled(tracing.new_traceparent())
