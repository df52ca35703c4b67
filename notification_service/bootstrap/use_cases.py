"""Every use case of the notification service on its adapters."""

from dataclasses import dataclass, field

from chassis.audit import SettlingAudit, SilentAudit
from chassis.clock import Clock
from chassis.crypto.key_file import load_or_create
from chassis.crypto.safe import Safe
from chassis.discovery.port import Registry
from chassis.handlers import wrap
from chassis.ids import Ids
from chassis.messaging.port import Bus
from notification_service.application.app import Application, Commands, Queries
from notification_service.application.commands.attempt_delivery import AttemptDeliveryHandler
from notification_service.application.commands.erase_user import EraseUserHandler
from notification_service.application.commands.mark_read import MarkReadHandler
from notification_service.application.commands.notify_account_fact import (
    NotifyAccountFactHandler,
)
from notification_service.application.commands.notify_execution_ended import (
    NotifyExecutionsEndedHandler,
)
from notification_service.application.commands.send_mail import SendMailHandler
from notification_service.application.commands.update_contact import UpdateContactHandler
from notification_service.application.commands.update_preferences import UpdatePreferencesHandler
from notification_service.application.commands.welcome_user import WelcomeUserHandler
from notification_service.application.composer import Composer
from notification_service.application.mail_safe import MailSafe
from notification_service.application.ports import Chance, Channel, Signals
from notification_service.application.queries.get_preferences import GetPreferencesHandler
from notification_service.application.queries.list_deliveries import ListDeliveriesHandler
from notification_service.application.queries.list_notifications import ListNotificationsHandler
from notification_service.application.queries.watch_notifications import (
    WatchNotificationsHandler,
)
from notification_service.bootstrap.channels import mail_channel, mail_way
from notification_service.bootstrap.dead_letters import dead_letter_cases
from notification_service.bootstrap.stores import Store
from notification_service.config import Settings
from notification_service.domain.delivery import RetryPolicy
from notification_service.domain.identity_mail import MailWay

_FOLDER = RetryPolicy(max_attempts=10, base=1.0, cap=60.0)
"""A folder that cannot be written is mended soon, or never."""


@dataclass(frozen=True, slots=True)
class World:
    """Everything outside of the service but its store."""

    clock: Clock
    ids: Ids
    chance: Chance
    signals: Signals
    registry: Registry
    bus: Bus
    audit: SettlingAudit = field(default_factory=SilentAudit)


def assemble(
    settings: Settings, store: Store, world: World, channel: Channel | None
) -> Application:
    """Every use case on its adapters, each observed."""
    clock, signals = world.clock, world.signals
    way = mail_way(settings)
    safe = MailSafe(Safe(load_or_create(settings.mail_key_file), "identity mail"))
    composer = Composer(clock, world.ids, store.preferences, email=way is not MailWay.NONE)
    channel = channel or mail_channel(settings)
    attempt = _attempts(settings, store, world, safe, channel) if channel else None
    send_mail = SendMailHandler(store.mails, safe, way, signals, clock)
    return Application(
        Commands(
            welcome_user=wrap(
                WelcomeUserHandler(store.intake, composer, signals).__call__, name="welcome_user"
            ),
            update_contact=wrap(UpdateContactHandler(store.intake).__call__, name="update_contact"),
            notify_executions_ended=wrap(
                NotifyExecutionsEndedHandler(store.intake, composer, signals).__call__,
                name="notify_executions_ended",
            ),
            notify_account_fact=wrap(
                NotifyAccountFactHandler(store.intake, composer, signals).__call__,
                name="notify_account_fact",
            ),
            erase_user=wrap(EraseUserHandler(store.intake).__call__, name="erase_user"),
            mark_read=wrap(MarkReadHandler(store.inbox, clock).__call__, name="mark_read"),
            update_preferences=wrap(
                UpdatePreferencesHandler(store.preferences, world.audit).__call__,
                name="update_preferences",
            ),
            send_mail=wrap(send_mail.__call__, name="send_mail"),
            attempt_delivery=attempt and wrap(attempt.__call__, name="attempt_delivery"),
        ),
        _queries(store, way),
        dead_letter_cases(store, world.bus, clock, world.audit, rate=settings.redrive_rate),
    )


def _queries(store: Store, way: MailWay) -> Queries:
    return Queries(
        mail_way=way,
        list_notifications=wrap(
            ListNotificationsHandler(store.inbox).__call__, name="list_notifications"
        ),
        watch_notifications=wrap(
            WatchNotificationsHandler(store.inbox).__call__, name="watch_notifications"
        ),
        get_preferences=wrap(
            GetPreferencesHandler(store.preferences).__call__, name="get_preferences"
        ),
        list_deliveries=wrap(
            ListDeliveriesHandler(store.inbox, store.log).__call__, name="list_deliveries"
        ),
    )


def _attempts(
    settings: Settings, store: Store, world: World, safe: MailSafe, channel: Channel
) -> AttemptDeliveryHandler:
    mail = settings.mail
    policy = RetryPolicy(mail.max_attempts, mail.retry_base, mail.retry_cap) if mail else _FOLDER
    return AttemptDeliveryHandler(
        inbox=store.inbox,
        mails=store.mails,
        safe=safe,
        contacts=store.contacts,
        preferences=store.preferences,
        queue=store.queue,
        dead_letters=store.dead_letters,
        channel=channel,
        policy=policy,
        clock=world.clock,
        ids=world.ids,
        chance=world.chance,
        signals=world.signals,
    )
