"""What calls of described services ask of the world."""

from __future__ import annotations

import msgspec
import pytest

from tests.support.workflow_run import definition_of, run
from tests.unit.workflow_service.definition.support import problems
from workflow_service.application.projections.masking import shown_call
from workflow_service.domain.execution.effects import host_of
from workflow_service.domain.expressions import JsonValue

GREET = """do:
- greet:
    call: grpc
    %s
    with:
      proto: {endpoint: {uri: 'https://docs.test/greet.proto', authentication: {bearer: {token: '${ .t }'}}}}
      service: {name: greet.v1.Greeter, host: greeter.test%s}
      method: SayHello
      arguments: {name: '${ .name }'}
"""


def asked(text: str, data: JsonValue) -> JsonValue:
    """The call that a workflow begins with."""
    running = run(text, data)
    assert running.status == "running", running.error
    return msgspec.to_builtins(running.pending[0].call)  # type: ignore[no-any-return]  # JSON


def test_a_grpc_call_is_asked_for_with_everything_evaluated() -> None:
    port = ", port: 5011, authentication: {basic: {username: ada, password: '${ .t }'}}"

    assert asked(GREET % ("timeout: {after: PT7S}", port), {"name": "Ada", "t": "s"}) == {
        "type": "grpc",
        "proto": {"uri": "https://docs.test/greet.proto", "credentials": {"type": "bearer", "token": "s"}},
        "service": "greet.v1.Greeter",
        "host": "greeter.test",
        "port": 5011,
        "method": "SayHello",
        "arguments": {"name": "Ada"},
        "credentials": {"type": "basic", "username": "ada", "password": "s"},
        "timeout": 7.0,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("metadata", "port", "expected"),
    [
        ("", "", (443, True)),
        ("", ", port: 443", (443, True)),
        ("", ", port: 50051", (50051, False)),
        ("metadata: {tls: true}", ", port: 50051", (50051, True)),
        ("metadata: {tls: false}", "", (443, False)),
    ],
)
def test_tls_is_spoken_on_its_port_or_when_the_task_says_so(
    metadata: str, port: str, expected: tuple[int, bool]
) -> None:
    task = definition_of(GREET % (metadata, port)).do.tasks[0]

    assert (getattr(task, "port", None), getattr(task, "tls", None)) == expected


def test_the_host_of_a_grpc_call_is_known_to_who_shares_hosts_out() -> None:
    call = run(GREET % ("", ", port: 50051"), {"name": "x", "t": "s"}).pending[0].call

    assert host_of(call) == "greeter.test:50051"


def test_arguments_that_come_to_no_text_fault_the_task() -> None:
    text = (GREET % ("", "")).replace("SayHello", "'${ .number }'")

    error = run(text, {"name": "x", "t": "s", "number": 3}).error

    assert (error.status, error.detail) == (400, "the method must come to a text")


A2A = """do:
- ask:
    call: a2a
    %s
    with: {method: message/send, %s, parameters: '${ {message: {parts: [{kind: "text", text: .text}]}} }'}
"""
SERVER = "server: {uri: 'https://agent.test/{name}', authentication: {bearer: {token: x}}}"
CARD = "agentCard: {endpoint: 'https://agent.test/card.json'}"


def test_an_agent_is_called_with_everything_evaluated() -> None:
    parameters = {"message": {"parts": [{"kind": "text", "text": "hi"}]}}

    assert asked(A2A % ("timeout: {after: PT3S}", SERVER), {"text": "hi", "name": "bo"}) == {
        "type": "a2a",
        "method": "message/send",
        "parameters": parameters,
        "server": {"uri": "https://agent.test/bo", "credentials": {"type": "bearer", "token": "x"}},
        "timeout": 3.0,
    }
    assert asked(A2A % ("", CARD), {"text": "hi"}) == {
        "type": "a2a",
        "method": "message/send",
        "parameters": parameters,
        "agent_card": {"uri": "https://agent.test/card.json"},
    }


MCP = """do:
- ask:
    call: mcp
    timeout: {after: PT9S}
    with:
      method: tools/call
      timeout: PT4S
      parameters: {name: add, arguments: {a: '${ .a }'}}
      transport: %s
"""


