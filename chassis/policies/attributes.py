"""What conditions may look at.

| name | what it is |
| --- | --- |
| `action` | the permission that the request needs, `executions:write` |
| `principal` | `id`, `tenant`, `roles`, `permissions`; `session`, `client`, `api_key`: "" when it is none |
| `resource` | `type` and `tenant` always; `id`, `owner`, `namespace`, `name`, `version`, `tags` where known |
| `context` | `time`, `operation`, `mfa`, `environment` always; `address` when it came from outside |
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final

from chassis.rpc.context import Principal

KNOWN: Final[Mapping[str, frozenset[str]]] = {
    "principal": frozenset(
        {"id", "tenant", "roles", "permissions", "session", "client", "api_key"}
    ),
    "resource": frozenset(
        {"type", "tenant", "id", "owner", "namespace", "name", "version", "tags"}
    ),
    "context": frozenset({"time", "operation", "mfa", "environment", "address"}),
}
"""Every attribute there is."""

TIME: Final = "context.time"

_TEXTS = re.compile(r"'(?:\\.|[^'\\])*'|\"(?:\\.|[^\"\\])*\"")
_PATHS = re.compile(r"(?<![\w.])(principal|resource|context)\s*\.\s*(\w+)")


@dataclass(frozen=True, slots=True)
class Asked:
    """Who wants to do what, to what, and how."""

    principal: Principal
    action: str
    at: datetime
    operation: str = ""
    """What is to be done with the permission: `CancelExecution`."""
    address: str = ""
    """Where it came from; "" when nobody knows."""
    resource: Mapping[str, object] = field(default_factory=dict)


def values_of(asked: Asked) -> dict[str, object]:
    """*asked* as conditions see it, by the names above."""
    who = asked.principal
    return {
        "action": asked.action,
        "principal": {
            "id": who.id,
            "tenant": who.tenant,
            "roles": list(who.roles),
            "permissions": sorted(who.permissions),
            "session": who.session_id or "",
            "client": who.client_id or "",
            "api_key": who.key_id or "",
        },
        "resource": {
            "type": asked.action.partition(":")[0],
            "tenant": who.tenant,
            **asked.resource,
        },
        "context": {
            "operation": asked.operation,
            "mfa": who.mfa,
            "environment": who.environment,
            **({"address": asked.address} if asked.address else {}),
        },
        TIME: asked.at,
    }


def paths_in(condition: str) -> Iterator[tuple[str, str]]:
    """The attributes that *condition* names, as (`resource`, `owner`); texts in it do not count."""
    for found in _PATHS.finditer(_TEXTS.sub("''", condition)):
        yield found[1], found[2]


def missing_in(condition: str, attributes: Mapping[str, object]) -> tuple[str, ...]:
    """The attributes that *condition* names and that the request does not have, sorted."""

    def there(part: str, name: str) -> bool:
        values = attributes.get(part)
        return f"{part}.{name}" in attributes or (isinstance(values, dict) and name in values)

    named = set(paths_in(condition))
    return tuple(sorted(f"{part}.{name}" for part, name in named if not there(part, name)))
