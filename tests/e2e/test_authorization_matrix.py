"""Every route of the gateway, against everybody: generated from the routes, expected by rule.

No route is without a row: they come from the description of the API, and a route about a thing of a kind
that is not in `OBJECTS` fails.
"""

from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack

import aiohttp
import pytest

from tests.e2e.attacks.raw import Raw, raw_as
from tests.support.access import administrator, give, give_id, id_of, raw_of, role_with, send
from tests.support.gateway_client import signed_up, told_about
from tests.support.http_session import http_session
from tests.support.matrix import Row, rows, status
from tests.support.matrix_things import (
    BODIES,
    CREATES,
    ELSEWHERE,
    PERSONAL,
    SEEN_BY_ADMINISTRATORS,
    TENANTS,
    WORKFLOW,
    kind_of,
)
from tests.support.suite import Suite, started

GARBAGE = b'{"": 0}'
"""A body that no route takes: whoever is let in learns that, and changes nothing."""
SESSIONS_ONLY = ("/v1/users/me", "/v1/auth/", "/v1/api-keys")
"""Where an API key is not enough, whatever permission it has."""
ENDS = {"POST /v1/auth/logout", "DELETE /v1/users/me/sessions"}
"""What ends the session of whoever asks, or those of others."""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite with two tenants."""
    with started(
        tmp_path_factory.mktemp("suite"),
        AUTOWORKER_TENANTS="acme",
        AUTOWORKER_AUTH_RATE_LIMIT="100000/60",
        AUTOWORKER_ANONYMOUS_RATE_LIMIT="100000/60",
    ) as running:
        yield running


@pytest.fixture
async def admin(suite: Suite) -> AsyncIterator[Raw]:
    """The first administrator of the tenant."""
    async with administrator(suite) as api:
        yield api


async def guarded(suite: Suite) -> list[Row]:
    async with http_session(suite.url) as http:
        return [row for row in await rows(http) if row.permission]


async def answers(
    api: aiohttp.ClientSession, wanted: list[Row], body: bytes | None = GARBAGE
) -> dict[str, int]:
    """The status of each of *wanted*, about things that are not there."""
    return {str(row): await status(api, row, row.at({}), body) for row in wanted}


# ------------------------------------------------------------ roles


async def test_strangers_get_401_from_everything_that_is_not_public(suite: Suite) -> None:
    wanted = await guarded(suite)

    async with http_session(suite.url) as nobody:
        assert set((await answers(nobody, wanted)).values()) == {401}
    assert len(wanted) > 90


async def test_who_has_no_role_gets_403_from_everything(suite: Suite, admin: Raw) -> None:
    async with signed_up(suite.url) as ada, raw_of(suite, ada) as api:
        await give(admin, ada)

        assert set((await answers(api.http, await guarded(suite))).values()) == {403}


@pytest.mark.parametrize("role", ["user", "admin"])
async def test_built_in_roles_open_what_they_give_and_nothing_else(
    suite: Suite, admin: Raw, role: str
) -> None:
    wanted = [row for row in await guarded(suite) if str(row) not in ENDS]
    async with signed_up(suite.url) as ada:
        await give(admin, ada, role)
        async with raw_of(suite, ada) as api:
            held = (await api("GET", "/v1/users/me")).json["permissions"]
            found = await answers(api.http, wanted)

    for row in wanted:
        assert (found[str(row)] != 403) is (row.permission in held), f"{row}: {found[str(row)]}"
        assert found[str(row)] != 401
        assert found[str(row)] < 500


async def test_a_role_with_one_permission_opens_its_routes_and_no_other(
    suite: Suite, admin: Raw
) -> None:
    wanted = [row for row in await guarded(suite) if str(row) not in ENDS]
    one_of_each = {row.permission: row for row in reversed(wanted)}
    async with signed_up(suite.url) as ada:
        who = await id_of(ada)
        for permission in one_of_each:
            await give_id(admin, who, await role_with(admin, permission))
            async with raw_of(suite, ada) as api:
                mine = [row for row in wanted if row.permission == permission]
                others = [row for key, row in one_of_each.items() if key != permission]
                let_in = await answers(api.http, mine)
                refused = await answers(api.http, others)
            assert not {401, 403} & set(let_in.values()), (permission, let_in)
            assert set(refused.values()) == {403}, (permission, refused)


async def test_each_of_two_permissions_opens_a_route_that_takes_either(
    suite: Suite, admin: Raw
) -> None:
    either = [row for row in await guarded(suite) if row.or_permission]
    assert [str(row) for row in either] == ["POST /v1/auth/logout"]
    async with signed_up(suite.url) as ada:
        who = await id_of(ada)
        for row in either:
            for permission in ("roles:read", row.permission, row.or_permission):
                await give_id(admin, who, await role_with(admin, permission))
                async with raw_of(suite, ada) as api:
                    found = await status(api.http, row, row.path)
                assert found == (403 if permission == "roles:read" else 204), permission


async def test_an_api_key_opens_what_it_may_do_and_nothing_else(suite: Suite, admin: Raw) -> None:
    wanted = await guarded(suite)
    held = ["workflows:read", "executions:read", "users:self", "roles:read"]
    made = await send(admin, "POST", "/v1/api-keys", {"name": "matrix", "permissions": held})
    assert made.status == 201, made.body

    async with http_session(suite.url, headers={"X-API-Key": made.json["key"]}) as api:
        found = await answers(api, wanted)

    for row in wanted:
        if not row.path.startswith(SESSIONS_ONLY):
            assert (found[str(row)] != 403) is (row.permission in held), f"{row}: {found[str(row)]}"
        elif row.permission not in held:
            assert found[str(row)] == 403, row


# ------------------------------------------------------------ things


async def test_what_belongs_to_others_is_not_there(suite: Suite, admin: Raw) -> None:
    wanted = [row for row in await guarded(suite) if row.has_object]
    known = suite.administrator
    async with AsyncExitStack() as stack:
        ada = await stack.enter_async_context(signed_up(suite.url, "Ada"))
        eve = await stack.enter_async_context(signed_up(suite.url, "Eve"))
        _ = await stack.enter_async_context(raw_of(suite, ada))
        adas = await stack.enter_async_context(raw_of(suite, ada))
        eves = await stack.enter_async_context(raw_of(suite, eve))
        foreign = await stack.enter_async_context(
            raw_as(suite.url, known.email, known.password, tenant="acme")
        )
        made = {kind: await make(adas) for kind, make in PERSONAL.items()}
        made |= {kind: await make(admin) for kind, make in (TENANTS | ELSEWHERE).items()}
        for row in wanted:
            kind = kind_of(row)
            path, body = row.at(made[kind]), BODIES.get(str(row), row.example)
            owner = adas if kind in PERSONAL else admin
            if str(row) not in CREATES:
                assert await status(foreign.http, row, path, body) == 404, f"{row}, other tenant"
            if kind in PERSONAL and str(row) not in CREATES:
                assert await status(eves.http, row, path, body) == 404, f"{row}, other user"
                if not row.path.startswith(SEEN_BY_ADMINISTRATORS):
                    assert await status(admin.http, row, path, body) == 404, f"{row}, admin"
            if kind not in ELSEWHERE:
                own = await status(owner.http, row, path, body)
                assert own not in (401, 403, 404), f"{row}, own: {own}"
                assert own < 500, f"{row}, own: {own}"


async def test_what_belongs_to_others_is_in_no_list(suite: Suite, admin: Raw) -> None:
    known = suite.administrator
    async with (
        signed_up(suite.url, "Ada") as ada,
        signed_up(suite.url, "Eve") as eve,
        raw_of(suite, ada) as adas,
        raw_of(suite, eve) as eves,
        raw_as(suite.url, known.email, known.password, tenant="acme") as foreign,
    ):
        await PERSONAL["/v1/secrets/{name}"](adas)
        execution = await PERSONAL["/v1/executions/{id}"](adas)
        key = await PERSONAL["/v1/api-keys/{id}"](adas)
        lists = [row for row in await guarded(suite) if row.method == "GET" and not row.has_object]
        names = {execution["id"], key["id"], await id_of(ada)}
        for row in lists:
            if "stream" in row.path or "export" in row.path:
                continue
            for stranger in (eves, foreign):
                said = (await stranger("GET", row.path)).body.decode()
                assert not [name for name in names if name in said], f"{row} shows Ada's"
        assert execution["id"] in (await adas("GET", "/v1/executions")).body.decode()


async def test_a_notification_is_its_readers_alone(suite: Suite) -> None:
    async with signed_up(suite.url, "Ada") as ada, signed_up(suite.url, "Eve") as eve:
        await ada.publish(
            WORKFLOW.replace("NAME", "told")
            .replace("SCHEDULE", "")
            .replace("wait: {hours: 1}", "set: {x: 1}")
        )
        note = await told_about(ada, (await ada.start("matrix/told", wait=20)).id)
        async with raw_of(suite, ada) as adas, raw_of(suite, eve) as eves:
            path = f"/v1/notifications/{note.id}/read"
            assert (await eves("POST", path)).status == 404
            assert (await adas("POST", path)).status in (200, 204)