def test_an_mcp_server_is_called_with_everything_evaluated() -> None:
    over_http = "{http: {endpoint: '${ .uri }', headers: {X-A: '${ .a }'}}}"
    common = {
        "type": "mcp",
        "method": "tools/call",
        "protocol_version": "2025-06-18",
        "client_name": "autoworker",
        "client_version": "1.0.0",
        "parameters": {"name": "add", "arguments": {"a": 7}},
        "timeout": 4.0,
    }

    assert asked(MCP % over_http, {"uri": "https://mcp.test", "a": 7}) == common | {
        "transport": {"type": "http", "endpoint": {"uri": "https://mcp.test"}, "headers": {"X-A": "7"}},
    }  # fmt: skip
    over_pipes = (
        "{stdio: {command: uvx, arguments: ['${ .b }', --x], environment: {KEY: '${ .a }'}}}"
    )
    assert asked(MCP % over_pipes, {"b": "server", "a": 7}) == common | {
        "transport": {
            "type": "stdio",
            "command": "uvx",
            "arguments": ["server", "--x"],
            "environment": {"KEY": "7"},
        },
    }


def test_histories_show_calls_without_what_opens_doors() -> None:
    over_pipes = "{stdio: {command: uvx, environment: {KEY: sesame}}}"
    over_http = "{http: {endpoint: {uri: 'https://u:sesame@mcp.test/?token=sesame', authentication: {bearer: {token: sesame}}}, headers: {X-Api-Key: sesame}}}"
    for text in (MCP % over_pipes, MCP % over_http, A2A % ("", SERVER.replace("x}", "sesame}"))):
        call = run(text, {"a": 1, "text": "t", "name": "n"}).pending[0].call
        assert "sesame" in str(call)
        assert "sesame" not in str(shown_call(call))


@pytest.mark.parametrize(
    ("task", "pointer", "told"),
    [
        ("{call: a2a, with: {method: tasks/get}}", "/with", "one of agentCard and server"),
        ("{call: a2a, with: {method: tasks/get, server: 'https://a.b', parameters: x}}",
         "/with/parameters", "must be an object"),
        ("{call: a2a, with: {method: tasks/get, server: 'ftp://a.b'}}", "/with/server", "ftp:"),
        ("{call: mcp, with: {method: tools/list, transport: {http: {endpoint: 'https://a.b'}, options: {a: b}}}}",
         "/with/transport/options", "neither transport has options"),
        ("{call: grpc, metadata: {tls: 'yes'}, with: {proto: {endpoint: 'https://a.b'}, service: {name: a, host: b}, method: c}}",
         "/metadata/tls", "must be true or false"),
    ],
)  # fmt: skip
def test_what_a_call_cannot_mean_is_told_at_its_place(task: str, pointer: str, told: str) -> None:
    found = problems(f"do: [{{t: {task}}}]")

    assert list(found) == ["/do/0/t" + pointer]
    assert told in found["/do/0/t" + pointer]


PUBLISH = """do:
- tell:
    call: asyncapi
    with:
      document: {endpoint: 'https://docs.test/asyncapi.yaml'}
      operation: '${ .operation }'
      server: {name: main, variables: {stage: '${ .stage }'}}
      protocol: amqp
      message: {payload: {order: '${ .order }'}, headers: {x: '${ .order }'}}
      authentication: {basic: {username: ada, password: sesame}}
"""


def test_a_message_is_published_with_everything_evaluated() -> None:
    given: JsonValue = {"operation": "placed", "stage": "test", "order": 7}

    assert asked(PUBLISH, given) == {
        "type": "asyncapi-publish",
        "target": {
            "document": {"uri": "https://docs.test/asyncapi.yaml"},
            "operation": "placed",
            "server": "main",
            "variables": {"stage": "test"},
            "protocol": "amqp",
            "credentials": {"type": "basic", "username": "ada", "password": "sesame"},
        },
        "payload": {"order": 7},
        "headers": {"x": 7},
    }
    shown = shown_call(run(PUBLISH, given).pending[0].call)
    assert shown["payload"] == {"order": 7}
    assert "sesame" not in str(shown)
