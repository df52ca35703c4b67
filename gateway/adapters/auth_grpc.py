"""The auth service, over gRPC."""

from msgspec import UNSET

from chassis.rpc.client import RpcClient
from gateway.adapters.times import moment
from gateway.ports import Caller, Credentials, Origin, Profile, Tokens, User
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

    async def register(
        self, email: str, password: str, name: str, origin: Origin, *, tenant: str = "default"
    ) -> User:
        """See `Auth.register`."""
        response = await self._call(
            self._stub.Register,
            pb.RegisterRequest(
                email=email,
                password=password,
                name=name,
                origin=origin_message(origin),
                tenant=tenant,
            ),
        )
        user = response.user
        return User(user.id, user.email, user.name, list(user.roles), moment(user.created_at))

    async def login(self, credentials: Credentials, origin: Origin) -> Tokens:
        """See `Auth.login`."""
        request = pb.LoginRequest(
            email=credentials.email,
            password=credentials.password,
            otp=credentials.otp,
            device_token=credentials.device_token,
            remember_device=credentials.remember_device,
            tenant=credentials.tenant,
            origin=origin_message(origin),
        )
        response = await self._call(self._stub.Login, request)
        return tokens_of(response.tokens)

    async def refresh(self, refresh_token: str, origin: Origin) -> Tokens:
        """See `Auth.refresh`."""
        response = await self._call(
            self._stub.Refresh,
            pb.RefreshRequest(refresh_token=refresh_token, origin=origin_message(origin)),
        )
        return tokens_of(response.tokens)

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
        return await self._keys(pb.GetKeysRequest(use=pb.KEY_USE_PUBLISHED))

    async def access_keys(self) -> bytes:
        """Those that access tokens are verified with, and no others."""
        return await self._keys(pb.GetKeysRequest(use=pb.KEY_USE_ACCESS))

    async def _keys(self, request: pb.GetKeysRequest) -> bytes:
        return (await self._call(self._stub.GetKeys, request, timeout=5.0)).jwks


def origin_message(origin: Origin) -> pb.Origin:
    """*origin* for the wire."""
    return pb.Origin(address=origin.address, user_agent=origin.user_agent)


def tokens_of(tokens: pb.Tokens) -> Tokens:
    """The tokens as clients get them."""
    return Tokens(
        tokens.access_token,
        "Bearer",
        tokens.expires_in,
        tokens.refresh_token,
        tokens.device_token or UNSET,
    )


def _profile(user: pb.User) -> Profile:
    return Profile(
        user.id,
        user.email,
        user.name,
        list(user.roles),
        moment(user.created_at),
        user.tenant,
        list(user.permissions),
        user.email_verified,
    )
