"""The caller's inbox, and how they want to be told."""

from collections.abc import AsyncGenerator, Iterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Final

import msgspec
from aiohttp import web
from msgspec import Struct

from chassis.errors import Kind
from gateway.ports import Caller, Notification, Notifications, Page, PageRequest, Preferences
from gateway.routes import sse
from gateway.routes.live import RESUME
from gateway.routes.paging import PAGING
from gateway.routes.route import Body, Incoming, Parameter, Reply, Route, answer

TAG: Final = "Notifications"
_ENCODER: Final = msgspec.json.Encoder()


class PreferenceChange(Struct, frozen=True, forbid_unknown_fields=True):
    """What to change; the rest stays."""

    email: bool | None = None


@dataclass(frozen=True, slots=True)
class NotificationRoutes:
    """Everything under /v1/notifications and /v1/notification-preferences."""

    notifications: Notifications
    streams: sse.Streams

    def routes(self) -> Iterator[Route]:
        """The routes, with what they need."""
        yield self._inbox_route()
        yield self._mark_read_route()
        yield self._stream_route()
        yield from self._preference_routes()

    def _inbox_route(self) -> Route:
        return Route(
            method="GET",
            path="/v1/notifications",
            handler=self.inbox,
            summary="Read the inbox, newest first",
            tag=TAG,
            permission="notifications:read",
            service="notification",
            parameters=[
                Parameter("unread", "Only what has not been read", {"type": "boolean"}),
                *PAGING,
            ],
            replies=[Reply(200, "A page of notifications", Page[Notification])],
        )

    def _mark_read_route(self) -> Route:
        return Route(
            method="POST",
            path="/v1/notifications/{id}/read",
            handler=self.mark_read,
            summary="Mark one as read",
            tag=TAG,
            permission="notifications:write",
            service="notification",
            finishes=True,
            path_parameters={"id": "The notification's id"},
            replies=[Reply(200, "The notification", Notification)],
            errors=[Kind.NOT_FOUND],
        )

    def _stream_route(self) -> Route:
        return Route(
            method="GET",
            path="/v1/notifications/stream",
            handler=self.stream,
            summary="New notifications, live",
            description="From now on, or from after `Last-Event-ID`. The event is called "
            "`notification` and its data is the item of the inbox.",
            tag=TAG,
            permission="notifications:read",
            service="notification",
            parameters=RESUME,
            replies=[Reply(200, "Server-sent events", Notification, media_type=sse.MEDIA_TYPE)],
        )

    def _preference_routes(self) -> Iterator[Route]:
        yield Route(
            method="GET",
            path="/v1/notification-preferences",
            handler=self.preferences,
            summary="By which channels one is told",
            tag=TAG,
            permission="notifications:read",
            service="notification",
            replies=[Reply(200, "The preferences", Preferences)],
        )
        for method in ("PATCH", "PUT"):
            yield Route(
                method=method,
                path="/v1/notification-preferences",
                handler=self.update_preferences,
                summary="Choose the channels",
                tag=TAG,
                permission="notifications:write",
                service="notification",
                finishes=True,
                body=Body(PreferenceChange, examples={"no e-mail": {"email": False}}),
                replies=[Reply(200, "The preferences, as they are now", Preferences)],
            )

    async def inbox(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/notifications"""
        query = request.query()
        unread, page = query.flag("unread"), query.page()
        query.check()
        return answer(await self.notifications.inbox(request.caller, page, unread_only=unread))

    async def mark_read(self, request: Incoming) -> web.StreamResponse:
        """POST /v1/notifications/{id}/read"""
        return answer(await self.notifications.mark_read(request.caller, request.arguments["id"]))

    async def stream(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/notifications/stream"""
        after = sse.last_event_id(request)
        # Asked first, so that a service that is away is a 503 and not an empty stream.
        await self.notifications.inbox(request.caller, PageRequest(1, ""), unread_only=True)
        return await self.streams.send(request, self._chunks(request.caller, after))

    async def preferences(self, request: Incoming) -> web.StreamResponse:
        """GET /v1/notification-preferences"""
        return answer(await self.notifications.preferences(request.caller))

    async def update_preferences(self, request: Incoming) -> web.StreamResponse:
        """PATCH and PUT /v1/notification-preferences"""
        change = request.read(PreferenceChange)
        return answer(await self.notifications.update_preferences(request.caller, change.email))

    async def _chunks(self, caller: Caller, after: int | None) -> AsyncGenerator[bytes, None]:
        async with aclosing(self.notifications.watch(caller, after)) as news:
            async for position, notification in news:
                yield sse.event(position, "notification", _ENCODER.encode(notification))
