"""`call: mcp` against servers of the protocol's own SDK, over HTTP and over pipes."""

from __future__ import annotations

import asyncio
import sys
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from aiohttp import web

from tests.component.workflow_service.calls.mcp_server import server as mcp_server
from tests.component.workflow_service.egress.conftest import Server
from tests.support.asgi import Remembering, serving_asgi
from tests.support.sandbox import sandbox
from workflow_service.adapters.authentication import AuthenticatedEgress
from workflow_service.adapters.egress import EgressClient
from workflow_service.adapters.sandbox import WORK, SandboxLimits, Unprotected
from workflow_service.adapters.task_runners.json_rpc.exchange import Exchange
from workflow_service.adapters.task_runners.json_rpc.mcp import McpRunner
from workflow_service.adapters.task_runners.json_rpc.mcp_http import HttpSessions
from workflow_service.adapters.task_runners.json_rpc.mcp_pipes import PipeSessions
from workflow_service.domain.execution.credentials import BearerCredentials, Resource
from workflow_service.domain.execution.effects import (
    Effect,
    Failed,
    McpCall,
    McpHttp,
    McpStdio,
    Succeeded,
)
from workflow_service.domain.execution.problem import ERRORS


@dataclass
class Servers:
    """A server over HTTP, and what it was sent."""

    port: int
    requests: list[tuple[dict[str, str], Any]]

    def transport(self, **more: Any) -> McpHttp:
        return McpHttp(Resource(f"http://127.0.0.1:{self.port}/mcp"), **more)


@pytest.fixture(params=["events", "json", "stateless"])
async def over_http(request: pytest.FixtureRequest) -> AsyncIterator[Servers]:
    app = Remembering(
        mcp_server().streamable_http_app(
            json_response=request.param == "json", stateless_http=request.param == "stateless"
        )
    )
    async with serving_asgi(app) as port:
        yield Servers(port, app.requests)


@pytest.fixture
def runner(egress: EgressClient) -> McpRunner:
    exchange = Exchange(egress, AuthenticatedEgress(egress), 20)
    cage = Unprotected(SandboxLimits(output=20_000), None)
    return McpRunner(HttpSessions(exchange), PipeSessions(cage, 20), 20.0)


async def call(
    runner: McpRunner, transport: McpHttp | McpStdio, method: str, parameters: Any = None, **more: Any
) -> Any:  # fmt: skip
    """What a call comes to: data, or a problem."""
    asked = McpCall(
        method=method,
        transport=transport,
        protocol_version=more.pop("version", "2025-06-18"),
        client_name="tests",
        client_version="1.2.3",
        parameters=parameters or {},
        **more,
    )
    match await runner.perform("e1", Effect(1, "e1:/do/0/a", asked, tenant="t")):
        case Succeeded(output):
            return output
        case Failed(problem):
            return problem


async def test_every_method_of_the_dsl_is_answered(over_http: Servers, runner: McpRunner) -> None:
    async def asked(method: str, parameters: Any = None) -> Any:
        return await call(runner, over_http.transport(), method, parameters)

    tools = await asked("tools/list")
    assert [each["name"] for each in tools["tools"]] == ["add", "tell", "fail", "environment"]
    added = await asked("tools/call", {"name": "add", "arguments": {"a": 2, "b": 3}})
    assert added["content"][0]["text"] == "5"
    told = await asked("tools/call", {"name": "tell", "arguments": {"words": "hi"}})
    assert told["content"][0]["text"] == "HI"
    assert (await asked("prompts/list"))["prompts"][0]["name"] == "greet"
    prompt = await asked("prompts/get", {"name": "greet", "arguments": {"name": "Ada"}})
    assert prompt["messages"][0]["content"]["text"] == "Say hello to Ada"
    assert (await asked("resources/list"))["resources"][0]["uri"] == "config://app"
    read = await asked("resources/read", {"uri": "config://app"})
    assert read["contents"][0]["text"] == "debug"
    templates = await asked("resources/templates/list")
    assert templates["resourceTemplates"][0]["uriTemplate"] == "users://{name}"


