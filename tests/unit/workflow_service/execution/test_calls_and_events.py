"""What a call asks of the world, and what emit publishes."""

from __future__ import annotations

import msgspec
import pytest

from tests.support.workflow_run import run
from workflow_service.domain.execution.credentials import (
    BasicCredentials,
    BearerCredentials,
    CertificateCredentials,
    DigestCredentials,
    OAuthClient,
    OAuthCredentials,
    OAuthEndpoints,
)


def call(with_: str, data: object = None) -> object:
    running = run(f"do:\n- c: {{call: http, with: {with_}}}", data)  # type: ignore[arg-type]  # JSON in every test
    assert running.status == "running", running.error
    return running.pending[0].call


def test_a_call_is_asked_for_with_everything_evaluated() -> None:
    asked = call(
        "{method: post, endpoint: 'http://example.com/{id}', headers: {X-A: '${ .a }'}, query: {q: '${ .a }'}, body: {n: '${ .id }'}}",
        {"id": 7, "a": "x"},
    )

    assert msgspec.to_builtins(asked) == {
        "type": "http",
        "method": "POST",
        "uri": "http://example.com/7",
        "headers": {"X-A": "x"},
        "query": {"q": "x"},
        "body": {"n": 7},
    }


def test_a_call_without_a_body_sends_none_and_null_is_a_body() -> None:
    assert "body" not in msgspec.to_builtins(call("{method: get, endpoint: 'http://example.com'}"))
    assert (
        msgspec.to_builtins(
            call("{method: post, endpoint: 'http://example.com', body: '${ .x }'}")
        )["body"]
        is None
    )


def test_an_endpoint_may_be_an_expression_whose_result_is_no_template() -> None:
    asked = msgspec.to_builtins(
        call("{method: get, endpoint: {uri: '${ .uri }'}}", {"uri": "http://e.com/{id}", "id": 1})
    )

    assert asked["uri"] == "http://e.com/{id}"


@pytest.mark.parametrize(
    ("authentication", "expected"),
    [
        ("{basic: {username: ada, password: '${ .p }'}}", BasicCredentials("ada", "s3cret")),
        ("{bearer: {token: '${ .p }'}}", BearerCredentials("s3cret")),
        ("{digest: {username: ada, password: '${ .p }'}}", DigestCredentials("ada", "s3cret")),
        (
            "{certificate: {certificate: shown, key: '${ .p }'}}",
            CertificateCredentials("shown", "s3cret"),
        ),
        (
            "{certificate: {certificate: '${ .p }', key: '${ .p }', authority: trusted}}",
            CertificateCredentials("s3cret", "s3cret", "trusted"),
        ),
        ("{use: mine}", BearerCredentials("s3cret")),
        (
            "{oauth2: {authority: 'https://a.b/{realm}', grant: password, username: ada, password: '${ .p }',"
            " endpoints: {token: '/{realm}/token'}, client: {id: '${ 7 }', authentication: none}, scopes: [a, '${ .p }']}}",
            OAuthCredentials(
                authority="https://a.b/shop",
                grant="password",
                endpoints=OAuthEndpoints(token="/shop/token"),
                client=OAuthClient(id="7", authentication="none"),
                username="ada",
                password="s3cret",
                scopes=("a", "s3cret"),
            ),
        ),
        (
            "{oidc: {authority: 'https://a.b', grant: client_credentials, client: {id: a, secret: b}}}",
            OAuthCredentials(
                authority="https://a.b",
                grant="client_credentials",
                oidc=True,
                client=OAuthClient(id="a", secret="b"),
            ),
        ),
    ],
)
def test_credentials_are_evaluated(authentication: str, expected: object) -> None:
    text = f"use: {{authentications: {{mine: {{bearer: {{token: '${{ .p }}'}}}}}}}}\ndo:\n- c: {{call: http, with: {{method: get, endpoint: {{uri: 'http://example.com', authentication: {authentication}}}}}}}"

    assert run(text, {"p": "s3cret", "realm": "shop"}).http.credentials == expected


@pytest.mark.parametrize(
    ("member", "told"),
    [
        ("username: '${ {a: .p} }'", "Expected `str`, got `object` - at `$.username`"),
        ("scopes: ['${ [.p] }']", "Expected `str`, got `array` - at `$.scopes[0]`"),
        ("client: {id: '${ true }', secret: x}", "Expected `str`, got `bool` - at `$.client.id`"),
    ],
)
def test_credentials_that_come_to_something_else_fault_the_task_and_are_not_told(
    member: str, told: str
) -> None:
    client = "" if member.startswith("client") else ", client: {id: a, secret: b}"
    policy = (
        f"{{oauth2: {{authority: 'https://a.b', grant: client_credentials, {member}{client}}}}}"
    )
    text = f"do:\n- c: {{call: http, with: {{method: get, endpoint: {{uri: 'http://e.com', authentication: {policy}}}}}}}"

    ended = run(text, {"p": "s3cret"})

    assert ended.error.type.endswith("/configuration")
    assert told in (ended.error.detail or "")
    assert "s3cret" not in str(ended.error)


def test_a_request_that_cannot_be_evaluated_faults_the_task_after_its_start() -> None:
    ended = run(
        "do:\n- c: {call: http, with: {method: get, endpoint: 'http://e.com/{id}'}}", {"id": [1]}
    )

    assert ended.error.type.endswith("/expression")
    assert [type(event).__name__ for event in ended.events[2:]] == [
        "TaskCreated",
        "TaskStarted",
        "TaskFaulted",
        "WorkflowFaulted",
    ]


def test_emit_publishes_a_complete_event_and_outputs_it() -> None:
    text = "do:\n- e: {emit: {event: {with: {source: 'https://e.com', type: com.e.placed.v1, data: {id: '${ .id }'}, flavour: sweet}}}}"
    ended = run(text, {"id": 1})

    assert ended.emitted == [ended.output]
    assert ended.output == {
        "specversion": "1.0",
        "id": "e1:/do/0/e",
        "source": "https://e.com",
        "time": "2026-01-15T12:00:00.000Z",
        "type": "com.e.placed.v1",
        "data": {"id": 1},
        "datacontenttype": "application/json",
        "flavour": "sweet",
    }


def test_emit_names_the_workflow_as_source_when_the_author_does_not() -> None:
    ended = run("do:\n- e: {emit: {event: {with: {type: com.e.placed.v1}}}}")

    assert ended.emitted[0]["source"] == "/test/spec/0.1.0"


def test_emitting_twice_gives_two_ids() -> None:
    text = "do:\n- l: {for: {in: '[1,2]'}, do: [{e: {emit: {event: {with: {type: com.e.v1}}}}}]}"

    assert len({event["id"] for event in run(text).emitted}) == 2
