"""Calls to the outside, guarded; see client.py."""

from workflow_service.adapters.egress.addresses import EntryInvalid
from workflow_service.adapters.egress.client import (
    EgressClient,
    EgressLimits,
    EgressRequest,
    EgressResponse,
)
from workflow_service.adapters.egress.errors import (
    EgressError,
    EgressFailed,
    EgressRefused,
    EgressTimedOut,
    Failure,
    RequestInvalid,
    ResponseTooLarge,
)

__all__ = [
    "EgressClient",
    "EgressError",
    "EgressFailed",
    "EgressLimits",
    "EgressRefused",
    "EgressRequest",
    "EgressResponse",
    "EgressTimedOut",
    "EntryInvalid",
    "Failure",
    "RequestInvalid",
    "ResponseTooLarge",
]
