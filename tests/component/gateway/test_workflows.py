"""Definitions, executions and events through the gateway."""

import json

import pytest

from chassis.errors import DeadlineExceeded, Internal, RateLimited, Unavailable
from tests.component.gateway.world import World

DOCUMENT = {"document": {"dsl": "1.0.3", "namespace": "n", "name": "w", "version": "1.0.0"}}
START = {"workflow": {"namespace": "n", "name": "w"}}


async def test_a_document_is_registered_once(world: World) -> None:
    first = await world.ask("POST", "/v1/workflows", DOCUMENT)
    again = await world.ask("POST", "/v1/workflows", DOCUMENT)
    other = await world.ask("POST", "/v1/workflows", DOCUMENT | {"do": []})

    assert [first.status, again.status, other.status] == [201, 200, 409]
    assert set(first.json) == {"namespace", "name", "version", "digest", "created_at"}


@pytest.mark.parametrize("media_type", ["application/yaml", "text/yaml", "application/x-yaml"])
async def test_yaml_travels_as_it_is(world: World, media_type: str) -> None:
    document = "document: {dsl: 1.0.3}  # ünïcode\n".encode()

    made = await world.ask(
        "POST", "/v1/workflows", data=document, headers={"Content-Type": media_type}
    )

    request = world.workflows.behaviour.named("PublishDefinition")[0]
    assert made.status == 201
    assert (request.document, request.media_type) == (document, "application/yaml")


async def test_problems_of_a_document_keep_their_pointers(world: World) -> None:
    refused = await world.ask("POST", "/v1/workflows", {"refuse": True})

    assert refused.status == 422
    assert refused.error["details"] == [{"field": "/do/0/x", "message": "unknown task kind"}]


async def test_definitions_are_seen_with_and_without_their_version(world: World) -> None:
    await world.ask("POST", "/v1/workflows", DOCUMENT)

    newest = await world.ask("GET", "/v1/workflows/n/w")
    version = await world.ask("GET", "/v1/workflows/n/w/1.0.0")
    listed = await world.ask("GET", "/v1/workflows?limit=10")
    missing = await world.ask("GET", "/v1/workflows/n/other")

    assert newest.json["document"] == version.json["document"] == DOCUMENT
    assert [item["name"] for item in listed.json["items"]] == ["w"]
    assert "document" not in listed.json["items"][0]
    assert listed.json["next_cursor"] is None
    assert (missing.status, missing.error["code"]) == (404, "NOT_FOUND")


async def test_a_start_is_accepted_and_found_again(world: World) -> None:
    started = await world.ask(
        "POST",
        "/v1/executions",
        {**START, "input": {"a": 1}, "priority": 7, "tags": {"team": "blue"}},
        headers={"Idempotency-Key": "k-1"},
    )

    assert started.status == 202
    assert set(started.json) == {
        "id",
        "workflow",
        "status",
        "input",
        "output",
        "error",
        "priority",
        "tags",
        "created_at",
        "started_at",
        "ended_at",
    }
    assert started.json["output"] is started.json["error"] is started.json["ended_at"] is None
    assert started.json["tags"] == {"team": "blue"}
    found = await world.ask("GET", started.headers["Location"])
    assert found.json == started.json
    assert world.workflows.behaviour.named("StartExecution")[0].idempotency_key == "k-1"


async def test_input_is_passed_on_byte_for_byte(world: World) -> None:
    exact = b'{"big":12345678901234567890123,"exp":1.50e+2,"text":"\\u00e9 \\/"}'

    await world.ask(
        "POST",
        "/v1/executions",
        data=b'{"workflow":{"namespace":"n","name":"w"},"input": ' + exact + b"}",
        headers={"Content-Type": "application/json; charset=utf-8"},
    )
    answer = await world.ask("GET", "/v1/executions/e1")

    assert world.workflows.behaviour.named("StartExecution")[0].input == exact
    assert exact in answer.body


async def test_waiting_answers_200_once_it_has_ended(world: World) -> None:
    ended = await world.ask("POST", "/v1/executions?wait=2.5", START)

    assert (ended.status, ended.json["status"]) == (200, "completed")
    assert world.workflows.behaviour.named("StartExecution")[0].wait_ms == 2500


