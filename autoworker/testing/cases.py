"""Cases: what is given to a workflow, how the world answers, and what is to come of it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import timedelta
from typing import TypeVar

import msgspec
from msgspec import UNSET, UnsetType

from autoworker.testing.mocks import Mock, seconds_of
from autoworker.testing.steps import Step
from chassis.errors import ServiceError
from workflow_service.domain.definition.documents import parse_document
from workflow_service.domain.expressions import JsonValue

T = TypeVar("T")


_ENDLESS = 1e10


class CasesUnreadable(Exception):
    """A file of cases cannot be read; the message tells where and why."""


class Span(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """How long something may take, in the workflow's own time."""

    at_least: JsonValue = msgspec.field(default=0, name="atLeast")
    at_most: JsonValue = msgspec.field(default=_ENDLESS, name="atMost")

    def __post_init__(self) -> None:
        _ = self.seconds

    @property
    def seconds(self) -> tuple[float, float]:
        """From how many seconds to how many."""
        return seconds_of(self.at_least), seconds_of(self.at_most)


class Shown(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An event of the history: its public type and the members that its data have; `*` is any text."""

    type: str
    data: dict[str, JsonValue] = {}


class Expectation(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is to come of an execution; what is left out may be anything, but an error nobody expects is a failure."""

    status: str = "completed"
    output: JsonValue | UnsetType = UNSET
    """Equal, member by member."""
    context: JsonValue | UnsetType = UNSET
    """What `$context` is in the end; only looked at in virtual time, for it is not shown elsewhere."""
    error: dict[str, JsonValue] | None = None
    """The members named here; `type` may be the last word of a standard type. The status is then `faulted`."""
    tasks: dict[str, list[str]] = {}
    """Tasks by what happened to them (`completed`, `skipped`, `faulted`, `retried` …), each list in order and whole."""
    events: list[dict[str, JsonValue]] | None = None
    """The emitted CloudEvents, in order and all of them; of each the members named here."""
    history: list[Shown] = []
    """Events of the history, in this order; others may stand between them."""
    announced: list[Shown] = []
    """CloudEvents on the bus, in this order; others may stand between them. Only looked at in virtual time."""
    calls: list[dict[str, JsonValue]] | None = None
    """What was asked of the world, in order and all of it; of each the members named here."""
    duration: JsonValue | UnsetType = UNSET
    """How long it takes in virtual time: a duration, or `{atLeast, atMost}`."""

    @property
    def phase(self) -> str:
        """The status that is expected."""
        return "faulted" if self.error is not None and self.status == "completed" else self.status

    @property
    def span(self) -> tuple[float, float] | None:
        """From how many to how many seconds it may take; None: as long as it likes.

        Raises:
            ValueError: that is no duration.
        """
        given = self.duration
        if given is UNSET:
            return None
        if isinstance(given, dict) and {"atLeast", "atMost"} & set(given):
            return msgspec.convert(given, Span).seconds
        exact = timedelta(seconds=seconds_of(given)).total_seconds()
        return exact - 0.001, exact + 0.001

    def __post_init__(self) -> None:
        _ = self.span


class Case(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One execution and what is to come of it."""

    name: str
    input: JsonValue = msgspec.field(default_factory=dict)
    secrets: dict[str, JsonValue] = {}
    """Values by the names of ``use.secrets``: texts, or objects whose leaves are texts."""
    mocks: list[Mock] = []
    steps: list[Step] = []
    expect: Expectation = msgspec.field(default_factory=Expectation)


class Cases(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """A file of cases; its mocks serve every case, after the case's own."""

    workflow: str = ""
    """Path of the workflow, from the file's folder; empty: `order.yaml` for `order.test.yaml`."""
    mocks: list[Mock] = []
    fetched: dict[str, JsonValue] = {}
    """What is fetched when the workflow is published (functions of catalogs, schemas that stand elsewhere), by the pointer
    that asks for it: the content itself, or the path of a file with it, from the file's folder."""
    cases: list[Case]

    def whole(self) -> Sequence[Case]:
        """The cases, each with the mocks of all."""
        return [
            msgspec.structs.replace(case, mocks=[*case.mocks, *self.mocks]) for case in self.cases
        ]


def read_as(content: bytes, kind: type[T], what: str) -> T:
    """Read YAML as *kind*; *what* names it in messages.

    Raises:
        CasesUnreadable: it is not YAML, or has other members.
    """
    try:
        return msgspec.convert(parse_document(content, "application/yaml"), kind)
    except ServiceError as exc:
        raise CasesUnreadable(f"{what}: {exc.message}") from exc
    except msgspec.ValidationError as exc:
        raise CasesUnreadable(f"{what}: {exc}") from exc
