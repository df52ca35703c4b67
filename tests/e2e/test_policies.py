"""Policies over HTTP: versions, dry runs, explanations, and what they refuse in every service."""

from collections.abc import AsyncIterator
from typing import Any

import pytest

from tests.e2e.attacks.raw import Answer, Raw
from tests.support.access import administrator, id_of, policy, raw_of, send
from tests.support.gateway_client import Person, eventually, signed_up
from tests.support.matrix import NOBODYS
from tests.support.suite import Suite

HELLO = """
document: {dsl: 1.0.3, namespace: policies, name: hello, version: 1.0.0}
do:
  - one: {set: {greeting: hello}}
"""
START = {"workflow": {"namespace": "policies", "name": "hello"}}


@pytest.fixture
async def admin(suite: Suite) -> AsyncIterator[Raw]:
    """The first administrator."""
    async with administrator(suite) as api:
        yield api


async def becomes(api: Raw, status: int, *request: Any) -> Answer:
    """The answer to *request*, once it has *status*, within the second that is promised."""
    last: list[Answer] = []

    async def attempt() -> bool:
        last.append(await send(api, *request))
        return last[-1].status == status

    await eventually(attempt, f"{status} for {request[:2]}", 1.5)
    return last[-1]


async def test_every_change_is_a_version_and_can_be_gone_back_to(admin: Raw) -> None:
    body = {"effect": "deny", "actions": ["events:write"], "condition": "false"}
    made = await send(admin, "POST", "/v1/policies", {"name": "versions", **body})
    again = await send(admin, "POST", "/v1/policies", {"name": "versions", **body})
    same = await send(admin, "PUT", "/v1/policies/versions", body)
    other = await send(admin, "PUT", "/v1/policies/versions", {**body, "mode": "dry_run"})
    back = await send(admin, "POST", "/v1/policies/versions/rollback", {"version": 1})
    gone = await send(admin, "DELETE", "/v1/policies/versions")
    absent = await send(admin, "GET", "/v1/policies/versions")
    listed = (await send(admin, "GET", "/v1/policies/versions/versions")).json["items"]
    first = (await send(admin, "GET", "/v1/policies/versions/versions?limit=1")).json

    assert [each.status for each in (made, again, same, other, back, gone, absent)] == [
        201, 409, 200, 200, 200, 204, 404,
    ]  # fmt: skip
    assert [each.json["version"] for each in (made, same, other, back)] == [1, 1, 2, 3]
    assert [(each["version"], each["mode"], each["deleted"]) for each in listed] == [
        (4, "enforce", True), (3, "enforce", False), (2, "dry_run", False), (1, "enforce", False),
    ]  # fmt: skip
    assert first["items"] == listed[:1]
    assert first["next_cursor"] is not None
    revived = await send(admin, "POST", "/v1/policies/versions/rollback", {"version": 2})
    assert (revived.status, revived.json["version"]) == (200, 5)
    assert (await send(admin, "DELETE", "/v1/policies/versions")).status == 204


@pytest.mark.parametrize(
    ("wrong", "field"),
    [
        ({"condition": "1 +"}, "condition"),
        ({"condition": "1"}, "condition"),
        ({"condition": "principal.nonsense == 1"}, "condition"),
        ({"condition": "'a' < 1"}, "condition"),
        ({"condition": "(" * 100 + "true" + ")" * 100}, "condition"),
        ({"actions": ["nonsense:write"]}, "actions"),
        ({"actions": ["nonsense:*"]}, "actions"),
        ({"actions": ["policies:write"]}, "actions"),
        ({"actions": []}, "actions"),
        ({"effect": "allow"}, "effect"),
        ({"mode": "maybe"}, "mode"),
        ({"unknown": True}, "unknown"),
    ],
)
async def test_what_cannot_work_is_refused_when_it_is_published(
    admin: Raw, wrong: dict[str, object], field: str
) -> None:
    body = {"effect": "deny", "actions": ["events:write"], "condition": "false", **wrong}

    answer = await send(admin, "PUT", "/v1/policies/wrong", body)

    assert answer.status == 422, answer.body
    assert [each["field"] for each in answer.json["error"]["details"]] == [field]


