"""What surrounds a task or a workflow: transformations, schemas, timeouts."""

from __future__ import annotations

from dataclasses import dataclass

from workflow_service.domain.definition.building import Builder, Scope
from workflow_service.domain.definition.json_schemas import SchemaUnusable, compile_schema
from workflow_service.domain.definition.model import (
    NO_DATA_FLOW,
    DataFlow,
    Duration,
    SchemaValidator,
)
from workflow_service.domain.definition.pinned import Wanted
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.resources import written_out
from workflow_service.domain.expressions import JsonValue, Template


def read_data_flow(
    builder: Builder, owner: dict[str, JsonValue], pointer: str, scope: Scope
) -> DataFlow:
    """Read ``input``, ``output`` and ``export`` of a task or a workflow."""
    if not owner.keys() & {"input", "output", "export"}:
        return NO_DATA_FLOW
    flow = DataFlow(
        input_schema=_schema(builder, owner, pointer, "input"),
        input_from=_transformation(builder, owner, pointer, ("input", "from"), scope),
        output_as=_transformation(builder, owner, pointer, ("output", "as"), scope),
        output_schema=_schema(builder, owner, pointer, "output"),
        export_as=_transformation(builder, owner, pointer, ("export", "as"), scope),
        export_schema=_schema(builder, owner, pointer, "export"),
    )
    return NO_DATA_FLOW if flow == NO_DATA_FLOW else flow


def read_timeout(
    builder: Builder, owner: dict[str, JsonValue], pointer: str, scope: Scope
) -> Duration | None:
    """Read ``timeout``: one of its own, or the name of one in ``use.timeouts``."""
    timeout, place = owner.get("timeout"), child(pointer, "timeout")
    if isinstance(timeout, str):
        found = builder.reusable("timeouts", timeout, place)
        if found is None:
            return None
        timeout, place = found
    return read_timeout_value(builder, timeout, place, scope)


def read_timeout_value(
    builder: Builder, timeout: JsonValue, pointer: str, scope: Scope
) -> Duration | None:
    """Read a timeout that is written out."""
    if not isinstance(timeout, dict):
        return None
    return builder.duration(timeout.get("after"), child(pointer, "after"), scope)


def _transformation(
    builder: Builder,
    owner: dict[str, JsonValue],
    pointer: str,
    steps: tuple[str, str],
    scope: Scope,
) -> Template | None:
    section, member = steps
    members = owner.get(section)
    if not isinstance(members, dict) or member not in members:
        return None
    return builder.transformation(members[member], child(pointer, section, member), scope)


def _schema(
    builder: Builder, owner: dict[str, JsonValue], pointer: str, section: str
) -> SchemaValidator | None:
    members = owner.get(section)
    schema = members.get("schema") if isinstance(members, dict) else None
    if not isinstance(schema, dict):
        return None
    place = child(pointer, section, "schema")
    if schema.get("format", "json") != "json" and builder.refused(
        "schema.format", child(place, "format")
    ):
        return None
    member = "resource" if "resource" in schema else "document"
    document = schema.get(member)
    if member == "resource":
        found = _fetched_schema(builder, document, child(place, member))
        if found is None:
            return None
        document = found.value
    try:
        return compile_schema(document)
    except SchemaUnusable as exc:
        inside = "" if member == "resource" else exc.pointer
        builder.problem(f"{child(place, member)}{inside}", str(exc))
        return None


@dataclass(frozen=True, slots=True)
class _Fetched:
    value: JsonValue


def _fetched_schema(builder: Builder, resource: JsonValue, pointer: str) -> _Fetched | None:
    """Return a schema that stands elsewhere; None when it is not there yet."""
    if pointer in builder.pinned:
        return _Fetched(builder.pinned[pointer])
    where = written_out(builder, resource, pointer)
    if where is not None:
        builder.want(Wanted(pointer, pointer, "the schema", where))
    return None
