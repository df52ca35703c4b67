"""What people do to an execution while it runs, as a case writes it and as a rehearsal plays it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Protocol

import msgspec
from msgspec import UNSET, UnsetType

from autoworker.testing.mocks import names, seconds_of
from autoworker.testing.observed import Fact
from autoworker.testing.rehearsal import Rehearsal
from autoworker.testing.showing import facts_of
from workflow_service.domain.execution.commands import Cancel, Resume, Retry, Suspend
from workflow_service.domain.execution.schedule import status_of
from workflow_service.domain.expressions import JsonValue

_BY = "somebody"
SOURCE = "https://example.com/test"
"""Where events come from unless a case says so."""


class When(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What has to have happened first. Each names a task (name or reference); `status` is the workflow's."""

    started: str = ""
    completed: str = ""
    faulted: str = ""
    retrying: str = ""
    """A `try` waits before its next attempt."""
    iteration: str = ""
    """A `for` has begun an iteration."""
    status: str = ""
    times: int = 1
    """How often it has to have happened."""

    def holds(self, facts: Sequence[Fact], status: str) -> bool:
        """Whether it has happened."""
        if self.status and status != self.status:
            return False
        wanted = {
            "started": self.started,
            "completed": self.completed,
            "faulted": self.faulted,
            "retry-scheduled": self.retrying,
            "iteration-started": self.iteration,
        }
        return all(self._often(facts, kind, task) for kind, task in wanted.items() if task)

    def _often(self, facts: Sequence[Fact], kind: str, task: str) -> bool:
        found = sum(
            fact.kind == kind and bool(fact.task) and names(task, fact.task) for fact in facts
        )
        return found >= self.times


class Reason(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Why somebody does it."""

    reason: str = ""


class Again(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Where a faulted execution is taken up, and with what."""

    reason: str = ""
    input: JsonValue | UnsetType = UNSET


class Step(msgspec.Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One thing that somebody does, once *when* holds and *after* has passed since."""

    when: When | None = None
    after: JsonValue = 0
    suspend: Reason | None = None
    resume: Reason | None = None
    cancel: Reason | None = None
    retry: Again | None = None
    event: dict[str, JsonValue] | None = None
    """A CloudEvent that comes in; `id` and `source` are filled in when they are left out."""

    def __post_init__(self) -> None:
        if len(self.verbs) != 1:
            raise ValueError(
                "a step does exactly one thing: suspend, resume, cancel, retry or event"
            )
        _ = self.seconds

    @property
    def verbs(self) -> list[str]:
        """What it does."""
        return [verb for verb in VERBS if getattr(self, verb) is not None]

    @property
    def seconds(self) -> float:
        """How long after its condition it happens."""
        return seconds_of(self.after)


class Acts(Protocol):
    """How one verb is done to a rehearsal."""

    def __call__(self, rehearsal: Rehearsal, step: Step) -> None:
        """Do it."""
        ...


def _suspend(rehearsal: Rehearsal, step: Step) -> None:
    assert step.suspend is not None  # noqa: S101 - the table's own row
    rehearsal.feed(Suspend(step.suspend.reason, _BY))


def _resume(rehearsal: Rehearsal, step: Step) -> None:
    assert step.resume is not None  # noqa: S101 - the table's own row
    rehearsal.feed(Resume(step.resume.reason, _BY))


def _cancel(rehearsal: Rehearsal, step: Step) -> None:
    assert step.cancel is not None  # noqa: S101 - the table's own row
    rehearsal.feed(Cancel(step.cancel.reason, _BY))


def _retry(rehearsal: Rehearsal, step: Step) -> None:
    assert step.retry is not None  # noqa: S101 - the table's own row
    given = step.retry.input
    own = UNSET if given is UNSET else msgspec.json.decode(msgspec.json.encode(given))
    rehearsal.feed(Retry(step.retry.reason, _BY, input=own))


def _event(rehearsal: Rehearsal, step: Step) -> None:
    assert step.event is not None  # noqa: S101 - the table's own row
    rehearsal.hear(cloud_event(step.event, f"event-{len(rehearsal.recorded)}"))


def cloud_event(given: dict[str, JsonValue], id_: str) -> dict[str, JsonValue]:
    """The whole CloudEvent, of which perhaps only the type was written."""
    filled: dict[str, JsonValue] = {"specversion": "1.0", "id": id_, "source": SOURCE}
    if "data" in given:
        filled["datacontenttype"] = "application/json"
    return filled | given


VERBS: dict[str, Acts] = {
    "suspend": _suspend,
    "resume": _resume,
    "cancel": _cancel,
    "retry": _retry,
    "event": _event,
}
"""Everything that a step can do: a member of `Step`, and how it is done."""


class Played:
    """A step, in a rehearsal."""

    def __init__(self, step: Step) -> None:
        self._step = step
        self._since: datetime | None = None
        self._seen = 0
        self._facts: list[Fact] = []

    def due(self, rehearsal: Rehearsal) -> datetime | None:
        """When it is to happen; None as long as what it waits for has not happened."""
        if self._since is None and self._holds(rehearsal):
            self._since = rehearsal.now
        if self._since is None:
            return None
        return self._since + timedelta(seconds=self._step.seconds)

    def act(self, rehearsal: Rehearsal) -> None:
        """Do it.

        Raises:
            CommandRefused: the execution is in a phase that does not allow it.
        """
        VERBS[self._step.verbs[0]](rehearsal, self._step)

    def _holds(self, rehearsal: Rehearsal) -> bool:
        self._facts += facts_of(rehearsal, self._seen)
        self._seen = len(rehearsal.recorded)
        when = self._step.when
        return when is None or when.holds(self._facts, status_of(rehearsal.state))
