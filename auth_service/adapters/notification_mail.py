"""Mails about accounts, given to notification_service over gRPC."""

from typing import Final

from auth_service.application.ports.mail import Letter, MailWay
from chassis.clock import Clock
from chassis.rpc.client import RpcClient
from protos.notification.v1 import mail_pb2 as pb
from protos.notification.v1.mail_pb2_grpc import MailServiceStub

TIMEOUT: Final = 10.0
PATIENCE: Final = 2.0
MAX_AGE: Final = 30.0
"""Seconds for which it is known how mail leaves the house: an operator decides that at start."""
_WAYS: Final = {
    pb.MAIL_WAY_NONE: MailWay.NONE,
    pb.MAIL_WAY_SMTP: MailWay.SMTP,
    pb.MAIL_WAY_FILES: MailWay.FILES,
}


class NotificationMail:
    """Implements `MailCarrier`.

    Args:
        client: an entered client of the notification service, with auth's own identity.
        clock: what the age of an answer is measured with.
    """

    def __init__(self, client: RpcClient, clock: Clock) -> None:
        self._call = client.call
        self._stub = MailServiceStub(client.channel)
        self._clock = clock
        self._way: tuple[float, MailWay] | None = None

    async def carry(self, letter: Letter) -> MailWay:
        """See `MailCarrier.carry`."""
        request = pb.SendMailRequest(
            id=letter.id,
            tenant=letter.tenant,
            user_id=letter.user_id,
            recipient=letter.recipient,
            template=letter.template,
            facts=dict(letter.facts),
        )
        request.expires_at.FromDatetime(letter.expires_at)
        response = await self._call(self._stub.SendMail, request, timeout=TIMEOUT)
        return _WAYS.get(response.way, MailWay.NONE)

    async def way(self) -> MailWay:
        """See `MailCarrier.way`."""
        now = self._clock.monotonic()
        if self._way is None or now - self._way[0] > MAX_AGE:
            response = await self._call(
                self._stub.GetMailWay, pb.GetMailWayRequest(), timeout=PATIENCE
            )
            self._way = now, _WAYS.get(response.way, MailWay.NONE)
        return self._way[1]
