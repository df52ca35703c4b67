"""Facts that services tell each other, as CloudEvents 1.0."""

from collections.abc import Awaitable, Callable, Sequence
from datetime import datetime
from types import TracebackType
from typing import Final, Protocol, Self, runtime_checkable

import msgspec

NO_DATA: Final = msgspec.Raw(b"")
"""This very object is left out when an event is written down; another empty one would break the JSON."""


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
    data: msgspec.Raw = NO_DATA
    """JSON as it came; empty: there is none."""
    subject: str | None = None
    datacontenttype: str | None = "application/json"
    dataschema: str | None = None
    extensions: dict[str, str] = {}
    """Further attributes; the tenant travels as "tenant"."""

    def __post_init__(self) -> None:
        if not len(self.data):
            msgspec.structs.force_setattr(self, "data", NO_DATA)


Handler = Callable[[CloudEvent], Awaitable[None]]
"""Takes in one event.

Returning means that its effect is safe. It may see an event again, so it must know what it has seen.
Raising Malformed or Invalid gives the event up; raising anything else asks for it again later.
"""


@runtime_checkable
class TogetherHandler(Protocol):
    """A handler that also takes in several events at once, for less than one after the other."""

    async def __call__(self, event: CloudEvent, /) -> None:
        """Take in one event, as `Handler` does."""
        ...

    async def together(self, events: Sequence[CloudEvent], /) -> None:
        """Take in all of *events*. Whatever it raises has each of them offered again, alone."""
        ...


class DeadLetter(msgspec.Struct, frozen=True):
    """An event that was given up: a subscription could not take it in, or nobody could carry it."""

    subscription: str
    """Who could not take it in; empty: it could not be published."""
    event: CloudEvent
    reason: str
    trusted: bool = True
    """Whether it is known who said it; one that was forged or altered is never offered again."""


DEAD_LETTERS: Final = "dead-letters"
"""The name by which their keeper leaves."""

DeadLetterHandler = Callable[[DeadLetter], Awaitable[None]]
"""Keeps a dead letter. Returning means that it is safe; it may see one again."""


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
        self,
        name: str,
        types: Sequence[str],
        handler: Handler,
        *,
        at_once: int = 1,
        outside: bool = False,
    ) -> None:
        """Give *handler* the events of *types*, one after the other unless *at_once* says more.

        Args:
            name: of a durable consumer; what it has not handled waits for it under this name.
            types: each a type, or the beginning of types and "*".
            handler: see `Handler`. One that raises Unavailable is asked again, with growing pauses,
                until it succeeds; after another exception, only some times. An event that is given
                up goes to the dead letters.
            at_once: how many events the handler may have before it is done with the first, so that
                they share a commit. They are begun in order; what they do must not depend on it, and
                several processes that subscribe under one name share the events. A `TogetherHandler`
                may be given so many in one call.
            outside: hear what others than our services publish, instead of what these do.

        Raises:
            ValueError: the name is taken.
        """
        ...

    async def leave(self, *names: str) -> None:
        """Give the handlers of these subscriptions nothing more; return once they have done what they have.

        What comes later waits for the next who subscribes.
        """
        ...

    def expect(self, name: str, types: Sequence[str], *, at_once: int = 1) -> None:
        """Keep events of *types* for the durable consumer *name*, even before it comes for the first time.

        Whoever publishes what another service must not miss says so here. The arguments are those with
        which it subscribes.
        """
        ...

    def keep_dead_letters(self, handler: DeadLetterHandler) -> None:
        """Give *handler* whatever is given up; one handler for a bus."""
        ...

    async def redeliver(self, subscription: str, event: CloudEvent) -> None:
        """Offer *event* again, to *subscription* alone; without one, publish it.

        Raises:
            NotFound: there is no such subscription.
            Unavailable: it may or may not have come there; do it again.
        """
        ...

    def nudge(self, topic: str, subject: str = "") -> None:
        """Tell other processes, within milliseconds, that something about *subject* has changed.

        A hint: it never blocks, nobody keeps it, and it may be lost. Who hears it looks at the store.
        """
        ...

    def on_nudge(self, topic: str, handler: Callable[[str], None]) -> None:
        """Call *handler* with the subject of each nudge that another process gives under *topic*."""
        ...

    @property
    def reaches_others(self) -> bool:
        """Whether what is published now gets to other processes at once, as far as is known."""
        ...

    async def check(self) -> None:
        """Whether events get through.

        Raises:
            Unavailable: they do not; the message says why.
        """
        ...

    async def __aenter__(self) -> Self: ...

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None: ...


def matches(pattern: str, event_type: str) -> bool:
    """Whether *event_type* is *pattern*, or begins as *pattern* does before its final "*"."""
    if pattern.endswith("*"):
        return event_type.startswith(pattern[:-1])
    return event_type == pattern
