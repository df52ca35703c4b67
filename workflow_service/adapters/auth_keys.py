"""The keys that internal tokens are verified by, from the service that signs them."""

from __future__ import annotations

from chassis.rpc.client import RpcClient
from protos.auth.v1 import auth_pb2
from protos.auth.v1.auth_pb2_grpc import AuthServiceStub


async def fetch_keys(auth: RpcClient) -> bytes:
    """Return the keys as a JWK set (RFC 7517).

    Raises:
        Unavailable: auth_service cannot be reached.
    """
    method = AuthServiceStub(auth.channel).GetKeys
    wanted = auth_pb2.GetKeysRequest(use=auth_pb2.KEY_USE_INTERNAL)
    return (await auth.call(method, wanted)).jwks
