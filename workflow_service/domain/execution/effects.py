"""Work asked of the world: data that a runner performs and that a replay never repeats by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

import msgspec

from workflow_service.domain.execution.credentials import (
    BasicCredentials,
    BearerCredentials,
    Credentials,
    Resource,
)
from workflow_service.domain.execution.problem import Problem
from workflow_service.domain.execution.process_calls import ContainerCall, ScriptCall, ShellCall
from workflow_service.domain.execution.service_calls import (
    A2aCall,
    AsyncApiPublish,
    AsyncApiReceive,
    AsyncApiTarget,
    GrpcCall,
    McpCall,
    McpHttp,
    McpStdio,
    OpenapiCall,
)
from workflow_service.domain.execution.workflow_calls import WorkflowCall
from workflow_service.domain.expressions import JsonValue

__all__ = [
    "A2aCall",
    "AsyncApiPublish",
    "AsyncApiReceive",
    "AsyncApiTarget",
    "BasicCredentials",
    "BearerCredentials",
    "Call",
    "ContainerCall",
    "Credentials",
    "Effect",
    "Failed",
    "FunctionCall",
    "GrpcCall",
    "HttpCall",
    "McpCall",
    "McpHttp",
    "McpStdio",
    "OpenapiCall",
    "Outcome",
    "Resource",
    "ScriptCall",
    "ShellCall",
    "Succeeded",
    "WorkflowCall",
    "host_of",
]


class HttpCall(msgspec.Struct, frozen=True, tag="http", omit_defaults=True):
    """One HTTP request, every expression already evaluated."""

    method: str
    uri: str
    headers: dict[str, str] = {}
    query: dict[str, JsonValue] = {}
    body: JsonValue | msgspec.UnsetType = msgspec.UNSET
    output: Literal["raw", "content", "response"] = "content"
    redirect: bool = False
    credentials: Credentials | None = None


class FunctionCall(msgspec.Struct, frozen=True, tag="function", omit_defaults=True):
    """One call of a function that the operator or a worker serves."""

    name: str
    arguments: JsonValue
    tenant: str
    owner: str
    """Whose execution it is: workers of others in the tenant serve it only when they may serve everybody."""
    task: str
    """Reference of the task."""
    version: str = ""
    """Empty: whichever version is served."""
    priority: int = 0
    deadline: datetime | None = None
    """When nobody waits for the answer any longer; None: never."""

    @property
    def wanted(self) -> str:
        """What is called, as the definition names it."""
        return f"{self.name}:{self.version}" if self.version else self.name


Call: TypeAlias = (
    HttpCall
    | FunctionCall
    | GrpcCall
    | WorkflowCall
    | ShellCall
    | ScriptCall
    | ContainerCall
    | A2aCall
    | McpCall
    | AsyncApiPublish
    | OpenapiCall
    | AsyncApiReceive
)
"""What can be asked of the world; more kinds join this union."""


def host_of(call: Call) -> str | None:
    """Return which host *call* keeps busy, as host and port; None when that cannot be told."""
    match call:
        case HttpCall(uri=uri):
            return _host_in(uri)
        case GrpcCall(host=host, port=port):
            return f"{host}:{port}".lower()
        case A2aCall(agent_card=card, server=server):
            place = card or server
            return None if place is None else _host_in(place.uri)
        case McpCall(transport=McpHttp(endpoint=endpoint)):
            return _host_in(endpoint.uri)
        case OpenapiCall(document=document):
            return _host_in(document.uri)
        case McpCall() | FunctionCall() | WorkflowCall() | AsyncApiPublish() | AsyncApiReceive():
            return None
        case ShellCall() | ScriptCall() | ContainerCall():
            return None


def _host_in(uri: str) -> str | None:
    try:
        return urlsplit(uri).netloc.rpartition("@")[2].lower() or None
    except ValueError:
        return None  # whoever performs it says what is wrong with it


class Effect(msgspec.Struct, frozen=True, omit_defaults=True):
    """A call, with all that makes its outcome recognisable."""

    number: int
    """Counts the effects of an execution: the outcome of an abandoned attempt names an old number."""
    key: str
    """Idempotency key, the same for every repetition: made of execution, task and iteration, not of the attempt."""
    call: Call
    tenant: str = ""
    """Whose execution it is: known to whoever performs it, not kept in histories."""
    owner: str = ""
    """The user who started it, known as the tenant is."""
    secrets: tuple[str, ...] = ()
    """Names of the secrets that it may use; in its call stand markers of them."""


class Succeeded(msgspec.Struct, frozen=True, tag="succeeded"):
    """The call was answered; its result is the task's raw output."""

    output: JsonValue


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The call failed; the problem faults the task."""

    problem: Problem


Outcome: TypeAlias = Succeeded | Failed