async def test_a_session_is_begun_and_ended_around_each_call(
    over_http: Servers, runner: McpRunner
) -> None:
    transport = over_http.transport(headers={"X-Team": "blue"})
    _ = await call(runner, transport, "tools/list", version="2025-03-26")

    begun, *_ = over_http.requests
    assert [body.get("method") for _, body in over_http.requests][:3] == [
        "initialize",
        "notifications/initialized",
        "tools/list",
    ]
    assert begun[1]["params"]["clientInfo"] == {"name": "tests", "version": "1.2.3"}
    assert begun[1]["params"]["protocolVersion"] == "2025-03-26"
    assert {headers["x-team"] for headers, _ in over_http.requests} == {"blue"}
    later = [headers for headers, _ in over_http.requests[1:]]
    assert {headers["mcp-protocol-version"] for headers in later} == {"2025-03-26"}
    sessions = {headers.get("mcp-session-id") for headers in later}
    if sessions != {None}:
        assert len(sessions) == 1
        assert over_http.requests[-1][0][":method"] == "DELETE"


async def test_credentials_and_the_key_go_with_every_message(
    over_http: Servers, runner: McpRunner
) -> None:
    place = Resource(over_http.transport().endpoint.uri, BearerCredentials("t0"))
    _ = await call(runner, McpHttp(place, {"authorization": "mine"}), "tools/list")

    assert {headers["authorization"] for headers, _ in over_http.requests} == {"Bearer t0"}
    assert {headers["idempotency-key"] for headers, _ in over_http.requests} == {"e1:/do/0/a"}


async def test_a_tool_that_fails_is_a_result_and_a_method_that_fails_is_an_error(
    over_http: Servers, runner: McpRunner
) -> None:
    result = await call(runner, over_http.transport(), "tools/call", {"name": "fail"})
    problem = await call(runner, over_http.transport(), "resources/read", {"uri": "config://no"})

    assert result["isError"] is True
    assert "no luck" in result["content"][0]["text"]
    assert problem.type == ERRORS + "runtime"
    assert "The answer is error -3" in problem.detail


async def test_what_may_not_be_called_is_refused(runner: McpRunner) -> None:
    problem = await call(runner, McpHttp(Resource("http://inside.test/mcp")), "tools/list")

    assert (problem.type, problem.status) == (ERRORS + "authorization", 403)


def answering(*answers: web.Response) -> Any:
    left = list(answers)

    async def answer(request: web.Request) -> web.StreamResponse:
        return left.pop(0)

    return answer


def events(*messages: str) -> web.Response:
    text = "".join(f"event: message\r\ndata: {each}\r\n\r\n" for each in messages)
    return web.Response(text=": hello\r\n\r\n" + text, content_type="text/event-stream")


BEGUN = '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18","capabilities":{}}}'


async def test_what_a_server_asks_meanwhile_is_answered(
    documents: Server, runner: McpRunner
) -> None:
    documents.answer = answering(
        events(BEGUN),
        web.Response(status=202),
        events(
            '{"jsonrpc":"2.0","method":"notifications/message","params":{}}',
            '{"jsonrpc":"2.0","id":"s1","method":"ping"}',
            '{"jsonrpc":"2.0","id":"s2","method":"sampling/createMessage","params":{}}',
            '{"jsonrpc":"2.0","id":2,"result":{"tools":[]}}',
        ),
        web.Response(status=202),
        web.Response(status=202),
    )

    result = await call(runner, McpHttp(Resource(documents.url())), "tools/list")

    assert result == {"tools": []}
    assert b'"id":"s1","result":{}' in documents.bodies[3]
    assert b'"id":"s2","error"' in documents.bodies[4]


