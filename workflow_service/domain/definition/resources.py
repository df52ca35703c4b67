"""External resources that are needed when a definition is published.

Source: Open Workflow Specification, DSL reference, "External Resource".
"""

from __future__ import annotations

from dataclasses import fields

from workflow_service.domain.definition.building import Builder, Scope
from workflow_service.domain.definition.endpoints import read_resource
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.task_members import ExternalResource
from workflow_service.domain.expressions import JsonValue, Template


def written_out(builder: Builder, resource: JsonValue, pointer: str) -> ExternalResource | None:
    """Read a resource that is needed when the definition is published; None, with a problem, when it waits for data."""
    found = read_resource(builder, resource, pointer, Scope())
    if _waits(found):
        builder.problem(
            child(pointer, "endpoint"),
            "is needed when the definition is published, before there are data or secrets: write it out",
        )
        return None
    return found


def _waits(found: ExternalResource) -> bool:
    """Whether the address or a credential is an expression, perhaps of a secret."""
    policy = found.authentication
    parts = [] if policy is None else [getattr(policy, each.name) for each in fields(policy)]
    return any(
        isinstance(each, Template) and not each.constant for each in (found.endpoint, *parts)
    )
