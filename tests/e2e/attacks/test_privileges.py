"""Attack 17: doing what only others may, and making oneself one of them."""

from collections.abc import AsyncIterator

import pytest

from tests.e2e.attacks.raw import Raw
from tests.support.access import administrator, give, id_of, raw_of, role_with, send
from tests.support.gateway_client import Person, eventually, signed_up
from tests.support.suite import Suite

NOBODY = "01a1fdb5-c362-7000-bffd-000000000000"
ADMINISTRATORS = [
    ("GET", "/v1/roles", None),
    ("GET", "/v1/roles/admin", None),
    ("POST", "/v1/roles", {"name": "mine"}),
    ("PUT", "/v1/roles/mine", {}),
    ("DELETE", "/v1/roles/mine", None),
    ("GET", f"/v1/users/{NOBODY}/roles", None),
    ("PUT", f"/v1/users/{NOBODY}/roles", {"roles": ["admin"]}),
    ("PUT", f"/v1/users/{NOBODY}/roles/admin", None),
    ("DELETE", f"/v1/users/{NOBODY}/roles/admin", None),
    ("GET", "/v1/dead-letters", None),
    ("GET", f"/v1/dead-letters/{NOBODY}", None),
    ("POST", "/v1/dead-letters/redrive", {}),
    ("DELETE", f"/v1/dead-letters/{NOBODY}", None),
]


@pytest.fixture
async def admin(suite: Suite) -> AsyncIterator[Raw]:
    """The first administrator."""
    async with administrator(suite) as api:
        yield api


async def test_users_cannot_call_what_is_for_administrators(
    suite: Suite, ada: Person, admin: Raw
) -> None:
    async with raw_of(suite, ada) as api:
        refused = [(await send(api, *each)).status for each in ADMINISTRATORS]
    admitted = [(await send(admin, *each)).status for each in ADMINISTRATORS]

    assert refused == [403] * len(ADMINISTRATORS)
    assert admitted == [200, 200, 201, 200, 204, 404, 404, 404, 404, 200, 404, 200, 404]


async def test_the_method_counts_that_was_sent_and_no_other(suite: Suite, ada: Person) -> None:
    async with raw_of(suite, ada) as api:
        mine = await id_of(ada)
        for name in ("X-HTTP-Method-Override", "X-Method-Override", "X-HTTP-Method"):
            header = {name.replace("-", "_"): "PUT"}
            assert (await api("GET", f"/v1/users/{mine}/roles/admin", None, **header)).status == 405
            assert (await api("GET", f"/v1/users/{mine}/roles", None, **header)).status == 403
        assert (await api("GET", "/v1/users/me?_method=PATCH")).json["roles"] == ["user"]


@pytest.mark.parametrize(
    "more",
    [
        {"roles": ["admin"]}, {"role": "admin"}, {"tenant": "other"}, {"tenant_id": "other"},
        {"permissions": ["users:write"]}, {"is_verified": True}, {"email_verified": True},
        {"id": NOBODY}, {"kind": "service"}, {"disabled_at": None},
    ],
)  # fmt: skip
async def test_members_that_are_not_for_one_to_set_are_refused(
    suite: Suite, ada: Person, more: dict[str, object]
) -> None:
    async with raw_of(suite, ada) as api:
        named = await send(api, "PATCH", "/v1/users/me", {"name": "Eve", **more})
        registered = await send(
            api,
            "POST",
            "/v1/auth/register",
            {"email": "mass@example.com", "password": "Teapots-and-7-cups", **more},
        )
        me = (await api("GET", "/v1/users/me")).json

    assert (named.status, registered.status) == (422, 422)
    assert (me["name"], me["roles"], me["tenant"]) == ("Ada", ["user"], "default")


async def test_limited_administrators_cannot_make_themselves_mightier(
    suite: Suite, ada: Person, admin: Raw
) -> None:
    mine = await id_of(ada)
    limited = await role_with(
        admin, "roles:read", "roles:write", "roles:assign", "users:read", parents=("user",)
    )
    mighty = await role_with(admin, "users:write")
    await give(admin, ada, limited)

    async with raw_of(suite, ada) as api, signed_up(suite.url, "Bob") as bob:
        bobs = await id_of(bob)
        refused = [
            await send(api, "PUT", f"/v1/users/{mine}/roles", {"roles": ["admin"]}),
            await send(api, "PUT", f"/v1/users/{mine}/roles/{mighty}"),
            await send(api, "PUT", f"/v1/users/{bobs}/roles/{mighty}"),
            await send(api, "PUT", f"/v1/roles/{limited}", {"permissions": ["users:write"]}),
            await send(api, "PUT", f"/v1/roles/{limited}", {"parents": ["admin"]}),
            await send(api, "POST", "/v1/roles", {"name": "sneaky", "parents": [mighty]}),
            await send(api, "PUT", "/v1/roles/user", {"permissions": ["users:write"]}),
            await send(api, "PUT", f"/v1/roles/{mighty}", {"permissions": []}),
            await send(api, "DELETE", f"/v1/roles/{mighty}"),
        ]
        own = {"name": "reading", "permissions": ["users:read"]}
        granted = [
            await send(api, "POST", "/v1/roles", own),
            await send(api, "PUT", f"/v1/users/{bobs}/roles/reading"),
        ]
        me = (await api("GET", "/v1/users/me")).json

    assert [each.status for each in refused] == [403] * len(refused), [e.body for e in refused]
    assert [each.status for each in granted] == [201, 200]
    assert "users:write" not in me["permissions"]


