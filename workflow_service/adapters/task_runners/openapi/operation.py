"""An operation as all versions of OpenAPI describe it, and what is wrong with a description.

Source: OpenAPI 2.0, 3.0.4, 3.1.1.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from msgspec import UNSET, UnsetType

from workflow_service.domain.execution.problem import Raised, configuration, validation
from workflow_service.domain.expressions import JsonValue

Object: TypeAlias = dict[str, JsonValue]
Place: TypeAlias = Literal["path", "query", "header", "cookie"]
Style: TypeAlias = Literal[
    "simple", "label", "matrix", "form", "spaceDelimited", "pipeDelimited", "tabDelimited", "deepObject"
]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Parameter:
    """One parameter, and how it is written."""

    name: str
    place: Place
    required: bool
    style: Style
    explode: bool
    allow_reserved: bool = False
    as_json: bool = False
    """Its value is one JSON text."""
    default: JsonValue | UnsetType = UNSET
    """What stands for it when it is required and nobody gives it."""


@dataclass(frozen=True, slots=True)
class Body:
    """What an operation wants to be sent."""

    required: bool
    media_types: Mapping[str, Object]
    """The schema of each, in the order of the document; its own ``properties`` are not references any more."""
    name: str = ""
    """By which name it is given; empty: ``body``."""
    required_members: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True)
class Operation:
    """Where a request goes and what belongs into it."""

    method: str
    server: str
    """An absolute address, without a slash at its end."""
    path: str
    parameters: tuple[Parameter, ...] = ()
    body: Body | None = None
    accepts: tuple[str, ...] = field(default=())
    """Media types of answers, if the document says."""


def unusable(detail: str) -> Raised:
    """The document cannot be used for this call."""
    return Raised(configuration(f"OpenAPI: {detail}"))


def unfit(detail: str) -> Raised:
    """What is given does not fit what the document wants."""
    return Raised(validation(f"OpenAPI: {detail}"))


def as_object(value: JsonValue) -> Object:
    """Return an object of the document; the empty one for anything else."""
    return value if isinstance(value, dict) else {}


def as_list(value: JsonValue) -> list[JsonValue]:
    """Return a list of the document; the empty one for anything else."""
    return value if isinstance(value, list) else []


def as_text(value: JsonValue, default: str = "") -> str:
    """Return a text of the document; *default* for anything else."""
    return value if isinstance(value, str) else default
