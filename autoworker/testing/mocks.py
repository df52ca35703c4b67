"""Mocks: which calls they answer, and with what."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Final, Literal

import msgspec
from msgspec import UNSET, UnsetType

from autoworker.testing.matching import fits, like
from workflow_service.domain.definition.durations import duration_seconds
from workflow_service.domain.definition.error_types import STANDARD_ERRORS, normalise_error_type
from workflow_service.domain.execution.problem import ERRORS, Problem
from workflow_service.domain.expressions import JsonValue

Failure = Literal["connection", "timeout", "refused"]
_STATUSES: Final = {
    "authentication": 401,
    "authorization": 403,
    "timeout": 408,
    "communication": 500,
    "runtime": 500,
}


class Error(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """An error as authors write it: a standard type may be named by its last word."""

    type: str
    status: int | None = None
    title: str | None = None
    detail: str | None = None
    instance: str | None = None

    def problem(self) -> Problem:
        """The error as the core has it."""
        kind = full_type(self.type)
        status = self.status or _STATUSES.get(kind.removeprefix(ERRORS), 400)
        return Problem(kind, status, self.title, self.detail, self.instance)


class Answer(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """One answer: an output, an error, an HTTP response, a failure on the way, or none at all."""

    output: JsonValue | UnsetType = UNSET
    error: Error | None = None
    status: int | None = None
    headers: dict[str, str] = {}
    body: JsonValue | UnsetType = UNSET
    fails: Failure | None = None
    silent: bool = False
    """Never answers."""
    after: JsonValue = 0
    """A duration as the DSL writes it, or seconds."""

    def __post_init__(self) -> None:
        http = self.status is not None or self.body is not UNSET or bool(self.headers)
        said = [self.output is not UNSET, self.error is not None, http, bool(self.fails)]
        if sum(said) + self.silent != 1:
            raise ValueError(
                "an answer has exactly one of output, error, an HTTP response (status, headers, body), "
                "fails and silent"
            )
        _ = self.seconds

    @property
    def is_http(self) -> bool:
        """Whether this is an HTTP response."""
        return self.status is not None or self.body is not UNSET or bool(self.headers)

    @property
    def seconds(self) -> float:
        """How long it takes to come."""
        return seconds_of(self.after)


class Mock(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """Answers the calls that it is for, one answer after another; the last one is given again and again.

    What it is for: a task (name or reference), an HTTP request (`METHOD URI`, with `*` and `{name}` for any text), a
    function (`name` or `name:version`), or any call by its `kind` and members. All that are given must hold.
    """

    task: str = ""
    http: str = ""
    function: str = ""
    call: dict[str, JsonValue] = {}
    answers: list[Answer] = []
    answer: Answer | None = None

    def __post_init__(self) -> None:
        if not (self.task or self.http or self.function or self.call):
            raise ValueError("a mock says what it is for: task, http, function or call")
        if bool(self.answers) == (self.answer is not None):
            raise ValueError("a mock has either an answer or a list of answers")
        if self.http and len(self.http.split()) != 2:
            raise ValueError(f"http is 'METHOD URI', not {self.http!r}")

    @property
    def given(self) -> Sequence[Answer]:
        """Its answers, in order."""
        return self.answers if self.answer is None else [self.answer]

    def is_for(self, call: dict[str, JsonValue], task: str) -> bool:
        """Whether it answers *call*, as `calls.described` describes it, of the task with that reference."""
        return (
            (not self.task or names(self.task, task))
            and (not self.http or request_fits(self.http, call))
            and (not self.function or _calls(self.function, call))
            and fits(self.call, call)
        )


def names(wanted: str, reference: str) -> bool:
    """Whether *wanted* is the task with that *reference*: the reference itself, or the end of its names."""
    if wanted.startswith("/"):
        return wanted == reference
    steps = wanted.split("/")
    return task_names(reference)[-len(steps) :] == steps


def task_names(reference: str) -> list[str]:
    """The names of the tasks on the way to a reference: `/do/0/charge/try/0/pay` is charge, pay."""
    steps = reference.split("/")
    return [
        name.replace("~1", "/").replace("~0", "~")
        for before, name in pairwise(steps)
        if before.isdecimal()
    ]


def request_fits(pattern: str, call: dict[str, JsonValue]) -> bool:
    """Whether *call* is the HTTP request that *pattern*, `METHOD URI`, describes."""
    method, uri = pattern.split()
    if call.get("kind") != "http" or not like(method.lower(), str(call["method"])):
        return False
    return like(uri, str(call["uri"]))


def full_type(text: str) -> str:
    """The whole type of an error of which perhaps only the last word was written."""
    return ERRORS + text if text in STANDARD_ERRORS else normalise_error_type(text)


def seconds_of(value: JsonValue) -> float:
    """The length of a duration; a number counts seconds.

    Raises:
        ValueError: it is none.
    """
    if isinstance(value, int | float) and not isinstance(value, bool):
        return float(value)
    return duration_seconds(value)


def _calls(function: str, call: dict[str, JsonValue]) -> bool:
    name, _, version = function.partition(":")
    if call.get("kind") != "function" or call["name"] != name:
        return False
    return not version or call.get("version") == version
