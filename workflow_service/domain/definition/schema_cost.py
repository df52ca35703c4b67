"""How much work an author's JSON Schema can make, before it is ever used.

A few lines of schema can be an exponential program: definitions that refer to the next one twice, or a recursion that
looks at the same member in two ways. No validator bounds that, so it is bounded here: from the schema alone follows how
many of its parts can be applied along one path into a value of a given depth.

Words: a part is applied *in place* (``allOf``, ``$ref``, …) when it looks at the same value as the part that names it,
and *further down* (``properties``, ``items``, …) when it looks at a value within that.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TypeAlias

from workflow_service.domain.expressions import JsonValue

MOST_WORK = 20_000
"""Applications of parts along one path into a value."""
DEEPEST = 64
"""Depth of values up to which a schema is looked at; deeper ones are refused elsewhere."""
_LONGEST_CHAIN = 200

_IN_PLACE = ("allOf", "anyOf", "oneOf", "not", "if", "then", "else")
_MAPS_IN_PLACE = ("dependentSchemas", "dependencies")
_ITEMS = ("items", "prefixItems", "additionalItems", "unevaluatedItems", "contains")
_MEMBERS = ("additionalProperties", "unevaluatedProperties", "propertyNames")
_STANDARD = ("https://json-schema.org/", "http://json-schema.org/")

_Part: TypeAlias = dict[str, JsonValue]
_Step: TypeAlias = tuple[str, int]
"""What a part further down looks at, and the identity of that part."""


class SchemaTooCostly(ValueError):
    """A schema applies its parts too often, or so that nobody can tell how often."""


def deepest_affordable(schema: JsonValue) -> int:
    """Return the depth of values up to which validating with *schema* stays within MOST_WORK; at most DEEPEST.

    Raises:
        SchemaTooCostly: not even a flat value is, or the schema refers to itself without looking further down.
    """
    if not isinstance(schema, dict):
        return DEEPEST
    costs = _Costs(schema)
    costs.collect(schema)
    work = dict(costs.weights)
    for depth in range(DEEPEST + 1):
        if work[id(schema)] > MOST_WORK:
            if depth == 0:
                raise SchemaTooCostly("the schema applies its parts to one value too often")
            return depth - 1
        deeper = {part: min(costs.next(part, work), MOST_WORK + 1) for part in work}
        if deeper == work:
            break
        work = deeper
    return DEEPEST


@dataclass(slots=True)
class _Costs:
    root: _Part
    weights: dict[int, int] = field(default_factory=dict)
    """How many parts look at a value when the part does."""
    steps: dict[int, Counter[_Step]] = field(default_factory=dict)
    """How often the part applies others further down."""
    _open: set[int] = field(default_factory=set)

    def collect(self, start: _Part) -> None:
        """Take in *start* and everything that it applies."""
        waiting, seen = [start], {id(start)}
        while waiting:
            part = waiting.pop()
            self._weigh(part, 0)
            for further in self._reached(part):
                if id(further) not in seen:
                    seen.add(id(further))
                    waiting.append(further)

    def next(self, part: int, work: dict[int, int]) -> int:
        """Return the work on values one level deeper than those that *work* is for."""
        below: Counter[str] = Counter()
        for (member, further), times in self.steps[part].items():
            below[member] += times * work[further]
        everywhere = below.pop("", 0)
        return self.weights[part] + everywhere + max(below.values(), default=0)

    def _weigh(self, part: _Part, depth: int) -> None:
        if id(part) in self.weights:
            return
        if depth > _LONGEST_CHAIN:
            raise SchemaTooCostly("the schema's parts refer to each other in too long a chain")
        if id(part) in self._open:
            raise SchemaTooCostly("the schema refers to itself without looking further down")
        self._open.add(id(part))
        weight = 1
        steps = Counter((member, id(further)) for member, further in _further_down(part))
        for inner in self._in_place(part):
            self._weigh(inner, depth + 1)
            weight += self.weights[id(inner)]
            steps.update(self.steps[id(inner)])
        self._open.discard(id(part))
        self.weights[id(part)] = min(weight, MOST_WORK + 1)
        self.steps[id(part)] = Counter(
            {step: min(times, MOST_WORK + 1) for step, times in steps.items()}
        )

    def _reached(self, part: _Part) -> Iterator[_Part]:
        yield from self._in_place(part)
        for _, further in _further_down(part):
            yield further

    def _in_place(self, part: _Part) -> Iterator[_Part]:
        for keyword in _IN_PLACE:
            yield from _parts(part.get(keyword))
        for keyword in _MAPS_IN_PLACE:
            members = part.get(keyword)
            yield from _parts(list(members.values()) if isinstance(members, dict) else None)
        for keyword in ("$dynamicRef", "$recursiveRef"):
            if keyword in part:
                raise SchemaTooCostly(f"{keyword} is not supported in a definition's schemas")
        reference = part.get("$ref")
        if isinstance(reference, str) and not reference.startswith(_STANDARD):
            yield from _parts(self._target(reference))

    def _target(self, reference: str) -> JsonValue:
        base = self.root.get("$id")
        if isinstance(base, str):
            reference = reference.removeprefix(base.rstrip("#"))
        if not reference.startswith("#"):
            raise SchemaTooCostly("a $ref must lead to a place in the same schema: #/…")
        place: JsonValue = self.root
        for step in reference.split("/")[1:] if reference.startswith("#/") else ():
            step = step.replace("~1", "/").replace("~0", "~")
            if isinstance(place, dict):
                place = place.get(step)
            elif isinstance(place, list) and step.isdecimal() and int(step) < len(place):
                place = place[int(step)]
        if reference != "#" and place is self.root:
            raise SchemaTooCostly("a $ref must be a JSON Pointer, such as #/$defs/name")
        return place


def _further_down(part: _Part) -> Iterator[tuple[str, _Part]]:
    properties = part.get("properties")
    for name, value in properties.items() if isinstance(properties, dict) else ():
        for further in _parts(value):
            yield f"/{name}", further
    patterns = part.get("patternProperties")
    # A pattern may match any name.
    for further in _parts(list(patterns.values()) if isinstance(patterns, dict) else None):
        yield "", further
    for keyword in _ITEMS:
        for further in _parts(part.get(keyword)):
            yield "[]", further
    for keyword in _MEMBERS:
        for further in _parts(part.get(keyword)):
            yield "{}", further


def _parts(value: JsonValue) -> Iterator[_Part]:
    if isinstance(value, dict):
        yield value
    elif isinstance(value, list):
        for item in value:
            if isinstance(item, dict):
                yield item
