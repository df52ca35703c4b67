"""What operators and newcomers look at first: health, the contract, the documentation page."""

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from importlib.resources import files
from typing import Any, Final

import msgspec
from aiohttp import web
from msgspec import Struct

from chassis.errors import FieldProblem, Unavailable
from chassis.health import Health
from gateway.routes.route import Access, Incoming, Reply, Route, answer, raw_answer

TAG: Final = "Operations"
_PAGE_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; "
    "img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)
_ASSETS: Final = {
    "/docs": ("docs.html", "text/html"),
    "/docs/app.js": ("docs.js", "text/javascript"),
    "/docs/style.css": ("docs.css", "text/css"),
}


class State(Struct, frozen=True):
    """That it works, and each part that was asked; what is wrong comes as an error instead."""

    status: str
    checks: dict[str, str]


@dataclass(slots=True)
class SystemRoutes:
    """Everything that has no version.

    Args:
        health: what readiness is made of.
        contract: makes the OpenAPI document; called once, when all routes are known.
    """

    health: Health
    contract: Callable[[], object]
    _document: bytes = b""

    def routes(self) -> Iterator[Route]:
        """The routes; none of them needs a token."""
        yield self._public("/healthz", self.alive, "Whether the gateway runs", State, limit="")
        yield self._public("/readyz", self.ready, "Whether it can serve", State, limit="")
        yield self._public("/openapi.json", self.openapi, "This document", dict[str, Any])
        for path, (_, media_type) in _ASSETS.items():
            yield self._public(path, self.asset, "The documentation page", None, media_type)
        yield self._public(
            "/", self.root, "To the documentation page", None, "text/html", status=302
        )

    def _public(
        self,
        path: str,
        handler: Callable[[Incoming], object],
        summary: str,
        model: object,
        media_type: str = "application/json",
        *,
        limit: str = "default",
        status: int = 200,
    ) -> Route:
        return Route(
            method="GET",
            path=path,
            handler=handler,  # type: ignore[arg-type]
            summary=summary,
            tag=TAG,
            permission=Access.PUBLIC,
            limit=limit,
            replies=[Reply(status, summary, model, media_type)],
            listed=path not in {"/", "/docs/app.js", "/docs/style.css"},
        )

    async def alive(self, request: Incoming) -> web.StreamResponse:
        """GET /healthz"""
        return answer(State("ok", {}))

    async def ready(self, request: Incoming) -> web.StreamResponse:
        """GET /readyz"""
        report = await self.health.report()
        if report.ready:
            return answer(State("ok", dict.fromkeys(report.checks, "ok")))
        wrong = [FieldProblem(name, reason) for name, reason in report.checks.items() if reason]
        if report.draining:
            wrong.append(FieldProblem("gateway", "is stopping"))
        raise Unavailable("The gateway is not ready", details=wrong, retry_after=1)

    async def openapi(self, request: Incoming) -> web.StreamResponse:
        """GET /openapi.json"""
        if not self._document:
            self._document = msgspec.json.encode(self.contract())
        return raw_answer(self._document, "application/json")

    async def asset(self, request: Incoming) -> web.StreamResponse:
        """GET /docs and what belongs to it"""
        name, media_type = _ASSETS[request.route.path if request.route else "/docs"]
        content = files("gateway.routes").joinpath(name).read_bytes()
        tag = f'"{hashlib.sha256(content).hexdigest()[:16]}"'
        if request.headers.get("If-None-Match") == tag:
            response = web.Response(status=304)
        else:
            response = web.Response(body=content, content_type=media_type, charset="utf-8")
        response.headers.update(
            {"Content-Security-Policy": _PAGE_POLICY, "Cache-Control": "no-cache", "ETag": tag}
        )
        return response

    async def root(self, request: Incoming) -> web.StreamResponse:
        """GET /"""
        return web.Response(status=302, headers={"Location": "/docs"})
