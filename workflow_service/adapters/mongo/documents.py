"""Executions as documents, and back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final, TypeAlias

import msgspec

from chassis.storage.mongo import Document
from workflow_service.adapters.columns import (
    decode_json,
    has_ended,
    maybe_micros,
    maybe_moment,
    micros,
    moment_of,
    parent_of,
    tags_of,
)
from workflow_service.adapters.payloads import CommitEncoding, Fetch, TakenOut
from workflow_service.adapters.payloads import size_of as size_referred_to
from workflow_service.application.ports import Commit, Summary
from workflow_service.domain.execution.origin import Origin, ParentTask
from workflow_service.domain.execution.problem import Problem
from workflow_service.domain.execution.workflow_events import WorkflowRetried
from workflow_service.domain.expressions import JsonValue

Fetching: TypeAlias = Callable[[str], Fetch]
"""Returns what reads the large values of an execution."""

LARGE: Final = ("input_refs", "output_refs", "problem_refs")
_RESULTS: Final = ("output", "output_refs", "problem", "problem_refs")

_encoder = msgspec.json.Encoder()
_problem = msgspec.json.Decoder(Problem)
_origin: msgspec.json.Decoder[Origin] = msgspec.json.Decoder(Origin)


def beginning_of(commit: Commit, encoding: CommitEncoding, node: str) -> Document:
    """Return the document of an execution that begins, but for its position."""
    summary = commit.summary
    tags = tags_of(summary)
    child = summary.origin if isinstance(summary.origin, ParentTask) else None
    values = {
        "_id": commit.execution,
        "tenant": summary.tenant,
        "owner": summary.owner,
        "namespace": summary.namespace,
        "name": summary.name,
        "version": summary.version,
        "digest": summary.digest,
        "priority": summary.priority,
        "created_at": micros(summary.created_at),
        "run_at": maybe_micros(summary.run_at),
        "parent": parent_of(summary.origin),
        "origin": None if summary.origin is None else _encoder.encode(summary.origin),
        "child": None if child is None or has_ended(summary) else commit.execution,
        "given_tags": None if summary.tags is None else _encoder.encode(summary.tags),
        "tags": tags or None,
        "tagged": 1 if tags else None,
        "nodes": [node] if commit.busy else [],
        **_column("input", *encoding.encode(summary.input)),
        **_standing(commit, encoding),
    }
    return {name: value for name, value in values.items() if value is not None}


def change_of(commit: Commit, encoding: CommitEncoding, node: str) -> Document:
    """Return what a later commit changes of the document, but for its position."""
    values = _standing(commit, encoding)
    if has_ended(commit.summary):
        values["child"] = None
    elif commit.events and isinstance(commit.events[0], WorkflowRetried):
        values |= dict.fromkeys(_RESULTS)
        values |= _column("input", *encoding.encode(commit.summary.input))
        if isinstance(commit.summary.origin, ParentTask):
            values["child"] = commit.execution
    change: Document = {"$set": {name: each for name, each in values.items() if each is not None}}
    change["$unset"] = {name: "" for name, each in values.items() if each is None}
    if commit.busy:
        change["$addToSet"] = {"nodes": node}
    else:
        change["$set"]["nodes"] = []
    return change


def _standing(commit: Commit, encoding: CommitEncoding) -> Document:
    summary = commit.summary
    values: Document = {
        "sequence": commit.expected + len(commit.events),
        "epoch": commit.epoch,
        "busy": 1 if commit.busy else None,
        "wake_at": maybe_micros(commit.wake_at),
        "status": summary.status,
        "started_at": maybe_micros(summary.started_at),
        "ended_at": maybe_micros(summary.ended_at),
        "open": 1 if summary.ended_at is None else None,
    }  # never all of them: there is something to unset in every change
    if has_ended(summary):
        values |= dict.fromkeys(_RESULTS)
        if summary.output is not msgspec.UNSET:
            values |= _column("output", *encoding.encode(summary.output))
        if summary.problem is not None:
            values |= _column("problem", *encoding.encode(summary.problem))
    return values


def _column(name: str, data: bytes, references: bytes | None) -> dict[str, Any]:
    return {name: data, f"{name}_refs": references}


def summary_of(document: Document, fetching: Fetching) -> Summary:
    """Return what *document* says of its execution.

    Raises:
        DamagedPayload: a large value is damaged.
    """
    has = document.get
    output, problem = has("output"), has("problem")
    tags, origin = has("given_tags"), has("origin")
    return Summary(
        execution=document["_id"],
        tenant=document["tenant"],
        owner=document["owner"],
        namespace=document["namespace"],
        name=document["name"],
        version=document["version"],
        digest=document["digest"],
        status=document["status"],
        priority=document["priority"],
        tags=None if tags is None else decode_json(tags),
        input=_content(document, "input", fetching),
        output=msgspec.UNSET if output is None else _content(document, "output", fetching),
        problem=None if problem is None else _problem_of(document, fetching),
        created_at=moment_of(document["created_at"]),
        run_at=maybe_moment(has("run_at")),
        started_at=maybe_moment(has("started_at")),
        ended_at=maybe_moment(has("ended_at")),
        origin=None if origin is None else _origin.decode(origin),
    )


def _content(document: Document, name: str, fetching: Fetching) -> JsonValue:
    value: JsonValue = decode_json(document[name])
    references = document.get(f"{name}_refs")
    if references is not None:
        value = TakenOut(references, fetching(document["_id"])).into(value)
    return value


def _problem_of(document: Document, fetching: Fetching) -> Problem:
    if document.get("problem_refs") is None:
        return _problem.decode(document["problem"])
    return msgspec.convert(_content(document, "problem", fetching), Problem)


def size_of(document: Document) -> int:
    """Return how many bytes of contents an execution has."""
    inline = sum(len(document.get(name, b"")) for name in ("given_tags", "input", *_RESULTS[::2]))
    return inline + sum(size_referred_to(document.get(name)) for name in LARGE)