@pytest.mark.parametrize(
    ("action", "request_"),
    [
        ("users:self", ("PATCH", "/v1/users/me", {"name": "Grace"})),
        ("executions:write", ("POST", "/v1/executions", START)),
        ("secrets:write", ("PUT", "/v1/secrets/policy", {"value": "x"})),
        ("schedules:read", ("GET", "/v1/schedules")),
        ("functions:read", ("GET", "/v1/functions")),
        ("notifications:read", ("GET", "/v1/notifications")),
    ],
)
async def test_a_policy_refuses_in_every_service_and_its_end_lets_pass(
    suite: Suite, ada: Person, admin: Raw, action: str, request_: tuple[Any, ...]
) -> None:
    await ada.publish(HELLO)
    only_ada = f"principal.id == '{await id_of(ada)}'"

    async with raw_of(suite, ada) as api:
        before = await send(api, *request_)
        async with policy(admin, "deny", [action], only_ada) as name:
            refused = await becomes(api, 403, *request_)
        # Setting a secret again gives it another value, and no first one.
        await becomes(api, 200 if before.status == 201 else before.status, *request_)

    assert before.status in (200, 201, 202)
    assert refused.json["error"]["code"] == "PERMISSION_DENIED"
    assert f"The policy {name} refuses this" in refused.json["error"]["message"]


async def test_what_is_required_must_hold(suite: Suite, ada: Person, admin: Raw) -> None:
    await ada.publish(HELLO)
    condition = (
        f"principal.id != '{await id_of(ada)}' || context.operation != 'StartExecution' || "
        "(has(resource.tags) && resource.tags.team == 'blue' && resource.namespace == 'policies' "
        "&& context.address.inNetwork('127.0.0.0/8') && context.time > timestamp('2020-01-01T00:00:00Z'))"
    )

    async with raw_of(suite, ada) as api, policy(admin, "require", ["executions:*"], condition):
        await becomes(api, 403, "POST", "/v1/executions", START)
        blue = await send(api, "POST", "/v1/executions", {**START, "tags": {"team": "blue"}})
        red = await send(api, "POST", "/v1/executions", {**START, "tags": {"team": "red"}})
        listed = await send(api, "GET", "/v1/executions")

    assert (blue.status, red.status, listed.status) == (202, 403, 200)


async def test_a_dry_run_refuses_nothing_and_the_audit_trail_tells_of_both(
    suite: Suite, ada: Person, admin: Raw
) -> None:
    mine = await id_of(ada)
    only_ada = f"principal.id == '{mine}'"

    async with (
        raw_of(suite, ada) as api,
        policy(admin, "deny", ["functions:read"], only_ada, mode="dry_run") as trial,
        policy(admin, "deny", ["schedules:read"], only_ada) as real,
    ):
        await becomes(api, 403, "GET", "/v1/schedules")

        async def told() -> bool:
            assert (await send(api, "GET", "/v1/functions")).status == 200
            trail = (await send(admin, "GET", f"/v1/audit?actor={mine}")).body.decode()
            return trial in trail and f"policy:{real}" in trail

        await eventually(told, "telling of both", 10.0)


async def test_an_attribute_that_is_missing_refuses_and_is_named(
    suite: Suite, ada: Person, admin: Raw
) -> None:
    mine = await id_of(ada)
    for condition, said in (
        (f"principal.id == '{mine}' && resource.owner == 'x'", "resource.owner"),
        (f"principal.id == '{mine}' && principal.id > 3", "overload"),
    ):
        for effect in ("deny", "require"):
            # The condition speaks of Ada only, but whoever else asks is refused by `require`.
            async with (
                raw_of(suite, ada) as api,
                policy(admin, effect, ["functions:read"], condition),
            ):
                refused = await becomes(api, 403, "GET", "/v1/functions")
            assert said in refused.json["error"]["message"]
        async with raw_of(suite, ada) as api:
            await becomes(api, 200, "GET", "/v1/functions")


