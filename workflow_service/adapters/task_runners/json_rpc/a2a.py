"""Performs ``call: a2a``: one method of an agent, in version 0.3 of the protocol, whose methods the DSL names.

Where the agent is says its card, or the task. Credentials are sent to where they were given for: the task's server, or
the origin of the card. A stream is read to its end, and comes as the list of its results.
"""

from __future__ import annotations

import uuid
from collections.abc import Mapping
from typing import Final
from urllib.parse import urljoin, urlsplit

import msgspec

from workflow_service.adapters.task_runners.json_rpc.exchange import Answered, Exchange, Post
from workflow_service.adapters.task_runners.json_rpc.messages import answers, request, result_of
from workflow_service.adapters.task_runners.outcomes import outcome_of
from workflow_service.application.resource_ports import Resources
from workflow_service.domain.execution.credentials import Resource
from workflow_service.domain.execution.effects import A2aCall, Effect, Outcome
from workflow_service.domain.execution.problem import Raised, communication, configuration
from workflow_service.domain.expressions import JsonValue

_SENDING: Final = frozenset(("message/send", "message/stream"))
_STREAMING: Final = frozenset(("message/stream", "tasks/resubscribe"))
_STATUSES: Final[Mapping[int, int]] = {
    -32001: 404,  # no such task
    -32002: 409,  # the task cannot be cancelled
    -32003: 501,  # no push notifications
    -32004: 501,  # not supported
    -32005: 415,  # content of a kind that the agent does not take
    -32007: 501,  # no extended card
}
"""Codes of A2A 0.3, 8.2."""
_OURS: Final = uuid.UUID("8a0e7b1e-5d6c-4a86-9f43-0d5e0f1c2a11")
"""The namespace of the ids that are made here."""


class A2aRunner:
    """The ``Runner`` port for calls of agents."""

    def __init__(self, exchange: Exchange, resources: Resources) -> None:
        self._exchange = exchange
        self._resources = resources

    async def perform(self, execution: str, effect: Effect) -> Outcome:
        """Perform *effect* and say how it ended."""
        call = effect.call
        if not isinstance(call, A2aCall):
            raise TypeError(f"{type(call).__name__} is not performed here")
        return await outcome_of(self._answer(effect, call))

    async def _answer(self, effect: Effect, call: A2aCall) -> JsonValue:
        parameters = dict(call.parameters)
        if call.method in _SENDING:
            parameters["message"] = _message(parameters.get("message"), effect.key)
        post = Post(
            place=await self._agent(call, effect.tenant),
            body=request(1, call.method, parameters or None),
            headers={"Idempotency-Key": effect.key},
            timeout=call.timeout,
        )
        async with self._exchange.post(post, tenant=effect.tenant) as answered:
            results = await _results(answered)
        if call.method in _STREAMING:
            return results
        if not results:
            raise Raised(communication("The agent did not answer."))
        return results[0]

    async def _agent(self, call: A2aCall, tenant: str) -> Resource:
        if call.agent_card is None:
            if call.server is None:
                raise Raised(configuration("neither a server nor an agent card is given"))
            return call.server
        fetched = await self._resources.fetch(call.agent_card, tenant=tenant)
        uri = urljoin(fetched.uri, _address_in(fetched.content))
        # The policy was given for the card: it opens nothing elsewhere.
        known = _origin(uri) == _origin(call.agent_card.uri)
        return Resource(uri, call.agent_card.credentials if known else None)


async def _results(answered: Answered) -> list[JsonValue]:
    return [
        result_of(message, _STATUSES) async for message in answered.messages if answers(message, 1)
    ]


def _message(message: JsonValue, key: str) -> JsonValue:
    """Fill in what the DSL wants filled in; a repeated call names the same message."""
    if not isinstance(message, dict):
        raise Raised(configuration("parameters.message must be an object"))
    same = str(uuid.uuid5(_OURS, key))
    return {"kind": "message", "messageId": same, "role": "user"} | message


def _address_in(card: bytes) -> str:
    """Return where an agent takes JSON-RPC: the main address, or one of the others (A2A 0.3, 5.6)."""
    try:
        members = msgspec.json.decode(card, type=dict[str, JsonValue])
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Raised(configuration("the agent card is not a JSON object")) from None
    main = {"url": members.get("url"), "transport": members.get("preferredTransport", "JSONRPC")}
    others = members.get("additionalInterfaces"), members.get("supportedInterfaces")
    listed = [each for found in others if isinstance(found, list) for each in found]
    for interface in (main, *listed):
        if isinstance(interface, dict) and _is_json_rpc(interface):
            return str(interface["url"])
    raise Raised(configuration("the agent card names no address for JSON-RPC of A2A 0.3"))


def _is_json_rpc(interface: Mapping[str, JsonValue]) -> bool:
    kind = interface.get("transport", interface.get("protocolBinding"))
    version = str(interface.get("protocolVersion", "0.3"))
    return kind == "JSONRPC" and version.startswith("0.") and isinstance(interface.get("url"), str)


def _origin(uri: str) -> tuple[str, str]:
    parts = urlsplit(uri)
    return parts.scheme.lower(), parts.netloc.lower()
