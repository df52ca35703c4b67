"""The accounts of a tenant at the auth service, over gRPC, for administrators."""

from chassis.rpc.client import RpcClient
from gateway.adapters.times import moment
from gateway.ports import Account, AccountFilter, Caller, Ended, Page, PageRequest
from protos.auth.v1 import auth_pb2
from protos.auth.v1 import users_pb2 as pb
from protos.auth.v1.users_pb2_grpc import UserServiceStub


class UsersOverGrpc:
    """Implements the port `Users`.

    Args:
        client: an entered client of the auth service.
    """

    def __init__(self, client: RpcClient) -> None:
        self._call = client.call
        self._stub = UserServiceStub(client.channel)

    async def users(
        self, caller: Caller, wanted: AccountFilter, page: PageRequest
    ) -> Page[Account]:
        """See `Users.users`."""
        request = pb.ListUsersRequest(
            email=wanted.email,
            role=wanted.role,
            active=wanted.active,
            limit=page.limit,
            cursor=page.cursor,
        )
        response = await self._call(self._stub.ListUsers, request, token=caller.credential)
        return Page([_account(each) for each in response.users], response.next_cursor or None)

    async def user(self, caller: Caller, user_id: str) -> Account:
        """See `Users.user`."""
        request = pb.GetUserRequest(id=user_id)
        response = await self._call(self._stub.GetUser, request, token=caller.credential)
        return _account(response.user)

    async def create_user(
        self, caller: Caller, email: str, name: str, password: str | None
    ) -> Account:
        """See `Users.create_user`."""
        request = pb.CreateUserRequest(email=email, name=name, password=password)
        response = await self._call(self._stub.CreateUser, request, token=caller.credential)
        return _account(response.user)

    async def update_user(
        self, caller: Caller, user_id: str, name: str | None, email: str | None
    ) -> Account:
        """See `Users.update_user`."""
        request = pb.UpdateUserRequest(id=user_id, name=name, email=email)
        response = await self._call(self._stub.UpdateUser, request, token=caller.credential)
        return _account(response.user)

    async def set_active(self, caller: Caller, user_id: str, *, active: bool) -> Account:
        """See `Users.set_active`."""
        request = pb.SetUserActiveRequest(id=user_id, active=active)
        response = await self._call(self._stub.SetUserActive, request, token=caller.credential)
        return _account(response.user)

    async def end_sessions(self, caller: Caller, user_id: str) -> Ended:
        """See `Users.end_sessions`."""
        request = pb.EndUserSessionsRequest(id=user_id)
        response = await self._call(self._stub.EndUserSessions, request, token=caller.credential)
        return Ended(response.ended)

    async def delete_user(self, caller: Caller, user_id: str) -> None:
        """See `Users.delete_user`."""
        request = pb.DeleteUserRequest(id=user_id)
        await self._call(self._stub.DeleteUser, request, token=caller.credential)


def _account(user: auth_pb2.User) -> Account:
    return Account(
        id=user.id,
        email=user.email,
        email_verified=user.email_verified,
        name=user.name,
        roles=list(user.roles),
        active=user.active,
        created_at=moment(user.created_at),
    )
