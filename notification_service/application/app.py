"""What this service can do."""

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from notification_service.application.commands.attempt_delivery import AttemptDelivery
from notification_service.application.commands.discard_dead_letter import DiscardDeadLetter
from notification_service.application.commands.erase_user import EraseUser
from notification_service.application.commands.keep_dead_letter import KeepDeadLetter
from notification_service.application.commands.mark_read import MarkRead
from notification_service.application.commands.notify_account_fact import NotifyAccountFact
from notification_service.application.commands.notify_execution_ended import NotifyExecutionEnded
from notification_service.application.commands.redrive_dead_letters import (
    RedriveDeadLetters,
    Redriven,
)
from notification_service.application.commands.send_mail import SendMail
from notification_service.application.commands.update_contact import UpdateContact
from notification_service.application.commands.update_preferences import UpdatePreferences
from notification_service.application.commands.welcome_user import WelcomeUser
from notification_service.application.paging import Page
from notification_service.application.queries.get_dead_letter import GetDeadLetter
from notification_service.application.queries.get_preferences import GetPreferences
from notification_service.application.queries.list_dead_letters import ListDeadLetters
from notification_service.application.queries.list_deliveries import ListDeliveries
from notification_service.application.queries.list_notifications import ListNotifications
from notification_service.application.queries.watch_notifications import WatchNotifications
from notification_service.domain.dead_letter import KeptDeadLetter
from notification_service.domain.delivery import Attempt
from notification_service.domain.identity_mail import MailWay
from notification_service.domain.notification import Notification, Preferences


@dataclass(frozen=True, slots=True)
class Commands:
    """What changes something; *attempt_delivery* is None where no e-mail leaves the house."""

    welcome_user: Callable[[WelcomeUser], Awaitable[None]]
    update_contact: Callable[[UpdateContact], Awaitable[None]]
    notify_executions_ended: Callable[[Sequence[NotifyExecutionEnded]], Awaitable[None]]
    notify_account_fact: Callable[[NotifyAccountFact], Awaitable[None]]
    erase_user: Callable[[EraseUser], Awaitable[None]]
    mark_read: Callable[[MarkRead], Awaitable[Notification]]
    update_preferences: Callable[[UpdatePreferences], Awaitable[Preferences]]
    send_mail: Callable[[SendMail], Awaitable[MailWay]]
    attempt_delivery: Callable[[AttemptDelivery], Awaitable[None]] | None


@dataclass(frozen=True, slots=True)
class Queries:
    """What only looks."""

    list_notifications: Callable[[ListNotifications], Awaitable[Page[Notification]]]
    watch_notifications: Callable[
        [WatchNotifications], Awaitable[AsyncGenerator[Notification, None]]
    ]
    get_preferences: Callable[[GetPreferences], Awaitable[Preferences]]
    mail_way: MailWay
    list_deliveries: Callable[[ListDeliveries], Awaitable[Page[Attempt]]]


@dataclass(frozen=True, slots=True)
class DeadLetterCases:
    """What can be done about what was given up."""

    keep: Callable[[KeepDeadLetter], Awaitable[None]]
    redrive: Callable[[RedriveDeadLetters], Awaitable[Redriven]]
    discard: Callable[[DiscardDeadLetter], Awaitable[None]]
    list: Callable[[ListDeadLetters], Awaitable[Page[KeptDeadLetter]]]
    get: Callable[[GetDeadLetter], Awaitable[KeptDeadLetter]]


@dataclass(frozen=True, slots=True)
class Application:
    """Every use case of the service."""

    commands: Commands
    queries: Queries
    dead_letters: DeadLetterCases
