import socket
from collections.abc import AsyncIterator

import aiohttp
import pytest

from chassis.admin import AdminServer
from chassis.errors import CannotStart, Unavailable
from chassis.health import Health


class Store:
    """Something that can be well or not."""

    problem: Exception | None = None

    async def check(self) -> None:
        if self.problem is not None:
            raise self.problem


@pytest.fixture
def health() -> Health:
    return Health()


@pytest.fixture
async def admin(health: Health) -> AsyncIterator[AdminServer]:
    async with AdminServer(host="127.0.0.1", port=0, health=health) as admin:
        yield admin


async def get(admin: AdminServer, path: str) -> tuple[int, str]:
    async with (
        aiohttp.ClientSession() as session,
        session.get(f"http://{admin.address}{path}") as response,
    ):
        return response.status, await response.text()


async def test_a_running_service_is_alive_and_ready(admin: AdminServer) -> None:
    assert await get(admin, "/healthz") == (200, '{"status":"ok"}')
    assert await get(admin, "/readyz") == (200, '{"status":"ok","checks":{}}')


async def test_a_failed_check_makes_it_unready_but_not_dead(
    admin: AdminServer, health: Health
) -> None:
    store = Store()
    health.add("store", store.check)
    assert await get(admin, "/readyz") == (200, '{"status":"ok","checks":{"store":"ok"}}')
    store.problem = Unavailable("the disk is full")
    assert await get(admin, "/readyz") == (
        503,
        '{"status":"unavailable","checks":{"store":"the disk is full"}}',
    )
    assert (await get(admin, "/healthz"))[0] == 200


async def test_an_unknown_failure_is_not_shown(admin: AdminServer, health: Health) -> None:
    store = Store()
    store.problem = RuntimeError("password is hunter2")
    health.add("store", store.check)
    status, text = await get(admin, "/readyz")
    assert status == 503
    assert "hunter2" not in text


async def test_a_draining_service_is_not_ready(admin: AdminServer, health: Health) -> None:
    health.drain()
    assert await get(admin, "/readyz") == (503, '{"status":"draining","checks":{}}')


async def test_metrics_come_in_prometheus_text(admin: AdminServer) -> None:
    status, text = await get(admin, "/metrics")
    assert status == 200
    assert "# TYPE python_info gauge" in text


async def test_a_port_that_is_taken_is_named(health: Health) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(CannotStart, match=str(port)):
            await AdminServer(host="127.0.0.1", port=port, health=health).__aenter__()
