"""``listen``: waits for events, and may do something with each.

An event is taken when it comes, in the order of the intake, and done with when its turn comes; so an iteration may
last while more events queue up behind it. ``until``, where it is an expression, is asked after each event that is done
with: what is still queued when it holds was not consumed.

Source: Open Workflow Specification, DSL reference, "Listen", "Event Consumption Strategy", "Subscription Iterator".
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec import UNSET, UnsetType

from workflow_service.domain.bounds import beyond
from workflow_service.domain.definition.model import ListenTask
from workflow_service.domain.events import Consumed, begin, consume
from workflow_service.domain.execution import data_flow
from workflow_service.domain.execution.events import EventConsumed, EventReceived, IterationStarted
from workflow_service.domain.execution.listeners import Listening
from workflow_service.domain.execution.listening import bytes_of
from workflow_service.domain.execution.problem import Raised, runtime
from workflow_service.domain.execution.state import Frame, HistoryBroken
from workflow_service.domain.execution.tasks.leaf import Composite
from workflow_service.domain.execution.workflow_events import (
    CorrelationCompleted,
    CorrelationStarted,
)
from workflow_service.domain.expressions import Expression, JsonValue

_NO_EXPORT: JsonValue | UnsetType = UNSET

if TYPE_CHECKING:
    from workflow_service.domain.definition.model import TaskList
    from workflow_service.domain.definition.subscriptions import SubscriptionIterator
    from workflow_service.domain.events import ReceivedEvent
    from workflow_service.domain.execution.advance import Advance


class Listen(Composite):
    """Its output is the list of what came of the events, in the order in which they came."""

    def begin(self, advance: Advance, frame: Frame, task: ListenTask) -> None:
        """Evaluate what is expected, and begin to wait."""
        if not advance.environment.may_listen:
            told = "the tenant has as many subscriptions as it may have; let some end first"
            raise Raised(runtime(beyond(told, "subscriptions")))
        arguments = advance.arguments(frame, task)
        progress = begin(task.to, lambda text: data_flow.render(text, frame.input, arguments))
        listener = Listening(advance.opened.listens + 1, progress)
        begun = advance.started(frame, task, listener)
        advance.emit(CorrelationStarted(task.reference, frame.differing_id))
        self.go_on(advance, begun, task)

    def receive(
        self, advance: Advance, frame: Frame, task: ListenTask, event: ReceivedEvent
    ) -> None:
        """Take *event* if it is wanted, and go on."""
        arguments = advance.arguments(frame, task)

        def evaluate(wanted: Expression, data: JsonValue) -> JsonValue:
            if arguments.may_block:
                return wanted.evaluate(data, arguments)
            return wanted.evaluate_here(data, arguments)

        before = frame.doing(Listening).progress
        taken = consume(task.to, before, event, evaluate)
        if taken is None:
            return
        fact = _received(frame, task, event, taken)
        try:
            _check_room(advance, frame.doing(Listening), fact)
        except Raised as raised:
            advance.fault(frame.id, raised.problem)
            return
        advance.emit(fact)
        self.go_on(advance, advance.draft.frame(frame.id), task)

    def go_on(self, advance: Advance, frame: Frame, task: ListenTask) -> None:
        """Do with queued events what is to be done, unless the execution is suspended; then end, if that was all."""
        try:
            while self._takes_next(advance, frame, task):
                frame = advance.draft.frame(frame.id)
        except Raised as raised:
            advance.fault(frame.id, raised.problem)

    def _takes_next(self, advance: Advance, frame: Frame, task: ListenTask) -> bool:
        """Begin with the next event; say whether it is done with already, and others may follow."""
        listener = frame.doing(Listening)
        if listener.occupied or advance.opened.suspended_at is not None:
            return False
        if not listener.queue:
            if listener.progress.closed:
                self._complete(advance, frame)
            return False
        return self._iterates(advance, frame, task, listener)

    def _iterates(
        self, advance: Advance, frame: Frame, task: ListenTask, listener: Listening
    ) -> bool:
        iterator = task.iterator
        if iterator is None:
            return self._done(advance, frame, task, listener.queue[0])
        advance.emit(
            IterationStarted(
                task.reference,
                frame.differing_id,
                len(listener.outputs),
                iterator.each,
                iterator.at,
            )
        )
        begun = advance.draft.frame(frame.id)
        if iterator.do is None:
            return self._done(advance, begun, task, listener.queue[0])
        advance.enter(begun, advance.definition.lists[iterator.do])
        return False

    def child_ended(self, advance: Advance, frame: Frame, task: ListenTask, directive: str) -> None:
        """Go on with what is done for an event."""
        place = frame.doing(Listening)
        advance.follow(frame, _tasks(advance, task), place.index, place.round, directive)

    def list_ended(self, advance: Advance, frame: Frame, task: ListenTask) -> None:
        """An event is done with: take the next one."""
        if self._done(advance, frame, task, frame.data):
            self.go_on(advance, advance.draft.frame(frame.id), task)

    def _done(self, advance: Advance, frame: Frame, task: ListenTask, raw: JsonValue) -> bool:
        """Keep what came of an event; say whether more may follow."""
        iterator, item = task.iterator, frame.doing(Listening).queue[0]
        output, context = raw, _NO_EXPORT
        if iterator is not None:
            output, context = advance.with_output(frame, task, raw, iterator.data_flow)
        told = UNSET if output is item else output
        advance.emit(EventConsumed(task.reference, frame.differing_id, told, context))
        after = advance.draft.frame(frame.id)
        if isinstance(task.to.until, Expression) and _ends(advance, after, task, item):
            self._complete(advance, after)
            return False
        return True

    def _complete(self, advance: Advance, frame: Frame) -> None:
        listener = frame.doing(Listening)
        keys = listener.progress.keys
        advance.emit(CorrelationCompleted(frame.task, frame.differing_id, keys))
        advance.complete(frame.id, listener.outputs)


def _received(
    frame: Frame, task: ListenTask, event: ReceivedEvent, taken: Consumed
) -> EventReceived:
    progress, place = taken
    before = frame.doing(Listening).progress
    counts = place.clause == "until" or task.to.kind == "all"
    keys = {name: key for name, key in progress.keys.items() if before.keys.get(name) != key}
    return EventReceived(
        frame.task,
        frame.differing_id,
        position=event.position,
        id=event.text("id"),
        source=event.text("source"),
        type=event.text("type"),
        item=UNSET if place.clause == "until" else event.read(task.read),
        keys=keys,
        met=place.index if counts else -1,
        closed=progress.closed,
    )


def _check_room(advance: Advance, listener: Listening, fact: EventReceived) -> None:
    if fact.item is UNSET:
        return
    limits = advance.limits
    data_flow.shallow(fact.item)
    if listener.size + bytes_of(fact.item) > limits.output_bytes:
        told = f"the events that were taken are larger than {limits.output_bytes} bytes together"
        raise Raised(runtime(beyond(told, "output_bytes")))
    if len(listener.queue) >= limits.listen_queue:
        told = f"more than {limits.listen_queue} events wait for their turn"
        raise Raised(runtime(beyond(told, "listen_queue")))


def _ends(advance: Advance, frame: Frame, task: ListenTask, item: JsonValue) -> bool:
    until = task.to.until
    if not isinstance(until, Expression):
        return False
    outputs = frame.doing(Listening).outputs
    each, at = _names(task.iterator)
    arguments = advance.arguments(frame, task, {each: item, at: len(outputs) - 1})
    return data_flow.holds(until, outputs, arguments)


def _names(iterator: SubscriptionIterator | None) -> tuple[str, str]:
    return ("item", "index") if iterator is None else (iterator.each, iterator.at)


def _tasks(advance: Advance, task: ListenTask) -> TaskList:
    if task.iterator is None or task.iterator.do is None:
        raise HistoryBroken(f"{task.reference} has no tasks inside")
    return advance.definition.lists[task.iterator.do]


LISTEN = Listen()
