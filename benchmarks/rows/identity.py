"""Row identity: logins, grants and checks per core, and what security adds to a request."""

import itertools
import json
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp

from benchmarks.clients import PASSWORD, account, skeleton_client, workflow_client
from benchmarks.folders import folder
from benchmarks.load import Load, best
from benchmarks.processes import Place, place
from benchmarks.report import Figure, Report
from benchmarks.rows.durable import SETS
from benchmarks.rows.security import (
    argon2_bound,
    chain_p50,
    checks_per_second,
    signing_bound,
    verifying_bound,
)
from benchmarks.serve import ADMINISTRATOR
from benchmarks.sizes import Sizes

PEOPLE = 8
FAMILIES = 32


@dataclass(frozen=True, slots=True)
class _World:
    """Gateway and services in two processes, and a client."""

    sizes: Sizes
    folder: str
    services: Place
    gateway: Place
    http: aiohttp.ClientSession

    async def post(self, path: str, body: Any, **headers: str) -> Any:
        """The answer to *body*, which must be a good one."""
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        async with self.http.post(path, json=body, headers=named) as got:
            return _good(got.status, await got.read())

    async def load(self, once: Callable[[], Awaitable[object]], in_flight: int, calls: int) -> Load:
        """The best of several runs."""
        places = [self.gateway, self.services]
        return await best(self.sizes.runs, once, in_flight, calls, places)


async def identity(sizes: Sizes) -> Report:
    """Row identity. A rate per core is one divided by the CPU time that gateway and services take."""
    async with _world(sizes) as world:
        people = min(PEOPLE, max(sizes.alone // 5, 2))
        emails = [f"person{number}@example.com" for number in range(people)]
        for email in emails:
            await world.post("/v1/auth/register", {"email": email, "password": PASSWORD})
        figures = (
            await _logins(world, emails),
            await _refreshes(world, emails),
            await _client_credentials(world),
            *await _gets(world, emails[0]),
        )
    first = checks_per_second(sizes.flood)
    return Report(
        "identity",
        "logins, grants and checks; rates per core of gateway and services together",
        (
            *figures,
            Figure("checks of new access tokens", first, "/s", verifying_bound(sizes.alone)),
        ),
    )


async def _logins(world: _World, emails: list[str]) -> Figure:
    turns = itertools.cycle(emails)

    async def once() -> None:
        await world.post("/v1/auth/login", {"email": next(turns), "password": PASSWORD})

    load = await world.load(once, len(emails), max(world.sizes.alone // 5, len(emails)))
    bound = argon2_bound(max(world.sizes.alone // 20, 5))
    return Figure("logins, beside bare Argon2id", _per_core(load), "/s", bound)


async def _refreshes(world: _World, emails: list[str]) -> Figure:
    tokens: deque[str] = deque()
    families = min(FAMILIES, world.sizes.alone // 2)
    for email in itertools.islice(itertools.cycle(emails), families):
        tokens.append(await _refresh_token(world, email))

    async def once() -> None:
        given = {"refresh_token": tokens.popleft()}
        tokens.append((await world.post("/v1/auth/refresh", given))["refresh_token"])

    load = await world.load(once, families, world.sizes.flood // 3)
    async with (
        place("skeleton", world.folder, "1") as bare,
        skeleton_client(bare.addresses["grpc"]) as committed,
    ):
        floor = await best(world.sizes.runs, committed, families, world.sizes.flood // 3, [bare])
    return Figure(
        "refresh grants, beside a bare durable commit", _per_core(load), "/s", _per_core(floor)
    )


async def _refresh_token(world: _World, email: str) -> str:
    answer = await world.post("/v1/auth/login", {"email": email, "password": PASSWORD})
    return str(answer["refresh_token"])


async def _client_credentials(world: _World) -> Figure:
    email, password = ADMINISTRATOR
    admin = await world.post("/v1/auth/login", {"email": email, "password": password})
    client = await world.post(
        "/v1/oauth-clients",
        {
            "client_name": "bench",
            "grant_types": ["client_credentials"],
            "scope": "executions:read",
            "service_account_roles": ["user"],
        },
        Authorization=f"Bearer {admin['access_token']}",
    )
    proof = aiohttp.encode_basic_auth(client["client_id"], client["client_secret"])

    async def once() -> None:
        form = {"grant_type": "client_credentials"}
        headers = {"Authorization": proof}
        async with world.http.post("/oauth2/token", data=form, headers=headers) as got:
            _good(got.status, await got.read())

    load = await world.load(once, FAMILIES, world.sizes.flood // 3)
    bound = signing_bound(world.sizes.alone)
    return Figure(
        "client-credential grants, beside bare ES256 signing", _per_core(load), "/s", bound
    )


async def _gets(world: _World, email: str) -> tuple[Figure, ...]:
    """A GET with a token and with an API key, and what of it the chain of checks takes."""
    tokens = await world.post("/v1/auth/login", {"email": email, "password": PASSWORD})
    token = {"Authorization": f"Bearer {tokens['access_token']}"}
    terms = {"name": "bench", "permissions": ["executions:read"]}
    key = {"X-API-Key": (await world.post("/v1/api-keys", terms, **token))["key"]}
    by_token = await world.load(_getting(world, token), FAMILIES, world.sizes.flood)
    by_key = await world.load(_getting(world, key), FAMILIES, world.sizes.flood)
    alone = await world.load(_getting(world, token), 1, world.sizes.alone)
    whole = alone.quantile(0.5) * 1000
    async with account(world.folder, world.services.addresses) as user:
        chain = await chain_p50(world.folder, user, world.sizes.alone)
    return (
        Figure(
            "GETs with an API key, beside a token", _per_core(by_key), "/s", _per_core(by_token)
        ),
        Figure("all checks of a GET, of its p50 without them", chain, "µs", whole - chain),
    )


def _getting(world: _World, headers: dict[str, str]) -> Callable[[], Awaitable[None]]:
    async def once() -> None:
        async with world.http.get("/v1/executions?limit=1", headers=headers) as got:
            _good(got.status, await got.read())

    return once


@asynccontextmanager
async def _world(sizes: Sizes) -> AsyncIterator[_World]:
    with folder() as path:
        async with place("services", path) as services:
            async with workflow_client(path, services.addresses) as client:
                await client.publish(SETS)
            async with place("gateway", path, json.dumps(services.addresses)) as gateway:
                connector = aiohttp.TCPConnector(limit=FAMILIES)
                url = gateway.addresses["http"]
                async with aiohttp.ClientSession(url, connector=connector) as http:
                    yield _World(sizes, path, services, gateway, http)


def _per_core(load: Load) -> float:
    return 1000 / load.server_cpu_per_1000


def _good(status: int, body: bytes) -> Any:
    if status >= 400:
        raise RuntimeError(f"answered {status}: {body[:300]!r}")
    return json.loads(body)
