"""Asking policies about one method."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from chassis.rpc.context import Principal
from chassis.rpc.decisions import Decisions, Lookup, Reading, Resource

_READ: Final = frozenset({"type", "tenant", "id"})
"""Attributes of a resource for which nothing need be looked up."""


class Asker(NamedTuple):
    """Who calls, the permission by which they were let in ("" for none), and from where."""

    principal: Principal
    permission: str
    address: str


@dataclass(frozen=True, slots=True)
class Asking:
    """The method's own name, and what tells of the resources that its requests are about."""

    operation: str
    reading: Reading | None = None
    lookup: Lookup | None = None

    async def ask(
        self, decisions: Decisions | None, asker: Asker, request: Any
    ) -> Callable[[], None]:
        """Refuse what a policy refuses; what is returned asks the policies of its time once more.

        Raises:
            PolicyRefused: a policy refuses it.
            Unavailable: the policies, or what they ask for, cannot be known at present.
        """
        principal, permission, address = asker
        if not permission or decisions is None:
            return _pass
        if not decisions.ready:
            await decisions.become_ready()
        reading, operation = self.reading, self.operation
        if self.lookup is not None and decisions.wanted(principal.tenant, permission) - _READ:
            found = await self.lookup(principal, request)
            if found is None:
                return _pass
            reading = _also(found, reading)

        def decide() -> None:
            decisions.check(principal, permission, operation, address, reading, request)

        decide()
        return decide


def _pass() -> None:
    """No policy is asked."""


def _also(found: Resource, reading: Reading | None) -> Reading:
    """Reads what is *found* as well as what the message says."""
    return lambda message: {**found, **(reading(message) if reading is not None else {})}
