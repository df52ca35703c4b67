"""How deep a JSON value is, found without recursion: it may be anything."""

from collections.abc import Iterable

from workflow_service.domain.expressions import JsonValue


def depth_of(value: JsonValue, limit: int) -> int:
    """Return how many objects and arrays are within each other in *value*, counting no further than *limit* + 1."""
    level = _containers([value])
    depth = 0
    while level and depth <= limit:
        depth += 1
        level = [inner for container in level for inner in _containers(_members(container))]
    return depth


def _containers(values: Iterable[JsonValue]) -> list[dict[str, JsonValue] | list[JsonValue]]:
    return [value for value in values if isinstance(value, dict | list)]


def _members(container: dict[str, JsonValue] | list[JsonValue]) -> Iterable[JsonValue]:
    return container.values() if isinstance(container, dict) else container
