"""All that is wrong with a document: its form first, then its meaning."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass

from chassis.errors import FieldProblem
from workflow_service.domain.definition.building import ROOT_SCOPE, Builder
from workflow_service.domain.definition.catalogs import read_catalog_function, read_catalogs
from workflow_service.domain.definition.data_flow import (
    read_data_flow,
    read_timeout,
    read_timeout_value,
)
from workflow_service.domain.definition.endpoints import check_unused_authentications
from workflow_service.domain.definition.extensions import read_extensions
from workflow_service.domain.definition.extent import depth_of
from workflow_service.domain.definition.faults import (
    DEFAULT_ERROR_VARIABLE,
    read_error,
    read_retry,
)
from workflow_service.domain.definition.functions import read_function
from workflow_service.domain.definition.limits import DEFAULT_LIMITS, DefinitionLimits
from workflow_service.domain.definition.model import (
    DataFlow,
    Duration,
    Extension,
    TaskList,
)
from workflow_service.domain.definition.pinned import NOTHING_PINNED, Pinned
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.processes import ProcessKind
from workflow_service.domain.definition.scheduling import read_schedule
from workflow_service.domain.definition.served import NOTHING, Served
from workflow_service.domain.definition.structure import check_structure
from workflow_service.domain.definition.tasks import read_task_list
from workflow_service.domain.expressions import Expressions, JsonValue
from workflow_service.domain.schedules.model import Schedule

_DSL = re.compile(r"1\.0\.(0|[1-9][0-9]*)", re.ASCII)


@dataclass(frozen=True, slots=True)
class Reading:
    """What a document came to; worth something only without problems."""

    builder: Builder
    do: TaskList
    data_flow: DataFlow
    timeout: Duration | None
    extensions: tuple[Extension, ...] = ()
    schedule: Schedule | None = None


def check_document(
    document: JsonValue,
    expressions: Expressions,
    *,
    limits: DefinitionLimits = DEFAULT_LIMITS,
    served: Served | None = NOTHING,
    processes: frozenset[ProcessKind] | None = None,
) -> list[FieldProblem]:
    """Return everything that is wrong with *document*; nothing means that it can be published."""
    reading = read_document(document, expressions, limits, served, processes)
    return reading.builder.structure.problems.listed(limits.problems)


def read_document(
    document: JsonValue,
    expressions: Expressions,
    limits: DefinitionLimits,
    served: Served | None = NOTHING,
    processes: frozenset[ProcessKind] | None = None,
    pinned: Pinned = NOTHING_PINNED,
    default_catalog: bool = False,
) -> Reading:
    """Read *document*, collecting problems in the reading's builder."""
    depth = depth_of(document, limits.depth)
    members = document if isinstance(document, dict) and depth <= limits.depth else {}
    structure = check_structure(document if depth <= limits.depth else {}, limits)
    builder = Builder(
        expressions=expressions,
        structure=structure,
        limits=limits,
        use=_use(members),
        loose=_object(members, "evaluate").get("mode") == "loose",
        secrets=_secrets(members),
        task_list=read_task_list,
        function=read_function,
        catalog_function=read_catalog_function,
        served=served,
        processes=processes,
        pinned=pinned,
        default_catalog=default_catalog,
    )
    if depth > limits.depth:
        builder.problem("", f"is nested more than {limits.depth} levels deep")
    if structure.tasks > limits.tasks:
        return Reading(builder, TaskList("/do", (), {}), DataFlow(), None)
    return _read(builder, members)


def _read(builder: Builder, document: dict[str, JsonValue]) -> Reading:
    _check_head(builder, document)
    data_flow = DataFlow()
    if builder.sound("/input") and builder.sound("/output"):
        data_flow = read_data_flow(builder, document, "", ROOT_SCOPE)
    timeout = None
    if builder.sound("/timeout"):
        timeout = read_timeout(builder, document, "", ROOT_SCOPE)
    schedule = read_schedule(builder, document)
    do = read_task_list(builder, document.get("do"), "/do", ROOT_SCOPE)
    for name in builder.use.get("functions", {}):
        read_function(builder, name, child("/use/functions", name))
    read_catalogs(builder)
    _check_unused(builder)
    found = read_extensions(builder, document)
    return Reading(builder, do, data_flow, timeout, found, schedule)


def _check_head(builder: Builder, document: dict[str, JsonValue]) -> None:
    head = _object(document, "document")
    dsl, version = head.get("dsl"), head.get("version")
    if isinstance(dsl, str) and builder.sound("/document/dsl") and not _DSL.fullmatch(dsl):
        builder.problem("/document/dsl", "is not understood here: this runtime reads DSL 1.0.x")
    limit = builder.limits.version_length
    if isinstance(version, str) and len(version) > limit:
        builder.problem("/document/version", f"may have at most {limit} characters")
    if _object(document, "evaluate").get("language", "jq") != "jq":
        builder.refused("evaluate.language", "/evaluate/language")


def _check_unused(builder: Builder) -> None:
    """Read the parts of ``use`` that nothing has named yet, for the problems in them."""
    check_unused_authentications(builder)
    in_catch = ROOT_SCOPE.knowing(DEFAULT_ERROR_VARIABLE)
    for section in ("errors", "retries", "timeouts"):
        for name, value in builder.use.get(section, {}).items():
            place = child("/use", section, name)
            if (section, name) in builder.used or not builder.sound(place):
                continue
            match section:
                case "errors":
                    read_error(builder, value, place, ROOT_SCOPE)
                case "retries":
                    read_retry(builder, value, place, in_catch)
                case _:
                    read_timeout_value(builder, value, place, ROOT_SCOPE)


def _secrets(document: dict[str, JsonValue]) -> tuple[str, ...]:
    names = _object(document, "use").get("secrets")
    return tuple(map(str, names)) if isinstance(names, list) else ()


def _use(document: dict[str, JsonValue]) -> Mapping[str, Mapping[str, JsonValue]]:
    return {
        section: members
        for section, members in _object(document, "use").items()
        if isinstance(members, dict)
    }


def _object(owner: dict[str, JsonValue], member: str) -> dict[str, JsonValue]:
    value = owner.get(member)
    return value if isinstance(value, dict) else {}
