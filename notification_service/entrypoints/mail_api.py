"""The gRPC methods of auth_service's mail: translate, call, translate."""
# ruff: noqa: N802 -- the names are those of the proto

from collections.abc import Mapping
from datetime import UTC
from typing import Final

from grpc import aio

from chassis.errors import FieldProblem
from chassis.rpc.guards import Guard, ServiceOnly
from chassis.rpc.server import RpcServer
from notification_service.application.app import Application
from notification_service.application.commands.send_mail import SendMail
from notification_service.domain.errors import MailInvalid
from notification_service.domain.identity_mail import IdentityMail, MailWay
from protos.notification.v1 import mail_pb2 as pb
from protos.notification.v1.mail_pb2_grpc import (
    MailServiceServicer,
    add_MailServiceServicer_to_server,
)

_SERVICE = "/autoworker.notification.v1.MailService"
_AUTH = ServiceOnly(frozenset({"auth"}))

GUARDS: Mapping[str, Guard] = {f"{_SERVICE}/SendMail": _AUTH, f"{_SERVICE}/GetMailWay": _AUTH}

_WAYS: Final = {
    MailWay.NONE: pb.MAIL_WAY_NONE,
    MailWay.SMTP: pb.MAIL_WAY_SMTP,
    MailWay.FILES: pb.MAIL_WAY_FILES,
}


def serve(server: RpcServer, app: Application) -> None:
    """Have *server* answer with *app*."""
    server.add(add_MailServiceServicer_to_server, MailApi(app))


class MailApi(MailServiceServicer):
    """Takes mails about accounts in charge."""

    def __init__(self, app: Application) -> None:
        self._app = app

    async def SendMail(
        self,
        request: pb.SendMailRequest,
        context: aio.ServicerContext[pb.SendMailRequest, pb.SendMailResponse],
    ) -> pb.SendMailResponse:
        """Keep a mail until it is sent."""
        way = await self._app.commands.send_mail(SendMail(_mail(request)))
        return pb.SendMailResponse(way=_WAYS[way])

    async def GetMailWay(
        self,
        request: pb.GetMailWayRequest,
        context: aio.ServicerContext[pb.GetMailWayRequest, pb.GetMailWayResponse],
    ) -> pb.GetMailWayResponse:
        """Whether mail leaves the house."""
        return pb.GetMailWayResponse(way=_WAYS[self._app.queries.mail_way])


def _mail(request: pb.SendMailRequest) -> IdentityMail:
    for field, value in (("id", request.id), ("tenant", request.tenant)):
        if not 0 < len(value) <= 256:
            raise MailInvalid(FieldProblem(field, "Required, at most 256 characters"))
    if not request.HasField("expires_at"):
        raise MailInvalid(FieldProblem("expires_at", "Required"))
    return IdentityMail(
        id=request.id,
        tenant=request.tenant,
        user_id=request.user_id,
        recipient=request.recipient,
        template=request.template,
        facts=dict(request.facts),
        expires_at=request.expires_at.ToDatetime(UTC),
    )
