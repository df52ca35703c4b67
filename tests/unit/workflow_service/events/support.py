"""Strategies and events as short as they can be written."""

from __future__ import annotations

from typing import Any

from chassis.errors import FieldProblem
from workflow_service.domain.definition.documents import parse_document
from workflow_service.domain.definition.limits import DEFAULT_LIMITS
from workflow_service.domain.definition.subscriptions import ListenTask
from workflow_service.domain.definition.validation import Reading, read_document
from workflow_service.domain.events import (
    ConsumptionStrategy,
    Progress,
    ReceivedEvent,
    begin,
    consume,
)
from workflow_service.domain.expressions import Expression, Expressions, JsonValue

_EXPRESSIONS = Expressions()
_HEAD = "document: {dsl: '1.0.3', namespace: test, name: spec, version: '0.1.0'}\n"


def event(position: int = 1, *, data: JsonValue = None, **attributes: Any) -> ReceivedEvent:
    """An event, of the type "a" unless said otherwise."""
    given: dict[str, JsonValue] = {"id": str(position), "source": "/s", "type": "a", **attributes}
    return ReceivedEvent(position, given, data)


def strategy(text: str) -> ConsumptionStrategy:
    """Read what ``listen.to`` says."""
    task = _reading(text).builder.tasks["/do/0/l"]
    assert isinstance(task, ListenTask)
    return task.to


def problems(text: str) -> list[FieldProblem]:
    """Return what is wrong within ``listen.to``."""
    found = _reading(text).builder.structure.problems.listed(100)
    return [each for each in found if each.field.startswith("/do/0/l/listen/to")]


def _reading(text: str) -> Reading:
    document = f"{_HEAD}do:\n- l: {{listen: {{to: {text}}}}}"
    parsed = parse_document(document.encode(), "application/yaml")
    return read_document(parsed, _EXPRESSIONS, DEFAULT_LIMITS)


class Waiting:
    """Somebody who waits."""

    def __init__(self, text: str, **variables: JsonValue) -> None:
        self.strategy = strategy(text)
        self.variables: dict[str, Any] = variables
        self.progress: Progress = begin(
            self.strategy, lambda template: template.render(None, self.variables)
        )
        self.taken: list[int] = []

    def evaluate(self, expression: Expression, document: JsonValue) -> JsonValue:
        """Evaluate an expression of a filter."""
        return expression.evaluate(document, self.variables)

    def hears(self, *events: ReceivedEvent) -> Waiting:
        """Events come in."""
        for each in events:
            consumed = consume(self.strategy, self.progress, each, self.evaluate)
            if consumed is not None:
                self.progress = consumed.progress
                if consumed.place.clause == "to":
                    self.taken.append(each.position)
        return self

    @property
    def done(self) -> bool:
        """Whether no more events are wanted."""
        return self.progress.closed


def takes(wanted: str, given: ReceivedEvent, **variables: JsonValue) -> bool:
    """Whether a filter with these attributes lets an event through."""
    return bool(Waiting(f"{{one: {{with: {wanted}}}}}", **variables).hears(given).taken)
