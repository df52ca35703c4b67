"""What publishing a definition would mean, as messages."""

from __future__ import annotations

from protos.workflow.v1 import workflow_pb2 as pb
from workflow_service.application.queries.check_definition import (
    ComparedVersion,
    DeploymentCheck,
    StandingTask,
)
from workflow_service.domain.definition.comparison import Difference


def check_message(check: DeploymentCheck) -> pb.CheckDefinitionResponse:
    """Return *check* as a message."""
    return pb.CheckDefinitionResponse(
        workflow=pb.WorkflowReference(
            namespace=check.namespace, name=check.name, version=check.version
        ),
        digest=check.digest,
        published=check.published,
        newest=check.newest,
        becomes_newest=check.becomes_newest,
        concern=check.concern,
        schedule=check.schedule,
        versions=map(_version, check.versions),
    )


def _version(compared: ComparedVersion) -> pb.ComparedVersion:
    return pb.ComparedVersion(
        version=compared.version,
        digest=compared.digest,
        concern=compared.concern,
        differences=map(_difference, compared.differences),
        open=compared.open,
        statuses=compared.statuses,
        examined=compared.examined,
        tasks=map(_task, compared.tasks),
    )


def _difference(difference: Difference) -> pb.Difference:
    return pb.Difference(
        kind=difference.kind,
        place=difference.place,
        was=difference.was,
        members=difference.members,
        breaking=difference.breaking,
    )


def _task(standing: StandingTask) -> pb.StandingTask:
    worst = standing.difference
    return pb.StandingTask(
        task=standing.task,
        executions=standing.executions,
        first=standing.first,
        difference=None if worst is None else _difference(worst),
    )
