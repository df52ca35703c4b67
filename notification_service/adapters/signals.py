"""What operators see of the work: metrics and log events."""

from chassis.telemetry import metrics
from chassis.telemetry.logging import get_logger
from notification_service.domain.delivery import Attempt, DeliveryStatus, PendingDelivery
from notification_service.domain.identity_mail import MailWay

_log = get_logger("notification_service.deliveries")

_NOTIFICATIONS = metrics.counter(
    "notifications_total", "Notifications that reached an inbox.", ["type"]
)
_DELIVERIES = metrics.counter(
    "deliveries_total", "Attempts to deliver a notification by a channel.", ["channel", "status"]
)
_MAILS = metrics.counter(
    "identity_mails_total", "Mails about accounts that were taken in charge.", ["template", "way"]
)
_DEPTH = metrics.gauge("delivery_queue_depth", "Deliveries still to be made.", ["service"])


class OperatorSignals:
    """Implements `Signals`."""

    def notified(self, message_type: str) -> None:
        """See `Signals.notified`."""
        _NOTIFICATIONS.child(message_type).inc()

    def attempted(self, attempt: Attempt) -> None:
        """See `Signals.attempted`."""
        _DELIVERIES.child(attempt.channel.value, attempt.status.value).inc()
        if attempt.status is DeliveryStatus.FAILED:
            _log.warning(
                "delivery_failed",
                notification_id=attempt.notification_id,
                tenant=attempt.recipient.tenant,
                user_id=attempt.recipient.user_id,
                channel=attempt.channel.value,
                attempts=attempt.number,
                error=attempt.error,
            )

    def skipped(self, pending: PendingDelivery) -> None:
        """See `Signals.skipped`."""
        _DELIVERIES.child(pending.channel.value, "skipped").inc()

    def mail_accepted(self, template: str, way: MailWay) -> None:
        """See `Signals.mail_accepted`."""
        _MAILS.child(template, way.value).inc()
        if way is MailWay.NONE:
            _log.warning("mail_waits_for_a_mail_server", template=template)

    def queue_depth(self, depth: int) -> None:
        """See `Signals.queue_depth`."""
        _DEPTH.child("notification").set(depth)
