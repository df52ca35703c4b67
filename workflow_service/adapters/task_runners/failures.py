"""Failures of calls to the outside, as the DSL's problems.

Their types and statuses are those of the DSL reference, "Standard Error Types":

- a target that may not be called: authorization, 403, without telling more;
- not in time: timeout, 408;
- a host that is left alone, because it fails too often or asked for it: communication, 503;
- a request that cannot be sent as it is written: configuration, 400;
- no response (name, connection, TLS, broken or oversized response): communication, 500;
- an answer that is none of those wanted: communication, with the answer's own status.
"""

from __future__ import annotations

import math

from workflow_service.adapters.egress import (
    EgressError,
    EgressRefused,
    EgressResponse,
    EgressTimedOut,
    HostUnavailable,
    RequestInvalid,
)
from workflow_service.domain.execution.problem import ERRORS, Problem


def problem_of(error: EgressError) -> Problem:
    """Return the fault of a task whose call got no answer."""
    match error:
        case EgressRefused():
            detail = "The address of the call is not one that may be called."
            return Problem(ERRORS + "authorization", 403, "Call refused", detail)
        case EgressTimedOut():
            return Problem(ERRORS + "timeout", 408, "Call timed out", str(error))
        case HostUnavailable():
            return Problem(ERRORS + "communication", 503, "Host unavailable", str(error))
        case RequestInvalid():
            return Problem(ERRORS + "configuration", 400, "Invalid request", str(error))
        case _:
            return Problem(ERRORS + "communication", 500, "Communication failed", str(error))


def problem_of_answer(response: EgressResponse) -> Problem:
    """Return the fault of a task whose call was answered with a status outside of the accepted range."""
    asked = response.retry_after
    waiting = "" if asked is None else f" and asked to wait {math.ceil(asked)} s"
    detail = f"The service answered with status {response.status}{waiting}."
    return Problem(ERRORS + "communication", response.status, "Unsuccessful response", detail)
