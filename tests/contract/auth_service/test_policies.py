"""What every store of policies must do."""

import asyncio
from dataclasses import replace
from datetime import timedelta

import pytest

from auth_service.application.ports import Change, RevocationKind
from auth_service.application.ports.policies import Edit
from auth_service.bootstrap.stores import Stores
from auth_service.domain.access_errors import NameTaken, PolicyNotFound, TooManyPolicies
from auth_service.domain.policies import PolicyDraft, PolicyVersion
from chassis.policies.model import Effect, Mode
from tests.contract.auth_service.conftest import NOW

DRAFT = PolicyDraft(
    "office", "From the office", Effect.DENY, Mode.ENFORCE, ("a:b", "c:*"), "true || false"
)


def edit(tenant: str = "default") -> Edit:
    change = Change(RevocationKind.POLICY, tenant, NOW + timedelta(minutes=2))
    return Edit(tenant, "root", NOW, change)


async def put(
    stores: Stores, draft: PolicyDraft, tenant: str = "default", *, create: bool = False
) -> PolicyVersion | None:
    return await stores.policies.put(draft, edit(tenant), create=create, most=3)


async def test_a_policy_comes_back_as_it_was(stores: Stores) -> None:
    made = await put(stores, DRAFT)

    assert made == PolicyVersion(DRAFT, 1, NOW, "root")
    assert await stores.policies.current("default") == [made]
    assert await stores.policies.tenants() == ["default"]
    assert await stores.policies.current("other") == []


async def test_versions_count_up_and_stay(stores: Stores) -> None:
    changed = replace(DRAFT, mode=Mode.DRY_RUN)
    await put(stores, DRAFT)
    await put(stores, changed)
    await stores.policies.delete("office", edit())
    await put(stores, DRAFT, create=True)

    versions = await stores.policies.versions("default", "office")
    assert [(each.version, each.draft, each.deleted) for each in versions] == [
        (4, DRAFT, False), (3, changed, True), (2, changed, False), (1, DRAFT, False),
    ]  # fmt: skip
    assert [each.version for each in await stores.policies.current("default")] == [4]


async def test_the_same_again_is_no_version_and_no_news(stores: Stores) -> None:
    await put(stores, DRAFT)
    told = await stores.revocations.after(0, now=NOW, limit=10)

    assert await put(stores, DRAFT) is None
    assert len(await stores.policies.versions("default", "office")) == 1
    assert await stores.revocations.after(0, now=NOW, limit=10) == told


async def test_a_name_is_taken_while_the_policy_is_there(stores: Stores) -> None:
    await put(stores, DRAFT)

    with pytest.raises(NameTaken):
        await put(stores, DRAFT, create=True)


async def test_what_is_gone_is_gone_once(stores: Stores) -> None:
    with pytest.raises(PolicyNotFound):
        await stores.policies.delete("office", edit())
    await put(stores, DRAFT)
    await stores.policies.delete("office", edit())

    with pytest.raises(PolicyNotFound):
        await stores.policies.delete("office", edit())
    assert await stores.policies.current("default") == []


async def test_a_tenant_has_not_too_many_however_fast_it_is(stores: Stores) -> None:
    outcomes = await asyncio.gather(
        *(put(stores, replace(DRAFT, name=f"p{at}")) for at in range(10)), return_exceptions=True
    )

    assert sum(isinstance(each, TooManyPolicies) for each in outcomes) == 7
    assert len(await stores.policies.current("default")) == 3
    assert await put(stores, DRAFT, "other") is not None


async def test_of_simultaneous_changes_each_is_a_version(stores: Stores) -> None:
    await asyncio.gather(*(put(stores, replace(DRAFT, condition=f"1 == {at}")) for at in range(20)))

    versions = await stores.policies.versions("default", "office")
    assert sorted(each.version for each in versions) == list(range(1, 21))


async def test_every_change_is_on_the_feed(stores: Stores) -> None:
    await put(stores, DRAFT)
    first = await stores.revocations.after(0, now=NOW, limit=10)
    await stores.policies.delete("office", edit())
    later = await stores.revocations.after(first[-1].position, now=NOW, limit=10)

    assert [each.change.subject for each in (*first, *later)] == ["default", "default"]
    assert all(each.change.kind is RevocationKind.POLICY for each in (*first, *later))
