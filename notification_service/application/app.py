"""What this service can do."""

from collections.abc import AsyncGenerator, Awaitable, Callable
from dataclasses import dataclass

from notification_service.application.commands.attempt_delivery import AttemptDelivery
from notification_service.application.commands.mark_read import MarkRead
from notification_service.application.commands.notify_execution_ended import NotifyExecutionEnded
from notification_service.application.commands.update_contact import UpdateContact
from notification_service.application.commands.update_preferences import UpdatePreferences
from notification_service.application.commands.welcome_user import WelcomeUser
from notification_service.application.paging import Page
from notification_service.application.queries.get_preferences import GetPreferences
from notification_service.application.queries.list_deliveries import ListDeliveries
from notification_service.application.queries.list_notifications import ListNotifications
from notification_service.application.queries.watch_notifications import WatchNotifications
from notification_service.domain.delivery import Attempt
from notification_service.domain.notification import Notification, Preferences


@dataclass(frozen=True, slots=True)
class Commands:
    """What changes something; *attempt_delivery* is None where no e-mail is sent."""

    welcome_user: Callable[[WelcomeUser], Awaitable[None]]
    update_contact: Callable[[UpdateContact], Awaitable[None]]
    notify_execution_ended: Callable[[NotifyExecutionEnded], Awaitable[None]]
    mark_read: Callable[[MarkRead], Awaitable[Notification]]
    update_preferences: Callable[[UpdatePreferences], Awaitable[Preferences]]
    attempt_delivery: Callable[[AttemptDelivery], Awaitable[None]] | None


@dataclass(frozen=True, slots=True)
class Queries:
    """What only looks."""

    list_notifications: Callable[[ListNotifications], Awaitable[Page[Notification]]]
    watch_notifications: Callable[
        [WatchNotifications], Awaitable[AsyncGenerator[Notification, None]]
    ]
    get_preferences: Callable[[GetPreferences], Awaitable[Preferences]]
    list_deliveries: Callable[[ListDeliveries], Awaitable[Page[Attempt]]]


@dataclass(frozen=True, slots=True)
class Application:
    """Every use case of the service."""

    commands: Commands
    queries: Queries
