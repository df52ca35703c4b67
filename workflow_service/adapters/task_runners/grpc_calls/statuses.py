"""gRPC status codes as errors of the DSL.

The HTTP statuses are those that the codes' own documentation (google.rpc.Code) names for them.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import grpc

from workflow_service.domain.execution.problem import ERRORS, Problem

_LONGEST_DETAIL: Final = 500

STATUSES: Final[Mapping[grpc.StatusCode, tuple[str, int]]] = {
    grpc.StatusCode.CANCELLED: ("communication", 499),
    grpc.StatusCode.UNKNOWN: ("communication", 500),
    grpc.StatusCode.INVALID_ARGUMENT: ("communication", 400),
    grpc.StatusCode.DEADLINE_EXCEEDED: ("timeout", 408),
    grpc.StatusCode.NOT_FOUND: ("communication", 404),
    grpc.StatusCode.ALREADY_EXISTS: ("communication", 409),
    grpc.StatusCode.PERMISSION_DENIED: ("authorization", 403),
    grpc.StatusCode.RESOURCE_EXHAUSTED: ("communication", 429),
    grpc.StatusCode.FAILED_PRECONDITION: ("communication", 400),
    grpc.StatusCode.ABORTED: ("communication", 409),
    grpc.StatusCode.OUT_OF_RANGE: ("communication", 400),
    grpc.StatusCode.UNIMPLEMENTED: ("communication", 501),
    grpc.StatusCode.INTERNAL: ("communication", 500),
    grpc.StatusCode.UNAVAILABLE: ("communication", 503),
    grpc.StatusCode.DATA_LOSS: ("communication", 500),
    grpc.StatusCode.UNAUTHENTICATED: ("authentication", 401),
}
"""Type and status of each code but OK."""


def problem_of(code: grpc.StatusCode, details: str | None) -> Problem:
    """Return what an answer with *code* faults its task with."""
    kind, status = STATUSES.get(code, ("communication", 500))
    told = f": {details[:_LONGEST_DETAIL]}" if details else ""
    return Problem(
        ERRORS + kind, status, "Unsuccessful response", f"The service answered {code.name}{told}"
    )
