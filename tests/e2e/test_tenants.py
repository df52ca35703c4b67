"""Tenants share an installation without knowing of each other."""

import json
from collections.abc import Iterator

import pytest

from autoworker import Client
from autoworker.errors import InvalidRequest, Unauthenticated
from tests.e2e.attacks.raw import raw_as
from tests.support.access import policy, send
from tests.support.gateway_client import PASSWORD
from tests.support.suite import Suite, started

EMAIL = "ada@example.com"


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    """A suite with two tenants."""
    with started(tmp_path_factory.mktemp("suite"), AUTOWORKER_TENANTS="acme") as running:
        yield running


async def test_one_address_is_somebody_else_in_each_tenant(suite: Suite) -> None:
    async with Client(suite.url) as client:
        here = await client.register(EMAIL, PASSWORD)
        there = await client.register(EMAIL, f"{PASSWORD}-there", tenant="acme")
        with pytest.raises(Unauthenticated):
            await client.login(EMAIL, PASSWORD, tenant="acme")
        with pytest.raises(Unauthenticated):
            await client.login(EMAIL, PASSWORD, tenant="nowhere")
        with pytest.raises(InvalidRequest):
            await client.register("grace@example.com", PASSWORD, tenant="nowhere")
    async with Client(
        suite.url, email=EMAIL, password=f"{PASSWORD}-there", tenant="acme"
    ) as client:
        assert (await client.me()).id == there.id != here.id


async def test_each_tenant_has_an_administrator_roles_and_policies_of_its_own(
    suite: Suite,
) -> None:
    known = suite.administrator
    async with (
        raw_as(suite.url, known.email, known.password) as here,
        raw_as(suite.url, known.email, known.password, tenant="acme") as there,
    ):
        assert (await here("GET", "/v1/users/me")).json["tenant"] == "default"
        assert (await there("GET", "/v1/users/me")).json["tenant"] == "acme"
        chief = (await there("GET", "/v1/users/me")).json["id"]
        made = await send(there, "PUT", "/v1/roles/local", {"permissions": ["users:read"]})
        async with policy(there, "deny", ["functions:read"], "true") as name:
            absent = [
                await send(here, "GET", "/v1/roles/local"),
                await send(here, "GET", f"/v1/policies/{name}"),
                await send(here, "GET", f"/v1/users/{chief}/roles"),
                await send(here, "PUT", f"/v1/users/{chief}/roles", {"roles": ["user"]}),
                await send(here, "DELETE", f"/v1/policies/{name}"),
            ]
            free = await send(here, "GET", "/v1/functions")

    assert made.status == 201
    assert [each.status for each in absent] == [404] * len(absent)
    assert free.status == 200


async def test_each_tenant_has_an_audit_trail_of_its_own(suite: Suite) -> None:
    known = suite.administrator
    async with (
        raw_as(suite.url, known.email, known.password) as here,
        raw_as(suite.url, known.email, known.password, tenant="acme") as there,
    ):
        chief = (await there("GET", "/v1/users/me")).json["id"]
        for api, tenant in ((here, "default"), (there, "acme")):
            answer = await api("GET", "/v1/audit?action=logged_in")
            assert {entry["tenant"] for entry in answer.json["items"]} == {tenant}
            assert (await api("GET", "/v1/audit/verify")).json["intact"]
        assert (await there("GET", f"/v1/audit?actor={chief}")).json["items"]
        assert (await here("GET", f"/v1/audit?actor={chief}")).json["items"] == []
        exported = await here("GET", "/v1/audit/export")

    entries = [json.loads(line) for line in exported.body.splitlines()]
    assert {entry["tenant"] for entry in entries} == {"default"}
    assert chief not in {entry["actor"] for entry in entries}
    assert "nowhere" in {entry["data"].get("named_tenant") for entry in entries}
