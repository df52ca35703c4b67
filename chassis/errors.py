"""The kinds of failure that every service understands.

    ServiceError
     |- Malformed              the request cannot be parsed at all
     |- Invalid                it can be parsed, but its meaning is wrong
     |- Unauthenticated        nobody knows who is asking
     |- MfaRequired            a second factor is missing
     |- PermissionDenied       known, but not allowed
     |- NotFound               absent, or somebody else's
     |- MethodNotAllowed       the thing exists, this verb does not
     |- Conflict               not in this state, or already there
     |- PayloadTooLarge        above a size limit
     |- UnsupportedMediaType   a representation that is not spoken here
     |- RateLimited            too often; try again after a while
     |- Cancelled              the caller gave up
     |- Internal               our own mistake
     |- Unavailable            a neighbour or a resource is missing; try again
     `- DeadlineExceeded       not finished in the time the caller gave

    CannotStart                a service cannot start; its text is meant for the operator

A service derives its own errors (`ExecutionNotFound(NotFound)`) and raises those. The kind is what
crosses a wire: `chassis.rpc.status` gives it a gRPC code, the gateway an HTTP status.
"""

import enum
from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar


class Kind(enum.Enum):
    """What went wrong, in terms a caller can act on."""

    MALFORMED = "MALFORMED"
    INVALID = "INVALID"
    UNAUTHENTICATED = "UNAUTHENTICATED"
    MFA_REQUIRED = "MFA_REQUIRED"
    PERMISSION_DENIED = "PERMISSION_DENIED"
    NOT_FOUND = "NOT_FOUND"
    METHOD_NOT_ALLOWED = "METHOD_NOT_ALLOWED"
    CONFLICT = "CONFLICT"
    PAYLOAD_TOO_LARGE = "PAYLOAD_TOO_LARGE"
    UNSUPPORTED_MEDIA_TYPE = "UNSUPPORTED_MEDIA_TYPE"
    RATE_LIMITED = "RATE_LIMITED"
    CANCELLED = "CANCELLED"
    INTERNAL = "INTERNAL"
    UNAVAILABLE = "UNAVAILABLE"
    DEADLINE_EXCEEDED = "DEADLINE_EXCEEDED"


@dataclass(frozen=True, slots=True)
class FieldProblem:
    """One thing wrong with one field; *field* is a name or a JSON Pointer."""

    field: str
    message: str


class ServiceError(Exception):
    """A failure that a caller is told about; its message must be fit for strangers.

    Args:
        message: what happened, in one sentence, without secrets or internals.
        details: the fields at fault, when there are any.
        retry_after: seconds after which trying again makes sense; None when nobody knows.
    """

    kind: ClassVar[Kind] = Kind.INTERNAL

    def __init__(
        self,
        message: str,
        *,
        details: Sequence[FieldProblem] = (),
        retry_after: float | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.details = tuple(details)
        self.retry_after = retry_after


class Malformed(ServiceError):
    """The request cannot be parsed at all."""

    kind = Kind.MALFORMED


class Invalid(ServiceError):
    """The request can be parsed, but does not make sense."""

    kind = Kind.INVALID


class Unauthenticated(ServiceError):
    """There is no proof of who is asking, or it does not hold."""

    kind = Kind.UNAUTHENTICATED


class MfaRequired(ServiceError):
    """The proof is right as far as it goes, but a second factor is missing."""

    kind = Kind.MFA_REQUIRED


class PermissionDenied(ServiceError):
    """The caller is known and may not do this."""

    kind = Kind.PERMISSION_DENIED


class NotFound(ServiceError):
    """There is no such thing, or it belongs to somebody else."""

    kind = Kind.NOT_FOUND


class MethodNotAllowed(ServiceError):
    """The thing exists, but cannot be treated in this way."""

    kind = Kind.METHOD_NOT_ALLOWED


class Conflict(ServiceError):
    """The state of things does not allow this now."""

    kind = Kind.CONFLICT


class PayloadTooLarge(ServiceError):
    """The request, or what it makes, is above a size limit."""

    kind = Kind.PAYLOAD_TOO_LARGE


class UnsupportedMediaType(ServiceError):
    """The request is written in a representation that is not spoken here."""

    kind = Kind.UNSUPPORTED_MEDIA_TYPE


class RateLimited(ServiceError):
    """The caller has used up what it may do for now."""

    kind = Kind.RATE_LIMITED


class Cancelled(ServiceError):
    """The caller gave up before there was an answer."""

    kind = Kind.CANCELLED


class Internal(ServiceError):
    """Our own mistake; the caller learns nothing more."""

    kind = Kind.INTERNAL


class Unavailable(ServiceError):
    """Something that is needed cannot be had at the moment; trying again helps."""

    kind = Kind.UNAVAILABLE


class DeadlineExceeded(ServiceError):
    """There was no answer within the time that the caller gave."""

    kind = Kind.DEADLINE_EXCEEDED


class CannotStart(Exception):
    """A service cannot start; the text tells the operator what to change."""


_CLASSES: dict[Kind, type[ServiceError]] = {
    error.kind: error
    for error in (
        Malformed,
        Invalid,
        Unauthenticated,
        MfaRequired,
        PermissionDenied,
        NotFound,
        MethodNotAllowed,
        Conflict,
        PayloadTooLarge,
        UnsupportedMediaType,
        RateLimited,
        Cancelled,
        Internal,
        Unavailable,
        DeadlineExceeded,
    )
}


def error_of(kind: Kind) -> type[ServiceError]:
    """The class that stands for *kind*."""
    return _CLASSES[kind]
