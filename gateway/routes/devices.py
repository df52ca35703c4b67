"""Devices on which the second factor is not asked for."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aiohttp import web

from chassis.errors import Kind
from gateway.ports import Page
from gateway.ports.mfa import Device, Mfa
from gateway.routes.mfa import TAG
from gateway.routes.route import Incoming, Reply, Route, answer, nothing

PERMISSION: Final = "factors:write"
_PATH: Final = "/v1/users/me/devices"


@dataclass(frozen=True, slots=True)
class DeviceRoutes:
    """Everything under /v1/users/me/devices."""

    mfa: Mfa

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""
        yield Route(
            method="GET",
            path=_PATH,
            handler=self.list,
            summary="List remembered devices",
            description="Each for 30 days, or until the password or a factor changes.",
            tag=TAG,
            permission=PERMISSION,
            service="auth",
            replies=[Reply(200, "The latest used first; there is one page", Page[Device])],
        )
        yield Route(
            method="DELETE",
            path=_PATH,
            handler=self.forget_all,
            summary="Forget all remembered devices",
            tag=TAG,
            permission=PERMISSION,
            service="auth",
            finishes=True,
            replies=[Reply(204, "They are forgotten")],
        )
        yield Route(
            method="DELETE",
            path=_PATH + "/{id}",
            handler=self.forget,
            summary="Forget a remembered device",
            tag=TAG,
            permission=PERMISSION,
            service="auth",
            finishes=True,
            path_parameters={"id": "The device's id"},
            replies=[Reply(204, "It is forgotten")],
            errors=[Kind.NOT_FOUND],
        )

    async def list(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/users/me/devices"""
        return answer(Page(await self.mfa.devices(request.caller), None))

    async def forget_all(self, request: Incoming) -> web.StreamResponse:
        """DELETE /v1/users/me/devices"""
        await self.mfa.forget_devices(request.caller)
        return nothing()

    async def forget(self, request: Incoming) -> web.StreamResponse:
        """DELETE /v1/users/me/devices/{id}"""
        await self.mfa.forget_device(request.caller, request.arguments["id"])
        return nothing()
