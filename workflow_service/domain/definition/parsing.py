"""From a document to the compiled definition that the engine runs."""

from typing import cast

from workflow_service.domain.definition.limits import DEFAULT_LIMITS, DefinitionLimits
from workflow_service.domain.definition.model import Definition
from workflow_service.domain.definition.pinned import NOTHING_PINNED, Pinned, pinned_digest
from workflow_service.domain.definition.problems import DefinitionInvalid
from workflow_service.domain.definition.processes import ProcessKind
from workflow_service.domain.definition.served import NOTHING, Served
from workflow_service.domain.definition.validation import Reading, read_document
from workflow_service.domain.expressions import Expressions, JsonValue


def parse_definition(
    document: JsonValue,
    expressions: Expressions,
    *,
    limits: DefinitionLimits = DEFAULT_LIMITS,
    served: Served | None = NOTHING,
    processes: frozenset[ProcessKind] | None = None,
    pinned: Pinned = NOTHING_PINNED,
) -> Definition:
    """Validate *document* and compile it.

    Takes milliseconds for an ordinary document and seconds for the largest: call it from a worker thread when the
    document is large.

    Args:
        document: what was read.
        expressions: compiles what is in it.
        limits: how much there may be of everything.
        served: functions that it may call besides its own; None when that has been checked before.
        processes: kinds of process that it may run; None when that has been checked before.
        pinned: what was fetched for it.

    Raises:
        DefinitionInvalid: with everything that is wrong, each at its JSON Pointer.
    """
    reading = read_document(document, expressions, limits, served, processes, pinned)
    return definition_of(reading, document, limits, pinned)


def definition_of(
    reading: Reading, document: JsonValue, limits: DefinitionLimits, pinned: Pinned
) -> Definition:
    """Return what *reading* came to.

    Raises:
        DefinitionInvalid: with everything that is wrong, and what is lacking.
    """
    problems = reading.builder.structure.problems
    for wanted in () if len(problems) else tuple(reading.builder.wanted.values()):
        told = f"{wanted.what} is fetched when the definition is published, and is not known here"
        problems.add(wanted.place, told)
    if len(problems):
        count = f"{len(problems)} problem{'s' * (len(problems) != 1)}"
        raise DefinitionInvalid(
            f"the definition has {count}", details=problems.listed(limits.problems)
        )
    members = cast("dict[str, JsonValue]", document)
    head = cast("dict[str, str]", members["document"])
    return Definition(
        namespace=head["namespace"],
        name=head["name"],
        version=head["version"],
        digest=pinned_digest(document, pinned),
        document=members,
        do=reading.do,
        data_flow=reading.data_flow,
        timeout=reading.timeout,
        schedule=reading.schedule,
        on=reading.builder.on,
        title=head.get("title", ""),
        summary=head.get("summary", ""),
        tasks=reading.builder.tasks,
        lists=reading.builder.lists,
        extensions=reading.extensions,
        cheap=reading.builder.cheap,
        secrets=reading.builder.secrets,
    )
