"""Who may see and do what: foreign executions do not exist (attack 16)."""

from __future__ import annotations

import pytest

from chassis.errors import NotFound, PermissionDenied, ServiceError, Unauthenticated
from protos.workflow.v1 import workflow_pb2 as pb
from tests.component.workflow_service.world import ADMIN, User, World


async def refusals(user: User, execution: str) -> list[ServiceError]:
    found = []
    for work in (
        user.get(execution),
        user.history(execution),
        user.explain(execution),
        user.cancel(execution),
        user.suspend(execution),
        user.resume(execution),
        user.retry(execution),
        anext(user.watch(execution)),
    ):
        with pytest.raises(ServiceError) as refusal:
            await work
        found.append(refusal.value)
    return found


async def test_executions_of_others_look_as_if_they_were_not_there(suite: World, ada: User) -> None:
    hers = await ada.start("pause")
    strangers = [
        suite.user("bob"),
        suite.user("ada", tenant="other"),
        suite.user("root", tenant="other", permissions=ADMIN),
    ]

    for stranger in strangers:
        foreign = await refusals(stranger, hers.id)
        missing = await refusals(stranger, "01890000-0000-7000-8000-000000000000")

        assert {type(error) for error in (*foreign, *missing)} == {NotFound}
        assert [e.message for e in foreign] == [e.message for e in missing]
        assert not (await stranger.list()).executions
    assert (await ada.get(hers.id)).status == "waiting"
    assert [execution.id for execution in (await ada.list()).executions] == [hers.id]


async def test_an_administrator_sees_and_changes_all_of_the_tenant(suite: World, ada: User) -> None:
    hers = await ada.start("pause")
    admin = suite.user("root", permissions=ADMIN)

    assert (await admin.get(hers.id)).owner == "ada"
    assert [execution.id for execution in (await admin.list()).executions] == [hers.id]
    assert (await admin.cancel(hers.id)).status == "cancelled"


async def test_reading_all_is_not_changing_all(suite: World, ada: User) -> None:
    hers = await ada.start("pause")
    auditor = suite.user(
        "auditor", permissions=("executions:read", "executions:write", "executions:read-all")
    )

    assert (await auditor.get(hers.id)).status == "waiting"
    with pytest.raises(NotFound):
        await auditor.cancel(hers.id)


async def test_keys_of_others_are_free(suite: World, ada: User) -> None:
    hers = await ada.start("greet", {"name": "x"}, idempotency_key="k")
    his = await suite.user("bob").start("greet", {"name": "x"}, idempotency_key="k")

    assert hers.id != his.id


async def test_definitions_stay_within_their_tenant(suite: World) -> None:
    with pytest.raises(NotFound):
        await suite.user("eve", tenant="other").start("greet")


async def test_a_method_needs_its_permission(suite: World) -> None:
    reader = suite.user("eve", permissions=("executions:read",))

    assert not (await reader.list()).executions
    with pytest.raises(PermissionDenied):
        await reader.start("greet")
    with pytest.raises(PermissionDenied):
        await reader.publish("{}")
    with pytest.raises(PermissionDenied):
        await reader.send()


async def test_nobody_comes_in_without_a_token_of_a_user(suite: World) -> None:
    with pytest.raises(Unauthenticated):
        await User(suite.client, "forged").list()
    with pytest.raises(Unauthenticated):
        await suite.client.call(suite.user().stub.ListExecutions, pb.ListExecutionsRequest())
