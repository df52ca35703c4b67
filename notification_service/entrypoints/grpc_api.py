"""The gRPC methods: translate, call, translate."""
# ruff: noqa: N802 -- the names are those of the proto

import contextlib
from collections.abc import AsyncIterator, Mapping

from grpc import aio

from chassis.rpc.context import current_call
from chassis.rpc.decisions import Reading, reads
from chassis.rpc.guards import Guard
from chassis.rpc.server import RpcServer
from notification_service.application.app import Application
from notification_service.application.commands.mark_read import MarkRead
from notification_service.application.commands.update_preferences import UpdatePreferences
from notification_service.application.queries.get_preferences import GetPreferences
from notification_service.application.queries.list_deliveries import ListDeliveries
from notification_service.application.queries.list_notifications import ListNotifications
from notification_service.application.queries.watch_notifications import WatchNotifications
from notification_service.domain.recipient import Recipient
from notification_service.entrypoints import messages
from protos.notification.v1 import notification_pb2 as pb
from protos.notification.v1.notification_pb2_grpc import (
    NotificationServiceServicer,
    add_NotificationServiceServicer_to_server,
)

READ = "notifications:read"
WRITE = "notifications:write"

_SERVICE = "/autoworker.notification.v1.NotificationService"

GUARDS: Mapping[str, Guard] = {
    f"{_SERVICE}/ListNotifications": READ,
    f"{_SERVICE}/MarkRead": WRITE,
    f"{_SERVICE}/WatchNotifications": READ,
    f"{_SERVICE}/GetPreferences": READ,
    f"{_SERVICE}/UpdatePreferences": WRITE,
    f"{_SERVICE}/ListDeliveries": READ,
}

READINGS: Mapping[str, Reading] = {f"{_SERVICE}/MarkRead": reads(id="id")}
"""What policies may know of what is asked for."""


def serve(server: RpcServer, app: Application) -> None:
    """Have *server* answer with *app*."""
    server.add(add_NotificationServiceServicer_to_server, NotificationApi(app))


class NotificationApi(NotificationServiceServicer):
    """Serves the caller's own things; whose they are comes from the token alone."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def ListNotifications(
        self,
        request: pb.ListNotificationsRequest,
        context: aio.ServicerContext[pb.ListNotificationsRequest, pb.ListNotificationsResponse],
    ) -> pb.ListNotificationsResponse:
        """A page of the inbox."""
        query = ListNotifications(_caller(), request.limit, request.cursor, request.unread_only)
        page = await self._app.queries.list_notifications(query)
        return pb.ListNotificationsResponse(
            notifications=map(messages.notification_message, page.items),
            next_cursor=page.next_cursor,
        )

    async def MarkRead(
        self,
        request: pb.MarkReadRequest,
        context: aio.ServicerContext[pb.MarkReadRequest, pb.MarkReadResponse],
    ) -> pb.MarkReadResponse:
        """Note that one was read."""
        read = await self._app.commands.mark_read(MarkRead(_caller(), request.id))
        return pb.MarkReadResponse(notification=messages.notification_message(read))

    async def WatchNotifications(
        self,
        request: pb.WatchNotificationsRequest,
        context: aio.ServicerContext[pb.WatchNotificationsRequest, pb.WatchNotificationsResponse],
    ) -> AsyncIterator[pb.WatchNotificationsResponse]:
        """The inbox as it fills. The headers go out once the place to begin is settled."""
        after = request.after_position if request.HasField("after_position") else None
        stream = await self._app.queries.watch_notifications(WatchNotifications(_caller(), after))
        await context.send_initial_metadata(())
        async with contextlib.aclosing(stream):
            async for notification in stream:
                message = messages.notification_message(notification)
                yield pb.WatchNotificationsResponse(notification=message)

    async def GetPreferences(
        self,
        request: pb.GetPreferencesRequest,
        context: aio.ServicerContext[pb.GetPreferencesRequest, pb.GetPreferencesResponse],
    ) -> pb.GetPreferencesResponse:
        """What the caller wants to hear."""
        preferences = await self._app.queries.get_preferences(GetPreferences(_caller()))
        return pb.GetPreferencesResponse(preferences=messages.preferences_message(preferences))

    async def UpdatePreferences(
        self,
        request: pb.UpdatePreferencesRequest,
        context: aio.ServicerContext[pb.UpdatePreferencesRequest, pb.UpdatePreferencesResponse],
    ) -> pb.UpdatePreferencesResponse:
        """Change what is set in the request."""
        email = request.email if request.HasField("email") else None
        changed = await self._app.commands.update_preferences(UpdatePreferences(_caller(), email))
        return pb.UpdatePreferencesResponse(preferences=messages.preferences_message(changed))

    async def ListDeliveries(
        self,
        request: pb.ListDeliveriesRequest,
        context: aio.ServicerContext[pb.ListDeliveriesRequest, pb.ListDeliveriesResponse],
    ) -> pb.ListDeliveriesResponse:
        """A page of what was tried to reach the caller."""
        query = ListDeliveries(_caller(), request.notification_id, request.limit, request.cursor)
        page = await self._app.queries.list_deliveries(query)
        return pb.ListDeliveriesResponse(
            deliveries=map(messages.delivery_message, page.items), next_cursor=page.next_cursor
        )


def _caller() -> Recipient:
    return messages.recipient_of(current_call().principal)
