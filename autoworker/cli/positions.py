"""Where in a text the places are that JSON Pointers name."""

from __future__ import annotations

from collections.abc import Iterator
from functools import cached_property

import yaml

from workflow_service.domain.definition.pointers import child


class Positions:
    """Lines of a document, which is YAML or JSON (and JSON is YAML here)."""

    def __init__(self, text: str) -> None:
        self._text = text

    def line(self, pointer: str) -> int | None:
        """The line, counted from 1, of a place or of the nearest one around it; None when it cannot be told."""
        while pointer and pointer not in self._lines:
            pointer = pointer.rpartition("/")[0]
        return self._lines.get(pointer)

    @cached_property
    def _lines(self) -> dict[str, int]:
        try:
            root = yaml.compose(self._text, Loader=yaml.CSafeLoader)
        except (yaml.YAMLError, RecursionError):
            return {}
        return {} if root is None else dict(_places(root))


def _places(root: yaml.Node) -> Iterator[tuple[str, int]]:
    yield "", root.start_mark.line + 1
    left: list[tuple[str, yaml.Node]] = [("", root)]
    seen: set[int] = set()
    while left:
        pointer, node = left.pop()
        if id(node) in seen:
            continue  # an alias: its places are those of its anchor
        seen.add(id(node))
        for step, mark, below in _children(node):
            place = child(pointer, step)
            yield place, mark.line + 1
            left.append((place, below))


def _children(node: yaml.Node) -> Iterator[tuple[str, yaml.Mark, yaml.Node]]:
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield str(key.value), key.start_mark, value
    elif isinstance(node, yaml.SequenceNode):
        for index, item in enumerate(node.value):
            yield str(index), item.start_mark, item
