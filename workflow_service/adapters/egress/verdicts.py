"""What the failure of a call says about its host, and to operators."""

from workflow_service.adapters.egress.breaker import Verdict
from workflow_service.adapters.egress.errors import (
    EgressError,
    EgressFailed,
    EgressRefused,
    EgressTimedOut,
    Failure,
    HostUnavailable,
    RequestInvalid,
    ResponseTooLarge,
)


def blame(error: EgressError, *, patient: bool) -> Verdict:
    """What *error* says about the host."""
    match error:
        case EgressFailed(failure=Failure.CERTIFICATE):
            return Verdict.NOTHING  # it is about who called, who may be one tenant alone
        case EgressFailed():
            return Verdict.BAD
        case EgressTimedOut():
            return Verdict.BAD if patient else Verdict.NOTHING
        case ResponseTooLarge():
            return Verdict.GOOD
        case _:
            return Verdict.NOTHING


def outcome_of(error: EgressError) -> str:
    """The metric's word for *error*."""
    match error:
        case RequestInvalid():
            return "invalid"
        case EgressRefused():
            return "refused"
        case EgressTimedOut():
            return "timed_out"
        case ResponseTooLarge():
            return "too_large"
        case HostUnavailable():
            return "host_unavailable"
        case _:
            return "failed"
