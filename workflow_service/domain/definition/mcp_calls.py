"""``call: mcp``: one method of an MCP server.

Source: Open Workflow Specification, DSL reference, "MCP Call", "MCP Transport", "MCP Client".
"""

from __future__ import annotations

from typing import Final, cast

from workflow_service.domain.definition.a2a_calls import read_parameters
from workflow_service.domain.definition.building import Builder, Scope
from workflow_service.domain.definition.endpoints import read_endpoint
from workflow_service.domain.definition.local_processes import disabled
from workflow_service.domain.definition.model import CallMcpTask, Duration, ExternalResource
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.service_tasks import McpOverHttp, McpOverPipes
from workflow_service.domain.definition.task_base import BaseMembers
from workflow_service.domain.expressions import JsonValue, Template

PROTOCOL_VERSION: Final = "2025-06-18"
"""The standard's default."""
CLIENT: Final = {"name": "autoworker", "version": "1.0.0"}
"""Who calls, unless the task says otherwise."""


def read_mcp(
    builder: Builder, task: dict[str, JsonValue], base: BaseMembers, scope: Scope
) -> CallMcpTask:
    """Read the task; the structure of its arguments is known to be right."""
    options, place = cast("dict[str, JsonValue]", task["with"]), child(base["reference"], "with")
    client = cast("dict[str, JsonValue]", options.get("client", CLIENT))
    timeout: Duration | None = None
    if "timeout" in options:
        timeout = builder.duration(options["timeout"], child(place, "timeout"), scope)
    return CallMcpTask(
        **base,
        method=str(options["method"]),
        parameters=read_parameters(builder, options, place, scope),
        transport=_transport(builder, options["transport"], child(place, "transport"), scope),
        protocol_version=str(options.get("protocolVersion", PROTOCOL_VERSION)),
        client_name=str(client["name"]),
        client_version=str(client["version"]),
        call_timeout=timeout,
    )


def _transport(
    builder: Builder, transport: JsonValue, pointer: str, scope: Scope
) -> McpOverHttp | McpOverPipes:
    members = cast("dict[str, JsonValue]", transport)
    if members.get("options"):
        builder.problem(child(pointer, "options"), "neither transport has options")
    if "http" in members:
        http = cast("dict[str, JsonValue]", members["http"])
        return _over_http(builder, http, child(pointer, "http"), scope)
    stdio, place = cast("dict[str, JsonValue]", members["stdio"]), child(pointer, "stdio")
    if builder.processes is not None and "shell" not in builder.processes:
        builder.problem(place, disabled("shell"))

    def part(name: str, default: JsonValue) -> Template:
        return builder.template(stdio.get(name, default), child(place, name), scope)

    return McpOverPipes(part("command", None), part("arguments", []), part("environment", {}))


def _over_http(
    builder: Builder, http: dict[str, JsonValue], pointer: str, scope: Scope
) -> McpOverHttp:
    endpoint = read_endpoint(builder, http["endpoint"], child(pointer, "endpoint"), scope)
    headers: Template | None = None
    if "headers" in http:
        headers = builder.template(http["headers"], child(pointer, "headers"), scope)
    return McpOverHttp(ExternalResource(*endpoint), headers)
