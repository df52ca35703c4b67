"""What a picture says about a task, in a few words."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import msgspec

from workflow_service.domain.expressions import JsonValue

LONGEST: Final = 44
_MARKS: Final = ("${", "}")


def short(text: str, longest: int = LONGEST) -> str:
    """One line of at most *longest* characters."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def plain(value: JsonValue) -> str:
    """A value as people write it: expressions without their marks, durations in short, the rest as JSON."""
    if isinstance(value, str):
        text = value.strip()
        bare = text.startswith(_MARKS[0]) and text.endswith(_MARKS[1]) and text.count("${") == 1
        return text[2:-1].strip() if bare else text
    if isinstance(value, dict) and set(value) <= set(_UNITS) and value:
        return " ".join(f"{value[unit]} {sign}" for unit, sign in _UNITS.items() if unit in value)
    return msgspec.json.encode(value).decode()


_UNITS: Final = {"days": "d", "hours": "h", "minutes": "min", "seconds": "s", "milliseconds": "ms"}


def note(kind: str, task: Mapping[str, JsonValue]) -> str:
    """What a task of that kind does, and on which condition."""
    does = _NOTES.get(kind, _kind_alone)(kind, task)
    condition = f"if {plain(task['if'])}" if "if" in task else ""
    return short(" · ".join(filter(None, [condition, does])))


def catch_note(catch: dict[str, JsonValue]) -> str:
    """Which errors are caught."""
    wanted = member(member(catch, "errors"), "with")
    parts = [_last(str(value)) for value in wanted.values()]
    parts += [f"{word} {plain(catch[name])}" for name, word in _CONDITIONS if name in catch]
    return short(", ".join(parts) or "any error")


def retry_note(policy: JsonValue) -> str:
    """How it is tried again."""
    if not isinstance(policy, dict):
        return short(f"retry: {policy}")
    parts = [f"after {plain(policy['delay'])}"] if "delay" in policy else []
    parts += list(member(policy, "backoff"))
    count = member(member(policy, "limit"), "attempt").get("count")
    parts += [f"up to {count} times"] if count is not None else []
    return short(f"retry {', '.join(parts)}".strip(), 2 * LONGEST)


def member(owner: JsonValue, name: str) -> dict[str, JsonValue]:
    """A member that is an object; empty when there is none."""
    value = owner.get(name) if isinstance(owner, dict) else None
    return value if isinstance(value, dict) else {}


def _call(kind: str, task: Mapping[str, JsonValue]) -> str:
    called, options = str(task["call"]), member(dict(task), "with")
    if called != "http":
        return f"call {called}"
    endpoint = options.get("endpoint")
    uri = endpoint.get("uri") if isinstance(endpoint, dict) else endpoint
    return f"{str(options.get('method', '')).upper()} {plain(uri)}"


def _for(kind: str, task: Mapping[str, JsonValue]) -> str:
    loop = member(dict(task), "for")
    condition = f" while {plain(task['while'])}" if "while" in task else ""
    return f"each {loop.get('each', 'item')} in {plain(loop.get('in'))}{condition}"


def _fork(kind: str, task: Mapping[str, JsonValue]) -> str:
    return (
        "the first one wins" if member(dict(task), "fork").get("compete") is True else "all at once"
    )


def _wait(kind: str, task: Mapping[str, JsonValue]) -> str:
    return f"wait {plain(task['wait'])}"


def _emit(kind: str, task: Mapping[str, JsonValue]) -> str:
    given = member(member(member(dict(task), "emit"), "event"), "with")
    return f"emit {plain(given.get('type'))}"


def _raise(kind: str, task: Mapping[str, JsonValue]) -> str:
    error = member(dict(task), "raise").get("error")
    if isinstance(error, dict):
        return f"raise {_last(plain(error.get('type')))} {plain(error.get('status'))}"
    return f"raise {error}"


def _run(kind: str, task: Mapping[str, JsonValue]) -> str:
    ways = member(dict(task), "run")
    way = next((name for name in ("workflow", "script", "shell", "container") if name in ways), "")
    told = member(ways, way)
    return f"run {way} {told.get('name') or told.get('language') or plain(told.get('command') or told.get('image') or '')}"


def _listen(kind: str, task: Mapping[str, JsonValue]) -> str:
    to = member(member(dict(task), "listen"), "to")
    return f"listen to {next(iter(to), '')}"


def _kind_alone(kind: str, task: Mapping[str, JsonValue]) -> str:
    return "" if kind in {"do", "try"} else kind


def _last(text: str) -> str:
    return text.rstrip("/").rpartition("/")[2] or text


_CONDITIONS: Final = (("when", "when"), ("exceptWhen", "except when"))
_NOTES: Final = {
    "call": _call,
    "for": _for,
    "fork": _fork,
    "wait": _wait,
    "emit": _emit,
    "raise": _raise,
    "run": _run,
    "listen": _listen,
}
