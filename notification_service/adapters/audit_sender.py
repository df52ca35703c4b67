"""What the service tells the audit trail travels to the auth service."""

from collections.abc import Sequence

from chassis.audit.outbox import Send
from chassis.rpc.client import RpcClient
from protos.auth.v1 import audit_pb2 as pb
from protos.auth.v1.audit_pb2_grpc import AuditServiceStub

TIMEOUT = 5.0


def audit_sender(client: RpcClient) -> Send:
    """What brings entries over an entered *client* of the auth service."""
    stub = AuditServiceStub(client.channel)

    async def send(entries: Sequence[bytes]) -> None:
        await client.call(stub.KeepEntries, pb.KeepEntriesRequest(entries=entries), timeout=TIMEOUT)

    return send