async def test_policies_know_whose_an_execution_is_and_give_away_no_other(
    suite: Suite, ada: Person, admin: Raw
) -> None:
    await ada.publish(
        HELLO.replace("hello, version", "whose, version").replace(
            "set: {greeting: hello}", "wait: {hours: 1}"
        )
    )
    mine = await ada.start("policies/whose", tags={"team": "blue"})
    chief = (await send(admin, "GET", "/v1/users/me")).json["id"]
    place = f"/v1/executions/{mine.id}"
    others = (
        f"principal.id == '{chief}' && resource.owner != principal.id "
        "&& resource.tags.team == 'blue' && resource.name == 'whose'"
    )

    async with raw_of(suite, ada) as api, signed_up(suite.url, "Eve") as eve:
        async with policy(admin, "deny", ["executions:*"], others):
            refused = await becomes(admin, 403, "GET", place)
            cancelled = await send(admin, "POST", f"{place}/cancel", {})
            own = await send(api, "GET", place)
        async with policy(admin, "deny", ["executions:*"], "resource.owner != 'nobody'"):
            await becomes(api, 403, "GET", place)
            async with raw_of(suite, eve) as eves:
                foreign = await send(eves, "GET", place)
                absent = await send(eves, "GET", f"/v1/executions/{NOBODYS}")
        await becomes(api, 200, "GET", place)

    assert (refused.status, cancelled.status, own.status) == (403, 403, 200)
    assert (foreign.status, absent.status) == (404, 404)
    assert (await ada.get(mine.id)).status == "waiting"


async def test_no_policy_locks_administrators_out_of_policies(admin: Raw) -> None:
    async with policy(admin, "deny", ["*"], "true") as name:
        await becomes(admin, 403, "GET", "/v1/roles")
        assert (await send(admin, "GET", f"/v1/policies/{name}")).status == 200
    await becomes(admin, 200, "GET", "/v1/roles")


async def test_decisions_are_explained(suite: Suite, ada: Person, admin: Raw) -> None:
    mine = await id_of(ada)
    question = {"principal": {"id": mine}, "action": "secrets:write"}

    free = await send(admin, "POST", "/v1/policies/explain", question)
    lacking = await send(
        admin, "POST", "/v1/policies/explain", {**question, "action": "users:write"}
    )
    async with (
        policy(
            admin, "require", ["secrets:*"], "context.address.inNetwork('10.0.0.0/8')"
        ) as office,
        policy(
            admin, "deny", ["secrets:*"], "resource.owner != principal.id", mode="dry_run"
        ) as own,
    ):
        unknown = await send(admin, "POST", "/v1/policies/explain", question)
        inside = await send(
            admin,
            "POST",
            "/v1/policies/explain",
            {
                "principal": {"roles": ["user"], "id": "x"},
                "action": "secrets:write",
                "resource": {"owner": "x"},
                "context": {"address": "10.1.2.3", "time": "2026-01-01T00:00:00Z"},
            },
        )

    assert free.status == 200, free.body
    assert free.json == {
        "allowed": True,
        "decided_by": "role:user",
        "reason": "the role user gives secrets:write, and no policy refuses it",
        "role_path": ["user"],
        "policies": [],
    }
    assert (lacking.json["allowed"], lacking.json["decided_by"]) == (False, "nothing")
    assert (unknown.json["allowed"], unknown.json["decided_by"]) == (False, f"policy:{office}")
    verdicts = {each["name"]: each for each in unknown.json["policies"]}
    assert verdicts[office]["missing"] == ["context.address"]
    assert verdicts[own]["missing"] == ["resource.owner"]
    assert (verdicts[own]["condition"], verdicts[own]["refuses"]) == ("error", True)
    assert (inside.json["allowed"], inside.json["decided_by"]) == (True, "role:user")
    assert [each["refuses"] for each in inside.json["policies"]] == [False, False]


@pytest.mark.parametrize(
    "wrong",
    [
        {"principal": {}}, {"principal": {"roles": "user"}}, {"action": "nonsense:write"},
        {"resource": {"nonsense": 1}}, {"context": {"time": "yesterday"}}, {"context": []},
    ],
)  # fmt: skip
async def test_questions_that_make_no_sense_are_refused(
    admin: Raw, wrong: dict[str, object]
) -> None:
    question = {"principal": {"roles": ["user"]}, "action": "secrets:write", **wrong}

    assert (await send(admin, "POST", "/v1/policies/explain", question)).status == 422
