"""Turning on logs and traces for a process."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from chassis.telemetry import tracing


@asynccontextmanager
async def tracing_to(
    endpoint: str | None, service: str, *, ratio: float = 1.0
) -> AsyncIterator[None]:
    """Inside: spans of this process go to the collector at *endpoint*; None: nowhere.

    Args:
        endpoint: what `OTEL_EXPORTER_OTLP_ENDPOINT` says.
        service: the name that spans are filed under.
        ratio: the share of new traces that is recorded, 0 to 1.
    """
    if endpoint is None:
        yield
        return
    # Only now: the SDK costs a second to import, and most processes never need it.
    from chassis.telemetry.otlp import OtlpTracer, otlp_exporter

    tracer = OtlpTracer(service, otlp_exporter(endpoint), ratio=ratio)
    tracing.use_tracer(tracer)
    try:
        yield
    finally:
        tracing.use_tracer(None)
        await asyncio.to_thread(tracer.close)
