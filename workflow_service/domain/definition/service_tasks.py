"""Calls of services that are described elsewhere, as compiled.

Source: Open Workflow Specification, DSL reference, "gRPC Call", "OpenAPI Call", "A2A Call", "MCP Call", "AsyncAPI Call".
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from workflow_service.domain.definition.authentication import Authentication
from workflow_service.domain.definition.subscriptions import SubscriptionIterator
from workflow_service.domain.definition.task_members import Duration, ExternalResource, TaskBase
from workflow_service.domain.expressions import Expression, Template


@dataclass(frozen=True, slots=True, kw_only=True)
class CallGrpcTask(TaskBase):
    """One call of a gRPC method."""

    proto: ExternalResource
    service: Template
    host: str
    port: int
    tls: bool
    method: Template
    arguments: Template | None = None
    """None: a message without any field set."""
    authentication: Authentication | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallOpenapiTask(TaskBase):
    """One operation of a service that an OpenAPI document describes."""

    openapi: ExternalResource
    operation: Template
    parameters: Template | None = None
    output: Literal["raw", "content", "response"] = "content"
    redirect: bool = False
    authentication: Authentication | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CallA2aTask(TaskBase):
    """One JSON-RPC method of an agent; at least one of card and server is there."""

    method: str
    agent_card: ExternalResource | None = None
    server: ExternalResource | None = None
    """The agent's own address; the card comes first."""
    parameters: Template | None = None


@dataclass(frozen=True, slots=True)
class McpOverHttp:
    """The streamable HTTP transport."""

    endpoint: ExternalResource
    headers: Template | None = None


@dataclass(frozen=True, slots=True)
class McpOverPipes:
    """The stdio transport: a command that is run for the call."""

    command: Template
    arguments: Template
    environment: Template


@dataclass(frozen=True, slots=True, kw_only=True)
class CallMcpTask(TaskBase):
    """One method of an MCP server."""

    method: str
    parameters: Template | None
    transport: McpOverHttp | McpOverPipes
    protocol_version: str
    client_name: str
    client_version: str
    call_timeout: Duration | None


@dataclass(frozen=True, slots=True)
class AsyncApiOperation:
    """What is called, and where."""

    document: ExternalResource
    operation: Template | None
    channel: Template | None
    """One of the two is there."""
    server: Template | None
    variables: Template | None
    protocol: str
    """Empty: any."""
    authentication: Authentication | None


@dataclass(frozen=True, slots=True, kw_only=True)
class PublishTask(TaskBase):
    """Sends one message to a channel; its output is the message."""

    target: AsyncApiOperation
    payload: Template | None
    headers: Template | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveTask(TaskBase):
    """Waits for messages of the subscription that it is within; no author writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SubscribeTask(TaskBase):
    """Takes messages of a channel; its output is the list of what came of them."""

    target: AsyncApiOperation
    receive: ReceiveTask
    filter: Expression | None
    amount: int | None
    """How many messages that pass the filter; None: as many as one of the conditions lets come."""
    while_: Expression | None
    until: Expression | None
    period: Duration | None
    """For how long; None: for as long as it takes."""
    iterator: SubscriptionIterator | None
