"""Two auth services on one MongoDB, each with a gateway of its own: what one of them does counts at the other."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final

import aiohttp
import pytest

from tests.chaos.processes import Cluster, Process, four_processes, started
from tests.support import mongodb
from tests.support.gateway_client import eventually
from tests.support.ports import free_port
from tests.support.servers import absent

ADMIN: Final = {"email": "admin@autoworker.internal", "password": "Administrators-and-7-cups"}
ADA: Final = {"email": "ada@example.com", "password": "Analytical-Engine-1843"}
PATIENCE: Final = 90.0
MANY: Final = 12


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cluster]:
    if not mongodb.BINARY.exists():
        absent("MongoDB of one's own", "make setup")
    server = mongodb.Server()
    server.start()
    try:
        folder = tmp_path_factory.mktemp("auth")
        made = four_processes(folder, AUTOWORKER_STORE_URL=f"{server.url}suite")
        made.processes = [each for each in made.processes if each.name in ("auth", "gateway")]
        made.processes += second_of(made)
        with started(made) as running:
            yield running
    finally:
        server.remove()


def second_of(cluster: Cluster) -> list[Process]:
    """Another auth service, and the gateway that calls it."""
    place = {
        "AUTOWORKER_AUTH_GRPC_PORT": str(free_port()),
        "AUTOWORKER_HTTP_PORT": str(free_port()),
    }
    return [
        replace(each, name=f"{each.name}-2", settings={**each.settings, **place})
        for each in cluster.processes
    ]


def bearing(token: str) -> dict[str, str]:
    """The headers of a call with *token*."""
    return {"Authorization": f"Bearer {token}"}


@dataclass(frozen=True, slots=True)
class Gateway:
    """One of the two, as a client sees it."""

    http: aiohttp.ClientSession
    url: str

    async def post(self, path: str, body: object, token: str = "") -> tuple[int, dict[str, Any]]:
        """What it answers; 503 when it does not."""
        headers = bearing(token) if token else {}
        try:
            async with self.http.post(f"{self.url}{path}", json=body, headers=headers) as answer:
                text = await answer.read()
                return answer.status, await answer.json() if text else {}
        except aiohttp.ClientError:
            return 503, {}

    async def get(self, path: str, headers: dict[str, str]) -> tuple[int, dict[str, Any]]:
        """What it answers."""
        async with self.http.get(f"{self.url}{path}", headers=headers) as answer:
            return answer.status, await answer.json()

    async def me(self, token: str) -> int:
        """The status with which it tells somebody who they are."""
        status, _ = await self.get("/v1/users/me", bearing(token))
        return status

    async def login(self, who: dict[str, str]) -> dict[str, Any]:
        """The tokens of a login, which is tried for as long as a service takes to come up."""
        found: list[dict[str, Any]] = []

        async def attempt() -> bool:
            status, answer = await self.post("/v1/auth/login", who)
            if status == 200:
                found.append(answer)
            return status == 200

        await eventually(attempt, "a login", PATIENCE)
        return found[0]

    async def refuses(self, token: str) -> None:
        """Return once the token is refused."""

        async def attempt() -> bool:
            return await self.me(token) == 401

        await eventually(attempt, "a refusal", PATIENCE)


@pytest.fixture
async def gateways(cluster: Cluster) -> AsyncIterator[tuple[Gateway, Gateway]]:
    """Both, ready, with the first administrator able to log in at each."""
    gateways = [each for each in cluster.processes if each.name.startswith("gateway")]
    ports = [each.settings["AUTOWORKER_HTTP_PORT"] for each in gateways]
    async with aiohttp.ClientSession() as http:
        one, other = (Gateway(http, f"http://127.0.0.1:{port}") for port in ports)
        for gateway in (one, other):
            await gateway.login(ADMIN)
        yield one, other


Gateways = tuple[Gateway, Gateway]


async def test_an_account_a_session_and_its_end_count_everywhere(gateways: Gateways) -> None:
    one, other = gateways
    status, _ = await one.post("/v1/auth/register", ADA)
    assert status == 201
    first = await one.login(ADA)
    assert await other.me(first["access_token"]) == 200

    status, second = await other.post("/v1/auth/refresh", {"refresh_token": first["refresh_token"]})
    assert status == 200
    assert await one.me(second["access_token"]) == 200

    status, _ = await other.post("/v1/auth/logout", {}, second["access_token"])
    assert status == 204
    for gateway in gateways:
        await gateway.refuses(second["access_token"])
    status, _ = await one.post("/v1/auth/refresh", {"refresh_token": second["refresh_token"]})
    assert status == 401


async def test_a_refresh_token_is_good_once_whoever_is_asked(gateways: Gateways) -> None:
    tokens = await gateways[0].login(ADMIN)
    body = {"refresh_token": tokens["refresh_token"]}

    answers = await asyncio.gather(
        *(gateways[number % 2].post("/v1/auth/refresh", body) for number in range(MANY))
    )

    assert sorted(status for status, _ in answers)[0] in (200, 401)
    assert sum(status == 200 for status, _ in answers) <= 1
    for gateway in gateways:
        await gateway.refuses(tokens["access_token"])


async def test_an_api_key_is_good_everywhere_and_its_end_counts_everywhere(
    gateways: Gateways,
) -> None:
    one, other = gateways
    token = (await one.login(ADMIN))["access_token"]
    wanted = {"name": "auditor", "permissions": ["audit:read"]}
    status, made = await one.post("/v1/api-keys", wanted, token)
    assert status == 201
    key = {"X-API-Key": made["key"]}
    for gateway in gateways:
        assert (await gateway.get("/v1/audit", key))[0] == 200

    url = f"{other.url}/v1/api-keys/{made['id']}"
    async with other.http.delete(url, headers=bearing(token)) as answer:
        assert answer.status == 204

    async def ended() -> bool:
        return [(await each.get("/v1/audit", key))[0] for each in gateways] == [401, 401]

    await eventually(ended, "the key being refused by both", PATIENCE)


async def test_when_one_is_killed_the_other_goes_on(cluster: Cluster, gateways: Gateways) -> None:
    one, other = gateways
    before = await one.login(ADMIN)
    auth = next(each for each in cluster.processes if each.name == "auth")

    auth.kill()
    try:
        assert await other.me(before["access_token"]) == 200
        # Writes wait for a transaction that it may have been in, until the server ends that.
        await other.login(ADMIN)
        status, answer = await other.post(
            "/v1/auth/refresh", {"refresh_token": before["refresh_token"]}
        )
        assert status == 200
        status, _ = await other.post("/v1/auth/register", {**ADA, "email": "grace@example.com"})
        assert status == 201
    finally:
        auth.start()

    await one.login({**ADA, "email": "grace@example.com"})
    assert await one.me(answer["access_token"]) == 200


async def test_what_both_have_told_is_one_chain(gateways: Gateways) -> None:
    one, other = gateways
    token = (await one.login(ADMIN))["access_token"]
    await other.login(ADMIN)

    for gateway in gateways:
        status, verdict = await gateway.get("/v1/audit/verify", bearing(token))
        assert (status, verdict["intact"]) == (200, True), verdict
        assert verdict["entries"] > 0
