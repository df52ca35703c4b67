"""Questions before something is published, at the workflow service, over gRPC."""

from chassis.rpc.client import RpcClient
from gateway.ports import (
    Caller,
    ComparedVersion,
    DeploymentCheck,
    Difference,
    StandingTask,
    WorkflowReference,
)
from protos.workflow.v1 import workflow_pb2 as pb
from protos.workflow.v1.workflow_pb2_grpc import WorkflowServiceStub


class DeploymentsOverGrpc:
    """Implements the port `Deployments`.

    Args:
        client: an entered client of the workflow service.
    """

    def __init__(self, client: RpcClient) -> None:
        self._call = client.call
        self._stub = WorkflowServiceStub(client.channel)

    async def check(self, caller: Caller, document: bytes, media_type: str) -> DeploymentCheck:
        """See `Deployments.check`."""
        found = await self._call(
            self._stub.CheckDefinition,
            pb.CheckDefinitionRequest(document=document, media_type=media_type),
            token=caller.credential,
        )
        workflow = found.workflow
        return DeploymentCheck(
            workflow=WorkflowReference(workflow.namespace, workflow.name, workflow.version),
            digest=found.digest,
            published=found.published,
            newest=found.newest or None,
            becomes_newest=found.becomes_newest,
            concern=found.concern,
            schedule=found.schedule,
            versions=[_version(each) for each in found.versions],
        )


def _version(compared: pb.ComparedVersion) -> ComparedVersion:
    return ComparedVersion(
        version=compared.version,
        digest=compared.digest,
        concern=compared.concern,
        open=compared.open,
        statuses=dict(compared.statuses),
        examined=compared.examined,
        tasks=[_task(each) for each in compared.tasks],
        differences=[_difference(each) for each in compared.differences],
    )


def _task(standing: pb.StandingTask) -> StandingTask:
    worst = _difference(standing.difference) if standing.HasField("difference") else None
    return StandingTask(standing.task, standing.executions, list(standing.first), worst)


def _difference(difference: pb.Difference) -> Difference:
    return Difference(
        kind=difference.kind,
        place=difference.place,
        was=difference.was or None,
        members=list(difference.members),
        breaking=difference.breaking,
    )
