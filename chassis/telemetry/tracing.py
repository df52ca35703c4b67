"""W3C trace context, and spans when somebody collects them.

The current trace travels as the text of its `traceparent` header (W3C Trace Context, level 1), since
passing it on is all that most requests need; parsing and spans cost only sampled requests. Without
an OTLP endpoint `span` does nothing and the OpenTelemetry SDK is never imported.
"""

import os
import re
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar
from datetime import datetime
from typing import Protocol

_TRACEPARENT = re.compile(r"[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}")
_NO_TRACE = "0" * 32
_NO_SPAN = "0" * 16

_traceparent: ContextVar[str] = ContextVar("traceparent", default="")
_request_id: ContextVar[str] = ContextVar("request_id", default="")

Attribute = str | bool | int | float


class Span(Protocol):
    """Work under measurement."""

    def set(self, name: str, value: Attribute) -> None:
        """Say one more thing about it."""
        ...


class Tracer(Protocol):
    """Where spans go (see `chassis.telemetry.otlp`)."""

    ratio: float
    """The share of new traces that is recorded, 0 to 1."""

    def start(
        self,
        name: str,
        parent: str,
        attributes: dict[str, Attribute],
        begun: datetime | None = None,
    ) -> "Recording":
        """Begin a span below *parent*, a `traceparent`; *begun* is when, if not now."""
        ...


class Recording(Span, Protocol):
    """A span that is being recorded."""

    traceparent: str

    def end(self, error: BaseException | None) -> None:
        """Finish it, as failed when there is an *error*."""
        ...


class _NoSpan:
    def set(self, name: str, value: Attribute) -> None:
        """Nobody is listening."""


_no_span: AbstractContextManager[Span] = nullcontext(_NoSpan())
_tracer: Tracer | None = None


def use_tracer(tracer: Tracer | None) -> None:
    """Send the spans of this process to *tracer* from now on; None sends them nowhere."""
    global _tracer
    _tracer = tracer


def adopt(request_id: str, traceparent: str) -> None:
    """Make these the request and the trace of the current context (a task, usually)."""
    _request_id.set(request_id)
    _traceparent.set(traceparent)


def current_traceparent() -> str:
    """The `traceparent` of the current context, or nothing."""
    return _traceparent.get()


def recorded_traceparent() -> str:
    """The `traceparent` of the current context if its trace is recorded, or nothing."""
    current = _traceparent.get()
    return current if _tracer is not None and is_sampled(current) else ""


def current_request_id() -> str:
    """The request that the current context works for, or nothing."""
    return _request_id.get()


def new_traceparent() -> str:
    """The start of a new trace, sampled as the tracer asks."""
    noise = os.urandom(25)
    sampled = _tracer is not None and noise[24] < _tracer.ratio * 256
    # An id of zeros means "none"; once in 2^64 that would come up.
    trace, parent = noise[:16].hex(), noise[16:24].hex()
    if parent == _NO_SPAN or trace == _NO_TRACE:
        return new_traceparent()
    return f"00-{trace}-{parent}-{'01' if sampled else '00'}"


def accept_traceparent(header: str | None) -> str:
    """The trace that a caller sent, or a new one when there is none or it is malformed."""
    return header if header and is_traceparent(header) else new_traceparent()


def is_traceparent(header: str) -> bool:
    """Whether *header* is a valid `traceparent`; later versions of the standard count too."""
    if len(header) > 55:
        # Only versions after 00 may append fields.
        return header[55] == "-" and header[:2] != "00" and is_traceparent(header[:55])
    return (
        _TRACEPARENT.fullmatch(header) is not None
        and header[:2] != "ff"
        and header[3:35] != _NO_TRACE
        and header[36:52] != _NO_SPAN
    )


def trace_id_of(traceparent: str) -> str:
    """The trace's id within a valid *traceparent*."""
    return traceparent[3:35]


def is_sampled(traceparent: str) -> bool:
    """Whether somebody upstream decided to record this trace."""
    return bool(traceparent) and int(traceparent[53:55], 16) & 1 == 1


def span(name: str, **attributes: Attribute) -> AbstractContextManager[Span]:
    """Measure what happens inside, as a part of the current trace.

    Does nothing, cheaply, when there is no tracer or the trace is not sampled. Keep it away from
    `yield`: a generator that is left early would end its span late.
    """
    if _tracer is None:
        return _no_span
    parent = _traceparent.get()
    return _recorded(_tracer, name, parent, attributes) if is_sampled(parent) else _no_span


def tell(name: str, parent: str, begun: datetime, *, failed: bool, **attributes: Attribute) -> None:
    """Record a span that began at *begun* and ends now, below the sampled trace *parent*; nothing without a tracer."""
    if _tracer is not None and parent:
        recording = _tracer.start(name, parent, attributes, begun)
        recording.end(RuntimeError(name) if failed else None)


@contextmanager
def _recorded(
    tracer: Tracer, name: str, parent: str, attributes: dict[str, Attribute]
) -> Iterator[Span]:
    recording = tracer.start(name, parent, attributes)
    _traceparent.set(recording.traceparent)
    error: BaseException | None = None
    try:
        yield recording
    except BaseException as exc:
        error = exc
        raise
    finally:
        # Set back by value: a token would refuse when the context is another by now.
        _traceparent.set(parent)
        recording.end(error)