@pytest.mark.parametrize(
    ("path", "body", "fields"),
    [
        ("?wait=61", START, {"wait"}),
        ("?wait=-1", START, {"wait"}),
        ("?wait=soon", START, {"wait"}),
        ("", {}, {"workflow"}),
        ("", {"workflow": {"name": 7, "x": 1}}, {"workflow.name", "workflow.namespace", "workflow.x"}),
        ("", START | {"priority": 10}, {"priority"}),
        ("", START | {"priority": "high", "run_at": "tomorrow"}, {"priority", "run_at"}),
        ("", START | {"run_at": "2026-01-01T00:00:00"}, {"run_at"}),
        ("", START | {"tags": {"a": 1}}, {"tags[]"}),
        ("", [START], {""}),
    ],
)  # fmt: skip
async def test_a_wrong_start_is_refused_by_field(
    world: World, path: str, body: object, fields: set[str]
) -> None:
    refused = await world.ask("POST", f"/v1/executions{path}", body)

    assert (refused.status, refused.error["code"]) == (422, "VALIDATION_ERROR")
    assert refused.fields() == fields


@pytest.mark.parametrize("key", ["", "ü", "x" * 256])
async def test_an_idempotency_key_must_be_plain(world: World, key: str) -> None:
    refused = await world.ask("POST", "/v1/executions", START, headers={"Idempotency-Key": key})

    assert (refused.status, refused.fields()) == (422, {"Idempotency-Key"})


async def test_lists_pass_their_filters_on(world: World) -> None:
    world.workflows.begin()

    listed = await world.ask(
        "GET",
        "/v1/executions?status=running,waiting&status=faulted&namespace=n&name=w&version=1.0.0"
        "&tag=blue&from=2026-01-01T00:00:00Z&to=2026-01-02T01:00:00%2B01:00&limit=7&cursor=c",
    )

    request = world.workflows.behaviour.named("ListExecutions")[0]
    assert listed.status == 200
    assert listed.json["next_cursor"] == "more"
    assert list(request.statuses) == ["running", "waiting", "faulted"]
    assert (request.tag, request.limit, request.cursor) == ("blue", 7, "c")
    assert request.to_time.seconds - request.from_time.seconds == 86400


@pytest.mark.parametrize(
    ("query", "field"),
    [
        ("limit=0", "limit"),
        ("limit=201", "limit"),
        ("limit=ten", "limit"),
        ("limit=", "limit"),
        ("limit=1&limit=2", "limit"),
        ("status=done", "status"),
        ("from=yesterday", "from"),
        ("to=2026-01-01T00:00:00", "to"),
        ("name=%00", "name"),
    ],
)
async def test_wrong_filters_are_refused_by_name(world: World, query: str, field: str) -> None:
    refused = await world.ask("GET", f"/v1/executions?{query}")

    assert (refused.status, refused.fields()) == (422, {field})


@pytest.mark.parametrize(
    ("verb", "status"), [("cancel", "cancelled"), ("suspend", "suspended"), ("resume", "running")]
)
async def test_verbs_need_no_body(world: World, verb: str, status: str) -> None:
    world.workflows.begin()

    bare = await world.ask("POST", f"/v1/executions/e1/{verb}")

    assert (bare.status, bare.json["status"]) == (202, status)


async def test_verbs_take_a_reason_and_are_refused_in_the_wrong_phase(world: World) -> None:
    world.workflows.begin()

    first = await world.ask("POST", "/v1/executions/e1/cancel", {"reason": "a mistake"})
    again = await world.ask("POST", "/v1/executions/e1/suspend", {})
    unknown = await world.ask("POST", "/v1/executions/e9/cancel")

    assert first.status == 202
    assert world.workflows.behaviour.named("CancelExecution")[0].reason == "a mistake"
    assert (again.status, again.error["code"]) == (409, "CONFLICT")
    assert unknown.status == 404


async def test_retry_names_the_task_and_its_input(world: World) -> None:
    world.workflows.begin()

    await world.ask("POST", "/v1/executions/e1/retry", {"from": "/do/0/pay", "input": {"a": 1}})

    request = world.workflows.behaviour.named("RetryExecution")[0]
    assert (request.from_task, json.loads(request.input)) == ("/do/0/pay", {"a": 1})


