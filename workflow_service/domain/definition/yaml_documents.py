"""YAML 1.2 with its core schema, as far as it can say JSON.

PyYAML's own loaders speak YAML 1.1: they turn the key ``on`` into true, dates into objects and ``1:30`` into 90, and
they follow aliases without a limit. Here only libyaml's parser is used, and values are built from its events.
"""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

import yaml

from workflow_service.domain.bounds import beyond
from workflow_service.domain.definition.limits import DefinitionLimits
from workflow_service.domain.definition.numbers import NumberOutOfRange, whole_number
from workflow_service.domain.definition.pointers import pointer_of
from workflow_service.domain.definition.unreadable import DocumentTooLarge, DocumentUnreadable
from workflow_service.domain.expressions import JsonValue

_NULL = re.compile(r"null|Null|NULL|~|")
_TRUE = re.compile(r"true|True|TRUE")
_FALSE = re.compile(r"false|False|FALSE")
_DECIMAL = re.compile(r"[-+]?[0-9]+")
_OCTAL = re.compile(r"0o[0-7]+")
_HEXADECIMAL = re.compile(r"0x[0-9a-fA-F]+")
_FLOAT = re.compile(r"[-+]?(\.[0-9]+|[0-9]+(\.[0-9]*)?)([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")

_TAG = "tag:yaml.org,2002:"
_DIRECTIVE = re.compile(r"^%(?!YAML[ \t])", re.MULTILINE)
_PLAIN_TAGS = {"str", "int", "float", "bool", "null"}
_SHOWN = 60


def read_yaml(text: str, limits: DefinitionLimits) -> JsonValue:
    """Read one YAML document.

    Raises:
        DocumentUnreadable: it is not well-formed, or says something that JSON cannot say.
        DocumentTooLarge: with its aliases followed it has more values than the limit.
    """
    directive = _DIRECTIVE.search(text)
    if directive is not None:
        # libyaml compares each %TAG with all others, and no tag of theirs would be allowed anyway.
        line = text.count("\n", 0, directive.start()) + 1
        raise DocumentUnreadable("a line must not begin with %", line=line, column=1)
    try:
        return _Reader(limits).read(yaml.parse(text, Loader=yaml.CSafeLoader))
    except yaml.MarkedYAMLError as exc:
        mark = exc.problem_mark or exc.context_mark
        if mark is None:
            raise DocumentUnreadable(exc.problem or "it is not YAML") from exc
        raise DocumentUnreadable(
            exc.problem or "it is not YAML", line=mark.line + 1, column=mark.column + 1
        ) from exc
    except yaml.YAMLError as exc:
        raise DocumentUnreadable("it has characters that YAML does not allow") from exc


@dataclass(slots=True)
class _Open:
    """An object or array that is being built."""

    value: dict[str, JsonValue] | list[JsonValue]
    anchor: str | None
    key: str | None = None
    size: int = 1
    height: int = 1


@dataclass(frozen=True, slots=True)
class _Anchored:
    value: JsonValue
    size: int
    height: int


