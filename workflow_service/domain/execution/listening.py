"""How a listener changes with the events that it takes, and who has to bring them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Final, TypeVar

import msgspec
from msgspec import UNSET
from msgspec.structs import replace

from workflow_service.domain.definition.subscriptions import ListenTask
from workflow_service.domain.events import FilterPlace, waiting
from workflow_service.domain.events.matching import key_of_waiting
from workflow_service.domain.execution.events import (
    Event,
    EventConsumed,
    EventEmitted,
    EventReceived,
    MessagesTaken,
    TaskStarted,
)
from workflow_service.domain.execution.listeners import Listening, Subscribing
from workflow_service.domain.execution.state import Open, State
from workflow_service.domain.expressions.measuring import size_of

if TYPE_CHECKING:
    from workflow_service.domain.definition.model import Definition
    from workflow_service.domain.expressions import JsonValue

_ANY_SIZE: Final = 2**40


def received(listener: Listening, event: EventReceived) -> Listening:
    """Return *listener* once it has taken an event."""
    before = listener.progress
    progress = replace(
        before,
        keys={**before.keys, **event.keys},
        position=event.position,
        closed=event.closed,
    )
    if event.item is UNSET:
        ending = (*before.ending_met, event.met)
        return replace(listener, progress=replace(progress, ending_met=ending))
    if event.met >= 0:
        progress = replace(progress, met=(*before.met, event.met))
    size = listener.size + bytes_of(event.item)
    return replace(listener, progress=progress, queue=[*listener.queue, event.item], size=size)


Taker = TypeVar("Taker", Listening, Subscribing)


def messages_taken(taker: Subscribing, came: JsonValue, event: MessagesTaken) -> Subscribing:
    """Return *taker* once it has looked through the messages that *came*."""
    found = came if isinstance(came, list) else []
    taken = [found[position] for position in event.taken]
    return replace(
        taker,
        queue=[*taker.queue, *taken],
        size=taker.size + sum(map(bytes_of, taken)),
        receipts=taker.receipts + 1,
        closed=event.closed,
    )


def consumed(listener: Taker, event: EventConsumed) -> Taker:
    """Return *listener* once it is done with its oldest event or message."""
    item, *queue = listener.queue
    output = item if event.output is UNSET else event.output
    return replace(
        listener,
        queue=queue,
        outputs=[*listener.outputs, output],
        size=listener.size - bytes_of(item) + bytes_of(output),
        index=-1,
        round=0,
    )


def bytes_of(value: JsonValue) -> int:
    """Return about how large *value* is, as JSON."""
    return size_of(value, _ANY_SIZE)


# ---------------------------------------------------------------- subscriptions


class Shape(msgspec.Struct, frozen=True):
    """A filter as the definition has it: the same for all executions of it."""

    digest: str
    task: str
    """Reference of the task."""
    place: FilterPlace

    def __str__(self) -> str:
        return f"{self.place} {self.digest} {self.task}"

    @classmethod
    def parse(cls, text: str) -> Shape:
        """Read what ``str`` makes of it."""
        place, digest, task = text.split(" ", 2)
        clause, _, index = place.partition("/")
        return cls(digest, task, FilterPlace("until" if clause == "until" else "to", int(index)))


class Subscription(msgspec.Struct, frozen=True):
    """One filter of one listener: by type and key it is found when an event comes."""

    frame: str
    number: int
    shape: Shape
    type: str
    """Empty: events of any type have to be looked at."""
    key: str
    """Of what is expected; empty: only a closer look can tell."""


class Subscribed(msgspec.Struct, frozen=True):
    """A subscription that begins, and how many events the same commit has emitted before it did."""

    subscription: Subscription
    emitted_before: int


class SubscriptionChange(msgspec.Struct, frozen=True):
    """What one commit changes of an execution's subscriptions."""

    added: tuple[Subscribed, ...] = ()
    moved: tuple[Subscription, ...] = ()
    """Those that are found by another key from now on."""
    removed: tuple[Subscription, ...] = ()
    all_removed: bool = False
    """For an end that is decided without looking at the state."""


NO_CHANGE: Final = SubscriptionChange()
ALL_REMOVED: Final = SubscriptionChange(all_removed=True)


def subscription_change(
    definition: Definition, before: State, after: State, events: tuple[Event, ...]
) -> SubscriptionChange:
    """Return what changes between two states that *events* lie between."""
    old, new = _by_identity(definition, before), _by_identity(definition, after)
    if not old and not new:
        return NO_CHANGE
    return SubscriptionChange(
        added=tuple(
            Subscribed(new[identity], _emitted_before(new[identity], events))
            for identity in new
            if identity not in old
        ),
        moved=tuple(
            found for identity, found in new.items() if identity in old and old[identity] != found
        ),
        removed=tuple(found for identity, found in old.items() if identity not in new),
    )


_Identity = tuple[str, int, str]


def _by_identity(definition: Definition, state: State) -> dict[_Identity, Subscription]:
    return {
        (each.frame, each.number, str(each.shape)): each
        for each in subscriptions_of(definition, state)
    }


def subscriptions_of(definition: Definition, state: State) -> Iterator[Subscription]:
    """Yield all that an execution in *state* is subscribed to."""
    for frame in state.frames.values() if isinstance(state, Open) else ():
        activity = frame.activity
        if not isinstance(activity, Listening):
            continue
        task = definition.tasks[frame.task]
        if not isinstance(task, ListenTask):
            continue
        progress = activity.progress
        for place, wanted in waiting(task.to, progress):
            shape = Shape(definition.digest, frame.task, place)
            key = key_of_waiting(wanted, place, progress.fixed, progress.keys)
            yield Subscription(frame.id, activity.number, shape, wanted.type, key)


def _emitted_before(found: Subscription, events: tuple[Event, ...]) -> int:
    emitted = 0
    for event in events:
        if isinstance(event, EventEmitted):
            emitted += 1
        elif isinstance(event, TaskStarted) and event.frame_id == found.frame:
            return emitted
    return 0