async def test_history_and_explanation(world: World) -> None:
    world.workflows.begin()

    history = await world.ask("GET", "/v1/executions/e1/history?from=2026-01-01T00:00:00Z")
    why = await world.ask("GET", "/v1/executions/e1/explain")

    assert history.json == {
        "items": [
            {
                "sequence": 1,
                "type": "io.serverlessworkflow.workflow.started.v1",
                "time": "2026-01-15T10:30:00Z",
                "data": {},
            }
        ],
        "next_cursor": None,
    }
    assert why.json["execution_id"] == "e1"
    assert why.json["blockers"] == [
        {
            "kind": "timer",
            "task": "/do/0/wait",
            "waits_for": "one hour",
            "since": "2026-01-15T10:30:00Z",
            "wakes_at": None,
            "unblocked_by": "time",
        }
    ]


@pytest.mark.parametrize(
    ("failure", "status", "code"),
    [
        (Unavailable("The store is away", retry_after=3), 503, "UNAVAILABLE"),
        (DeadlineExceeded("Too slow"), 504, "DEADLINE_EXCEEDED"),
        (RateLimited("Slow down", retry_after=2), 429, "RATE_LIMITED"),
        (Internal("secret: hunter2"), 500, "INTERNAL"),
        (RuntimeError("secret: hunter2"), 500, "INTERNAL"),
    ],
)
async def test_failures_of_a_service_have_the_error_shape(
    world: World, failure: Exception, status: int, code: str
) -> None:
    world.workflows.behaviour.failures["GetExecution"] = failure

    failed = await world.ask("GET", "/v1/executions/e1")

    assert (failed.status, failed.error["code"]) == (status, code)
    assert ("Retry-After" in failed.headers) == (status in {429, 503})
    assert b"hunter2" not in failed.body
    assert b"Traceback" not in failed.body


async def test_a_service_that_is_down_is_503_with_retry_after(world: World) -> None:
    assert (await world.ask("GET", "/v1/executions")).status == 200
    await world.servers["workflow"].__aexit__(None, None, None)

    down = await world.ask("GET", "/v1/executions")
    ready = await world.ask("GET", "/readyz", anonymous=True)

    assert (down.status, down.error["code"]) == (503, "UNAVAILABLE")
    assert int(down.headers["Retry-After"]) >= 1
    assert (ready.status, ready.fields()) == (503, {"workflow"})
    assert (await world.ask("GET", "/healthz", anonymous=True)).status == 200


CE = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t.v1"}


async def test_events_come_structured_in_batches_and_binary(world: World) -> None:
    structured = await world.ask(
        "POST",
        "/v1/events",
        data=json.dumps(CE | {"data": {"a": 1}, "tenant": "x", "n": 5}).encode(),
        headers={"Content-Type": "application/cloudevents+json"},
    )
    batch = await world.ask(
        "POST",
        "/v1/events",
        data=json.dumps([CE, CE | {"id": "2"}]).encode(),
        headers={"Content-Type": "application/cloudevents-batch+json"},
    )
    plain = await world.ask("POST", "/v1/events", CE)
    binary = await world.ask(
        "POST",
        "/v1/events",
        data=b"hello",
        headers={
            "Content-Type": "text/plain",
            "ce-specversion": "1.0",
            "ce-id": "b",
            "ce-source": "/s",
            "ce-type": "t.v1",
            "ce-subject": "a%20b",
            "ce-color": "red",
        },
    )

    answers = [structured, batch, plain, binary]
    assert [answer.status for answer in answers] == [202] * 4
    assert [answer.json["accepted"] for answer in answers] == [1, 2, 1, 1]
    first, last = world.workflows.events[0], world.workflows.events[-1]
    assert (first.data, dict(first.extensions)) == (b'{"a": 1}', {"tenant": "x", "n": "5"})
    assert (last.data, last.subject, dict(last.extensions)) == (b"hello", "a b", {"color": "red"})
    assert last.data_content_type == "text/plain"


@pytest.mark.parametrize(
    ("event", "fields"),
    [
        ({}, {"specversion", "id", "source", "type"}),
        (CE | {"specversion": "0.3"}, {"specversion"}),
        (CE | {"id": 7, "time": "now"}, {"id", "time"}),
        (CE | {"Bad-Name": "x", "obj": {}}, {"Bad-Name", "obj"}),
        (CE | {"data": 1, "data_base64": "AA=="}, {"data_base64"}),
        (CE | {"data_base64": "not base64!"}, {"data_base64"}),
    ],
)
async def test_what_is_no_cloud_event_is_refused_by_attribute(
    world: World, event: object, fields: set[str]
) -> None:
    refused = await world.ask("POST", "/v1/events", event)

    assert (refused.status, refused.fields()) == (422, fields)
    assert not world.workflows.events
