"""Calls to the outside, guarded; see client.py."""

from workflow_service.adapters.egress.addresses import EntryInvalid
from workflow_service.adapters.egress.breaker import BreakerPolicy
from workflow_service.adapters.egress.client import EgressClient
from workflow_service.adapters.egress.doors import Door, Doors
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
from workflow_service.adapters.egress.limits import EgressLimits
from workflow_service.adapters.egress.requests import EgressRequest, EgressResponse
from workflow_service.adapters.egress.streams import EgressStream
from workflow_service.adapters.egress.websockets import EgressSocket

__all__ = [
    "BreakerPolicy",
    "Door",
    "Doors",
    "EgressClient",
    "EgressError",
    "EgressFailed",
    "EgressLimits",
    "EgressRefused",
    "EgressRequest",
    "EgressResponse",
    "EgressSocket",
    "EgressStream",
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
