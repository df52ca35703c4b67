"""Functions at the workflow service, over gRPC."""

from msgspec import Raw

from chassis.rpc.client import RpcClient
from gateway.adapters.times import moment
from gateway.ports import NULL, Caller, Function, Page, PageRequest, WorkerToken
from protos.worker.v1 import worker_pb2 as pb
from protos.worker.v1.worker_pb2_grpc import FunctionServiceStub


class FunctionsOverGrpc:
    """Implements the port `Functions`.

    Args:
        client: an entered client of the workflow service.
    """

    def __init__(self, client: RpcClient) -> None:
        self._call = client.call
        self._stub = FunctionServiceStub(client.channel)

    async def functions(self, caller: Caller, page: PageRequest) -> Page[Function]:
        """See `Functions.functions`."""
        response = await self._call(
            self._stub.ListFunctions,
            pb.ListFunctionsRequest(limit=page.limit, cursor=page.cursor),
            token=caller.credential,
        )
        return Page([_function(each) for each in response.functions], response.next_cursor or None)

    async def worker_token(self, caller: Caller) -> WorkerToken:
        """See `Functions.worker_token`."""
        response = await self._call(
            self._stub.IssueWorkerToken, pb.IssueWorkerTokenRequest(), token=caller.credential
        )
        return WorkerToken(response.token, response.expires_in_seconds, response.address)


def _function(function: pb.Function) -> Function:
    return Function(
        name=function.name,
        version=function.version,
        kind=function.kind,
        input_schema=Raw(function.input_schema) if function.input_schema else NULL,
        output_schema=Raw(function.output_schema) if function.output_schema else NULL,
        connected_workers=function.connected_workers,
        last_seen_at=moment(function.last_seen_at),
    )
