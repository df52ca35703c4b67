"""What every store keeps alike: times as microseconds since 1970 in UTC, tags as the texts that find them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Final

import msgspec

from workflow_service.application.ports import Summary
from workflow_service.domain.execution.origin import Origin, ParentTask, ScheduledStart
from workflow_service.domain.expressions import JsonValue

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_ENDED: Final = frozenset({"cancelled", "faulted", "completed"})

OF_SCHEDULE: Final = "schedule:"
"""What the parent of an execution begins with that a schedule has started."""

_json: msgspec.json.Decoder[JsonValue] = msgspec.json.Decoder()
decode_json = _json.decode


def micros(moment: datetime) -> int:
    """Return *moment* as a column has it."""
    return (moment - _EPOCH) // _MICROSECOND


def maybe_micros(moment: datetime | None) -> int | None:
    """Return *moment*, if there is one, as a column has it."""
    return None if moment is None else (moment - _EPOCH) // _MICROSECOND


def moment_of(column: int) -> datetime:
    """Return the time that *column* says."""
    return _EPOCH + timedelta(microseconds=column)


def maybe_moment(column: int | None) -> datetime | None:
    """Return the time that *column* says, if any."""
    return None if column is None else _EPOCH + timedelta(microseconds=column)


def parent_of(origin: Origin | None) -> str | None:
    """Return what an execution is listed under: the execution whose task runs it, or the schedule that starts it."""
    match origin:
        case None:
            return None
        case ParentTask(execution=parent):
            return parent
        case ScheduledStart(schedule=schedule):
            return f"{OF_SCHEDULE}{schedule}"


def has_ended(summary: Summary) -> bool:
    """Whether the execution is over, which is when it has results."""
    return summary.status in _ENDED


def tags_of(summary: Summary) -> list[str]:
    """Return every text that finds the execution by its tags."""
    return forms_of(summary.tags)


def forms_of(given: JsonValue) -> list[str]:
    """Return every text that finds an execution which was given these tags."""
    match given:
        case list() as tags:
            return sorted({tag for tag in tags if isinstance(tag, str)})
        case dict() as tags:
            return sorted(
                form
                for key, value in tags.items()
                for form in (key, f"{key}={value}", f"{key}:{value}")
            )
        case _:
            return []
