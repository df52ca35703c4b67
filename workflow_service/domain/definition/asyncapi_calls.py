"""``call: asyncapi``: a message that is sent to a channel, or messages that come from one.

Source: Open Workflow Specification, DSL reference, "AsyncAPI Call" and all that begins with "AsyncAPI".
"""

from __future__ import annotations

from typing import cast

from workflow_service.domain.definition.building import Builder, Scope
from workflow_service.domain.definition.endpoints import read_authentication, read_resource
from workflow_service.domain.definition.listening import read_iterator
from workflow_service.domain.definition.model import Authentication, Duration
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.service_tasks import (
    AsyncApiOperation,
    PublishTask,
    ReceiveTask,
    SubscribeTask,
)
from workflow_service.domain.definition.task_base import BaseMembers
from workflow_service.domain.expressions import Expression, JsonValue, Template


def read_asyncapi(
    builder: Builder, task: dict[str, JsonValue], base: BaseMembers, scope: Scope
) -> PublishTask | SubscribeTask:
    """Read the task; the structure of its arguments is known to be right."""
    options, place = cast("dict[str, JsonValue]", task["with"]), child(base["reference"], "with")
    target = _operation(builder, options, place, scope)
    if "subscription" in options:
        return _subscription(builder, options, base, scope, target)
    message = cast("dict[str, JsonValue]", options["message"])
    where = child(place, "message")
    return PublishTask(
        **base,
        target=target,
        payload=_part(builder, message, "payload", where, scope),
        headers=_part(builder, message, "headers", where, scope),
    )


def _subscription(
    builder: Builder,
    options: dict[str, JsonValue],
    base: BaseMembers,
    scope: Scope,
    target: AsyncApiOperation,
) -> SubscribeTask:
    members = cast("dict[str, JsonValue]", options["subscription"])
    place = child(base["reference"], "with", "subscription")
    iterator = read_iterator(builder, members.get("foreach"), child(place, "foreach"), scope)
    names = (iterator.each, iterator.at) if iterator is not None else ("item", "index")
    consume, where = cast("dict[str, JsonValue]", members["consume"]), child(place, "consume")
    amount, inner = consume.get("amount"), scope.knowing(*names)
    if isinstance(amount, int) and amount < 1:
        builder.problem(child(where, "amount"), "must be at least 1")
    receive = ReceiveTask(name="subscription", reference=place, document={})
    builder.tasks[place] = receive
    period: Duration | None = None
    if "for" in consume:
        period = builder.duration(consume["for"], child(where, "for"), scope)
    return SubscribeTask(
        **base,
        target=target,
        receive=receive,
        filter=_condition(builder, members, "filter", place, scope),
        amount=amount if isinstance(amount, int) else None,
        while_=_condition(builder, consume, "while", where, inner),
        until=_condition(builder, consume, "until", where, inner),
        period=period,
        iterator=iterator,
    )


def _condition(
    builder: Builder, members: dict[str, JsonValue], name: str, pointer: str, scope: Scope
) -> Expression | None:
    condition = members.get(name)
    if not isinstance(condition, str):
        return None
    return builder.expression(condition, child(pointer, name), scope)


def _operation(
    builder: Builder, options: dict[str, JsonValue], pointer: str, scope: Scope
) -> AsyncApiOperation:
    server, where = options.get("server"), child(pointer, "server")
    members = server if isinstance(server, dict) else {}
    authentication: Authentication | None = None
    if "authentication" in options:
        policy, place = options["authentication"], child(pointer, "authentication")
        authentication = read_authentication(builder, policy, place, scope)
    return AsyncApiOperation(
        document=read_resource(builder, options["document"], child(pointer, "document"), scope),
        operation=_part(builder, options, "operation", pointer, scope),
        channel=_part(builder, options, "channel", pointer, scope),
        server=_part(builder, members, "name", where, scope),
        variables=_part(builder, members, "variables", where, scope),
        protocol=str(options.get("protocol", "")),
        authentication=authentication,
    )


def _part(
    builder: Builder, members: dict[str, JsonValue], name: str, pointer: str, scope: Scope
) -> Template | None:
    if name not in members:
        return None
    return builder.template(members[name], child(pointer, name), scope)
