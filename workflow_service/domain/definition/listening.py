"""``listen``, and the ``foreach`` of whatever takes one thing after another.

Source: Open Workflow Specification, DSL reference, "Listen", "Subscription Iterator".
"""

from __future__ import annotations

from typing import cast

from workflow_service.domain.definition.building import Builder, Scope
from workflow_service.domain.definition.data_flow import read_data_flow
from workflow_service.domain.definition.event_filters import read_strategy
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.subscriptions import ListenTask, SubscriptionIterator
from workflow_service.domain.definition.task_base import BaseMembers
from workflow_service.domain.events.cloud_event import ReadAs
from workflow_service.domain.expressions import JsonValue


def read_listen(
    builder: Builder, task: dict[str, JsonValue], base: BaseMembers, scope: Scope
) -> ListenTask:
    """Read a ``listen`` task."""
    listen = cast("dict[str, JsonValue]", task["listen"])
    reference = base["reference"]
    iterator = read_iterator(builder, task.get("foreach"), child(reference, "foreach"), scope)
    names = ("item", "index") if iterator is None else (iterator.each, iterator.at)
    inner = scope.knowing(*names)
    to = read_strategy(builder, listen["to"], child(reference, "listen", "to"), scope, inner)
    read = cast("ReadAs", listen.get("read", "data"))
    return ListenTask(**base, to=to, read=read, iterator=iterator)


def read_iterator(
    builder: Builder, value: JsonValue, pointer: str, scope: Scope
) -> SubscriptionIterator | None:
    """Read a ``foreach``; None without one."""
    if not isinstance(value, dict):
        return None
    each = builder.variable(value.get("item"), child(pointer, "item"), "item")
    at = builder.variable(value.get("at"), child(pointer, "at"), "index")
    if each == at:
        builder.problem(pointer, f"'item' and 'at' are both {each!r}")
    inner = scope.knowing(each, at)
    do: str | None = None
    if "do" in value:
        tasks = builder.task_list(builder, value["do"], child(pointer, "do"), inner)
        do = tasks.reference if tasks.tasks else None
    return SubscriptionIterator(each, at, do, read_data_flow(builder, value, pointer, inner))
