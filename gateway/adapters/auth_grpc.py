"""The auth service, over gRPC."""

from chassis.rpc.client import RpcClient
from gateway.adapters.times import moment
from gateway.ports import Caller, Origin, Profile, Tokens, User
from protos.auth.v1 import auth_pb2 as pb
from protos.auth.v1.auth_pb2_grpc import AuthServiceStub


class AuthOverGrpc:
    """Implements the port `Auth`.

    Args:
        client: an entered client of the auth service.
    """

    def __init__(self, client: RpcClient) -> None:
        self._call = client.call
        self._stub = AuthServiceStub(client.channel)

    async def register(self, email: str, password: str, name: str, origin: Origin) -> User:
        """See `Auth.register`."""
        response = await self._call(
            self._stub.Register,
            pb.RegisterRequest(email=email, password=password, name=name, origin=_origin(origin)),
        )
        user = response.user
        return User(user.id, user.email, user.name, list(user.roles), moment(user.created_at))

    async def login(self, email: str, password: str, otp: str, origin: Origin) -> Tokens:
        """See `Auth.login`."""
        response = await self._call(
            self._stub.Login,
            pb.LoginRequest(email=email, password=password, otp=otp, origin=_origin(origin)),
        )
        return _tokens(response.tokens)

    async def refresh(self, refresh_token: str, origin: Origin) -> Tokens:
        """See `Auth.refresh`."""
        response = await self._call(
            self._stub.Refresh,
            pb.RefreshRequest(refresh_token=refresh_token, origin=_origin(origin)),
        )
        return _tokens(response.tokens)

    async def logout(self, caller: Caller) -> str:
        """See `Auth.logout`."""
        response = await self._call(self._stub.Logout, pb.LogoutRequest(), token=caller.credential)
        return response.session_id

    async def me(self, caller: Caller) -> Profile:
        """See `Auth.me`."""
        response = await self._call(self._stub.GetMe, pb.GetMeRequest(), token=caller.credential)
        return _profile(response.user)

    async def update_me(self, caller: Caller, name: str | None) -> Profile:
        """See `Auth.update_me`."""
        response = await self._call(
            self._stub.UpdateMe, pb.UpdateMeRequest(name=name), token=caller.credential
        )
        return _profile(response.user)

    async def public_keys(self) -> bytes:
        """See `Auth.public_keys`."""
        response = await self._call(
            self._stub.GetKeys, pb.GetKeysRequest(use=pb.KEY_USE_ACCESS), timeout=5.0
        )
        return response.jwks


def _origin(origin: Origin) -> pb.Origin:
    return pb.Origin(address=origin.address, user_agent=origin.user_agent)


def _tokens(tokens: pb.Tokens) -> Tokens:
    return Tokens(tokens.access_token, "Bearer", tokens.expires_in, tokens.refresh_token)


def _profile(user: pb.User) -> Profile:
    return Profile(
        user.id,
        user.email,
        user.name,
        list(user.roles),
        moment(user.created_at),
        user.tenant,
        list(user.permissions),
    )
