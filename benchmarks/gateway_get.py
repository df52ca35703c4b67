"""GET /v1/executions/{id} through the gateway, against its two floors in the same run.

The floors: aiohttp alone answering the same bytes, and the same gRPC call without a gateway. One
process for the services, one for the gateway, one for the load: on two cores they get in each
other's way, which is the same for all three. Run: ``python -m benchmarks.gateway_get``.
"""

import asyncio
import json
import resource
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import aiohttp
import uvloop
from aiohttp import web

import auth_service.bootstrap
import auth_service.config
import gateway.bootstrap
import gateway.config
import notification_service.bootstrap
import notification_service.config
import workflow_service.bootstrap
import workflow_service.config
from chassis.config import Environment
from chassis.discovery.static import StaticRegistry
from chassis.messaging.memory import MemoryBus
from chassis.rpc.client import RpcClient
from chassis.rpc.credentials import ServiceIdentity
from protos.auth.v1 import auth_pb2
from protos.auth.v1.auth_pb2_grpc import AuthServiceStub
from protos.workflow.v1 import workflow_pb2
from protos.workflow.v1.workflow_pb2_grpc import WorkflowServiceStub

CONNECTIONS = 64
SECONDS = 5.0
ACCOUNT = {"email": "bench@example.com", "password": "Correct-Horse-9"}
DOCUMENT = {
    "document": {"dsl": "1.0.3", "namespace": "bench", "name": "get", "version": "1.0.0"},
    "do": [{"greet": {"set": {"greeting": '${ "Hello, \\(.name)!" }'}}}],
}


def environment(folder: str) -> Environment:
    """Settings for services that are here only to be measured."""
    ports = {
        f"AUTOWORKER_{name}_{port}_PORT": "0"
        for name in ("AUTH", "WORKFLOW", "NOTIFICATION", "GATEWAY")
        for port in ("GRPC", "ADMIN")
    }
    return Environment(
        {
            **ports,
            "AUTOWORKER_DATA_DIR": folder,
            "AUTOWORKER_HTTP_PORT": "0",
            "AUTOWORKER_RATE_LIMIT": "100000000/60",
        }
    )


async def serve_services(folder: str) -> None:
    """The three services, until stdin ends."""
    env, registry = environment(folder), StaticRegistry()
    async with AsyncExitStack() as stack:
        bus = await stack.enter_async_context(MemoryBus())
        for package in (auth_service, notification_service, workflow_service):
            settings = package.config.Settings.from_environment(env)
            await stack.enter_async_context(
                package.bootstrap.running(settings, registry=registry, bus=bus)
            )
        names = ("auth", "workflow", "notification")
        await _announce({name: (await registry.resolve(name))[0] for name in names})


async def serve_gateway(folder: str, addresses: str) -> None:
    """The gateway, until stdin ends."""
    settings = gateway.config.Settings.from_environment(environment(folder))
    registry = StaticRegistry(json.loads(addresses))
    async with gateway.bootstrap.running(settings, registry=registry) as place:
        await _announce({"url": place.http_address})


async def serve_bare(body: str) -> None:
    """aiohttp and nothing else, until stdin ends."""

    async def handler(_request: web.BaseRequest) -> web.Response:
        return web.Response(body=body.encode(), content_type="application/json")

    runner = web.ServerRunner(web.Server(handler))
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    await _announce({"url": f"http://127.0.0.1:{runner.addresses[0][1]}"})
    await runner.cleanup()


async def _announce(places: dict[str, str]) -> None:
    """Tell the parent where we are; when it closes our stdin, what we cost."""
    # On stderr: stdout has the logs, whose writing is part of what is measured.
    sys.stderr.write(json.dumps(places) + "\n")
    sys.stderr.flush()
    await asyncio.to_thread(sys.stdin.readline)
    began = resource.getrusage(resource.RUSAGE_SELF)
    await asyncio.to_thread(sys.stdin.read)
    ended = resource.getrusage(resource.RUSAGE_SELF)
    cpu = ended.ru_utime + ended.ru_stime - began.ru_utime - began.ru_stime
    sys.stderr.write(json.dumps({"cpu": cpu}) + "\n")


@asynccontextmanager
async def process(role: str, *arguments: str) -> AsyncIterator[tuple[Any, dict[str, str]]]:
    """This module in another process, in another *role*."""
    child = await asyncio.create_subprocess_exec(
        sys.executable, "-m", __spec__.name, role, *arguments,
        stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )  # fmt: skip
    if child.stderr is None:
        raise RuntimeError("no pipe")
    try:
        yield child, json.loads(await child.stderr.readline())
    finally:
        if child.stdin is not None:
            child.stdin.close()
        await child.wait()


