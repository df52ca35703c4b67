"""What a server needs to know of policies."""

import operator
from collections.abc import Awaitable, Callable, Mapping
from typing import Any, Protocol

import msgspec

from chassis.errors import PermissionDenied
from chassis.rpc.context import Principal

Resource = Mapping[str, object]

Reading = Callable[[Any], Resource]
"""Tells what a request message says of the resource it is about."""

Lookup = Callable[[Principal, Any], Awaitable[Resource | None]]
"""Tells what is known of the resource that a request message names; None when it is not there for
whoever asks: then the method itself says so, and no policy gives away that it is.
"""


class PolicyRefused(PermissionDenied):
    """The caller holds the permission, but a policy of the tenant refuses this request."""

    def __init__(self, policy: str, reason: str) -> None:
        super().__init__(f"The policy {policy} refuses this: {reason}")
        self.policy = policy
        self.reason = reason


class Decisions(Protocol):
    """Says whether the tenant's policies let a request pass."""

    @property
    def ready(self) -> bool:
        """Whether the policies are known, now."""
        ...

    async def become_ready(self) -> None:
        """Wait a moment for them to be known.

        Raises:
            Unavailable: they still are not.
        """
        ...

    def wanted(self, tenant: str, action: str) -> frozenset[str]:
        """The attributes of the resource that the policies which concern *action* name."""
        ...

    def check(
        self,
        principal: Principal,
        action: str,
        operation: str,
        address: str,
        reading: Reading | None,
        request: Any,
    ) -> None:
        """Refuse what a policy refuses.

        Args:
            principal: who asks; it holds the permission *action*.
            action: the permission.
            operation: what is to be done with it, `CancelExecution`.
            address: where the request came from; "" when nobody knows.
            reading: tells what *request* says of the resource; used only when a policy asks.
            request: the message.

        Raises:
            PolicyRefused: a policy refuses it.
        """
        ...


def reads(**fields: str) -> Reading:
    """Reads attributes from fields of a message: `reads(id="id", name="workflow.name")`.

    What is empty is not known.
    """
    getters = {name: operator.attrgetter(path) for name, path in fields.items()}

    def read(message: Any) -> Resource:
        found = {name: _plain(getter(message)) for name, getter in getters.items()}
        return {name: value for name, value in found.items() if value}

    return read


def _plain(value: Any) -> object:
    """Data travels as JSON; what is none is for the method to refuse."""
    if not isinstance(value, bytes):
        return dict(value) if isinstance(value, Mapping) else value
    try:
        return msgspec.json.decode(value)
    except (msgspec.DecodeError, RecursionError):
        return None
