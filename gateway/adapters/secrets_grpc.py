"""Secrets at the workflow service, over gRPC."""

from msgspec import Raw

from chassis.rpc.client import RpcClient
from gateway.adapters.times import moment
from gateway.ports import Caller, Page, PageRequest, Secret
from protos.secret.v1 import secret_pb2 as pb
from protos.secret.v1.secret_pb2_grpc import SecretServiceStub


class SecretsOverGrpc:
    """Implements the port `Secrets`.

    Args:
        client: an entered client of the workflow service.
    """

    def __init__(self, client: RpcClient) -> None:
        self._call = client.call
        self._stub = SecretServiceStub(client.channel)

    async def put_secret(self, caller: Caller, name: str, value: Raw, *, shared: bool) -> Secret:
        """See `Secrets.put_secret`."""
        response = await self._call(
            self._stub.PutSecret,
            pb.PutSecretRequest(name=name, value=bytes(value), shared=shared),
            token=caller.credential,
        )
        return _secret(response.secret)

    async def secret(self, caller: Caller, name: str) -> Secret:
        """See `Secrets.secret`."""
        response = await self._call(
            self._stub.GetSecret, pb.GetSecretRequest(name=name), token=caller.credential
        )
        return _secret(response.secret)

    async def secrets(self, caller: Caller, page: PageRequest) -> Page[Secret]:
        """See `Secrets.secrets`."""
        response = await self._call(
            self._stub.ListSecrets,
            pb.ListSecretsRequest(limit=page.limit, cursor=page.cursor),
            token=caller.credential,
        )
        return Page([_secret(each) for each in response.secrets], response.next_cursor or None)

    async def delete_secret(self, caller: Caller, name: str, *, shared: bool) -> None:
        """See `Secrets.delete_secret`."""
        await self._call(
            self._stub.DeleteSecret,
            pb.DeleteSecretRequest(name=name, shared=shared),
            token=caller.credential,
        )


def _secret(secret: pb.Secret) -> Secret:
    return Secret(
        name=secret.name,
        version=secret.version,
        shared=secret.shared,
        updated_at=moment(secret.updated_at),
        updated_by=secret.updated_by,
    )
