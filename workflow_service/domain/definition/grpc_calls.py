"""``call: grpc``: one method of a service that a proto describes.

Source: Open Workflow Specification, DSL reference, "gRPC Call".
"""

from __future__ import annotations

from typing import Final, cast

from workflow_service.domain.definition.building import Builder, Scope
from workflow_service.domain.definition.endpoints import (
    read_authentication,
    read_resource,
)
from workflow_service.domain.definition.model import Authentication, CallGrpcTask
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.task_base import BaseMembers
from workflow_service.domain.expressions import JsonValue, Template

TLS_PORT: Final = 443
"""The port when none is given, and the one on which TLS is spoken unless the task says otherwise."""


def read_grpc(
    builder: Builder, task: dict[str, JsonValue], base: BaseMembers, scope: Scope
) -> CallGrpcTask:
    """Read the task; the structure of its arguments is known to be right."""
    options, place = cast("dict[str, JsonValue]", task["with"]), child(base["reference"], "with")
    service, where = cast("dict[str, JsonValue]", options["service"]), child(place, "service")
    port = cast("int", service.get("port", TLS_PORT))
    arguments: Template | None = None
    if "arguments" in options:
        arguments = builder.template(options["arguments"], child(place, "arguments"), scope)
    authentication: Authentication | None = None
    if "authentication" in service:
        authentication = read_authentication(
            builder, service["authentication"], child(where, "authentication"), scope
        )
    return CallGrpcTask(
        **base,
        proto=read_resource(builder, options["proto"], child(place, "proto"), scope),
        service=builder.template(service["name"], child(where, "name"), scope),
        host=str(service["host"]),
        port=port,
        tls=_tls(builder, task, base["reference"], default=port == TLS_PORT),
        method=builder.template(options["method"], child(place, "method"), scope),
        arguments=arguments,
        authentication=authentication,
    )


def _tls(builder: Builder, task: dict[str, JsonValue], pointer: str, *, default: bool) -> bool:
    """Read ``metadata.tls``: the standard has no word for whether a gRPC channel is secure."""
    metadata = task.get("metadata")
    wanted = metadata.get("tls", default) if isinstance(metadata, dict) else default
    if not isinstance(wanted, bool):
        builder.problem(child(pointer, "metadata", "tls"), "must be true or false")
    return wanted is True
