"""Finding one's way in a document: members of the right kind, and references within it (RFC 6901)."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final
from urllib.parse import unquote

from workflow_service.domain.expressions import JsonValue

_LONGEST_CHAIN: Final = 16


class AsyncApiInvalid(Exception):
    """The document does not describe what is called; the message says what it lacks."""


class Document:
    """An AsyncAPI document, looked into member by member."""

    def __init__(self, root: JsonValue) -> None:
        """Take *root*.

        Raises:
            AsyncApiInvalid: it is no object.
        """
        if not isinstance(root, dict):
            raise AsyncApiInvalid("the AsyncAPI document is not an object")
        self._root = root

    @property
    def version(self) -> str:
        """What it says of itself; empty when it says nothing."""
        return str(self._root.get("asyncapi", ""))

    def section(self, name: str) -> Mapping[str, JsonValue]:
        """Return a member of the whole, which is an object; empty when it is not there."""
        return self.object(self._root.get(name))

    def text(self, name: str) -> str:
        """Return a member of the whole, which is a text; empty when it is not there."""
        return text_of(self._root, name)

    def object(self, value: JsonValue) -> Mapping[str, JsonValue]:
        """Return *value*, or what it refers to, as an object; what is none is an empty one.

        Raises:
            AsyncApiInvalid: it refers to another document, to nothing, or in a circle.
        """
        for _ in range(_LONGEST_CHAIN):
            if not isinstance(value, dict):
                return {}
            reference = value.get("$ref")
            if not isinstance(reference, str):
                return value
            value = self._at(reference)
        raise AsyncApiInvalid("the references of the AsyncAPI document lead in a circle")

    def _at(self, reference: str) -> JsonValue:
        if not reference.startswith("#/"):
            told = f"{reference[:200]!r} refers to another document, which is not followed"
            raise AsyncApiInvalid(told)
        place: JsonValue = self._root
        for step in reference[2:].split("/"):
            name = unquote(step).replace("~1", "/").replace("~0", "~")
            if not isinstance(place, dict) or name not in place:
                raise AsyncApiInvalid(f"{reference[:200]!r} refers to nothing")
            place = place[name]
        return place


def text_of(members: Mapping[str, JsonValue], name: str) -> str:
    """Return a member that is a text; empty when it is not there, or something else."""
    value = members.get(name)
    return value if isinstance(value, str) else ""
