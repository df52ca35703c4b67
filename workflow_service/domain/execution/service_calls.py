"""Calls of services that are described elsewhere, every expression already evaluated.

Source: Open Workflow Specification, DSL reference, "gRPC Call", "OpenAPI Call", "MCP Call", "A2A Call", "AsyncAPI Call".
"""

from __future__ import annotations

from datetime import datetime
from typing import Literal

import msgspec

from workflow_service.domain.execution.credentials import Credentials, Resource
from workflow_service.domain.expressions import JsonValue


class GrpcCall(msgspec.Struct, frozen=True, tag="grpc", omit_defaults=True):
    """One call of a gRPC method."""

    proto: Resource
    service: str
    """As the proto names it, its package included."""
    host: str
    port: int
    method: str
    tls: bool = False
    arguments: dict[str, JsonValue] = {}
    credentials: Credentials | None = None
    timeout: float | None = None
    """Seconds that the task may take; None: no more than any call."""


class OpenapiCall(msgspec.Struct, frozen=True, tag="openapi", omit_defaults=True):
    """One operation of a service that an OpenAPI document describes."""

    document: Resource
    operation: str
    """Its ``operationId``."""
    parameters: dict[str, JsonValue] = {}
    output: Literal["raw", "content", "response"] = "content"
    redirect: bool = False
    credentials: Credentials | None = None


class A2aCall(msgspec.Struct, frozen=True, tag="a2a", omit_defaults=True):
    """One method of an agent."""

    method: str
    parameters: dict[str, JsonValue] = {}
    agent_card: Resource | None = None
    server: Resource | None = None
    """Where the agent is; only looked at without a card."""
    timeout: float | None = None
    """Seconds that the task may take; None: no more than any call."""


class McpHttp(msgspec.Struct, frozen=True, tag="http", omit_defaults=True):
    """An MCP server behind an address."""

    endpoint: Resource
    headers: dict[str, str] = {}


class McpStdio(msgspec.Struct, frozen=True, tag="stdio", omit_defaults=True):
    """An MCP server that is a command."""

    command: str
    arguments: list[str] = []
    environment: dict[str, str] = {}


class McpCall(msgspec.Struct, frozen=True, tag="mcp", omit_defaults=True):
    """One method of an MCP server."""

    method: str
    transport: McpHttp | McpStdio
    protocol_version: str
    client_name: str
    client_version: str
    parameters: dict[str, JsonValue] = {}
    timeout: float | None = None
    """Seconds that the call may take; None: no more than any call."""


class AsyncApiTarget(msgspec.Struct, frozen=True, omit_defaults=True):
    """One operation of an AsyncAPI document, and the server to perform it on."""

    document: Resource
    operation: str = ""
    """Empty when the channel is named."""
    channel: str = ""
    server: str = ""
    """Empty: the first one that the channel has and that speaks the protocol."""
    variables: dict[str, str] = {}
    protocol: str = ""
    """Empty: any."""
    credentials: Credentials | None = None


class AsyncApiPublish(msgspec.Struct, frozen=True, tag="asyncapi-publish", omit_defaults=True):
    """One message that is sent to a channel."""

    target: AsyncApiTarget
    payload: JsonValue | msgspec.UnsetType = msgspec.UNSET
    headers: dict[str, JsonValue] = {}
    timeout: float | None = None
    """Seconds that the task may take; None: no more than any call."""


class AsyncApiReceive(msgspec.Struct, frozen=True, tag="asyncapi-receive", omit_defaults=True):
    """The next messages of a subscription."""

    target: AsyncApiTarget
    subscription: str
    """Id of the frame that is subscribed: one subscription asks again and again."""
    most: int
    """As many messages as may come at once; one at least is waited for."""
    until: datetime | None = None
    """For how long; None: for as long as it takes."""
    enough: bool = False
    """Whether nothing more is asked for once so many have come."""
