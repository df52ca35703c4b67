"""What a JSON Schema says is wrong, in the words of an author.

A schema that fails in one of several alternatives (``oneOf``, ``anyOf``) reports every reason of every alternative.
Here the alternative that was most probably meant is found, and only its reasons are told.
"""

from collections.abc import Iterator, Mapping, Sequence
from typing import Final, TypeAlias

from jsonschema_rs import ValidationError, ValidationErrorKind

from workflow_service.domain.definition.pointers import child, pointer_of
from workflow_service.domain.definition.vocabulary import known_are
from workflow_service.domain.expressions import JsonValue

Finding: TypeAlias = tuple[str, str]
"""A pointer relative to what was validated, and what is wrong there."""

_Kind = ValidationErrorKind

_NAMES: Final = "must be 1 to 63 letters, digits and '-', and begin and end with a letter or digit"
_VERSION: Final = "must be a semantic version such as 1.0.0"
_PATTERNS: Final[Mapping[str, str]] = {
    "dsl": _VERSION,
    "version": _VERSION,
    "name": _NAMES,
    "namespace": _NAMES,
}
_DEFINITIONS: Final[Mapping[str, str]] = {
    "duration": "must be a duration: ISO 8601 such as PT15M, an object such as {minutes: 15}, or"
    " an expression in ${ }",
    "runtimeExpression": "must be an expression in ${ }",
    "uriTemplate": "must be a URI such as https://example.com/{id}",
    "endpoint": "must be a URI such as https://example.com/{id}, an expression in ${ }, or an"
    " object with 'uri'",
}
_JSON_NAMES: Final[Mapping[type, str]] = {
    type(None): "null",
    bool: "a boolean",
    int: "a number",
    float: "a number with a fraction",
    str: "a string",
    list: "an array",
    dict: "an object",
}
_SCHEMA_NAMES: Final[Mapping[str, str]] = {
    "null": "null",
    "boolean": "a boolean",
    "integer": "a whole number",
    "number": "a number",
    "string": "a string",
    "array": "an array",
    "object": "an object",
}
_LONGEST = 300
_MOST_MEMBERS = 20


def explain(error: ValidationError, schema: JsonValue) -> Iterator[Finding]:
    """Yield what *error*, found by *schema*, means to an author."""
    here = pointer_of(error.instance_path)
    match error.kind:
        case _Kind.OneOfNotValid(context) | _Kind.AnyOf(context):
            yield from _alternatives(error, context, schema)
        case _Kind.Required(property):
            yield child(here, property), "is required"
        case _Kind.UnevaluatedProperties(unexpected) | _Kind.AdditionalProperties(unexpected):
            yield from _unexpected(error, unexpected, schema)
        case _:
            yield here, _sentence(error)


def _sentence(error: ValidationError) -> str:
    match error.kind:
        case _Kind.Type(types):
            return _wrong_type(error.instance, types)
        case _Kind.Enum(options):
            return f"must be one of: {', '.join(map(str, options))}"
        case _Kind.Constant(expected_value):
            return f"must be {expected_value}"
        case _Kind.Pattern():
            return _hint(error) or _PATTERNS.get(_last(error), "is not written as it must be")
        case _Kind.MinProperties():
            return "must have at least one member"
        case _Kind.MaxProperties(limit) if limit == 1:
            return "must have one member only: write each task as a list entry of its own"
        case _Kind.MinItems():
            return "must have at least one entry"
        case _Kind.OneOfMultipleValid():
            return "is ambiguous: leave out all but one of its alternatives"
        case _:
            return error.message[:_LONGEST]


def _wrong_type(instance: object, types: Sequence[str]) -> str:
    wanted = " or ".join(_SCHEMA_NAMES.get(name, name) for name in types)
    message = f"must be {wanted}, not {_JSON_NAMES.get(type(instance), 'a number')}"
    if list(types) == ["string"] and isinstance(instance, bool | int | float):
        message += ": put it in quotes"
    return message


