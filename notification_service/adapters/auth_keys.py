"""The keys by which users' tokens are verified, from auth_service."""

from chassis.rpc.client import RpcClient
from protos.auth.v1 import auth_pb2
from protos.auth.v1.auth_pb2_grpc import AuthServiceStub


class AuthKeys:
    """Asks auth_service for its public keys."""

    def __init__(self, client: RpcClient) -> None:
        self._client = client
        self._auth = AuthServiceStub(client.channel)

    async def fetch(self) -> bytes:
        """The keys of internal tokens as a JWK set (RFC 7517).

        Raises:
            Unavailable: auth_service cannot be reached.
        """
        request = auth_pb2.GetKeysRequest(use=auth_pb2.KEY_USE_INTERNAL)
        response = await self._client.call(self._auth.GetKeys, request)
        return response.jwks
