"""Where a page of a list ended, as a text that clients hand back."""

from __future__ import annotations

import base64
import binascii
from typing import Annotated, Final, TypeAlias, TypeVar

import msgspec

from chassis.errors import FieldProblem, Invalid
from workflow_service.adapters.columns import micros
from workflow_service.application.ports import StoredDefinition, Summary
from workflow_service.domain.semver import precedence

ExecutionPlace: TypeAlias = tuple[int, str]
"""Of an execution in the list: its time of making and its id."""
DefinitionPlace: TypeAlias = tuple[str, str, str]
"""Namespace, name and version."""
T = TypeVar("T")

# Stores keep 64 bits, and the first of them is the sign.
_executions: Final = msgspec.json.Decoder(tuple[Annotated[int, msgspec.Meta(ge=0, lt=2**62)], str])
_definitions: Final = msgspec.json.Decoder(tuple[str, str, str])


def execution_cursor(summary: Summary) -> str:
    """Return what continues a list of executions after *summary*."""
    return _text((micros(summary.created_at), summary.execution))


def execution_place(cursor: str) -> ExecutionPlace:
    """Return what ``execution_cursor`` said.

    Raises:
        Invalid: *cursor* is not one that a list returned.
    """
    return _read(cursor, _executions, "is not a cursor that a list returned")


def definition_cursor(definition: StoredDefinition) -> str:
    """Return what continues a list of definitions after *definition*."""
    return _text((definition.namespace, definition.name, definition.version))


def definition_place(cursor: str) -> DefinitionPlace:
    """Return what ``definition_cursor`` said.

    Raises:
        Invalid: *cursor* is not one that a list returned.
    """
    refusal = "is none that a list of definitions returned"
    place = _read(cursor, _definitions, refusal)
    try:
        precedence(place[2])
    except ValueError as exc:
        raise _unusable(refusal) from exc
    return place


def _text(place: ExecutionPlace | DefinitionPlace) -> str:
    return base64.urlsafe_b64encode(msgspec.json.encode(place)).decode().rstrip("=")


def _read(cursor: str, decoder: msgspec.json.Decoder[T], refusal: str) -> T:
    try:
        place = base64.b64decode(cursor + "=" * (-len(cursor) % 4), altchars=b"-_", validate=True)
        return decoder.decode(place)
    except (binascii.Error, ValueError, msgspec.DecodeError) as exc:
        raise _unusable(refusal) from exc


def _unusable(refusal: str) -> Invalid:
    return Invalid("the list cannot be continued", details=[FieldProblem("cursor", refusal)])
