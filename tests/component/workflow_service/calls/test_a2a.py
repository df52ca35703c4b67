"""`call: a2a` against an agent of the A2A project's own SDK."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from typing import Any

import msgspec
import pytest
from a2a.helpers.proto_helpers import (
    get_message_text,
    new_task_from_user_message,
    new_text_artifact_update_event,
    new_text_message,
    new_text_status_update_event,
)
from a2a.server.agent_execution import AgentExecutor, RequestContext
from a2a.server.events import EventQueue
from a2a.server.request_handlers import DefaultRequestHandler
from a2a.server.routes.agent_card_routes import create_agent_card_routes
from a2a.server.routes.jsonrpc_routes import create_jsonrpc_routes
from a2a.server.tasks import InMemoryTaskStore
from a2a.types import AgentCapabilities, AgentCard, AgentInterface, AgentSkill, TaskState
from aiohttp import web
from starlette.applications import Starlette

from tests.component.workflow_service.egress.conftest import Server
from tests.support.asgi import Remembering, serving_asgi
from tests.support.authority import CLIENT, SECRET, serving_tokens
from tests.support.documents import Documents
from workflow_service.adapters.authentication import AuthenticatedEgress
from workflow_service.adapters.egress import EgressClient
from workflow_service.adapters.resources import ExternalResources
from workflow_service.adapters.task_runners.json_rpc.a2a import A2aRunner
from workflow_service.adapters.task_runners.json_rpc.exchange import Exchange
from workflow_service.domain.execution.credentials import (
    BearerCredentials,
    OAuthClient,
    OAuthCredentials,
    Resource,
)
from workflow_service.domain.execution.effects import A2aCall, Effect, Failed, Succeeded
from workflow_service.domain.execution.problem import ERRORS, Problem


class Echo(AgentExecutor):
    """Says back what it was told; works on what is told as work."""

    async def execute(self, context: RequestContext, event_queue: EventQueue) -> None:
        assert context.message is not None
        text = get_message_text(context.message)
        if not text.startswith("work"):
            await event_queue.enqueue_event(new_text_message(f"you said: {text}"))
            return
        task = context.current_task or new_task_from_user_message(context.message)
        await event_queue.enqueue_event(task)
        if text == "work for ever":
            return
        await event_queue.enqueue_event(
            new_text_artifact_update_event(task.id, task.context_id, "report", "all is well")
        )
        await event_queue.enqueue_event(
            new_text_status_update_event(
                task.id, task.context_id, TaskState.TASK_STATE_COMPLETED, "done"
            )
        )

    async def cancel(self, context: RequestContext, event_queue: EventQueue) -> None:
        raise NotImplementedError


@dataclass
class Agent:
    """Where it is, and what it was sent."""

    port: int
    requests: list[tuple[dict[str, str], dict[str, Any]]]

    def url(self, host: str = "service.test") -> str:
        return f"http://{host}:{self.port}"


@pytest.fixture
async def agent() -> AsyncIterator[Agent]:
    card = AgentCard(
        name="Echo",
        description="says it back",
        version="1.0.0",
        capabilities=AgentCapabilities(streaming=True),
        default_input_modes=["text/plain"],
        default_output_modes=["text/plain"],
    )
    card.skills.append(AgentSkill(id="echo", name="Echo", description="says it back", tags=["x"]))
    handler = DefaultRequestHandler(Echo(), InMemoryTaskStore(), card)
    routes = create_jsonrpc_routes(handler, "/rpc", enable_v0_3_compat=True)
    app = Remembering(Starlette(routes=[*routes, *create_agent_card_routes(card)]))
    async with serving_asgi(app) as port:
        card.supported_interfaces.append(
            AgentInterface(
                url=f"http://service.test:{port}/rpc",
                protocol_binding="JSONRPC",
                protocol_version="0.3",
            )
        )
        yield Agent(port, app.requests)


@pytest.fixture
def runner(egress: EgressClient) -> A2aRunner:
    authenticated = AuthenticatedEgress(egress)
    return A2aRunner(Exchange(egress, authenticated, 5), ExternalResources(authenticated))


async def call(runner: A2aRunner, method: str, **more: Any) -> Any:
    """What a call comes to: data, or a problem."""
    effect = Effect(1, "e1:/do/0/a", A2aCall(method=method, **more), tenant="t")
    match await runner.perform("e1", effect):
        case Succeeded(output):
            return output
        case Failed(problem):
            return problem


def told(text: str) -> dict[str, Any]:
    return {"message": {"parts": [{"kind": "text", "text": text}]}}


async def test_a_message_is_answered_by_the_agent_of_a_card(
    agent: Agent, runner: A2aRunner
) -> None:
    card = Resource(agent.url() + "/.well-known/agent-card.json", BearerCredentials("t0"))

    answer = await call(runner, "message/send", agent_card=card, parameters=told("hello"))

    assert answer["kind"] == "message"
    assert answer["parts"][0]["text"] == "you said: hello"
    headers, body = agent.requests[-1]
    assert headers["authorization"] == "Bearer t0"
    assert headers["idempotency-key"] == "e1:/do/0/a"
    assert body["params"]["message"]["role"] == "user"


async def test_a_repeated_message_has_the_same_id(agent: Agent, runner: A2aRunner) -> None:
    server = Resource(agent.url() + "/rpc")
    for _ in range(2):
        _ = await call(runner, "message/send", server=server, parameters=told("hello"))
    own = {
        "message": {"parts": [{"kind": "text", "text": "x"}], "messageId": "m7", "role": "agent"}
    }
    _ = await call(runner, "message/send", server=server, parameters=own)

    first, second, third = [body["params"]["message"] for _, body in agent.requests]
    assert first["messageId"] == second["messageId"] != ""
    assert (third["messageId"], third["role"]) == ("m7", "agent")


async def test_a_stream_comes_as_the_list_of_its_results(agent: Agent, runner: A2aRunner) -> None:
    server = Resource(agent.url() + "/rpc")

    results = await call(runner, "message/stream", server=server, parameters=told("work"))

    assert [each["kind"] for each in results] == ["task", "artifact-update", "status-update"]
    assert results[-1]["status"]["state"] == "completed"
    task = await call(runner, "tasks/get", server=server, parameters={"id": results[0]["id"]})
    assert task["artifacts"][0]["parts"][0]["text"] == "all is well"


@pytest.mark.parametrize(
    ("method", "status", "code"),
    [("tasks/get", 404, "-32001"), ("tasks/cancel", 404, "-32001"), ("tasks/list", 501, "-32601")],
)
async def test_an_error_of_the_agent_is_a_runtime_error(
    agent: Agent, runner: A2aRunner, method: str, status: int, code: str
) -> None:
    server = Resource(agent.url() + "/rpc")

    problem = await call(runner, method, server=server, parameters={"id": "nobody"})

    assert (problem.type, problem.status) == (ERRORS + "runtime", status)
    assert code in problem.detail


async def test_what_may_not_be_called_is_refused(agent: Agent, runner: A2aRunner) -> None:
    place = Resource("http://inside.test/rpc")
    for where in ({"server": place}, {"agent_card": place}):
        problem = await call(runner, "message/send", parameters=told("hello"), **where)
        assert (problem.type, problem.status) == (ERRORS + "authorization", 403)
    assert agent.requests == []


async def test_credentials_of_a_card_stay_at_its_origin(agent: Agent, egress: EgressClient) -> None:
    card = msgspec.json.encode({"url": agent.url() + "/rpc"})
    place = Resource("https://elsewhere.test/card.json", BearerCredentials("t0"))
    exchange = Exchange(egress, AuthenticatedEgress(egress), 5)
    runner = A2aRunner(exchange, Documents({place.uri: card}))

    answer = await call(runner, "message/send", agent_card=place, parameters=told("hello"))

    assert answer["kind"] == "message"
    assert "authorization" not in agent.requests[-1][0]


@pytest.mark.parametrize(
    ("card", "outcome"),
    [
        ('{"url": "rpc", "preferredTransport": "JSONRPC"}', "message"),
        (
            '{"url": "x", "preferredTransport": "GRPC",'
            ' "additionalInterfaces": [{"transport": "JSONRPC", "url": "rpc"}]}',
            "message",
        ),
        ('{"supportedInterfaces": [{"protocolBinding": "JSONRPC", "url": "rpc", "protocolVersion": "1.0"}]}', 400),
        ('{"name": "x"}', 400),
        ("[]", 400),
        ("no json", 400),
    ],
)  # fmt: skip
async def test_the_card_says_where_json_rpc_is_spoken(
    agent: Agent, egress: EgressClient, card: str, outcome: object
) -> None:
    place = agent.url() + "/card.json"
    exchange = Exchange(egress, AuthenticatedEgress(egress), 5)
    runner = A2aRunner(exchange, Documents({place: card}))

    answer = await call(
        runner, "message/send", agent_card=Resource(place), parameters=told("hello")
    )

    assert (answer.status if isinstance(answer, Problem) else answer["kind"]) == outcome


async def test_a_stream_has_as_many_results_as_the_limit_says(
    documents: Server, runner: A2aRunner
) -> None:
    async def answer(request: web.Request) -> web.StreamResponse:
        event = 'data: {"jsonrpc": "2.0", "id": 1, "result": {}}\n\n'
        return web.Response(text=event * 6, content_type="text/event-stream")

    documents.answer = answer

    server = Resource(documents.url())
    problem = await call(runner, "message/stream", server=server, parameters=told("x"))

    assert (problem.type, problem.status) == (ERRORS + "runtime", 500)
    assert "AUTOWORKER_LIMIT_STREAM_ITEMS" in problem.detail


@pytest.mark.parametrize(
    ("status", "content_type", "body", "expected"),
    [
        (503, "text/plain", "busy", ("communication", 503)),
        (401, "application/json", "{}", ("communication", 401)),
        (500, "application/json", '{"id": 1, "error": {"code": -32603, "message": "x"}}', ("runtime", 500)),
        (200, "text/html", "<p>", ("communication", 500)),
        (200, "application/json", "[", ("communication", 500)),
        (200, "application/json", "[]", ("communication", 500)),
        (200, "application/json", '{"id": 7, "result": 1}', ("communication", 500)),
        (200, "application/json", "9" * 30_000, ("communication", 500)),
    ],
)  # fmt: skip
async def test_what_is_no_answer_is_a_communication_error(
    documents: Server, runner: A2aRunner, status: int, content_type: str, body: str,
    expected: tuple[str, int],
) -> None:  # fmt: skip
    async def answer(request: web.Request) -> web.StreamResponse:
        return web.Response(status=status, text=body, content_type=content_type)

    documents.answer = answer

    problem = await call(runner, "tasks/get", server=Resource(documents.url()))

    assert (problem.type, problem.status) == (ERRORS + expected[0], expected[1])


async def test_a_token_that_the_agent_does_not_accept_is_not_used_again(
    runner: A2aRunner, documents: Server
) -> None:
    statuses = [200, 401, 200]

    async def answer(request: web.Request) -> web.Response:
        reply = {"jsonrpc": "2.0", "id": 1, "result": {}}
        return web.json_response(reply, status=statuses[len(documents.requests) - 1])

    documents.answer = answer
    async with serving_tokens() as authority:
        policy = OAuthCredentials(
            authority=authority.url,
            grant="client_credentials",
            client=OAuthClient(CLIENT, SECRET),
        )
        for _ in statuses:
            place = Resource(documents.url("/rpc"), policy)
            await call(runner, "tasks/get", server=place, parameters={"id": "1"})

    first, same, new = (each.headers["Authorization"] for each in documents.requests)
    assert first == same != new
