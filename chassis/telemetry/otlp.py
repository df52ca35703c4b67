"""Spans sent to an OpenTelemetry collector over OTLP/gRPC. Imported only when there is one."""

from datetime import datetime

from opentelemetry import trace
from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SpanExporter
from opentelemetry.sdk.trace.sampling import ALWAYS_ON

from chassis.telemetry.logging import mask_text
from chassis.telemetry.tracing import Attribute


class OtlpTracer:
    """Records spans and exports them in batches, from a thread of its own.

    Whether a trace is sampled is decided where it starts and travels in its `traceparent`; here all
    that arrives is recorded.

    Args:
        service: the name that spans are filed under.
        exporter: where they go.
        ratio: the share of new traces that is recorded, 0 to 1.
    """

    def __init__(self, service: str, exporter: SpanExporter, *, ratio: float = 1.0) -> None:
        self.ratio = ratio
        self._provider = TracerProvider(
            resource=Resource.create({"service.name": service}),
            sampler=ALWAYS_ON,
            shutdown_on_exit=False,
        )
        self._provider.add_span_processor(BatchSpanProcessor(exporter))
        self._tracer = self._provider.get_tracer("autoworker")

    def start(
        self,
        name: str,
        parent: str,
        attributes: dict[str, Attribute],
        begun: datetime | None = None,
    ) -> "OtlpSpan":
        """Begin a span below *parent*, a valid `traceparent`; *begun* is when, if not now."""
        remote = trace.NonRecordingSpan(
            trace.SpanContext(
                trace_id=int(parent[3:35], 16),
                span_id=int(parent[36:52], 16),
                is_remote=True,
                trace_flags=trace.TraceFlags(trace.TraceFlags.SAMPLED),
            )
        )
        context = trace.set_span_in_context(remote)
        since = None if begun is None else round(begun.timestamp() * 1e9)
        span = self._tracer.start_span(
            name, context=context, attributes=attributes, start_time=since
        )
        return OtlpSpan(span)

    def close(self) -> None:
        """Send what is still here and stop; blocks for some seconds when nobody listens."""
        self._provider.shutdown()


class OtlpSpan:
    """A span that is being recorded."""

    def __init__(self, span: trace.Span) -> None:
        self._span = span
        context = span.get_span_context()
        self.traceparent = f"00-{context.trace_id:032x}-{context.span_id:016x}-01"

    def set(self, name: str, value: Attribute) -> None:
        """Say one more thing about it."""
        self._span.set_attribute(name, value)

    def end(self, error: BaseException | None) -> None:
        """Finish it, as failed when there is an *error*."""
        if error is not None:
            text = mask_text(f"{type(error).__name__}: {error}")
            self._span.set_status(trace.Status(trace.StatusCode.ERROR, text))
        self._span.end()


def otlp_exporter(endpoint: str) -> SpanExporter:
    """Sends to *endpoint* (`http://collector:4317`); it connects when there is something to send."""
    return OTLPSpanExporter(endpoint=endpoint, insecure=not endpoint.startswith("https://"))
