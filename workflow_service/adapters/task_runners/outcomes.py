"""What comes of a call, whatever its kind."""

from __future__ import annotations

from collections.abc import Awaitable

from workflow_service.adapters.egress import EgressError
from workflow_service.adapters.task_runners.failures import problem_of
from workflow_service.application.credential_ports import CredentialsRefused
from workflow_service.application.resource_ports import ResourceFailed
from workflow_service.domain.execution.effects import Failed, Outcome, Succeeded
from workflow_service.domain.execution.problem import Raised
from workflow_service.domain.expressions import JsonValue


async def outcome_of(answer: Awaitable[JsonValue]) -> Outcome:
    """Wait for *answer*; every failure of a call is an outcome, too."""
    try:
        return Succeeded(await answer)
    except (Raised, ResourceFailed, CredentialsRefused) as refused:
        return Failed(refused.problem)
    except EgressError as unanswered:
        return Failed(problem_of(unanswered))
