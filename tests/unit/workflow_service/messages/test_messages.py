"""What crosses the wire, translated."""

from __future__ import annotations

from typing import Any

import pytest
from google.protobuf.timestamp_pb2 import Timestamp
from msgspec import UNSET

from chassis.errors import Invalid
from chassis.rpc.context import Principal
from protos.events.v1 import events_pb2
from protos.workflow.v1 import workflow_pb2 as pb
from tests.support.executions import at, summary
from workflow_service.application.caller import Caller
from workflow_service.application.queries.shown_events import ShownEvent
from workflow_service.domain.execution.explain import Blocker, Explanation
from workflow_service.domain.execution.problem import runtime
from workflow_service.entrypoints import messages

ADA = Caller("ada", "default")


def refused_field(work: Any, *arguments: Any) -> str:
    with pytest.raises(Invalid) as refusal:
        work(*arguments)
    (problem,) = refusal.value.details
    return problem.field


def stamp(seconds: float) -> Timestamp:
    moment = Timestamp()
    moment.FromDatetime(at(seconds))
    return moment


@pytest.mark.parametrize(
    ("permissions", "caller"),
    [
        ((), ADA),
        (("executions:read", "executions:write"), ADA),
        (("executions:read-all",), Caller("ada", "default", reads_all=True)),
        (("executions:write-all",), Caller("ada", "default", writes_all=True)),
    ],
)
def test_a_caller_reaches_what_the_token_permits(
    permissions: tuple[str, ...], caller: Caller
) -> None:
    principal = Principal("ada", "default", "user", permissions=frozenset(permissions))

    assert messages.caller_of(principal) == caller


@pytest.mark.parametrize(
    ("data", "value"),
    [
        (b"", None),
        (b"null", None),
        (b"9007199254740993", 9007199254740993),
        (b"123456789012345678901234567890", 123456789012345678901234567890),
        (b"1.0", 1.0),
        (b"[" * 64 + b"]" * 64, None),
        (b'{"a":' * 63 + b"[1]" + b"}" * 63, None),
        ('"grün ✓"'.encode(), "grün ✓"),
        (b'"' + b"[" * 100 + b'"', "[" * 100),
        (b"[" + b"[]," * 100 + b"[]]", None),
    ],
)
def test_json_is_what_it_says(data: bytes, value: object) -> None:
    found = messages.json_of(data, "input")

    if value is not None:
        assert found == value
        assert type(found) is type(value)


@pytest.mark.parametrize(
    "data",
    [
        b"{",
        b"nul",
        b"NaN",
        b"1e999",
        b"'a'",
        b"[1] 2",
        b"\xff",
        b'"\xed\xa0\x80"',
        b'"\\ud800"',
        b"[" * 65 + b"]" * 65,
        b"[" * 65 + b"1" + b"]" * 65,
        b'{"a":' * 64 + b"[1]" + b"}" * 64,
        b"[" * 100_000,
        b"[" * 100_000 + b"]" * 100_000,
    ],
)
def test_what_is_no_json_or_too_deep_is_refused_by_field(data: bytes) -> None:
    assert refused_field(messages.json_of, data, "input") == "input"


def test_an_absent_input_of_a_retry_is_not_null() -> None:
    assert messages.optional_json_of(b"", "input") is UNSET
    assert messages.optional_json_of(b"null", "input") is None


def test_a_start_says_all_that_was_asked_for() -> None:
    request = pb.StartExecutionRequest(
        workflow=pb.WorkflowReference(namespace="shop", name="order", version="1.0.0"),
        input=b'{"n":1}',
        priority=3,
        run_at=stamp(60),
        tags=b'["a"]',
        idempotency_key="k",
        wait_ms=1500,
    )

    found = messages.start_of(request, ADA)

    assert (found.namespace, found.name, found.version) == ("shop", "order", "1.0.0")
    assert (found.input, found.tags, found.priority) == ({"n": 1}, ["a"], 3)
    assert (found.run_at, found.idempotency_key, found.wait) == (at(60), "k", 1.5)


def test_a_start_that_says_little_asks_for_the_usual() -> None:
    found = messages.start_of(pb.StartExecutionRequest(), ADA)

    assert (found.version, found.input, found.run_at) == (None, None, None)
    assert (found.tags, found.idempotency_key, found.wait) == (None, None, 0)


@pytest.mark.parametrize(("asked", "given"), [(-5, 0), (10_000_000, 60)])
def test_a_wait_is_kept_within_bounds(asked: int, given: float) -> None:
    assert messages.start_of(pb.StartExecutionRequest(wait_ms=asked), ADA).wait == given


@pytest.mark.parametrize("seconds", [10**15, -(10**15)])
def test_a_time_of_no_calendar_is_refused_by_field(seconds: int) -> None:
    strange = Timestamp(seconds=seconds)

    start = pb.StartExecutionRequest(run_at=strange)
    assert refused_field(messages.start_of, start, ADA) == "run_at"
    wanted = pb.ListExecutionsRequest(from_time=strange)
    assert refused_field(messages.list_of, wanted, ADA) == "from"
    page = pb.GetHistoryRequest(to_time=strange)
    assert refused_field(messages.history_of, page, ADA) == "to"
    event = events_pb2.CloudEvent(time=strange)
    assert refused_field(messages.incoming_event, event) == "time"


def test_filters_that_are_not_set_filter_nothing() -> None:
    found = messages.list_of(pb.ListExecutionsRequest(), ADA)

    assert (found.statuses, found.namespace, found.tag, found.begin) == ((), None, None, None)
    assert (found.limit, found.cursor) == (None, None)


def test_an_execution_under_way_has_no_output_and_no_end() -> None:
    found = messages.execution_message(summary("e1", tags={"a": "b"}, priority=2))

    assert (found.id, found.status, found.owner, found.priority) == ("e1", "running", "ada", 2)
    assert (found.input, found.tags) == (b'{"order":7}', b'{"a":"b"}')
    assert (found.output, found.error, found.HasField("ended_at")) == (b"", b"", False)
    assert found.created_at == stamp(0)


def test_an_output_of_null_differs_from_none() -> None:
    done = summary("e1", status="completed", output=None, ended_at=at(2.000001))

    found = messages.execution_message(done)

    assert (found.output, found.ended_at) == (b"null", stamp(2.000001))


def test_a_fault_shows_its_problem() -> None:
    found = messages.execution_message(summary("e1", status="faulted", problem=runtime("no")))

    assert found.error == (
        b'{"type":"https://serverlessworkflow.io/spec/1.0.0/errors/runtime","status":500,'
        b'"title":"Runtime Error","detail":"no"}'
    )


def test_facts_keep_their_bytes() -> None:
    (found,) = messages.history_messages([ShownEvent(3, "t", at(1), b'{"n":1.50}')])

    assert (found.sequence, found.type, found.time, found.data) == (3, "t", stamp(1), b'{"n":1.50}')


def test_a_blocker_without_times_leaves_them_out() -> None:
    blocker = Blocker("suspension", "", "being resumed", None, None, "its owner")

    found = messages.explanation_message(Explanation("suspended", "It waits.", (blocker,)))

    (shown,) = found.blockers
    assert (found.status, found.summary, shown.kind) == ("suspended", "It waits.", "suspension")
    assert not shown.HasField("since")
    assert not shown.HasField("wakes_at")