def _unexpected(
    error: ValidationError, unexpected: Sequence[str], schema: JsonValue
) -> Iterator[Finding]:
    known = _members(schema, error.schema_path[:-1])
    for name in unexpected[:_MOST_MEMBERS]:
        # When another member is wrong, a schema counts its neighbours as unevaluated, too.
        if name not in known:
            hint = known_are(name, tuple(sorted(known)))
            yield child(pointer_of(error.instance_path), name), f"is not known here: {hint}"


def _alternatives(
    error: ValidationError, context: Sequence[Sequence[ValidationError]], schema: JsonValue
) -> Iterator[Finding]:
    here = pointer_of(error.instance_path)
    hint = _hint(error)
    if hint is not None and not isinstance(error.instance, dict):
        yield here, hint
        return
    fitting = [branch for branch in context if not _mistyped(branch, error)]
    if not fitting:
        types = [name for branch in context for name in _types(branch, error)]
        yield here, _wrong_type(error.instance, types) if types else error.message[:_LONGEST]
        return
    meant = [branch for branch in fitting if _seems_meant(branch, error)]
    if not meant and len(fitting) > 1:
        yield here, f"must have one of: {', '.join(_required(fitting, error))}"
        return
    for cause in min(meant or fitting, key=len):
        yield from explain(cause, schema)


def _mistyped(branch: Sequence[ValidationError], parent: ValidationError) -> bool:
    """Whether an alternative is for values of another type than the one that is there."""
    return any(_is_mistyped(cause) for cause in branch if _same_place(cause, parent))


def _is_mistyped(cause: ValidationError) -> bool:
    match cause.kind:
        case _Kind.Type():
            return True
        case _Kind.OneOfNotValid(context) | _Kind.AnyOf(context):
            return all(_mistyped(branch, cause) for branch in context)
        case _:
            return False


def _seems_meant(branch: Sequence[ValidationError], parent: ValidationError) -> bool:
    """Whether an alternative has something in common with the object that is there."""
    lacks = any(
        isinstance(cause.kind, _Kind.Required | _Kind.Constant)
        for cause in branch
        if _same_place(cause, parent)
    )
    return not lacks or not all(_same_place(cause, parent) for cause in branch)


def _same_place(cause: ValidationError, parent: ValidationError) -> bool:
    return cause.instance_path == parent.instance_path


def _types(branch: Sequence[ValidationError], parent: ValidationError) -> list[str]:
    return [
        name
        for cause in branch
        if isinstance(cause.kind, _Kind.Type) and _same_place(cause, parent)
        for name in cause.kind.types
    ]


def _required(
    branches: Sequence[Sequence[ValidationError]], parent: ValidationError
) -> dict[str, None]:
    return {
        cause.kind.property: None
        for branch in branches
        for cause in branch
        if isinstance(cause.kind, _Kind.Required) and _same_place(cause, parent)
    }


def _hint(error: ValidationError) -> str | None:
    path = error.schema_path
    is_definition = len(path) >= 2 and path[0] == "$defs" and "properties" not in path
    return _DEFINITIONS.get(str(path[1])) if is_definition else None


def _last(error: ValidationError) -> str:
    return str(error.instance_path[-1]) if error.instance_path else ""


def _members(schema: JsonValue, path: Sequence[str | int]) -> frozenset[str]:
    """Return the names that the schema at *path* knows for members, however they are combined."""
    return frozenset(_names(schema, _at(schema, path)))


def _names(schema: JsonValue, node: JsonValue) -> Iterator[str]:
    if not isinstance(node, dict):
        return
    properties = node.get("properties")
    if isinstance(properties, dict):
        yield from properties
    for combiner in ("allOf", "oneOf", "anyOf"):
        branches = node.get(combiner)
        for branch in branches if isinstance(branches, list) else ():
            yield from _names(schema, branch)
    reference = node.get("$ref")
    if isinstance(reference, str):
        yield from _names(schema, _at(schema, reference.removeprefix("#/").split("/")))


def _at(schema: JsonValue, path: Sequence[str | int]) -> JsonValue:
    for step in path:
        if isinstance(schema, dict):
            schema = schema.get(str(step))
        elif isinstance(schema, list) and isinstance(step, int):
            schema = schema[step]
    return schema
