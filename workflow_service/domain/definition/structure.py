"""First layer of validation: does the document have the form that the standard's JSON Schema gives it?

The schema describes a task as one of twelve alternatives, within each other to any depth, so that one typing mistake
makes every alternative of every enclosing task fail. Therefore a document is validated piece by piece: its root
without its tasks, then each task, without the tasks within it, by the one alternative that its kind names.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files

import jsonschema_rs
from jsonschema_rs import ValidationError

from workflow_service.domain.bounds import beyond
from workflow_service.domain.definition.extent import values_in
from workflow_service.domain.definition.limits import DefinitionLimits
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.problems import Problems
from workflow_service.domain.definition.schema_messages import explain
from workflow_service.domain.definition.vocabulary import (
    PROTOCOLS,
    TASK_KINDS,
    entries,
    kinds_of,
    known_are,
    task_lists,
)
from workflow_service.domain.definition.yaml_documents import read_yaml
from workflow_service.domain.expressions import JsonValue

_CALLS = {"asyncapi": 0, "grpc": 1, "http": 2, "openapi": 3, "a2a": 4, "mcp": 5}
_FUNCTION_CALL = 6
_ROOT = "#"
_LARGE = 5_000
"""Values in one task, or in the document without its tasks."""


@dataclass(slots=True)
class Structure:
    """What the first layer found out."""

    problems: Problems
    unsound: set[str] = field(default_factory=set)
    """References of the tasks whose own members are wrong."""
    names: dict[str, list[str]] = field(default_factory=dict)
    """References of all tasks by their names."""
    tasks: int = 0


def check_structure(document: JsonValue, limits: DefinitionLimits) -> Structure:
    """Validate *document* against the schema of the standard."""
    structure = Structure(Problems())
    do = document.get("do") if isinstance(document, dict) else None
    functions = _functions(document)
    shell = _without_tasks(document, [(("do",), do)])
    if functions:
        shell = _replaced(shell, ("use", "functions"), _hollow(functions))
    extended = list(extension_lists(document))
    if extended:
        shell = _replaced(shell, ("use", "extensions"), _without_lists(document))
    _validate(_ROOT, shell, "", structure.problems)
    _check_list(do, "/do", 1, structure, limits)
    for name, task in functions.items():
        if isinstance(task, dict):
            _check_task(task, name, child("/use/functions", name), 1, structure, limits)
    for place, tasks in extended:
        _check_list(tasks, place, 1, structure, limits)
    if structure.tasks > limits.tasks:
        told = f"has {structure.tasks} tasks; a definition may have at most {limits.tasks}"
        structure.problems.add("", beyond(told, "definition_tasks"))
    return structure


def check_function(
    task: dict[str, JsonValue],
    name: str,
    reference: str,
    structure: Structure,
    limits: DefinitionLimits,
) -> None:
    """Validate a function that is not in the document; its tasks count as the document's."""
    before = structure.tasks
    _check_task(task, name, reference, 1, structure, limits)
    if before <= limits.tasks < structure.tasks:
        told = f"with this function there are more than {limits.tasks} tasks"
        structure.problems.add(reference, beyond(told, "definition_tasks"))


def _check_list(
    tasks: JsonValue, pointer: str, depth: int, structure: Structure, limits: DefinitionLimits
) -> None:
    first: dict[str, int] = {}
    for index, name, task in entries(tasks):
        reference = child(pointer, index, name)
        if first.setdefault(name, index) != index:
            structure.problems.add(
                reference,
                f"has the same name as {child(pointer, first[name], name)}: the names in a list"
                " must differ",
            )
        structure.names.setdefault(name, []).append(reference)
        if len(name) > limits.name_length:
            structure.problems.add(
                reference, f"a task's name may have at most {limits.name_length} characters"
            )
        _check_task(task, name, reference, depth, structure, limits)


def _check_task(
    task: dict[str, JsonValue],
    name: str,
    reference: str,
    depth: int,
    structure: Structure,
    limits: DefinitionLimits,
) -> None:
    structure.tasks += 1
    if structure.tasks > limits.tasks:
        return
    if depth > limits.nesting:
        told = f"is nested more than {limits.nesting} tasks deep"
        structure.problems.add(reference, beyond(told, "definition_nesting"))
        return
    kinds = kinds_of(task)
    before = len(structure.problems)
    if len(kinds) == 1:
        shell = _without_tasks(task, task_lists(kinds[0], task))
        _validate(_definition_of(kinds[0], task), shell, reference, structure.problems)
    else:
        structure.problems.add(reference, _kind_problem(kinds, task))
    if len(structure.problems) > before:
        structure.unsound.add(reference)
    for kind in kinds:
        for steps, tasks in task_lists(kind, task):
            _check_list(tasks, child(reference, *steps), depth + 1, structure, limits)


