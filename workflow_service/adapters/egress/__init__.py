"""Calls to the outside, guarded; see client.py."""

from workflow_service.adapters.egress.addresses import EntryInvalid
from workflow_service.adapters.egress.breaker import BreakerPolicy
from workflow_service.adapters.egress.client import (
    EgressClient,
    EgressLimits,
)
from workflow_service.adapters.egress.errors import (
    EgressError,
    EgressFailed,
    EgressRefused,
    EgressTimedOut,
    Failure,
    HostBusy,
    HostFailing,
    HostResting,
    HostUnavailable,
    RequestInvalid,
    ResponseTooLarge,
)
from workflow_service.adapters.egress.hosts import GatePolicy
from workflow_service.adapters.egress.requests import EgressRequest, EgressResponse

__all__ = [
    "BreakerPolicy",
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
    "GatePolicy",
    "HostBusy",
    "HostFailing",
    "HostResting",
    "HostUnavailable",
    "RequestInvalid",
    "ResponseTooLarge",
]
