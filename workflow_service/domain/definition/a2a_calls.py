"""``call: a2a``: one method of an agent.

Source: Open Workflow Specification, DSL reference, "A2A Call".
"""

from __future__ import annotations

from typing import cast

from workflow_service.domain.definition.building import Builder, Scope
from workflow_service.domain.definition.endpoints import read_endpoint, read_resource
from workflow_service.domain.definition.model import CallA2aTask, ExternalResource
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.task_base import BaseMembers
from workflow_service.domain.expressions import JsonValue, Template, is_expression


def read_a2a(
    builder: Builder, task: dict[str, JsonValue], base: BaseMembers, scope: Scope
) -> CallA2aTask:
    """Read the task; the structure of its arguments is known to be right."""
    options, place = cast("dict[str, JsonValue]", task["with"]), child(base["reference"], "with")
    card: ExternalResource | None = None
    server: ExternalResource | None = None
    if "agentCard" in options:
        card = read_resource(builder, options["agentCard"], child(place, "agentCard"), scope)
    if "server" in options:
        where = child(place, "server")
        server = ExternalResource(*read_endpoint(builder, options["server"], where, scope))
    if card is None and server is None:
        builder.problem(place, "one of agentCard and server is required: where is the agent?")
    return CallA2aTask(
        **base,
        method=str(options["method"]),
        agent_card=card,
        server=server,
        parameters=read_parameters(builder, options, place, scope),
    )


def read_parameters(
    builder: Builder, options: dict[str, JsonValue], pointer: str, scope: Scope
) -> Template | None:
    """Read the parameters of a JSON-RPC method: an object, or an expression that comes to one."""
    if "parameters" not in options:
        return None
    parameters, place = options["parameters"], child(pointer, "parameters")
    if isinstance(parameters, str) and not is_expression(parameters) and not builder.loose:
        builder.problem(place, "must be an object, or an expression in ${ }")
    return builder.template(parameters, place, scope)
