"""Executions as rows, and back."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any, Final, TypeAlias

import msgspec

from workflow_service.application.ports import Commit, Summary
from workflow_service.domain.execution.problem import Problem
from workflow_service.domain.expressions import JsonValue

Row: TypeAlias = tuple[Any, ...]

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND: Final = timedelta(microseconds=1)
_ENDED: Final = frozenset({"cancelled", "faulted", "completed"})

_encoder = msgspec.json.Encoder()
_problem = msgspec.json.Decoder(Problem)
decode_json = msgspec.json.Decoder().decode

SUMMARY_COLUMNS: Final = (
    "e.execution, e.tenant, e.owner, e.namespace, e.name, e.version, e.digest, e.status, e.priority,"
    " c.tags, c.input, c.output, c.problem, e.created_at, e.run_at, e.started_at, e.ended_at"
)
"""What ``summary_of`` reads, in its order, of ``executions e`` and ``contents c``."""


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


def summary_of(row: Row) -> Summary:
    """Return what ``SUMMARY_COLUMNS`` say."""
    output, problem = row[11:13]
    return Summary(
        execution=row[0],
        tenant=row[1],
        owner=row[2],
        namespace=row[3],
        name=row[4],
        version=row[5],
        digest=row[6],
        status=row[7],
        priority=row[8],
        tags=None if row[9] is None else decode_json(row[9]),
        input=decode_json(row[10]),
        output=msgspec.UNSET if output is None else decode_json(output),
        problem=None if problem is None else _problem.decode(problem),
        created_at=moment_of(row[13]),
        run_at=maybe_moment(row[14]),
        started_at=maybe_moment(row[15]),
        ended_at=maybe_moment(row[16]),
    )


def size_of(row: Row) -> int:
    """Return how many bytes of contents the row of a summary has."""
    return sum(len(content) for content in row[9:13] if content is not None)


def execution_row(commit: Commit, node: str) -> Row:
    """Return the new row of an execution."""
    summary = commit.summary
    return (
        commit.execution,
        summary.tenant,
        summary.owner,
        summary.namespace,
        summary.name,
        summary.version,
        summary.digest,
        summary.priority,
        micros(summary.created_at),
        maybe_micros(summary.run_at),
        len(commit.events),
        commit.epoch,
        node,
        int(commit.busy),
        maybe_micros(commit.wake_at),
        summary.status,
        maybe_micros(summary.started_at),
        maybe_micros(summary.ended_at),
    )


def contents_row(summary: Summary) -> Row:
    """Return the new row of an execution's contents."""
    tags = None if summary.tags is None else _encoder.encode(summary.tags)
    return (summary.execution, input_of(summary), tags, *results_of(summary))


def input_of(summary: Summary) -> bytes:
    """Return the column of an execution's input."""
    return _encoder.encode(summary.input)


def has_ended(summary: Summary) -> bool:
    """Whether the execution is over, which is when it has results."""
    return summary.status in _ENDED


def results_of(summary: Summary) -> Row:
    """Return the columns of an execution's output and problem."""
    return (
        None if summary.output is msgspec.UNSET else _encoder.encode(summary.output),
        None if summary.problem is None else _encoder.encode(summary.problem),
    )


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
