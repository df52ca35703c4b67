"""Every failure as the one error shape of the contract, or as RFC 9457 when asked for.

The table below is the only place where a kind of failure gets its HTTP status.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import ceil
from typing import Final

import msgspec

from chassis.errors import (
    DeadlineExceeded,
    FieldProblem,
    Internal,
    Invalid,
    Kind,
    Malformed,
    MethodNotAllowed,
    PayloadTooLarge,
    PermissionDenied,
    ServiceError,
    Unauthenticated,
    Unavailable,
)

JSON: Final = "application/json"
PROBLEM_JSON: Final = "application/problem+json"
DEFAULT_RETRY_AFTER: Final = 1
_WEIGHT: Final = re.compile(r"[01](?:\.[0-9]{0,3})?")


@dataclass(frozen=True, slots=True)
class Face:
    """How a kind of failure looks from outside."""

    status: int
    code: str
    title: str


FACES: Final[dict[Kind, Face]] = {
    Kind.MALFORMED: Face(400, "VALIDATION_ERROR", "Malformed request"),
    Kind.INVALID: Face(422, "VALIDATION_ERROR", "Invalid input data"),
    Kind.UNAUTHENTICATED: Face(401, "UNAUTHENTICATED", "Authentication required"),
    Kind.MFA_REQUIRED: Face(401, "MFA_REQUIRED", "Second factor required"),
    Kind.PERMISSION_DENIED: Face(403, "PERMISSION_DENIED", "Permission denied"),
    Kind.NOT_FOUND: Face(404, "NOT_FOUND", "Not found"),
    Kind.METHOD_NOT_ALLOWED: Face(405, "METHOD_NOT_ALLOWED", "Method not allowed"),
    Kind.CONFLICT: Face(409, "CONFLICT", "Conflict"),
    Kind.PAYLOAD_TOO_LARGE: Face(413, "PAYLOAD_TOO_LARGE", "Payload too large"),
    Kind.UNSUPPORTED_MEDIA_TYPE: Face(415, "UNSUPPORTED_MEDIA_TYPE", "Unsupported media type"),
    Kind.RATE_LIMITED: Face(429, "RATE_LIMITED", "Too many requests"),
    Kind.CANCELLED: Face(499, "CANCELLED", "Cancelled"),
    Kind.INTERNAL: Face(500, "INTERNAL", "Internal error"),
    Kind.UNAVAILABLE: Face(503, "UNAVAILABLE", "Temporarily unavailable"),
    Kind.DEADLINE_EXCEEDED: Face(504, "DEADLINE_EXCEEDED", "Deadline exceeded"),
}
RETRIABLE: Final = frozenset({Kind.RATE_LIMITED, Kind.UNAVAILABLE})


class RequestRefused(Malformed):
    """The request breaks HTTP's rules in a way that attackers use; its connection is closed."""


class TargetTooLong(PayloadTooLarge):
    """The request line is longer than allowed."""


class HeadersTooLarge(PayloadTooLarge):
    """Too many header fields, or too large ones."""


class RequestTooSlow(DeadlineExceeded):
    """The client did not send its request in the time it has for that."""


class ExpectationFailed(Invalid):
    """An ``Expect`` other than ``100-continue``."""


class WrongMethod(MethodNotAllowed):
    """The path exists; *allowed* are the methods it has."""

    def __init__(self, allowed: Sequence[str]) -> None:
        super().__init__(f"This resource answers to {', '.join(allowed)}")
        self.allowed = tuple(allowed)


class NoCredentials(Unauthenticated):
    """The route needs a token and none came; RFC 6750 §3.1 wants a bare challenge then."""


class PermissionMissing(PermissionDenied):
    """The caller is known and lacks a permission."""

    def __init__(self, permission: str) -> None:
        super().__init__(f"This needs the permission {permission}")


class AddressRefused(PermissionDenied):
    """Not from this address."""

    def __init__(self, message: str) -> None:
        super().__init__(message, details=[FieldProblem("reason", "ip_not_allowed")])