@pytest.mark.parametrize(
    ("answers", "expected"),
    [
        ([web.Response(status=404, text="no")], ("communication", 404)),
        ([events(BEGUN.replace("2025-06-18", ""))], ("communication", 500)),
        ([events('{"jsonrpc":"2.0","id":1,"result":{}}')], ("communication", 500)),
        ([events()], ("communication", 500)),
        ([events(*["{}"] * 21)], ("runtime", 500)),
        ([events('{"jsonrpc":"2.0","id":1,"error":{"code":-32602,"message":"bad"}}')], ("runtime", 400)),
    ],
)  # fmt: skip
async def test_what_is_no_answer_is_an_error(
    documents: Server, runner: McpRunner, answers: list[web.Response], expected: tuple[str, int]
) -> None:
    documents.answer = answering(*answers, web.Response(status=500))

    problem = await call(runner, McpHttp(Resource(documents.url())), "tools/list")

    assert (problem.type, problem.status) == (ERRORS + expected[0], expected[1])


async def test_a_call_has_its_own_time(documents: Server, runner: McpRunner) -> None:
    async def silent(request: web.Request) -> web.StreamResponse:
        await asyncio.sleep(10)
        return web.Response()

    documents.answer = silent

    problem = await call(runner, McpHttp(Resource(documents.url())), "tools/list", timeout=0.1)

    assert (problem.type, problem.status) == (ERRORS + "timeout", 408)


# ------------------------------------------------------------ over pipes

COMMAND = McpStdio(
    sys.executable,
    ["-I", str(Path(__file__).with_name("mcp_server.py"))],
    {"MY_KEY": "k"},
)


async def test_a_server_may_be_a_command_that_sees_its_own_environment_only(
    runner: McpRunner, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AUTOWORKER_TOKEN", "t")

    result = await call(runner, COMMAND, "tools/call", {"name": "environment"})

    names = result["content"][0]["text"].split()
    assert "MY_KEY" in names
    assert not [name for name in names if name.startswith("AUTOWORKER")]


SHELL = """while read -r line; do case "$line" in
*'"method":"initialize"'*) echo '{"jsonrpc":"2.0","id":1,"result":{"protocolVersion":"2025-06-18"}}';;
*tools/list*) echo '{"jsonrpc":"2.0","id":2,"result":{"home":"'"$HOME"'","key":"'"$MY_KEY"'"}}';;
esac; done"""


async def test_a_command_runs_in_the_sandbox_of_commands(egress: EgressClient) -> None:
    exchange = Exchange(egress, AuthenticatedEgress(egress), 20)
    runner = McpRunner(HttpSessions(exchange), PipeSessions(await sandbox(), 20), 10.0)

    result = await call(runner, McpStdio("sh", ["-c", SHELL], {"MY_KEY": "k"}), "tools/list")

    assert result == {"home": WORK, "key": "k"}


async def test_commands_are_refused_where_they_are_switched_off(egress: EgressClient) -> None:
    exchange = Exchange(egress, AuthenticatedEgress(egress), 20)

    problem = await call(McpRunner(HttpSessions(exchange), None, 5.0), COMMAND, "tools/list")

    assert (problem.type, problem.status) == (ERRORS + "configuration", 400)
    assert "feature_disabled" in problem.detail


@pytest.mark.parametrize(
    ("program", "expected"),
    [
        ("pass", ("communication", 500)),
        ("print('no json')", ("communication", 500)),
        ("while True: print('{}')", ("runtime", 500)),
        ("print('x' * 2_000_000)", ("communication", 500)),
    ],
)
async def test_a_command_that_is_no_server_is_an_error(
    runner: McpRunner, program: str, expected: tuple[str, int]
) -> None:
    problem = await call(runner, McpStdio(sys.executable, ["-I", "-c", program]), "tools/list")

    assert (problem.type, problem.status) == (ERRORS + expected[0], expected[1])


async def test_a_command_that_is_not_there_is_a_configuration_error(runner: McpRunner) -> None:
    problem = await call(runner, McpStdio("/nowhere/server"), "tools/list")

    assert problem.type in {ERRORS + "configuration", ERRORS + "communication"}
