"""A CloudEvent as it is matched and read."""

from __future__ import annotations

from typing import Literal, TypeAlias

import msgspec
from msgspec import UNSET, UnsetType

from workflow_service.domain.expressions import JsonValue

ReadAs: TypeAlias = Literal["data", "envelope", "raw"]
"""What a task gets of an event (DSL reference, "Listen", ``listen.read``)."""

_encode = msgspec.json.Encoder().encode


class ReceivedEvent(msgspec.Struct, frozen=True):
    """An event that came in, with its place in the order in which events came."""

    position: int
    """Above that of every event that came before."""
    attributes: dict[str, JsonValue]
    """All but the data."""
    data: JsonValue | UnsetType = UNSET
    """A JSON value; other text as a string; anything else as base64."""
    raw: str = ""
    """The data as they came, as text."""
    binary: bool = False
    """Whether *data* is base64."""

    @property
    def envelope(self) -> dict[str, JsonValue]:
        """The event in CloudEvents' JSON form: its attributes, and its data where it has any."""
        if self.data is UNSET:
            return self.attributes
        return {**self.attributes, "data_base64" if self.binary else "data": self.data}

    def attribute(self, name: str) -> JsonValue:
        """Return an attribute, or the data; null when the event has none of that name."""
        if name == "data":
            return None if self.data is UNSET else self.data
        return self.attributes.get(name)

    def text(self, name: str) -> str:
        """Return an attribute as text, empty without one."""
        return text_of(self.attributes.get(name)) or ""

    def read(self, how: ReadAs) -> JsonValue:
        """Return what a task that reads it like this gets."""
        match how:
            case "envelope":
                return self.envelope
            case "raw":
                return self.raw
            case "data":
                return self.attribute("data")


def text_of(value: JsonValue) -> str | None:
    """Return the text by which *value* is compared with attributes; None for null.

    Attributes travel as text in some bindings and as values in others, so 7 and "7" are the same.
    """
    if isinstance(value, str) or value is None:
        return value
    return _encode(value).decode()
