"""The notification service, over gRPC."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Final, cast

from msgspec import Raw

from chassis.rpc.client import RpcClient
from gateway.adapters.times import moment
from gateway.ports import Caller, Notification, Page, PageRequest, Preferences
from protos.notification.v1 import notification_pb2 as pb
from protos.notification.v1.notification_pb2_grpc import NotificationServiceStub

_Responses = AsyncGenerator[pb.WatchNotificationsResponse, None]
NO_DATA: Final = Raw(b"{}")


class NotificationsOverGrpc:
    """Implements the port `Notifications`.

    Args:
        client: an entered client of the notification service.
    """

    def __init__(self, client: RpcClient) -> None:
        self._client = client
        self._call = client.call
        self._stub = NotificationServiceStub(client.channel)

    async def inbox(
        self, caller: Caller, page: PageRequest, *, unread_only: bool
    ) -> Page[Notification]:
        """See `Notifications.inbox`."""
        response = await self._call(
            self._stub.ListNotifications,
            pb.ListNotificationsRequest(
                limit=page.limit, cursor=page.cursor, unread_only=unread_only
            ),
            token=caller.credential,
        )
        items = [_notification(each) for each in response.notifications]
        return Page(items, response.next_cursor or None)

    async def mark_read(self, caller: Caller, notification: str) -> Notification:
        """See `Notifications.mark_read`."""
        response = await self._call(
            self._stub.MarkRead, pb.MarkReadRequest(id=notification), token=caller.credential
        )
        return _notification(response.notification)

    async def watch(
        self, caller: Caller, after: int | None
    ) -> AsyncGenerator[tuple[int, Notification], None]:
        """See `Notifications.watch`."""
        stream = self._client.stream(
            self._stub.WatchNotifications,
            pb.WatchNotificationsRequest(after_position=after),
            token=caller.credential,
        )
        async with aclosing(cast("_Responses", stream)) as responses:
            async for response in responses:
                yield response.notification.position, _notification(response.notification)

    async def preferences(self, caller: Caller) -> Preferences:
        """See `Notifications.preferences`."""
        response = await self._call(
            self._stub.GetPreferences, pb.GetPreferencesRequest(), token=caller.credential
        )
        return Preferences(response.preferences.email)

    async def update_preferences(self, caller: Caller, email: bool | None) -> Preferences:
        """See `Notifications.update_preferences`."""
        response = await self._call(
            self._stub.UpdatePreferences,
            pb.UpdatePreferencesRequest(email=email),
            token=caller.credential,
        )
        return Preferences(response.preferences.email)


def _notification(notification: pb.Notification) -> Notification:
    return Notification(
        notification.id,
        notification.type,
        notification.title,
        notification.body,
        Raw(notification.data) if notification.data else NO_DATA,
        moment(notification.read_at),
        moment(notification.created_at),
    )
