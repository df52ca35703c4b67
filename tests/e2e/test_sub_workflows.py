"""Workflows that run workflows, through the real suite."""

from __future__ import annotations

import msgspec

from autoworker.model import JsonValue, ParentTask
from tests.support.gateway_client import Person

CANARY = "canary-5f0e-child"


def document(name: str, do: str, use: str = "{}") -> str:
    head = f"{{dsl: 1.0.3, namespace: nested, name: {name}, version: 1.0.0}}"
    return f"document: {head}\nuse: {use}\ndo:\n- task: {do}"


def running(child: str, input: str) -> str:
    return f"{{run: {{workflow: {{namespace: nested, name: {child}, input: {input}}}}}}}"


async def test_a_parent_and_its_child_find_each_other(ada: Person) -> None:
    await ada.publish(document("double", "{set: '${ {n: (.n * 2)} }'}"))
    await ada.publish(document("twice", running("double", "{n: '${ .n }'}")))
    parent = await ada.start("nested/twice", {"n": 4}, wait=10)
    (child,) = [each async for each in ada.list(parent=parent.id)]

    assert (parent.output, parent.parent) == ({"n": 8}, None)
    assert child.parent == ParentTask(parent.id, "/do/0/task")
    accepted = await anext(aiter(ada.history(child.id)))
    assert accepted.data["parent"] == {"execution_id": parent.id, "task": "/do/0/task"}


async def test_a_secret_does_not_travel_into_another_workflow(ada: Person) -> None:
    await ada.set_secret("pin", CANARY)
    await ada.publish(document("taker", "{set: '${ . }'}"))
    given = "{pin: '${ $secrets.pin }', other: 1}"
    await ada.publish(document("giver", running("taker", given), "{secrets: [pin]}"))
    parent = await ada.start("nested/giver", {}, wait=10)
    children = [each async for each in ada.list(parent=parent.id)]
    told: list[JsonValue] = []
    for execution in (parent, *children):
        told += [event.data async for event in ada.history(execution.id)]

    assert [each.output for each in (parent, *children)] == [{"pin": "***", "other": 1}] * 2
    assert CANARY not in msgspec.json.encode([parent, children, told]).decode()
