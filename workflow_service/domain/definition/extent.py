"""How deep and how large a JSON value is, found without recursion: it may be anything."""

from collections.abc import Iterable
from itertools import islice

from workflow_service.domain.expressions import JsonValue


def depth_of(value: JsonValue, limit: int) -> int:
    """Return how many objects and arrays are within each other in *value*, counting no further than *limit* + 1."""
    level = _containers([value])
    depth = 0
    while level and depth <= limit:
        depth += 1
        level = [inner for container in level for inner in _containers(_members(container))]
    return depth


def values_in(value: JsonValue, limit: int) -> int:
    """Return how many values are in *value*, itself included, stopping soon after *limit* is passed."""
    waiting, count = [value], 0
    while waiting and count <= limit:
        found = waiting.pop()
        count += 1
        if isinstance(found, dict | list):
            waiting.extend(islice(_members(found), limit + 1))
    return count


def _containers(values: Iterable[JsonValue]) -> list[dict[str, JsonValue] | list[JsonValue]]:
    return [value for value in values if isinstance(value, dict | list)]


def _members(container: dict[str, JsonValue] | list[JsonValue]) -> Iterable[JsonValue]:
    return container.values() if isinstance(container, dict) else container
