"""What policies may know of executions beside what requests say of them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from functools import partial
from typing import Any, Final

import msgspec

from chassis.rpc.context import Principal
from chassis.rpc.decisions import Lookup, Resource
from workflow_service.application.app import Application
from workflow_service.application.caller import ExecutionNotFound
from workflow_service.application.queries.get_execution import GetExecution
from workflow_service.entrypoints import messages

_SERVICE: Final = "/autoworker.workflow.v1.WorkflowService"
_OF_AN_EXECUTION: Final = (
    "CancelExecution",
    "SuspendExecution",
    "ResumeExecution",
    "RetryExecution",
    "GetExecution",
    "GetHistory",
    "WatchHistory",
    "ExplainExecution",
)


def lookups(app: Application) -> Mapping[str, Lookup]:
    """One for each method that names an execution by its id."""
    return dict.fromkeys(
        (f"{_SERVICE}/{name}" for name in _OF_AN_EXECUTION), partial(_execution, app)
    )


async def _execution(app: Application, principal: Principal, request: Any) -> Resource | None:
    caller = messages.caller_of(principal)
    # Whoever may change what they may not read is asked about as well: nothing passes unasked.
    caller = replace(caller, reads_all=caller.reads_all or caller.writes_all)
    try:
        found = await app.queries.get_execution(GetExecution(caller, request.id))
    except ExecutionNotFound:
        return None
    known = {
        "owner": found.owner,
        "namespace": found.namespace,
        "name": found.name,
        "version": found.version,
        "tags": msgspec.to_builtins(found.tags),
    }
    return {name: value for name, value in known.items() if value}