async def test_nobody_takes_power_from_the_mightier(suite: Suite, ada: Person, admin: Raw) -> None:
    chief = (await send(admin, "GET", "/v1/users/me")).json["id"]
    assigning = await role_with(admin, "roles:assign", parents=("user",))
    await give(admin, ada, assigning)

    async with raw_of(suite, ada) as api:
        taken = await send(api, "DELETE", f"/v1/users/{chief}/roles/admin")
        replaced = await send(api, "PUT", f"/v1/users/{chief}/roles", {"roles": ["user"]})

    assert (taken.status, replaced.status) == (403, 403)
    assert (await send(admin, "GET", "/v1/users/me")).json["roles"] == ["admin"]


async def test_a_circle_of_roles_is_refused(admin: Raw) -> None:
    one = await role_with(admin)
    two = await role_with(admin, parents=(one,))

    assert (await send(admin, "PUT", f"/v1/roles/{one}", {"parents": [two]})).status == 409
    assert (await send(admin, "PUT", f"/v1/roles/{one}", {"parents": [one]})).status == 409
    assert (await send(admin, "PUT", f"/v1/roles/{two}", {"parents": []})).status == 200
    assert (await send(admin, "PUT", f"/v1/roles/{one}", {"parents": [two]})).status == 200


@pytest.mark.parametrize("pattern", ["*", "workflows:*", "*:*", "admin", "users:read,users:write"])
async def test_there_are_no_wildcard_permissions(admin: Raw, pattern: str) -> None:
    answer = await send(admin, "POST", "/v1/roles", {"name": "any", "permissions": [pattern]})

    assert answer.status == 422
    [detail] = answer.json["error"]["details"]
    assert detail["field"] == "permissions"
    assert "workflows:read" in detail["message"]


async def test_built_in_roles_stay(admin: Raw) -> None:
    answers = [
        await send(admin, "DELETE", "/v1/roles/admin"),
        await send(admin, "DELETE", "/v1/roles/user"),
        await send(admin, "PUT", "/v1/roles/admin", {"permissions": []}),
    ]

    assert [each.status for each in answers] == [409, 409, 409]


async def test_the_last_administrator_stays_one(suite: Suite, ada: Person, admin: Raw) -> None:
    chief = (await send(admin, "GET", "/v1/users/me")).json["id"]

    alone = [
        await send(admin, "DELETE", f"/v1/users/{chief}/roles/admin"),
        await send(admin, "PUT", f"/v1/users/{chief}/roles", {"roles": []}),
    ]
    await give(admin, ada, "admin")
    assert [each.status for each in alone] == [409, 409]

    # The other one may go, and come back.
    await give(admin, ada, "user")


async def test_a_role_is_in_force_and_gone_within_a_second(
    suite: Suite, ada: Person, admin: Raw
) -> None:
    reading = await role_with(admin, "roles:read", parents=("user",))

    async with raw_of(suite, ada) as api:

        async def answers(status: int) -> bool:
            return (await api("GET", "/v1/roles")).status == status

        assert await answers(403)
        await give(admin, ada, reading)
        await eventually(lambda: answers(200), "the new role", 1.0)
        await give(admin, ada, "user")
        await eventually(lambda: answers(403), "the end of the role", 1.0)


async def test_what_a_role_gives_changes_for_those_who_have_it_within_a_second(
    suite: Suite, ada: Person, admin: Raw
) -> None:
    base = await role_with(admin, "roles:read")
    child = await role_with(admin, parents=(base, "user"))
    await give(admin, ada, child)

    async with raw_of(suite, ada) as api:

        async def answers(status: int) -> bool:
            return (await api("GET", "/v1/roles")).status == status

        await eventually(lambda: answers(200), "the role", 1.0)
        assert (await send(admin, "PUT", f"/v1/roles/{base}", {})).status == 200
        await eventually(lambda: answers(403), "the change of its parent", 1.0)
