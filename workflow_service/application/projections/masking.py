"""Calls as histories show them: without anything that opens doors."""

from __future__ import annotations

import re
from typing import Final
from urllib.parse import urlsplit

from msgspec import UNSET

from workflow_service.domain.execution.effects import (
    A2aCall,
    AsyncApiPublish,
    AsyncApiReceive,
    AsyncApiTarget,
    Call,
    ContainerCall,
    FunctionCall,
    GrpcCall,
    HttpCall,
    McpCall,
    McpHttp,
    McpStdio,
    OpenapiCall,
    Resource,
    ScriptCall,
    ShellCall,
    WorkflowCall,
)
from workflow_service.domain.expressions import JsonValue

MASK: Final = "***"

_TELLING: Final = r"authori[sz]ation|cookie|token|secret|passw|credential|signature|api[-_]?key"
_SECRET_NAME: Final = re.compile(_TELLING, re.IGNORECASE)
_USER: Final = re.compile(r"(?<=://)[^/?#@]*@")
_PARAMETER: Final = re.compile(rf"([?&][^=&#]*(?:{_TELLING})[^=&#]*=)[^&#]*", re.IGNORECASE)


def shown_call(call: Call) -> dict[str, JsonValue]:
    """Return *call* as people may see it: credentials, and what is named like them, are masked."""
    match call:
        case HttpCall():
            return _shown_http(call)
        case FunctionCall():
            shown: dict[str, JsonValue] = {"function": call.name, "arguments": call.arguments}
            return shown | ({"version": call.version} if call.version else {})
        case GrpcCall():
            return _shown_grpc(call)
        case AsyncApiPublish() | AsyncApiReceive():
            return _shown_messages(call)
        case OpenapiCall():
            return _shown_openapi(call)
        case A2aCall():
            return _shown_a2a(call)
        case McpCall():
            return _shown_mcp(call)
        case WorkflowCall():
            return {"workflow": call.wanted, "execution": call.execution, "input": call.input}
        case ShellCall() | ScriptCall() | ContainerCall():
            return _shown_process(call)


def _shown_process(call: ShellCall | ScriptCall | ContainerCall) -> dict[str, JsonValue]:
    match call:
        case ShellCall():
            shown: dict[str, JsonValue] = {"shell": call.command}
        case ScriptCall():
            shown = {"script": call.language}
        case ContainerCall():
            shown = {"container": call.image, "name": call.name}
            shown |= {} if call.command is None else {"command": call.command}
    if call.environment:
        shown["environment"] = {k: _shown(k, value) for k, value in call.environment.items()}
    return shown | {"arguments": list[JsonValue](call.arguments), "return": call.returns}


def _shown_http(call: HttpCall) -> dict[str, JsonValue]:
    shown: dict[str, JsonValue] = {"method": call.method, "uri": shown_uri(call.uri)}
    if call.headers:
        shown["headers"] = {name: _shown(name, value) for name, value in call.headers.items()}
    if call.query:
        shown["query"] = {name: _shown(name, value) for name, value in call.query.items()}
    if call.body is not UNSET:
        shown["body"] = call.body
    if call.credentials is not None:
        shown["credentials"] = MASK
    return shown


def _shown_grpc(call: GrpcCall) -> dict[str, JsonValue]:
    shown: dict[str, JsonValue] = {
        "service": call.service,
        "method": call.method,
        "host": f"{call.host}:{call.port}",
        "proto": shown_uri(call.proto.uri),
        "arguments": call.arguments,
    }
    return shown | ({"credentials": MASK} if call.credentials is not None else {})


def _shown_messages(call: AsyncApiPublish | AsyncApiReceive) -> dict[str, JsonValue]:
    shown = _shown_target(call.target)
    if isinstance(call, AsyncApiReceive):
        return shown | {"most": call.most}
    if call.headers:
        shown["headers"] = {name: _shown(name, value) for name, value in call.headers.items()}
    return shown | ({} if call.payload is UNSET else {"payload": call.payload})


def _shown_target(target: AsyncApiTarget) -> dict[str, JsonValue]:
    named = {"operation": target.operation, "channel": target.channel, "server": target.server}
    shown: dict[str, JsonValue] = {name: value for name, value in named.items() if value}
    shown["document"] = shown_uri(target.document.uri)
    return shown | ({"credentials": MASK} if target.credentials is not None else {})


def _shown_openapi(call: OpenapiCall) -> dict[str, JsonValue]:
    shown: dict[str, JsonValue] = {
        "document": _shown_resource(call.document),
        "operation": call.operation,
        "parameters": {name: _shown(name, value) for name, value in call.parameters.items()},
    }
    return shown | ({"credentials": MASK} if call.credentials is not None else {})


def _shown_a2a(call: A2aCall) -> dict[str, JsonValue]:
    shown: dict[str, JsonValue] = {"method": call.method, "parameters": call.parameters}
    if call.agent_card is not None:
        return shown | {"agentCard": _shown_resource(call.agent_card)}
    return shown | ({} if call.server is None else {"server": _shown_resource(call.server)})


def _shown_mcp(call: McpCall) -> dict[str, JsonValue]:
    shown: dict[str, JsonValue] = {"method": call.method, "parameters": call.parameters}
    match call.transport:
        case McpHttp(endpoint, headers):
            masked = {name: _shown(name, value) for name, value in headers.items()}
            return shown | {"endpoint": _shown_resource(endpoint), "headers": masked}
        case McpStdio(command, arguments, environment):
            # What a command is told in its environment is usually a key.
            hidden: dict[str, JsonValue] = dict.fromkeys(environment, MASK)
            given: list[JsonValue] = list(arguments)
            return shown | {"command": command, "arguments": given, "environment": hidden}


def _shown_resource(resource: Resource) -> dict[str, JsonValue]:
    shown: dict[str, JsonValue] = {"uri": shown_uri(resource.uri)}
    return shown | ({"credentials": MASK} if resource.credentials is not None else {})


def shown_uri(uri: str) -> str:
    """Return *uri* without a user's name and password, and without parameters that are secrets."""
    return _PARAMETER.sub(rf"\g<1>{MASK}", _USER.sub(f"{MASK}@", uri))


def host_of(uri: str) -> str:
    """Return the host that *uri* leads to, with its port when it names one."""
    try:
        netloc = urlsplit(uri).netloc
    except ValueError:
        return "an unreadable address"
    return netloc.rpartition("@")[2] or "an unreadable address"


def _shown(name: str, value: JsonValue) -> JsonValue:
    return MASK if _SECRET_NAME.search(name) else value
