"""The operators' side door of a service: metrics and health over HTTP, on a port of its own."""

from typing import Self

import msgspec
from aiohttp import web

from chassis.errors import CannotStart
from chassis.health import Health
from chassis.telemetry import metrics
from chassis.telemetry.logging import get_logger

_log = get_logger("chassis.admin")


class AdminServer:
    """Serves GET /metrics, /healthz (it runs) and /readyz (it can work). Use it with `async with`.

    Nobody is asked who they are: bind it where only operators reach it.

    Args:
        host: the address to listen on.
        port: the port; 0 takes a free one, see `address`.
        health: what /readyz reports.
    """

    def __init__(self, *, host: str, port: int, health: Health) -> None:
        self._host = host
        self._port = port
        self._health = health
        self._runner: web.AppRunner | None = None

    @property
    def address(self) -> str:
        """Where it listens, `host:port`."""
        return f"{self._host}:{self._port}"

    async def __aenter__(self) -> Self:
        app = web.Application(client_max_size=1024)
        app.router.add_get("/metrics", self._metrics)
        app.router.add_get("/healthz", self._alive)
        app.router.add_get("/readyz", self._ready)
        runner = web.AppRunner(app, access_log=None, keepalive_timeout=75, shutdown_timeout=1)
        await runner.setup()
        site = web.TCPSite(runner, self._host, self._port)
        try:
            await site.start()
        except OSError as exc:
            await runner.cleanup()
            raise CannotStart(
                f"cannot listen on {self.address} for metrics and health: {exc.strerror}"
            ) from exc
        self._runner = runner
        self._port = runner.addresses[0][1]
        _log.info("admin_listening", address=self.address)
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._runner is not None:
            await self._runner.cleanup()

    async def _metrics(self, _request: web.Request) -> web.Response:
        headers = {"Content-Type": metrics.CONTENT_TYPE}
        return web.Response(body=metrics.exposition(), headers=headers)

    async def _alive(self, _request: web.Request) -> web.Response:
        return _json({"status": "ok"})

    async def _ready(self, _request: web.Request) -> web.Response:
        report = await self._health.report()
        status = "ok" if report.ready else "draining" if report.draining else "unavailable"
        checks = {name: reason or "ok" for name, reason in report.checks.items()}
        return _json({"status": status, "checks": checks}, 200 if report.ready else 503)


def _json(content: object, status: int = 200) -> web.Response:
    return web.Response(
        body=msgspec.json.encode(content), status=status, content_type="application/json"
    )
