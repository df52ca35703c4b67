"""The JSON Schemas that authors write into their documents.

A schema is a program that strangers send: it reaches nothing outside itself, and its patterns run under a limit.
"""

from dataclasses import dataclass
from typing import NoReturn

import jsonschema_rs

from workflow_service.domain.definition.extent import depth_of
from workflow_service.domain.definition.pointers import pointer_of
from workflow_service.domain.definition.schema_cost import (
    DEEPEST,
    SchemaTooCostly,
    deepest_affordable,
)
from workflow_service.domain.expressions import JsonValue

_LONGEST = 500
_MOST_PATTERNS = 500
_PATTERNS = jsonschema_rs.FancyRegexOptions(
    backtrack_limit=100_000, size_limit=4_000_000, dfa_size_limit=1_000_000
)


class SchemaUnusable(ValueError):
    """A schema is not valid itself, or needs something outside the document.

    Attributes:
        pointer: where in the schema, as a JSON Pointer.
    """

    def __init__(self, message: str, pointer: str) -> None:
        super().__init__(message)
        self.pointer = pointer


@dataclass(frozen=True, slots=True)
class CompiledSchema:
    """A JSON Schema, ready to validate."""

    validator: jsonschema_rs.Validator
    deepest: int = DEEPEST
    """Depth of values up to which validating them is affordable."""

    def problem(self, value: JsonValue) -> str | None:
        """Say in one line what is wrong with *value* and where, or None when it is valid."""
        if self.deepest < DEEPEST and depth_of(value, self.deepest) > self.deepest:
            return f"is nested more than {self.deepest} levels deep, too deep for its schema"
        # All errors of a schema can be very many: only whether there is one is asked for, then for the first.
        if self.validator.is_valid(value):
            return None
        try:
            self.validator.validate(value)
        except jsonschema_rs.ValidationError as error:
            place = pointer_of(error.instance_path)[:_LONGEST]
            return f"{error.message[:_LONGEST]}{f' at {place}' if place else ''}"
        return None


def compile_schema(schema: JsonValue) -> CompiledSchema:
    """Compile *schema*; without ``$schema`` it is read as draft 2020-12.

    Raises:
        SchemaUnusable: it is not a valid schema, or refers to a document elsewhere.
    """
    if not isinstance(schema, dict | bool):
        raise SchemaUnusable("a JSON Schema is an object or a boolean", "")
    if _patterns(schema) > _MOST_PATTERNS:
        raise SchemaUnusable(f"a schema may have at most {_MOST_PATTERNS} patterns", "")
    try:
        validator = jsonschema_rs.validator_for(
            schema, retriever=_refuse, pattern_options=_PATTERNS, validate_formats=True
        )
    except jsonschema_rs.ValidationError as exc:
        raise SchemaUnusable(_reason(exc), pointer_of(exc.instance_path)) from exc
    except jsonschema_rs.ReferencingError as exc:
        raise SchemaUnusable(f"a reference leads nowhere: {exc}", "") from exc
    except ValueError as exc:
        raise SchemaUnusable(f"the JSON Schema cannot be used: {str(exc)[:_LONGEST]}", "") from exc
    try:
        return CompiledSchema(validator, deepest_affordable(schema))
    except SchemaTooCostly as exc:
        raise SchemaUnusable(str(exc), "") from exc


def _patterns(schema: JsonValue) -> int:
    waiting, count = [schema], 0
    while waiting:
        part = waiting.pop()
        if isinstance(part, dict):
            patterns = part.get("patternProperties")
            count += isinstance(part.get("pattern"), str)
            count += len(patterns) if isinstance(patterns, dict) else 0
            waiting.extend(part.values())
        elif isinstance(part, list):
            waiting.extend(part)
    return count


class _Elsewhere(Exception):
    """A schema asks for a document that is not part of it."""


def _refuse(uri: str) -> NoReturn:
    raise _Elsewhere(uri)


def _reason(exc: jsonschema_rs.ValidationError) -> str:
    message = exc.message.split("\n", 1)[0]
    if _Elsewhere.__name__ in message:
        place = message.split("'")[1] if "'" in message else ""
        return (
            f"the schema refers to {place[:200]}: a schema must be complete in itself,"
            " with its parts in $defs"
        )
    return f"is not a valid JSON Schema: {message[:_LONGEST]}"
