"""Structured logs: an event with fields, secrets and personal data masked on the way out."""

import logging
import re
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from typing import Any, Literal, TextIO, TypeAlias, cast

import structlog
from structlog.typing import EventDict, FilteringBoundLogger, WrappedLogger

from chassis.telemetry import tracing

MASK = "***"
Output: TypeAlias = Literal["stdout", "stderr"]

_SECRET_NAME = re.compile(
    r"passw|token|authori[sz]ation|secret|cookie|credential|otp|pepper|private|signature"
    r"|(?:^|[_.\-])(?:api_?)?key$",
    re.IGNORECASE,
)
_HARMLESS = frozenset({"token_type", "idempotency_key"})
_SECRET_TEXT = re.compile(
    r"eyJ[\w-]{8,}\.[\w-]+\.[\w-]*"  # a JSON Web Token
    r"|\b[rsp]k_(?:live|test)_[\w-]+"  # an API key
    r"|(?<=Bearer )[\w.~+/=-]+"
    r"|(?<=://)[^\s/@:]*:[^\s/@]+(?=@)"  # user:password of a URL
    r"|-----BEGIN [A-Z ]*PRIVATE KEY-----.*?(?:-----END [A-Z ]*PRIVATE KEY-----|$)",
    re.DOTALL,
)
_EMAIL = re.compile(r"\b([\w.+-])[\w.+-]*@([\w-])[\w-]*(?:\.[\w-]+)+")
_DEPTH = 8
_hide: ContextVar[Callable[[str], str] | None] = ContextVar("hide", default=None)


def configure_logging(
    level: str = "INFO", json: bool | None = None, *, to: Output = "stdout"
) -> None:
    """Set up logging of the whole process, the standard library's included.

    Args:
        level: the least level that is written, as `logging` names it.
        json: one JSON object per line; None decides by whether the output is a terminal.
        to: where lines go; a program that talks to people on stdout logs to stderr.
    """
    threshold = logging.getLevelNamesMapping()[level.upper()]
    lines = _Lines(to)
    as_json = not lines.on_terminal if json is None else json
    renderers = _renderers(as_json, colors=lines.on_terminal)
    structlog.configure(
        processors=[*_SHARED, *renderers],
        wrapper_class=structlog.make_filtering_bound_logger(threshold),
        logger_factory=lambda *_: lines,
        cache_logger_on_first_use=True,
    )
    handler = _LinesHandler(lines)
    handler.setFormatter(
        structlog.stdlib.ProcessorFormatter(
            foreign_pre_chain=_SHARED,
            processors=[
                structlog.stdlib.ProcessorFormatter.remove_processors_meta,
                *renderers,
            ],
        )
    )
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(max(threshold, logging.WARNING))


class _Lines:
    """Writes whole lines to what the output is at that moment, which may be replaced meanwhile."""

    def __init__(self, to: Output) -> None:
        self._to = to

    @property
    def on_terminal(self) -> bool:
        return bool(self._stream.isatty())

    @property
    def _stream(self) -> TextIO:
        return sys.stdout if self._to == "stdout" else sys.stderr

    def msg(self, line: str) -> None:
        self._stream.write(line + "\n")
        self._stream.flush()

    debug = info = warning = error = critical = fatal = exception = log = msg


class _LinesHandler(logging.Handler):
    """The same for lines of the standard library's loggers; the handler's lock keeps them whole."""

    def __init__(self, lines: _Lines) -> None:
        super().__init__()
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.msg(self.format(record))


def get_logger(name: str) -> FilteringBoundLogger:
    """The logger of the part called *name*; the first argument of a call is an event's name."""
    return cast("FilteringBoundLogger", structlog.get_logger(component=name))


def masked(name: str, value: object, depth: int = _DEPTH) -> object:
    """*value* as it may be shown under the field *name*, with everything inside it masked too."""
    if _SECRET_NAME.search(name) and name not in _HARMLESS and not isinstance(value, bool | None):
        return MASK
    match value:
        case str():
            return mask_text(value)
        case bytes() | bytearray():
            return f"<{len(value)} bytes>"
        case bool() | int() | float() | None:
            return value
        case _ if depth == 0:
            return MASK
        case Mapping():
            return {str(key): masked(str(key), item, depth - 1) for key, item in value.items()}
        case list() | tuple() | set() | frozenset():
            return [masked("", item, depth - 1) for item in value]
        case _:
            return mask_text(repr(value))


@contextmanager
def hiding(hide: Callable[[str], str]) -> Iterator[None]:
    """Send every text that is logged in this context through *hide*: for secrets that do not look like any."""
    before = _hide.set(hide)
    try:
        yield
    finally:
        _hide.reset(before)


def mask_text(text: str) -> str:
    """*text* without tokens, keys and passwords, and with e-mail addresses made unreadable."""
    hide = _hide.get()
    if hide is not None:
        text = hide(text)
    if "@" in text:
        text = _SECRET_TEXT.sub(MASK, text)
        return _EMAIL.sub(r"\1***@\2***", text)
    return _SECRET_TEXT.sub(MASK, text)


def _mask(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    for name, value in event.items():
        event[name] = masked(name, value)
    return event


def _mask_exception(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    """Tracebacks show the messages of exceptions, and those may quote anything."""
    if isinstance(trace := event.get("exception"), str):
        event["exception"] = mask_text(trace)
    return event


def _correlate(_logger: WrappedLogger, _method: str, event: EventDict) -> EventDict:
    if request_id := tracing.current_request_id():
        event.setdefault("request_id", request_id)
    if traceparent := tracing.current_traceparent():
        event.setdefault("trace_id", tracing.trace_id_of(traceparent))
    return event


def _renderers(as_json: bool, *, colors: bool) -> list[Any]:
    if as_json:
        return [structlog.processors.JSONRenderer(ensure_ascii=False)]
    return [
        structlog.dev.ConsoleRenderer(
            colors=colors,
            exception_formatter=structlog.dev.plain_traceback,  # rich shows locals: secrets
        )
    ]


# `exc_info` becomes text before masking, so that no exception object slips through unmasked.
_SHARED: list[Any] = [
    structlog.contextvars.merge_contextvars,
    structlog.processors.add_log_level,
    structlog.processors.TimeStamper(fmt="iso", utc=True),
    structlog.processors.format_exc_info,
    _correlate,
    _mask,
    _mask_exception,
]
