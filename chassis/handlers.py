"""What every use case gets around it: a span, metrics, and a line in the log. Once, here."""

import asyncio
import time
from collections.abc import Callable, Coroutine
from typing import Any, ParamSpec, TypeVar

from chassis.errors import Kind, ServiceError
from chassis.telemetry import metrics, tracing
from chassis.telemetry.logging import get_logger

P = ParamSpec("P")
R = TypeVar("R")

_log = get_logger("chassis.handlers")

_HANDLED = metrics.counter("handler_total", "Use cases carried out.", ["handler", "outcome"])
_SECONDS = metrics.histogram("handler_seconds", "Time a use case took.", ["handler"])

_OURS = frozenset({Kind.INTERNAL, Kind.UNAVAILABLE})


def wrap(
    handler: Callable[P, Coroutine[Any, Any, R]], *, name: str
) -> Callable[P, Coroutine[Any, Any, R]]:
    """*handler*, observed. Its results and exceptions pass unchanged.

    Logged are: success at debug level; what callers did wrong (a ServiceError of theirs) at info;
    our own failures at warning, and with a traceback what nobody foresaw.

    Args:
        handler: a use case.
        name: what logs, metrics (`handler_total{handler,outcome}`, `handler_seconds{handler}`) and
            spans call it.
    """
    seconds = _SECONDS.child(name)
    succeeded = _HANDLED.child(name, "OK")

    async def observed(*args: P.args, **kwargs: P.kwargs) -> R:
        started = time.perf_counter()
        try:
            with tracing.span(name):
                result = await handler(*args, **kwargs)
        except BaseException as exc:
            _HANDLED.child(name, _outcome(exc)).inc()
            _log_failure(name, exc)
            raise
        else:
            succeeded.inc()
            _log.debug("handled", handler=name)
            return result
        finally:
            seconds.observe(time.perf_counter() - started)

    return observed


def _outcome(error: BaseException) -> str:
    match error:
        case ServiceError():
            return error.kind.value
        case asyncio.CancelledError():
            return Kind.CANCELLED.value
        case _:
            return Kind.INTERNAL.value


def _log_failure(name: str, error: BaseException) -> None:
    match error:
        case ServiceError() if error.kind in _OURS:
            _log.warning("handler_failed", handler=name, kind=error.kind.value, reason=str(error))
        case ServiceError():
            _log.info("handler_refused", handler=name, kind=error.kind.value, reason=str(error))
        case Exception():
            _log.error("handler_failed", handler=name, exc_info=error)
        case _:
            _log.debug("handler_cancelled", handler=name)
