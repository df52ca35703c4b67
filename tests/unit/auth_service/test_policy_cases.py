"""What is done with policies: published, watched, explained."""

from contextlib import aclosing

import pytest

from auth_service.application.actor import Actor
from auth_service.application.commands.assign_roles import AssignRoles, Grant, SetTo
from auth_service.application.commands.delete_policy import DeletePolicy
from auth_service.application.commands.put_policy import PutPolicy
from auth_service.application.commands.put_role import PutRole
from auth_service.application.commands.roll_back_policy import RollBackPolicy
from auth_service.application.queries.explain_decision import ExplainDecision
from auth_service.application.queries.watch_policies import TenantPolicies, WatchPolicies
from auth_service.application.queries.watch_revocations import Heartbeat
from auth_service.domain.access_errors import PolicyNotFound, RoleTooPowerful
from auth_service.domain.errors import InputInvalid, UserNotFound
from auth_service.domain.permissions import PERMISSIONS
from auth_service.domain.policies import PolicyDraft
from auth_service.domain.roles import RoleDefinition
from chassis.errors import Unavailable
from chassis.policies.model import Effect, Mode
from tests.unit.auth_service.fakes import Identity

ROOT = Actor("default", "root", PERMISSIONS)
ESCALATION = "role_escalation_refused"
DRAFT = PolicyDraft("night", "", Effect.DENY, Mode.ENFORCE, ("events:*",), "false")


async def test_who_watches_hears_of_everything_there_is_and_then_of_changes(
    auth: Identity,
) -> None:
    policies = auth.app.policies
    await policies.put(PutPolicy(ROOT, DRAFT))
    async with aclosing(policies.watch(WatchPolicies())) as feed:  # type: ignore[type-var]
        first = await anext(feed)
        alive = await anext(feed)
        await policies.delete(DeletePolicy(ROOT, "night"))
        changed = await anext(feed)

    assert isinstance(first, TenantPolicies)
    assert [each.name for each in first.policies] == ["night"]
    assert alive == Heartbeat()
    assert changed == TenantPolicies("default", [])


async def test_who_slept_too_long_to_know_what_was_missed_must_watch_anew(auth: Identity) -> None:
    async with aclosing(auth.app.policies.watch(WatchPolicies())) as feed:  # type: ignore[type-var]
        assert await anext(feed) == Heartbeat()
        auth.clock.advance(31.0)
        with pytest.raises(Unavailable):
            await anext(feed)


async def test_what_cannot_work_is_not_published(auth: Identity) -> None:
    wrong = PolicyDraft("Night", "", Effect.DENY, Mode.ENFORCE, ("no:such",), "1 +")

    with pytest.raises(InputInvalid) as caught:
        await auth.app.policies.put(PutPolicy(ROOT, wrong))

    assert [each.field for each in caught.value.details] == ["name", "actions", "condition"]


async def test_there_is_no_way_back_to_what_never_was(auth: Identity) -> None:
    await auth.app.policies.put(PutPolicy(ROOT, DRAFT))
    await auth.app.policies.delete(DeletePolicy(ROOT, "night"))

    for version in (2, 3):
        with pytest.raises(PolicyNotFound):
            await auth.app.policies.roll_back(RollBackPolicy(ROOT, "night", version))
    assert (await auth.app.policies.roll_back(RollBackPolicy(ROOT, "night", 1))).version == 3


async def test_an_explanation_names_the_way_to_the_role_that_decides(auth: Identity) -> None:
    user = await auth.register()
    access = auth.app.access
    await access.put_role(PutRole(ROOT, RoleDefinition("base", "", ("users:read",))))
    await access.put_role(PutRole(ROOT, RoleDefinition("top", "", (), ("base",))))
    await access.assign_roles(AssignRoles(ROOT, user.id, Grant("top")))

    found = await auth.app.policies.explain(
        ExplainDecision("default", "users:read", {"id": user.id})
    )
    lacking = await auth.app.policies.explain(
        ExplainDecision("default", "users:read", {"id": user.id, "permissions": ["users:self"]})
    )

    assert (found.allowed, found.decided_by) == (True, "role:base")
    assert found.role_path == ("top", "base")
    assert (lacking.allowed, lacking.decided_by) == (False, "nothing")
    with pytest.raises(UserNotFound):
        await auth.app.policies.explain(ExplainDecision("other", "users:read", {"id": user.id}))


async def test_nobody_passes_on_what_they_lack(auth: Identity) -> None:
    user = await auth.register()
    limited = Actor("default", "limited", frozenset({"roles:assign", "users:read"}))

    for change in (Grant("admin"), SetTo(("admin",)), SetTo(())):
        with pytest.raises(RoleTooPowerful):
            await auth.app.access.assign_roles(AssignRoles(limited, user.id, change))
    role = RoleDefinition("mine", "", ("users:write",))
    with pytest.raises(RoleTooPowerful):
        await auth.app.access.put_role(PutRole(limited, role))
    told = [facts["target"] for event, facts in auth.audit.entries if event == ESCALATION]
    assert told == [user.id, user.id, user.id, "mine"]
    with pytest.raises(InputInvalid):
        await auth.app.access.assign_roles(AssignRoles(ROOT, user.id, Grant("no-such")))
