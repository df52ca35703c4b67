"""Calls in a few words, for people who wait for them."""

from __future__ import annotations

from workflow_service.domain.execution.effects import (
    A2aCall,
    AsyncApiPublish,
    AsyncApiReceive,
    Call,
    ContainerCall,
    FunctionCall,
    GrpcCall,
    HttpCall,
    McpCall,
    McpStdio,
    OpenapiCall,
    ScriptCall,
    ShellCall,
    WorkflowCall,
    host_of,
)


def called(call: Call) -> str:
    """Name a call by its method and host; the rest of an address may hold secrets."""
    match call:
        case FunctionCall():
            return f"the function {call.wanted}"
        case WorkflowCall():
            return f"execution {call.execution} of {call.wanted}"
        case ShellCall() | ScriptCall() | ContainerCall():
            return _run(call)
        case GrpcCall() | OpenapiCall() | A2aCall() | McpCall():
            return _described(call)
        case AsyncApiPublish() | AsyncApiReceive():
            return _messages(call)
        case HttpCall():
            return f"{call.method.upper()} {_host(call)}"


def _described(call: GrpcCall | OpenapiCall | A2aCall | McpCall) -> str:
    """Name a call of a service that is described elsewhere."""
    match call:
        case GrpcCall():
            return f"{call.service}/{call.method} of {call.host}:{call.port}"
        case OpenapiCall():
            return f"the operation {call.operation} that {_host(call)} describes"
        case A2aCall():
            return f"{call.method} of the agent at {_host(call)}"
        case McpCall(transport=McpStdio(command=command)):
            return f"{call.method} of the command {command[:80]!r}"
        case McpCall():
            return f"{call.method} of {_host(call)}"


def _messages(call: AsyncApiPublish | AsyncApiReceive) -> str:
    name = call.target.operation or call.target.channel
    return f"messages of {name}" if isinstance(call, AsyncApiReceive) else f"the message for {name}"


def _run(call: ShellCall | ScriptCall | ContainerCall) -> str:
    match call:
        case ShellCall():
            return "a shell command"
        case ScriptCall():
            return f"a script ({call.language})"
        case ContainerCall():
            return f"a container of {call.image}"


def _host(call: Call) -> str:
    return host_of(call) or "an address that cannot be read"
