"""People's own accounts at the auth service, over gRPC."""

from typing import Final

from msgspec import Raw

from chassis.rpc.client import RpcClient
from gateway.adapters.auth_grpc import origin_message
from gateway.adapters.times import moment
from gateway.ports import Caller, Ended, Link, Origin, Page, PageRequest, Presence, Session
from protos.auth.v1 import account_pb2 as pb
from protos.auth.v1.account_pb2_grpc import AccountServiceStub

_PURPOSES: Final[dict[Link, pb.LinkPurpose.ValueType]] = {
    "password-reset": pb.LINK_PURPOSE_PASSWORD_RESET,
    "verify-email": pb.LINK_PURPOSE_VERIFY_EMAIL,
}


class AccountsOverGrpc:
    """Implements the port `Accounts`.

    Args:
        client: an entered client of the auth service.
    """

    def __init__(self, client: RpcClient) -> None:
        self._call = client.call
        self._stub = AccountServiceStub(client.channel)

    async def request_link(
        self, email: str, link: Link, origin: Origin, *, tenant: str = "default"
    ) -> bool:
        """See `Accounts.request_link`."""
        request = pb.RequestLinkRequest(
            email=email, purpose=_PURPOSES[link], origin=origin_message(origin), tenant=tenant
        )
        return (await self._call(self._stub.RequestLink, request)).mail_is_sent

    async def set_password(self, token: str, new_password: str, origin: Origin) -> None:
        """See `Accounts.set_password`."""
        request = pb.SetPasswordRequest(
            token=token, new_password=new_password, origin=origin_message(origin)
        )
        await self._call(self._stub.SetPassword, request)

    async def confirm_email(self, token: str, origin: Origin) -> None:
        """See `Accounts.confirm_email`."""
        request = pb.ConfirmEmailRequest(token=token, origin=origin_message(origin))
        await self._call(self._stub.ConfirmEmail, request)

    async def sessions(self, caller: Caller, page: PageRequest) -> Page[Session]:
        """See `Accounts.sessions`."""
        response = await self._call(
            self._stub.ListSessions,
            pb.ListSessionsRequest(limit=page.limit, cursor=page.cursor),
            token=caller.credential,
        )
        return Page([_session(each) for each in response.sessions], response.next_cursor or None)

    async def end_session(self, caller: Caller, session_id: str) -> None:
        """See `Accounts.end_session`."""
        request = pb.EndSessionRequest(id=session_id)
        await self._call(self._stub.EndSession, request, token=caller.credential)

    async def end_other_sessions(self, caller: Caller) -> Ended:
        """See `Accounts.end_other_sessions`."""
        response = await self._call(
            self._stub.EndOtherSessions, pb.EndOtherSessionsRequest(), token=caller.credential
        )
        return Ended(response.ended)

    async def change_password(self, presence: Presence, new_password: str) -> None:
        """See `Accounts.change_password`."""
        request = pb.ChangePasswordRequest(presence=_presence(presence), new_password=new_password)
        await self._call(self._stub.ChangePassword, request, token=presence.caller.credential)

    async def change_email(self, presence: Presence, email: str) -> None:
        """See `Accounts.change_email`."""
        request = pb.ChangeEmailRequest(presence=_presence(presence), email=email)
        await self._call(self._stub.ChangeEmail, request, token=presence.caller.credential)

    async def deactivate_me(self, presence: Presence) -> None:
        """See `Accounts.deactivate_me`."""
        request = pb.DeactivateMeRequest(presence=_presence(presence))
        await self._call(self._stub.DeactivateMe, request, token=presence.caller.credential)

    async def delete_me(self, presence: Presence) -> None:
        """See `Accounts.delete_me`."""
        request = pb.DeleteMeRequest(presence=_presence(presence))
        await self._call(self._stub.DeleteMe, request, token=presence.caller.credential)

    async def export_me(self, presence: Presence) -> Raw:
        """See `Accounts.export_me`."""
        request = pb.ExportMeRequest(presence=_presence(presence))
        token = presence.caller.credential
        return Raw((await self._call(self._stub.ExportMe, request, token=token)).document)


def _presence(presence: Presence) -> pb.Presence:
    return pb.Presence(password=presence.password, origin=origin_message(presence.origin))


def _session(session: pb.Session) -> Session:
    return Session(
        id=session.id,
        device=session.device,
        user_agent=session.user_agent,
        address=session.address,
        network=session.network,
        created_at=moment(session.created_at),
        last_seen_at=moment(session.last_seen_at),
        expires_at=moment(session.expires_at),
        current=session.current,
        client_id=session.client_id,
    )