async def measure(once: Callable[[], Awaitable[None]]) -> tuple[float, float]:
    """Calls a second with all connections busy, and the 99th percentile in milliseconds."""
    took: list[float] = []
    stop = time.perf_counter() + SECONDS

    async def worker() -> None:
        while (began := time.perf_counter()) < stop:
            await once()
            took.append(time.perf_counter() - began)

    began = time.perf_counter()
    await asyncio.gather(*(worker() for _ in range(CONNECTIONS)))
    rate = len(took) / (time.perf_counter() - began)
    return rate, sorted(took)[int(len(took) * 0.99)] * 1000


async def measure_http(child: Any, url: str, token: str) -> tuple[float, float, float]:
    """Rate, p99 and the server's CPU in microseconds a request."""
    session = aiohttp.ClientSession(connector=aiohttp.TCPConnector(limit=CONNECTIONS))
    headers = {"Authorization": f"Bearer {token}"}

    async def once() -> None:
        async with session.get(url, headers=headers) as response:
            await response.read()
            if response.status != 200:
                raise RuntimeError(f"{url} answered {response.status}")

    async with session:
        await once()
        child.stdin.write(b"\n")
        rate, p99 = await measure(once)
    child.stdin.close()
    lines = (await child.stderr.read()).decode().splitlines()
    cpu = next(json.loads(line)["cpu"] for line in lines if line.startswith('{"cpu"'))
    return rate, p99, cpu / (rate * SECONDS) * 1e6


async def measure_grpc(folder: str, addresses: dict[str, str], token: str, id: str) -> float:
    """The same call without a gateway, calls a second."""
    registry = StaticRegistry(addresses)
    identity = ServiceIdentity.load_or_create(Path(folder) / "keys", "gateway")
    async with RpcClient(registry, "auth", identity) as auth:
        request = auth_pb2.ExchangeTokenRequest(access_token=token, audience="svc:workflow")
        inner = await auth.call(AuthServiceStub(auth.channel).ExchangeToken, request)
    async with RpcClient(registry, "workflow", identity) as client:
        stub = WorkflowServiceStub(client.channel)

        async def once() -> None:
            wanted = workflow_pb2.GetExecutionRequest(id=id)
            await client.call(stub.GetExecution, wanted, token=inner.internal_token)

        return (await measure(once))[0]


async def prepare(url: str) -> tuple[str, str, bytes]:
    """A token, a completed execution, and its bytes."""
    async with aiohttp.ClientSession(url) as session:
        await (await session.post("/v1/auth/register", json=ACCOUNT)).read()
        opened = await (await session.post("/v1/auth/login", json=ACCOUNT)).json()
        session.headers["Authorization"] = f"Bearer {opened['access_token']}"
        await (await session.post("/v1/workflows", json=DOCUMENT)).read()
        start = {"workflow": {"namespace": "bench", "name": "get"}, "input": {"name": "Ada"}}
        execution = await (await session.post("/v1/executions?wait=10", json=start)).json()
        answer = await (await session.get(f"/v1/executions/{execution['id']}")).read()
        return opened["access_token"], execution["id"], answer


async def main() -> None:
    """Measure all three and print them as one JSON object."""
    with tempfile.TemporaryDirectory() as folder:
        async with process("services", folder) as (_, addresses):
            async with process("gateway", folder, json.dumps(addresses)) as (child, place):
                token, id, body = await prepare(place["url"])
                through = await measure_http(child, f"{place['url']}/v1/executions/{id}", token)
            direct = await measure_grpc(folder, addresses, token, id)
        async with process("bare", body.decode()) as (child, place):
            bare = await measure_http(child, place["url"], token)
    result = {
        "gateway_per_s": round(through[0]),
        "gateway_p99_ms": round(through[1], 1),
        "gateway_cpu_us": round(through[2]),
        "bare_aiohttp_per_s": round(bare[0]),
        "bare_aiohttp_cpu_us": round(bare[2]),
        "direct_grpc_per_s": round(direct),
        "gateway_to_direct_grpc": round(through[0] / direct, 2),
        "gateway_to_bare_aiohttp": round(through[0] / bare[0], 2),
    }
    print(json.dumps(result, indent=1))


ROLES: dict[str, Callable[..., Any]] = {
    "services": serve_services,
    "gateway": serve_gateway,
    "bare": serve_bare,
}

if __name__ == "__main__":
    role = ROLES[sys.argv[1]] if len(sys.argv) > 1 else main
    uvloop.run(role(*sys.argv[2:]))
