"""Facts that services tell each other, as CloudEvents 1.0."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from typing import Protocol, Self

import msgspec


class CloudEvent(msgspec.Struct, frozen=True, omit_defaults=True):
    """A fact, as CloudEvents 1.0 frames it (https://github.com/cloudevents/spec).

    Encoding it with `msgspec.json` gives the structured JSON form, except that *extensions* stand in
    a member of their own.
    """

    id: str
    source: str
    """Who says it: "/autoworker/auth". Together with *id* it names the fact for ever."""
    type: str
    time: datetime
    data: msgspec.Raw = msgspec.Raw(b"")
    """JSON as it came; empty: there is none."""
    subject: str | None = None
    datacontenttype: str | None = "application/json"
    dataschema: str | None = None
    extensions: dict[str, str] = {}
    """Further attributes; the tenant travels as "tenant"."""


Handler = Callable[[CloudEvent], Awaitable[None]]
"""Takes in one event.

Returning means that its effect is safe. It may see an event again, so it must know what it has seen.
Raising Malformed or Invalid gives the event up; raising anything else asks for it again later.
"""


class Bus(Protocol):
    """Carries events from whoever publishes to all who subscribed.

    At least once; in order for each publisher and subscription. `async with` starts and stops it;
    subscriptions are made before they are needed and last as long as the bus.
    """

    async def publish(self, events: Sequence[CloudEvent]) -> None:
        """Return once every one of *events* is safe with the bus, in this order.

        Raises:
            Unavailable: some may be safe, some not; publish all of them again.
        """
        ...

    def subscribe(
        self, name: str, types: Sequence[str], handler: Handler, *, at_once: int = 1
    ) -> None:
        """Give *handler* the events of *types*, one after the other unless *at_once* says more.

        Args:
            name: of a durable consumer; what it has not handled waits for it under this name.
            types: each a type, or the beginning of types and "*".
            handler: see `Handler`. One that raises Unavailable is asked again, with growing pauses,
                until it succeeds; after another exception, only some times. An event that is given
                up goes to the dead letters.
            at_once: how many events the handler may have before it is done with the first, so that
                they share a commit. They are begun in order; what they do must not depend on it.

        Raises:
            ValueError: the name is taken.
        """
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *exc: object) -> None: ...


def matches(pattern: str, event_type: str) -> bool:
    """Whether *event_type* is *pattern*, or begins as *pattern* does before its final "*"."""
    if pattern.endswith("*"):
        return event_type.startswith(pattern[:-1])
    return event_type == pattern
