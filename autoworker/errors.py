"""What can go wrong when one talks to Autoworker.

AutoworkerError
├── Unreachable            no answer came
├── NotUnderstood          an answer came that Autoworker does not give
└── ApiError               the answer was an error; it has code, details and request_id
    ├── InvalidRequest     400, 405, 413, 415, 422
    ├── Unauthenticated    401
    │   └── MfaRequired
    ├── PermissionDenied   403
    ├── NotFound           404
    ├── Conflict           409
    ├── RateLimited        429
    ├── Unavailable        503
    ├── DeadlineExceeded   504
    └── InternalError      500 and whatever else
"""

from collections.abc import Mapping
from typing import Final

import msgspec


class AutoworkerError(Exception):
    """Anything of the below."""


class Unreachable(AutoworkerError):
    """No answer came: nothing listens there, or the connection broke."""


class NotUnderstood(AutoworkerError):
    """An answer came that is not one of Autoworker's: something else listens there."""


class Detail(msgspec.Struct, frozen=True):
    """One thing that is wrong; *field* is a name, or a JSON Pointer into a workflow."""

    field: str
    message: str


class ApiError(AutoworkerError):
    """The request was answered with an error.

    Attributes:
        status: the HTTP status.
        code: as in the contract, `VALIDATION_ERROR` for example.
        message: one sentence.
        details: what is wrong where.
        request_id: finds the request in the logs.
        retry_after: seconds after which it may be tried again; None when nothing was said.
    """

    def __init__(
        self,
        status: int,
        code: str,
        message: str,
        *,
        details: tuple[Detail, ...] = (),
        request_id: str = "",
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.status = status
        self.code = code
        self.message = message
        self.details = details
        self.request_id = request_id
        self.retry_after = retry_after

    def __str__(self) -> str:
        lines = [f"{self.message} ({self.code})"]
        lines += [f"{detail.field or '/'}: {detail.message}" for detail in self.details]
        return "; ".join(lines)


class InvalidRequest(ApiError):
    """The request is wrong; `details` say where."""


class Unauthenticated(ApiError):
    """Nobody is logged in, or the session has ended."""


class MfaRequired(Unauthenticated):
    """The password was right; a second factor is needed."""


class PermissionDenied(ApiError):
    """The caller may not do that."""


class NotFound(ApiError):
    """There is no such thing, or it is somebody else's."""


class Conflict(ApiError):
    """It contradicts what is there: a taken name, a phase that does not allow it."""


class RateLimited(ApiError):
    """Too many requests; see `retry_after`."""


class Unavailable(ApiError):
    """A part of the suite is away; see `retry_after`."""


class DeadlineExceeded(ApiError):
    """It took too long."""


class InternalError(ApiError):
    """A mistake on the other side."""


_BY_CODE: Final[Mapping[str, type[ApiError]]] = {
    "VALIDATION_ERROR": InvalidRequest,
    "METHOD_NOT_ALLOWED": InvalidRequest,
    "PAYLOAD_TOO_LARGE": InvalidRequest,
    "UNSUPPORTED_MEDIA_TYPE": InvalidRequest,
    "UNAUTHENTICATED": Unauthenticated,
    "MFA_REQUIRED": MfaRequired,
    "PERMISSION_DENIED": PermissionDenied,
    "NOT_FOUND": NotFound,
    "CONFLICT": Conflict,
    "RATE_LIMITED": RateLimited,
    "UNAVAILABLE": Unavailable,
    "DEADLINE_EXCEEDED": DeadlineExceeded,
}


class _Error(msgspec.Struct, frozen=True):
    code: str
    message: str
    details: tuple[Detail, ...] = ()
    request_id: str = ""


class _Body(msgspec.Struct, frozen=True):
    error: _Error


_decode = msgspec.json.Decoder(_Body).decode


def error_of(status: int, body: bytes, retry_after: str | None = None) -> AutoworkerError:
    """The exception for an answer with *status* and *body*."""
    try:
        error = _decode(body).error
    except (msgspec.DecodeError, UnicodeDecodeError):
        return NotUnderstood(f"an answer with status {status} that is not Autoworker's")
    return _BY_CODE.get(error.code, InternalError)(
        status,
        error.code,
        error.message,
        details=error.details,
        request_id=error.request_id,
        retry_after=float(retry_after) if retry_after and retry_after.isdigit() else None,
    )
