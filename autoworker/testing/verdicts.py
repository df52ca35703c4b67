"""What is different from what a case expects."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from msgspec import UNSET

from autoworker.testing.cases import Expectation, Shown
from autoworker.testing.matching import differences, fits, missing, shown
from autoworker.testing.mocks import full_type, names, request_fits
from autoworker.testing.observed import Observed
from workflow_service.domain.expressions import JsonValue


def verdict(expect: Expectation, found: Observed, *, ordered_calls: bool = True) -> list[str]:
    """Everything in *found* that is not as expected; nothing when all is well.

    Args:
        expect: what the case says.
        found: what came.
        ordered_calls: whether calls have an order, which those that run side by side over a network do not have.
    """
    return [
        *_status(expect, found),
        *_output(expect, found),
        *_context(expect, found),
        *_error(expect, found),
        *_tasks(expect, found),
        *_events(expect, found),
        *_history(expect, found),
        *_announced(expect, found),
        *_calls(expect, found, ordered=ordered_calls),
        *_duration(expect, found),
    ]


def _status(expect: Expectation, found: Observed) -> Iterator[str]:
    if found.status != expect.phase:
        why = f" with {shown(found.error)}" if found.error is not None else ""
        yield f"status: expected {expect.phase}, got {found.status}{why}"


def _output(expect: Expectation, found: Observed) -> Iterator[str]:
    if expect.output is UNSET:
        return
    if found.output is UNSET:
        yield f"output: expected {shown(expect.output)}, got nothing"
    else:
        yield from differences(expect.output, found.output, "output")


def _context(expect: Expectation, found: Observed) -> Iterator[str]:
    if expect.context is not UNSET and found.context is not UNSET:
        yield from differences(expect.context, found.context, "context")


def _error(expect: Expectation, found: Observed) -> Iterator[str]:
    if expect.error is None:
        return
    if found.error is None:
        yield f"error: expected {shown(expect.error)}, got none"
        return
    wanted = dict(expect.error)
    if isinstance(kind := wanted.get("type"), str):
        wanted["type"] = full_type(kind)
    yield from missing(wanted, found.error, "error")


def _tasks(expect: Expectation, found: Observed) -> Iterator[str]:
    for kind, wanted in expect.tasks.items():
        came = found.tasks(kind)
        if len(came) != len(wanted) or not all(map(names, wanted, came)):
            yield f"tasks {kind}: expected {', '.join(wanted) or 'none'}, got {', '.join(came) or 'none'}"


def _events(expect: Expectation, found: Observed) -> Iterator[str]:
    if expect.events is None:
        return
    if len(expect.events) != len(found.emitted):
        yield f"events: expected {len(expect.events)}, got {shown(found.emitted)}"
        return
    for number, (wanted, event) in enumerate(zip(expect.events, found.emitted, strict=True)):
        yield from missing(wanted, event, f"events[{number}]")


def _history(expect: Expectation, found: Observed) -> Iterator[str]:
    yield from _in_turn(expect.history, ((fact.type, fact.data) for fact in found.facts), "history")


def _announced(expect: Expectation, found: Observed) -> Iterator[str]:
    if found.announced is not None:
        told = ((str(each["type"]), each["data"]) for each in found.announced)
        yield from _in_turn(expect.announced, told, "announced")


def _in_turn(
    expected: Sequence[Shown], told: Iterator[tuple[str, JsonValue]], at: str
) -> Iterator[str]:
    """Say which of *expected* does not come after those before it."""
    for number, wanted in enumerate(expected):
        if not any(type_ == wanted.type and fits(wanted.data, data) for type_, data in told):
            yield f"{at}[{number}]: expected {wanted.type} with {shown(wanted.data)}, in its turn"
            return


def _calls(expect: Expectation, found: Observed, *, ordered: bool) -> Iterator[str]:
    if expect.calls is None:
        return
    if len(expect.calls) != len(found.calls):
        came = ", ".join(_told(call) for call in found.calls) or "none"
        yield f"calls: expected {len(expect.calls)}, got {len(found.calls)}: {came}"
        return
    left = list(found.calls)
    for number, wanted in enumerate(expect.calls):
        at = f"calls[{number}]"
        which = 0 if ordered else _like(wanted, left)
        yield from _call(wanted, left.pop(which), at)


def _like(wanted: dict[str, JsonValue], calls: list[dict[str, JsonValue]]) -> int:
    fitting = (number for number, call in enumerate(calls) if not list(_call(wanted, call, "")))
    return next(fitting, 0)


def _call(wanted: dict[str, JsonValue], call: dict[str, JsonValue], at: str) -> Iterator[str]:
    members = dict(wanted)
    request = members.pop("http", None)
    if isinstance(request, str) and not request_fits(request, call):
        yield f"{at}: expected {request}, got {_told(call)}"
    yield from missing(members, call, at)


def _told(call: dict[str, JsonValue]) -> str:
    if call.get("kind") == "http":
        return f"{str(call['method']).upper()} {call['uri']}"
    return shown({name: call[name] for name in call if name not in {"tenant", "owner", "priority"}})


def _duration(expect: Expectation, found: Observed) -> Iterator[str]:
    span = expect.span
    if span is None or found.seconds is None or span[0] <= found.seconds <= span[1]:
        return
    yield f"duration: expected {_spoken(expect)}, got {found.seconds:g} s"


def _spoken(expect: Expectation) -> str:
    return "" if expect.duration is UNSET else shown(expect.duration)