def _kind_problem(kinds: tuple[str, ...], task: dict[str, JsonValue]) -> str:
    if kinds:
        return (
            f"is {' and '.join(kinds)} at once: a task has exactly one of {', '.join(TASK_KINDS)}"
        )
    unknown = next(iter(task), "")
    close = known_are(unknown, TASK_KINDS)
    meant = f" ({unknown[:40]!r} is none of them; {close})" if "did you mean" in close else ""
    return f"has no kind: a task has exactly one of {', '.join(TASK_KINDS)}{meant}"


def _definition_of(kind: str, task: dict[str, JsonValue]) -> str:
    if kind != "call":
        return f"#/$defs/{kind}Task"
    call = task.get("call")
    protocol = call if isinstance(call, str) and call in PROTOCOLS else None
    return f"#/$defs/callTask/oneOf/{_FUNCTION_CALL if protocol is None else _CALLS[protocol]}"


def _validate(definition: str, value: JsonValue, pointer: str, problems: Problems) -> None:
    for error in _errors(_validator(definition), value):
        for place, message in explain(error, _schema()):
            problems.add(pointer + place, message)


def _errors(validator: jsonschema_rs.Validator, value: JsonValue) -> Iterable[ValidationError]:
    if validator.is_valid(value):
        return ()
    if values_in(value, _LARGE) <= _LARGE:
        return validator.iter_errors(value)
    # All the errors of a large value at once can fill the memory: then only the first one is told.
    try:
        validator.validate(value)
    except ValidationError as error:
        return (error,)
    return ()


def _without_tasks(
    value: JsonValue, lists: Iterable[tuple[tuple[str, ...], JsonValue]]
) -> JsonValue:
    """Return *value* with empty objects for the tasks in *lists*, which are validated by themselves."""
    for steps, tasks in lists:
        if isinstance(tasks, list):
            value = _replaced(value, steps, [_hollow(entry) for entry in tasks])
    return value


def _replaced(value: JsonValue, steps: tuple[str, ...], new: JsonValue) -> JsonValue:
    if not steps or not isinstance(value, dict):
        return new
    return {**value, steps[0]: _replaced(value[steps[0]], steps[1:], new)}


def _hollow(members: JsonValue) -> JsonValue:
    if not isinstance(members, dict):
        return members
    return {name: {} if isinstance(task, dict) else task for name, task in members.items()}


def _functions(document: JsonValue) -> dict[str, JsonValue]:
    use = document.get("use") if isinstance(document, dict) else None
    functions = use.get("functions") if isinstance(use, dict) else None
    return functions if isinstance(functions, dict) else {}


def extension_lists(document: JsonValue) -> Iterator[tuple[str, JsonValue]]:
    """Yield the task lists of ``use.extensions``, each with its pointer; they may be malformed."""
    for index, name, extension in entries(_extensions(document)):
        for member in ("before", "after"):
            if isinstance(extension.get(member), list):
                yield child("/use/extensions", index, name, member), extension[member]


def _extensions(document: JsonValue) -> JsonValue:
    use = document.get("use") if isinstance(document, dict) else None
    return use.get("extensions") if isinstance(use, dict) else None


def _without_lists(document: JsonValue) -> JsonValue:
    """Return ``use.extensions`` with empty objects for the tasks in it."""
    extensions = _extensions(document)
    if not isinstance(extensions, list):
        return extensions
    return [_hollow_extension(entry) for entry in extensions]


def _hollow_extension(entry: JsonValue) -> JsonValue:
    if not isinstance(entry, dict):
        return entry
    return {
        name: _without_tasks(
            extension,
            ((("before",), _list(extension, "before")), (("after",), _list(extension, "after"))),
        )
        for name, extension in entry.items()
    }


def _list(extension: JsonValue, member: str) -> JsonValue:
    return extension.get(member) if isinstance(extension, dict) else None


@cache
def _schema() -> dict[str, JsonValue]:
    """Load the schema of the standard, with tasks within tasks reduced to "some object"."""
    text = files(__package__).joinpath("schema.yaml").read_text("utf-8")
    schema = read_yaml(text, DefinitionLimits())
    assert isinstance(schema, dict)  # noqa: S101 - our own file
    definitions = schema["$defs"]
    assert isinstance(definitions, dict)  # noqa: S101 - our own file
    return {**schema, "$defs": {**definitions, "task": {"type": "object"}}}


@cache
def _validator(definition: str) -> jsonschema_rs.Validator:
    schema = _schema()
    if definition != _ROOT:
        schema = {"$schema": schema["$schema"], "$defs": schema["$defs"], "$ref": definition}
    return jsonschema_rs.Draft202012Validator(schema, validate_formats=True, offline=True)
