"""``call: openapi``: one operation of a service that an OpenAPI document describes.

Source: Open Workflow Specification, DSL reference, "OpenAPI Call".
"""

from __future__ import annotations

from typing import Literal, cast

from workflow_service.domain.definition.a2a_calls import read_parameters
from workflow_service.domain.definition.building import Builder, Scope
from workflow_service.domain.definition.endpoints import read_authentication, read_resource
from workflow_service.domain.definition.model import Authentication, CallOpenapiTask
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.task_base import BaseMembers
from workflow_service.domain.expressions import JsonValue


def read_openapi(
    builder: Builder, task: dict[str, JsonValue], base: BaseMembers, scope: Scope
) -> CallOpenapiTask:
    """Read the task; the structure of its arguments is known to be right."""
    options, place = cast("dict[str, JsonValue]", task["with"]), child(base["reference"], "with")
    authentication: Authentication | None = None
    if "authentication" in options:
        where = child(place, "authentication")
        authentication = read_authentication(builder, options["authentication"], where, scope)
    return CallOpenapiTask(
        **base,
        openapi=read_resource(builder, options["document"], child(place, "document"), scope),
        operation=builder.template(options["operationId"], child(place, "operationId"), scope),
        parameters=read_parameters(builder, options, place, scope),
        output=cast('Literal["raw", "content", "response"]', options.get("output", "content")),
        redirect=options.get("redirect") is True,
        authentication=authentication,
    )
