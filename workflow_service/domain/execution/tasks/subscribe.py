"""``call: asyncapi`` with a subscription: takes messages of a channel, and may do something with each.

The waiting itself is a task within, which asks for one effect after the other; what it brings is filtered here and done
with in turn. A message that a condition stands before is asked for alone, so that none is taken that nobody wants.

Source: Open Workflow Specification, DSL reference, "AsyncAPI Subscription", "AsyncAPI Subscription Lifetime",
"Subscription Iterator".
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from msgspec import UNSET, UnsetType

from workflow_service.domain.bounds import beyond
from workflow_service.domain.definition.model import SubscribeTask
from workflow_service.domain.execution import data_flow
from workflow_service.domain.execution.effects import AsyncApiReceive
from workflow_service.domain.execution.events import (
    EventConsumed,
    IterationStarted,
    MessagesTaken,
)
from workflow_service.domain.execution.listeners import Subscribing
from workflow_service.domain.execution.problem import Raised, runtime
from workflow_service.domain.execution.state import Frame, HistoryBroken
from workflow_service.domain.execution.tasks.asyncapi_call import target_of
from workflow_service.domain.execution.tasks.leaf import Composite, Leaf
from workflow_service.domain.expressions import Expression, JsonValue

if TYPE_CHECKING:
    from workflow_service.domain.definition.model import ReceiveTask, TaskList
    from workflow_service.domain.execution.advance import Advance

_AT_ONCE: Final = 100
"""Messages that one effect brings at the most."""
_NO_EXPORT: JsonValue | UnsetType = UNSET


class Subscribe(Composite):
    """Its output is the list of what came of the messages, in the order in which they came."""

    def begin(self, advance: Advance, frame: Frame, task: SubscribeTask) -> None:
        """Evaluate where messages come from, and begin to wait for them."""
        arguments, data = advance.arguments(frame, task), frame.input
        until = None
        if task.period is not None:
            until = advance.in_future(task.period, data, arguments)
        subscribed = Subscribing(target_of(task.target, data, arguments), until)
        self._go_on(advance, advance.started(frame, task, subscribed), task)

    def child_ended(
        self, advance: Advance, frame: Frame, task: SubscribeTask, directive: str
    ) -> None:
        """Messages have come, or one of the tasks that are done for a message has ended."""
        place = frame.doing(Subscribing)
        if place.occupied:
            advance.follow(frame, _tasks(advance, task), place.index, place.round, directive)
            return
        advance.emit(_taken(advance, frame, task))
        _check_room(advance, advance.draft.frame(frame.id))
        self._go_on(advance, advance.draft.frame(frame.id), task)

    def list_ended(self, advance: Advance, frame: Frame, task: SubscribeTask) -> None:
        """A message is done with: take the next one."""
        self._done(advance, frame, task, frame.data)
        self._go_on(advance, advance.draft.frame(frame.id), task)

    def _go_on(self, advance: Advance, frame: Frame, task: SubscribeTask) -> None:
        """Do with messages what is to be done; then wait for more, or end."""
        while not _ends(advance, frame, task):
            place = frame.doing(Subscribing)
            if not place.queue:
                advance.create(frame, task.receive, round_=place.receipts, given=None)
                return
            if not self._iterates(advance, frame, task):
                return
            frame = advance.draft.frame(frame.id)
        advance.complete(frame.id, list[JsonValue](frame.doing(Subscribing).outputs))

    def _iterates(self, advance: Advance, frame: Frame, task: SubscribeTask) -> bool:
        """Begin with the next message; say whether it is done with already."""
        place, iterator = frame.doing(Subscribing), task.iterator
        if iterator is None:
            self._done(advance, frame, task, place.queue[0])
            return True
        number = len(place.outputs)
        names = iterator.each, iterator.at
        advance.emit(IterationStarted(task.reference, frame.differing_id, number, *names))
        begun = advance.draft.frame(frame.id)
        if iterator.do is None:
            self._done(advance, begun, task, place.queue[0])
            return True
        advance.enter(begun, advance.definition.lists[iterator.do])
        return False

    def _done(self, advance: Advance, frame: Frame, task: SubscribeTask, raw: JsonValue) -> None:
        """Keep what came of a message."""
        iterator, item = task.iterator, frame.doing(Subscribing).queue[0]
        output, context = raw, _NO_EXPORT
        if iterator is not None:
            output, context = advance.with_output(frame, task, raw, iterator.data_flow)
        told = UNSET if output is item else output
        advance.emit(EventConsumed(task.reference, frame.differing_id, told, context))


class Receive(Leaf):
    """Asks for the next messages of the subscription that it is within."""

    def begin(self, advance: Advance, frame: Frame, task: ReceiveTask) -> None:
        """Ask for them."""
        within = advance.draft.frame(frame.parent)
        place, owner = within.doing(Subscribing), advance.task_of(within)
        if not isinstance(owner, SubscribeTask):
            raise HistoryBroken(f"{within.id} is no subscription")
        left = None if owner.amount is None else owner.amount - len(place.outputs)
        call = AsyncApiReceive(
            target=place.target,
            subscription=f"{advance.opened.execution}:{within.id}",
            most=1 if left is None else min(left, _AT_ONCE),
            until=place.until,
            enough=left is not None and left <= _AT_ONCE and owner.filter is None,
        )
        advance.perform(frame, task, call)


def _taken(advance: Advance, frame: Frame, task: SubscribeTask) -> MessagesTaken:
    """Look through the messages that have come; none in all its time means that it is over."""
    came = frame.data if isinstance(frame.data, list) else []
    arguments = advance.arguments(frame, task)
    taken = [
        position
        for position, message in enumerate(came)
        if task.filter is None or data_flow.holds(task.filter, message, arguments)
    ]
    return MessagesTaken(task.reference, frame.differing_id, taken, closed=not came)


def _check_room(advance: Advance, frame: Frame) -> None:
    limit = advance.limits.output_bytes
    if frame.doing(Subscribing).size > limit:
        told = f"the messages that were taken are larger than {limit} bytes together"
        raise Raised(runtime(beyond(told, "output_bytes")))


def _ends(advance: Advance, frame: Frame, task: SubscribeTask) -> bool:
    """Whether enough messages are done with, or a condition says so (`while` only after the first one)."""
    place = frame.doing(Subscribing)
    if task.amount is not None and len(place.outputs) >= task.amount:
        return True
    if place.closed and not place.queue:
        return True
    if task.until is not None and _holds(advance, frame, task, task.until):
        return True
    if task.while_ is None or not place.outputs:
        return False
    return not _holds(advance, frame, task, task.while_)


def _holds(advance: Advance, frame: Frame, task: SubscribeTask, wanted: Expression) -> bool:
    """Ask a condition about all that came of messages so far, with the last one as the item."""
    outputs = list[JsonValue](frame.doing(Subscribing).outputs)
    iterator = task.iterator
    each, at = ("item", "index") if iterator is None else (iterator.each, iterator.at)
    last: JsonValue = outputs[-1] if outputs else None
    number: JsonValue = len(outputs) - 1 if outputs else None
    arguments = advance.arguments(frame, task, {each: last, at: number})
    return data_flow.holds(wanted, outputs, arguments)


def _tasks(advance: Advance, task: SubscribeTask) -> TaskList:
    if task.iterator is None or task.iterator.do is None:
        raise HistoryBroken(f"{task.reference} has no tasks inside")
    return advance.definition.lists[task.iterator.do]