class ServerBusy(Unavailable):
    """More connections than the gateway takes."""


# Statuses that HTTP has for what is one kind to everybody else.
STATUSES: Final[dict[type[ServiceError], int]] = {
    TargetTooLong: 414,
    HeadersTooLarge: 431,
    RequestTooSlow: 408,
    ExpectationFailed: 417,
}


class _Fact(msgspec.Struct, frozen=True):
    field: str
    message: str


class _Error(msgspec.Struct, frozen=True):
    code: str
    message: str
    details: list[_Fact]
    timestamp: datetime
    request_id: str


class ErrorBody(msgspec.Struct, frozen=True):
    """The error shape of the contract."""

    error: _Error


class Problem(msgspec.Struct, frozen=True):
    """The same facts as RFC 9457 has them."""

    type: str
    title: str
    status: int
    detail: str
    instance: str
    code: str
    details: list[_Fact]
    request_id: str
    timestamp: datetime


@dataclass(frozen=True, slots=True)
class Rendered:
    """An error, ready to be sent."""

    status: int
    content_type: str
    body: bytes
    headers: tuple[tuple[str, str], ...]


def internal_error() -> Internal:
    """What a client learns about a mistake of ours: that there was one."""
    return Internal("Something went wrong on our side. The request id finds it in our logs.")


def status_of(error: ServiceError) -> int:
    """The HTTP status of *error*."""
    return STATUSES.get(type(error)) or FACES[error.kind].status


def render(
    error: ServiceError,
    *,
    request_id: str,
    now: datetime,
    path: str = "",
    as_problem: bool = False,
) -> Rendered:
    """The answer for *error*; *path* is the instance that RFC 9457 names."""
    face, status = FACES[error.kind], status_of(error)
    timestamp = now.replace(microsecond=0)
    details = [_Fact(problem.field, problem.message) for problem in error.details]
    message = error.message or face.title
    if as_problem:
        body = msgspec.json.encode(
            Problem(
                type="about:blank",
                title=face.title,
                status=status,
                detail=message,
                instance=path,
                code=face.code,
                details=details,
                request_id=request_id,
                timestamp=timestamp,
            )
        )
    else:
        body = msgspec.json.encode(
            ErrorBody(_Error(face.code, message, details, timestamp, request_id))
        )
    content_type = PROBLEM_JSON if as_problem else JSON
    return Rendered(status, content_type, body, tuple(_headers(error)))


def _headers(error: ServiceError) -> Iterator[tuple[str, str]]:
    if error.kind in RETRIABLE or error.retry_after is not None:
        seconds = DEFAULT_RETRY_AFTER if error.retry_after is None else ceil(error.retry_after)
        yield "Retry-After", str(max(seconds, 1))
    if error.kind in {Kind.UNAUTHENTICATED, Kind.MFA_REQUIRED}:
        bare = isinstance(error, NoCredentials)
        yield "WWW-Authenticate", "Bearer" if bare else 'Bearer error="invalid_token"'
    if isinstance(error, WrongMethod):
        yield "Allow", ", ".join(error.allowed)


def one_problem(field: str, message: str) -> Invalid:
    """Invalid input, because of one field."""
    return Invalid("Invalid input data", details=[FieldProblem(field, message)])


def wants_problem_json(accept: str | None) -> bool:
    """Whether an ``Accept`` header names RFC 9457, and does not weigh plain JSON more."""
    if accept is None or PROBLEM_JSON not in accept.lower():
        return False
    weights = dict(map(_weighed, accept.split(",")))
    wanted = weights.get(PROBLEM_JSON, 0.0)
    return wanted > 0 and wanted >= weights.get(JSON, 0.0)


def _weighed(item: str) -> tuple[str, float]:
    media_type, *parameters = item.lower().replace(" ", "").split(";")
    weight = next((each[2:] for each in parameters if each.startswith("q=")), "1")
    return media_type, float(weight) if _WEIGHT.fullmatch(weight) else 1.0
