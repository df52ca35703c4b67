"""The words of the language that tell tasks and calls apart."""

from collections.abc import Iterator, Mapping
from difflib import get_close_matches
from typing import Final

from workflow_service.domain.expressions import JsonValue

TASK_KINDS: Final = (
    "call", "do", "emit", "for", "fork", "listen", "raise", "run", "set", "switch", "try", "wait",
)  # fmt: skip
PROTOCOLS: Final = ("http", "grpc", "openapi", "asyncapi", "mcp", "a2a")
"""What ``call`` names besides functions."""

COMPENSATE: Final = ("metadata", "compensate")
"""Where any task may have a list of tasks that undo it."""

_LISTS: Final[Mapping[str, tuple[tuple[str, ...], ...]]] = {
    "do": (("do",),),
    "for": (("do",),),
    "fork": (("fork", "branches"),),
    "try": (("try",), ("catch", "do")),
    "listen": (("foreach", "do"),),
    "call": (("with", "subscription", "foreach", "do"),),
}

_SHOWN, _LISTED, _COMPARED = 64, 12, 64


def kinds_of(task: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """Return the kinds that *task* claims to be: exactly one when it is right."""
    kinds = tuple(kind for kind in TASK_KINDS if kind in task)
    # `for` has a member `do` of its own.
    return tuple(kind for kind in kinds if kind != "do") if "for" in kinds else kinds


def task_lists(
    kind: str, task: Mapping[str, JsonValue]
) -> Iterator[tuple[tuple[str, ...], JsonValue]]:
    """Yield the task lists within *task*, each with the steps that lead to it; they may be malformed."""
    for steps in (*_LISTS.get(kind, ()), COMPENSATE):
        value: JsonValue = dict(task)
        for step in steps:
            value = value.get(step) if isinstance(value, dict) else None
        if value is not None:
            yield steps, value


def entries(tasks: JsonValue) -> Iterator[tuple[int, str, dict[str, JsonValue]]]:
    """Yield position, name and task of every well-formed entry of a task list."""
    for index, entry in enumerate(tasks if isinstance(tasks, list) else ()):
        if isinstance(entry, dict) and len(entry) == 1:
            for name, task in entry.items():
                if isinstance(task, dict):
                    yield index, name, task


def known_are(name: str, known: Iterator[str] | Mapping[str, object] | tuple[str, ...]) -> str:
    """Say which names there are, the one that was probably meant first."""
    names = list(known)
    if not names:
        return "there are none"
    # Comparing names is slow: it is worth its time only among a few.
    close = get_close_matches(name[:_SHOWN], names, n=1) if len(names) <= _COMPARED else None
    if close:
        return f"did you mean {close[0][:_SHOWN]!r}?"
    shown = ", ".join(name[:_SHOWN] for name in names[:_LISTED])
    return f"there are: {shown}{', …' if len(names) > _LISTED else ''}"
