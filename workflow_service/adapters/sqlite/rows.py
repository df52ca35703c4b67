"""Executions as rows, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import msgspec

from workflow_service.adapters.columns import (
    decode_json,
    maybe_micros,
    maybe_moment,
    micros,
    moment_of,
    parent_of,
)
from workflow_service.adapters.payloads import CommitEncoding, Fetch, TakenOut
from workflow_service.adapters.payloads import size_of as size_referred_to
from workflow_service.application.ports import Commit, Summary
from workflow_service.domain.execution.origin import Origin
from workflow_service.domain.execution.problem import Problem
from workflow_service.domain.expressions import JsonValue

Row: TypeAlias = tuple[Any, ...]

Fetching: TypeAlias = Callable[[str], Fetch]
"""Returns what reads the large values of an execution."""

_NOTHING: Final[Row] = (None, None)
_encoder = msgspec.json.Encoder()
_problem = msgspec.json.Decoder(Problem)
_origin: msgspec.json.Decoder[Origin] = msgspec.json.Decoder(Origin)

SUMMARY_COLUMNS: Final = (
    "e.execution, e.tenant, e.owner, e.namespace, e.name, e.version, e.digest, e.status, e.priority,"
    " c.tags, c.input, c.output, c.problem, e.created_at, e.run_at, e.started_at, e.ended_at,"
    " c.input_refs, c.output_refs, c.problem_refs, c.origin"
)
"""What ``summary_of`` reads, in its order, of ``executions e`` and ``contents c``."""


def summary_of(row: Row, fetching: Fetching) -> Summary:
    """Return what ``SUMMARY_COLUMNS`` say.

    Raises:
        DamagedPayload: a large value is damaged.
    """
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
        input=_content(row, 10, 17, fetching),
        output=msgspec.UNSET if output is None else _content(row, 11, 18, fetching),
        problem=None if problem is None else _problem_of(row, fetching),
        created_at=moment_of(row[13]),
        run_at=maybe_moment(row[14]),
        started_at=maybe_moment(row[15]),
        ended_at=maybe_moment(row[16]),
        origin=None if row[20] is None else _origin.decode(row[20]),
    )


def _content(row: Row, column: int, references: int, fetching: Fetching) -> JsonValue:
    value: JsonValue = decode_json(row[column])
    if row[references] is not None:
        value = TakenOut(row[references], fetching(row[0])).into(value)
    return value


def _problem_of(row: Row, fetching: Fetching) -> Problem:
    if row[19] is None:
        return _problem.decode(row[12])
    return msgspec.convert(_content(row, 12, 19, fetching), Problem)


def refers(row: Row) -> bool:
    """Whether values were taken out of the row of a summary, for being large."""
    return any(references is not None for references in row[17:20])


def size_of(row: Row) -> int:
    """Return how many bytes of contents the row of a summary has."""
    inline = sum(len(content) for content in row[9:13] if content is not None)
    return inline + sum(map(size_referred_to, row[17:20]))


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
        parent_of(summary.origin),
    )


def contents_row(summary: Summary, encoding: CommitEncoding) -> Row:
    """Return the new row of an execution's contents."""
    tags = None if summary.tags is None else _encoder.encode(summary.tags)
    given = encoding.encode(summary.input)
    origin = None if summary.origin is None else _encoder.encode(summary.origin)
    return (summary.execution, tags, *given, *results_of(summary, encoding), origin)


def results_of(summary: Summary, encoding: CommitEncoding) -> Row:
    """Return the columns of an execution's output and problem."""
    output, problem = _NOTHING, _NOTHING
    if summary.output is not msgspec.UNSET:
        output = encoding.encode(summary.output)
    if summary.problem is not None:
        problem = encoding.encode(summary.problem)
    return (*output, *problem)
