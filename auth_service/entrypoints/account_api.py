"""The gRPC face of people's own accounts."""
# ruff: noqa: N802 -- the names are those of the proto

from typing import Any, TypeAlias

import grpc

from auth_service.application.accounts.end_sessions import EndAllSessions, EndSession
from auth_service.application.accounts.export_me import ExportMe
from auth_service.application.accounts.leave import DeactivateMe, DeleteMe
from auth_service.application.accounts.list_sessions import ListSessions
from auth_service.application.app import Application
from auth_service.entrypoints import account_messages as messages
from auth_service.entrypoints.messages import session_of
from chassis.rpc.context import current_call
from chassis.rpc.server import Guard, RpcServer, ServiceOnly
from protos.auth.v1 import account_pb2 as pb
from protos.auth.v1 import account_pb2_grpc as grpc_pb

_Context: TypeAlias = "grpc.aio.ServicerContext[Any, Any]"

_SERVICE = "/autoworker.auth.v1.AccountService"
_GATEWAY = ServiceOnly(frozenset({"gateway"}))
_SELF = "users:self"

GUARDS: dict[str, Guard] = {
    f"{_SERVICE}/RequestLink": _GATEWAY,
    f"{_SERVICE}/SetPassword": _GATEWAY,
    f"{_SERVICE}/ConfirmEmail": _GATEWAY,
    f"{_SERVICE}/ListSessions": _SELF,
    f"{_SERVICE}/EndSession": _SELF,
    f"{_SERVICE}/EndOtherSessions": _SELF,
    f"{_SERVICE}/ChangePassword": _SELF,
    f"{_SERVICE}/ChangeEmail": _SELF,
    f"{_SERVICE}/DeactivateMe": _SELF,
    f"{_SERVICE}/DeleteMe": _SELF,
    f"{_SERVICE}/ExportMe": _SELF,
}
"""Who may call what."""


class AccountApi(grpc_pb.AccountServiceServicer):
    """AccountService of protos/auth/v1/account.proto."""

    def __init__(self, app: Application) -> None:
        self._accounts = app.accounts

    async def RequestLink(
        self, request: pb.RequestLinkRequest, context: _Context
    ) -> pb.RequestLinkResponse:
        """A link is mailed, if there is somebody to mail it to."""
        sent = await self._accounts.request_link(messages.to_request_link(request))
        return pb.RequestLinkResponse(mail_is_sent=sent)

    async def SetPassword(
        self, request: pb.SetPasswordRequest, context: _Context
    ) -> pb.SetPasswordResponse:
        """A mailed link sets a password."""
        await self._accounts.set_password(messages.to_set_password(request))
        return pb.SetPasswordResponse()

    async def ConfirmEmail(
        self, request: pb.ConfirmEmailRequest, context: _Context
    ) -> pb.ConfirmEmailResponse:
        """A mailed link proves an address."""
        await self._accounts.confirm_email(messages.to_confirm_email(request))
        return pb.ConfirmEmailResponse()

    async def ListSessions(
        self, request: pb.ListSessionsRequest, context: _Context
    ) -> pb.ListSessionsResponse:
        """Where the caller is logged in."""
        caller = current_call().principal
        current = session_of(caller)
        query = ListSessions(caller.tenant, caller.id, request.limit, request.cursor)
        return messages.from_sessions(await self._accounts.list_sessions(query), current)

    async def EndSession(
        self, request: pb.EndSessionRequest, context: _Context
    ) -> pb.EndSessionResponse:
        """One session of the caller ends."""
        caller = current_call().principal
        _ = session_of(caller)
        await self._accounts.end_session(EndSession(caller.tenant, caller.id, request.id))
        return pb.EndSessionResponse()

    async def EndOtherSessions(
        self, request: pb.EndOtherSessionsRequest, context: _Context
    ) -> pb.EndOtherSessionsResponse:
        """All sessions of the caller end but this one."""
        caller = current_call().principal
        command = EndAllSessions(caller.tenant, caller.id, caller.id, spare=session_of(caller))
        ended = await self._accounts.end_all_sessions(command)
        return pb.EndOtherSessionsResponse(ended=ended)

    async def ChangePassword(
        self, request: pb.ChangePasswordRequest, context: _Context
    ) -> pb.ChangePasswordResponse:
        """The caller's own."""
        command = messages.to_change_password(request, current_call().principal)
        await self._accounts.change_password(command)
        return pb.ChangePasswordResponse()

    async def ChangeEmail(
        self, request: pb.ChangeEmailRequest, context: _Context
    ) -> pb.ChangeEmailResponse:
        """The caller's own, once the new one is proved."""
        command = messages.to_change_email(request, current_call().principal)
        await self._accounts.change_email(command)
        return pb.ChangeEmailResponse()

    async def DeactivateMe(
        self, request: pb.DeactivateMeRequest, context: _Context
    ) -> pb.DeactivateMeResponse:
        """The caller leaves, and may be let in again."""
        presence = messages.to_presence(request.presence, current_call().principal)
        await self._accounts.deactivate_me(DeactivateMe(presence))
        return pb.DeactivateMeResponse()

    async def DeleteMe(self, request: pb.DeleteMeRequest, context: _Context) -> pb.DeleteMeResponse:
        """The caller leaves for good."""
        presence = messages.to_presence(request.presence, current_call().principal)
        await self._accounts.delete_me(DeleteMe(presence))
        return pb.DeleteMeResponse()

    async def ExportMe(self, request: pb.ExportMeRequest, context: _Context) -> pb.ExportMeResponse:
        """All that is known of the caller."""
        presence = messages.to_presence(request.presence, current_call().principal)
        return pb.ExportMeResponse(document=await self._accounts.export_me(ExportMe(presence)))


def serve(server: RpcServer, app: Application) -> None:
    """Have *server* offer the accounts of *app* to their owners."""
    server.add(grpc_pb.add_AccountServiceServicer_to_server, AccountApi(app))
