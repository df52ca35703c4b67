"""Everything that the workflow service needs from the world, a module for each family."""

from workflow_service.application.ports.definitions import (
    Definitions,
    StoredDefinition,
)
from workflow_service.application.ports.event_store import (
    EventStore,
)
from workflow_service.application.ports.functions import (
    FunctionRecord,
    Functions,
    FunctionsServed,
    LocalFunction,
    NobodyServes,
)
from workflow_service.application.ports.histories import (
    Commit,
    Head,
    IdempotencyKey,
    OpenExecution,
    Recorded,
    StaleOwner,
    StartedBefore,
    Stored,
    VersionConflict,
)
from workflow_service.application.ports.inbound import (
    InboundEvent,
    InboundEvents,
)
from workflow_service.application.ports.paging import (
    Page,
)
from workflow_service.application.ports.retention import (
    Retention,
)
from workflow_service.application.ports.summaries import (
    ExecutionFilter,
    Summaries,
    Summary,
)
from workflow_service.application.ports.world import (
    Alone,
    Progress,
    Runner,
    Sharing,
)

__all__ = [
    "Alone",
    "Commit",
    "Definitions",
    "EventStore",
    "ExecutionFilter",
    "FunctionRecord",
    "Functions",
    "FunctionsServed",
    "Head",
    "IdempotencyKey",
    "InboundEvent",
    "InboundEvents",
    "LocalFunction",
    "NobodyServes",
    "OpenExecution",
    "Page",
    "Progress",
    "Recorded",
    "Retention",
    "Runner",
    "Sharing",
    "StaleOwner",
    "StartedBefore",
    "Stored",
    "StoredDefinition",
    "Summaries",
    "Summary",
    "VersionConflict",
]
