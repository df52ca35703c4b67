"""Endpoints, external resources, and the policies that open them.

Source: Open Workflow Specification, DSL reference, "Endpoint", "External Resource", "Authentication".
"""

from __future__ import annotations

from workflow_service.domain.definition.authentication import Authentication
from workflow_service.domain.definition.authentication_policies import (
    check_unused_authentications,
    read_authentication,
)
from workflow_service.domain.definition.building import Builder, Scope
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.task_members import ExternalResource
from workflow_service.domain.definition.uris import check_uri
from workflow_service.domain.expressions import JsonValue, Template

__all__ = ["check_unused_authentications", "read_authentication", "read_endpoint", "read_resource"]

_CALLABLE = ("http", "https")
_READABLE = (*_CALLABLE, "file")
"""A file is read only where an operator has set a folder for it: that is judged when it is wanted."""


def read_resource(
    builder: Builder, resource: JsonValue, pointer: str, scope: Scope
) -> ExternalResource:
    """Read an external resource; its name means nothing to the engine."""
    endpoint = resource.get("endpoint") if isinstance(resource, dict) else None
    place = child(pointer, "endpoint")
    return ExternalResource(*read_endpoint(builder, endpoint, place, scope, schemes=_READABLE))


def read_endpoint(
    builder: Builder,
    endpoint: JsonValue,
    pointer: str,
    scope: Scope,
    *,
    schemes: tuple[str, ...] = _CALLABLE,
) -> tuple[Template, Authentication | None]:
    """Read an endpoint: a URI of one of *schemes*, or an object with a URI and a policy."""
    authentication: Authentication | None = None
    if isinstance(endpoint, dict):
        if "authentication" in endpoint:
            authentication = read_authentication(
                builder, endpoint["authentication"], child(pointer, "authentication"), scope
            )
        endpoint, pointer = endpoint.get("uri"), child(pointer, "uri")
    if isinstance(endpoint, str) and "${" not in endpoint and not builder.loose:
        check_uri(builder, endpoint, pointer, schemes)
    return builder.template(endpoint, pointer, scope), authentication
