"""Roles and policies for tests: somebody who administers, and what they say."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from itertools import count
from typing import Any

import msgspec

from autoworker import Client
from tests.e2e.attacks.raw import Answer, Raw, raw_as
from tests.support.gateway_client import PASSWORD, Person
from tests.support.suite import Suite

_NUMBERS = count(1)


@asynccontextmanager
async def administrator(suite: Suite) -> AsyncIterator[Raw]:
    """The first administrator, without manners."""
    known = suite.administrator
    async with raw_as(suite.url, known.email, known.password) as api:
        yield api


async def send(api: Raw, method: str, path: str, body: Any = None) -> Answer:
    """Send *body* as JSON, if there is one."""
    if body is None:
        return await api(method, path)
    return await api(method, path, msgspec.json.encode(body), Content_Type="application/json")


async def id_of(person: Client) -> str:
    """Who somebody is."""
    return (await person.me()).id


async def role_with(admin: Raw, *permissions: str, parents: tuple[str, ...] = ()) -> str:
    """A new role with these permissions; its name."""
    name = f"role-{next(_NUMBERS)}"
    body = {"permissions": list(permissions), "parents": list(parents)}
    answer = await send(admin, "PUT", f"/v1/roles/{name}", body)
    assert answer.status == 201, answer.body
    return name


async def give(admin: Raw, person: Client, *roles: str) -> None:
    """*person* has exactly these roles."""
    await give_id(admin, await id_of(person), *roles)


async def give_id(admin: Raw, user_id: str, *roles: str) -> None:
    """The user has exactly these roles."""
    answer = await send(admin, "PUT", f"/v1/users/{user_id}/roles", {"roles": list(roles)})
    assert answer.status == 200, answer.body


@asynccontextmanager
async def raw_of(suite: Suite, person: Person) -> AsyncIterator[Raw]:
    """*person*, without manners."""
    async with raw_as(suite.url, person.email, PASSWORD) as api:
        yield api


@asynccontextmanager
async def policy(
    admin: Raw, effect: str, actions: Sequence[str], condition: str, mode: str = "enforce"
) -> AsyncIterator[str]:
    """A policy that is there until the block is left; its name."""
    name = f"policy-{next(_NUMBERS)}"
    body = {"effect": effect, "actions": list(actions), "condition": condition, "mode": mode}
    answer = await send(admin, "PUT", f"/v1/policies/{name}", body)
    assert answer.status == 200, answer.body
    yield name
    assert (await send(admin, "DELETE", f"/v1/policies/{name}")).status == 204