class _Reader:
    def __init__(self, limits: DefinitionLimits) -> None:
        self._limits = limits
        self._open: list[_Open] = []
        self._anchors: dict[str, _Anchored] = {}
        self._documents = 0
        self._total = 0
        self._result: JsonValue = None

    def read(self, events: Iterator[yaml.Event]) -> JsonValue:
        for event in events:
            match event:
                case yaml.ScalarEvent():
                    self._scalar(event)
                case yaml.AliasEvent():
                    self._alias(event)
                case yaml.MappingStartEvent():
                    self._begin(event, {}, "map")
                case yaml.SequenceStartEvent():
                    self._begin(event, [], "seq")
                case yaml.CollectionEndEvent():
                    self._end(event)
                case yaml.DocumentStartEvent():
                    self._documents += 1
                    if self._documents > 1:
                        raise self._wrong(event, "there is more than one document")
                case _:
                    pass
        if not self._documents:
            raise DocumentUnreadable("it is empty")
        return self._result

    def _begin(
        self,
        event: yaml.CollectionStartEvent,
        value: dict[str, JsonValue] | list[JsonValue],
        kind: str,
    ) -> None:
        if event.tag not in (None, "!", _TAG + kind):
            raise self._wrong(event, f"the tag {event.tag[:_SHOWN]} is not allowed")
        if self._expects_key():
            raise self._wrong(event, "a key must be a string, not an object or an array")
        if len(self._open) >= self._limits.depth:
            raise self._wrong(event, self._too_deep())
        self._count(1)
        self._open.append(_Open(value, event.anchor))

    def _end(self, event: yaml.Event) -> None:
        done = self._open.pop()
        self._place(event, done.value, done.size, done.height, done.anchor)

    def _scalar(self, event: yaml.ScalarEvent) -> None:
        value = self._resolve(event)
        if self._expects_key():
            self._key(event, value)
            if event.anchor:
                self._anchors[event.anchor] = _Anchored(value, 1, 0)
            return
        self._count(1)
        self._place(event, value, 1, 0, event.anchor)

    def _alias(self, event: yaml.AliasEvent) -> None:
        name = event.anchor or ""
        if any(container.anchor == name for container in self._open):
            raise self._wrong(event, f"the alias *{name[:_SHOWN]} refers to what it is part of")
        anchored = self._anchors.get(name)
        if anchored is None:
            raise self._wrong(event, f"nothing has the anchor &{name[:_SHOWN]}")
        if self._expects_key():
            self._key(event, anchored.value)
            return
        if len(self._open) + anchored.height > self._limits.depth:
            raise self._wrong(event, self._too_deep())
        self._count(anchored.size)
        self._place(event, anchored.value, anchored.size, anchored.height, None)

    def _too_deep(self) -> str:
        told = f"it is nested more than {self._limits.depth} levels deep"
        return beyond(told, "definition_depth")

    def _expects_key(self) -> bool:
        return (
            bool(self._open)
            and isinstance(self._open[-1].value, dict)
            and self._open[-1].key is None
        )

    def _key(self, event: yaml.Event, key: JsonValue) -> None:
        container = self._open[-1]
        if not isinstance(key, str):
            shown = "null" if key is None else str(key).lower()
            raise self._wrong(event, f"the key {shown} is not a string: put it in quotes")
        if key == "<<" and isinstance(event, yaml.ScalarEvent) and event.implicit[0]:
            raise self._wrong(
                event, "merge keys (<<) are not part of YAML 1.2: write the members out"
            )
        if len(key) > self._limits.key_length:
            raise self._wrong(event, f"a key may have at most {self._limits.key_length} characters")
        if key in container.value:
            raise self._wrong(event, f"the key {key[:_SHOWN]!r} is there twice")
        container.key = key

    def _place(
        self, event: yaml.Event, value: JsonValue, size: int, height: int, anchor: str | None
    ) -> None:
        if anchor is not None:
            self._anchors[anchor] = _Anchored(value, size, height)
        if not self._open:
            self._result = value
            return
        container = self._open[-1]
        container.size += size
        container.height = max(container.height, height + 1)
        if isinstance(container.value, list):
            container.value.append(value)
        else:
            assert container.key is not None  # noqa: S101 - libyaml gives keys and values in turn
            container.value[container.key] = value
            container.key = None

    def _count(self, size: int) -> None:
        self._total += size
        if self._total > self._limits.values:
            told = f"a definition may have at most {self._limits.values} values, aliases followed"
            raise DocumentTooLarge(beyond(told, "definition_values"))

    def _resolve(self, event: yaml.ScalarEvent) -> JsonValue:
        tag = event.tag
        if tag is None:
            return self._plain(event) if event.implicit[0] else event.value
        if tag == "!":
            return event.value
        kind = tag.removeprefix(_TAG)
        if kind == tag or kind not in _PLAIN_TAGS:
            raise self._wrong(event, f"the tag {tag[:_SHOWN]} is not allowed")
        if kind == "str":
            return event.value
        value = self._plain(event)
        if not _TAG_HOLDS[kind](value):
            raise self._wrong(event, f"{event.value[:_SHOWN]!r} is not of the type !!{kind}")
        return float(value) if kind == "float" and isinstance(value, int) else value

    def _plain(self, event: yaml.ScalarEvent) -> JsonValue:
        try:
            return _core_schema(event.value)
        except NumberOutOfRange as exc:
            raise self._wrong(event, str(exc)) from exc

    def _wrong(self, event: yaml.Event, reason: str) -> DocumentUnreadable:
        path: list[str | int] = []
        for container in self._open:
            if isinstance(container.value, list):
                path.append(len(container.value))
            elif container.key is not None:
                path.append(container.key)
        mark, pointer = event.start_mark, pointer_of(path)
        if mark is None:
            return DocumentUnreadable(reason, pointer=pointer)
        return DocumentUnreadable(
            reason, line=mark.line + 1, column=mark.column + 1, pointer=pointer
        )


_TAG_HOLDS: dict[str, Callable[[JsonValue], bool]] = {
    "int": lambda value: isinstance(value, int) and not isinstance(value, bool),
    "float": lambda value: isinstance(value, int | float) and not isinstance(value, bool),
    "bool": lambda value: isinstance(value, bool),
    "null": lambda value: value is None,
}


def _core_schema(text: str) -> JsonValue:
    """Give a plain scalar its value (YAML 1.2.2, section 10.3.2)."""
    if _NULL.fullmatch(text):
        return None
    if _TRUE.fullmatch(text) or _FALSE.fullmatch(text):
        return text[0] in "tT"
    if _DECIMAL.fullmatch(text):
        return whole_number(text)
    if _OCTAL.fullmatch(text):
        return whole_number(text[2:], 8)
    if _HEXADECIMAL.fullmatch(text):
        return whole_number(text[2:], 16)
    if _FLOAT.fullmatch(text):
        value = float(text)
        if not math.isfinite(value):
            raise NumberOutOfRange(f"the number {text[:_SHOWN]} is too large")
        return value
    if _NOT_FINITE.fullmatch(text):
        raise NumberOutOfRange(f"{text} is not a number that JSON can say: put it in quotes")
    return text
