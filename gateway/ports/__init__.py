"""Everything the gateway needs from the world, in the words of its routes.

The structs are the answers of the HTTP contract, field by field. Data that belongs to workflows
stays JSON bytes (``msgspec.Raw``) on its whole way through: it is spliced in, never decoded.

Every method may raise a ``chassis.errors.ServiceError`` of the kind the neighbour answered with,
``Unavailable`` when it cannot be reached and ``DeadlineExceeded`` when it is too slow.
"""

from gateway.ports.common import NULL, Caller, Origin, Page, PageRequest, Service
from gateway.ports.functions import Function, Functions, WorkerToken
from gateway.ports.identity import Auth, Gatekeeper, Profile, Tokens, User
from gateway.ports.notifications import Notification, Notifications, Preferences
from gateway.ports.workflows import (
    Blocker,
    Definition,
    DefinitionWithDocument,
    Execution,
    ExecutionFilter,
    Explanation,
    HistoryEvent,
    IncomingEvent,
    StartRequest,
    Verb,
    WorkflowReference,
    Workflows,
)

__all__ = [
    "NULL",
    "Auth",
    "Blocker",
    "Caller",
    "Definition",
    "DefinitionWithDocument",
    "Execution",
    "ExecutionFilter",
    "Explanation",
    "Function",
    "Functions",
    "Gatekeeper",
    "HistoryEvent",
    "IncomingEvent",
    "Notification",
    "Notifications",
    "Origin",
    "Page",
    "PageRequest",
    "Preferences",
    "Profile",
    "Service",
    "StartRequest",
    "Tokens",
    "User",
    "Verb",
    "WorkerToken",
    "WorkflowReference",
    "Workflows",
]
