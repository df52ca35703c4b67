"""Kinds of failure as gRPC statuses, there and back.

A code alone loses the kind (CONFLICT and MFA_REQUIRED have none of their own), so a status carries
its kind as `google.rpc.ErrorInfo` and its fields as `google.rpc.BadRequest`, in the standard
trailer `grpc-status-details-bin`.
"""

from collections.abc import Iterable
from typing import Final

import grpc
from google.protobuf import any_pb2
from google.protobuf.message import DecodeError
from google.rpc import error_details_pb2, status_pb2  # type: ignore[import-untyped]

from chassis.errors import FieldProblem, Kind, ServiceError, error_of

DOMAIN = "autoworker"
DETAILS = "grpc-status-details-bin"
UNAVAILABLE_RETRY = 1.0
"""Seconds to wait before trying again when nobody answered at all."""

CODES: Final[dict[Kind, grpc.StatusCode]] = {
    Kind.MALFORMED: grpc.StatusCode.INVALID_ARGUMENT,
    Kind.INVALID: grpc.StatusCode.INVALID_ARGUMENT,
    Kind.UNAUTHENTICATED: grpc.StatusCode.UNAUTHENTICATED,
    Kind.MFA_REQUIRED: grpc.StatusCode.UNAUTHENTICATED,
    Kind.PERMISSION_DENIED: grpc.StatusCode.PERMISSION_DENIED,
    Kind.NOT_FOUND: grpc.StatusCode.NOT_FOUND,
    Kind.METHOD_NOT_ALLOWED: grpc.StatusCode.UNIMPLEMENTED,
    Kind.CONFLICT: grpc.StatusCode.FAILED_PRECONDITION,
    Kind.PAYLOAD_TOO_LARGE: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Kind.UNSUPPORTED_MEDIA_TYPE: grpc.StatusCode.INVALID_ARGUMENT,
    Kind.RATE_LIMITED: grpc.StatusCode.RESOURCE_EXHAUSTED,
    Kind.CANCELLED: grpc.StatusCode.CANCELLED,
    Kind.INTERNAL: grpc.StatusCode.INTERNAL,
    Kind.UNAVAILABLE: grpc.StatusCode.UNAVAILABLE,
    Kind.DEADLINE_EXCEEDED: grpc.StatusCode.DEADLINE_EXCEEDED,
}
"""Every kind has a code."""

KINDS: Final[dict[grpc.StatusCode, Kind]] = {
    grpc.StatusCode.OK: Kind.INTERNAL,  # a failure that claims success is a bug
    grpc.StatusCode.CANCELLED: Kind.CANCELLED,
    grpc.StatusCode.UNKNOWN: Kind.INTERNAL,
    grpc.StatusCode.INVALID_ARGUMENT: Kind.INVALID,
    grpc.StatusCode.DEADLINE_EXCEEDED: Kind.DEADLINE_EXCEEDED,
    grpc.StatusCode.NOT_FOUND: Kind.NOT_FOUND,
    grpc.StatusCode.ALREADY_EXISTS: Kind.CONFLICT,
    grpc.StatusCode.PERMISSION_DENIED: Kind.PERMISSION_DENIED,
    grpc.StatusCode.UNAUTHENTICATED: Kind.UNAUTHENTICATED,
    # Limits of ours carry their kind; bare, it is the transport refusing a message by its size.
    grpc.StatusCode.RESOURCE_EXHAUSTED: Kind.PAYLOAD_TOO_LARGE,
    grpc.StatusCode.FAILED_PRECONDITION: Kind.CONFLICT,
    grpc.StatusCode.ABORTED: Kind.CONFLICT,
    grpc.StatusCode.OUT_OF_RANGE: Kind.INVALID,
    grpc.StatusCode.UNIMPLEMENTED: Kind.INTERNAL,
    grpc.StatusCode.INTERNAL: Kind.INTERNAL,
    grpc.StatusCode.UNAVAILABLE: Kind.UNAVAILABLE,
    grpc.StatusCode.DATA_LOSS: Kind.INTERNAL,
}
"""Every code has a kind, for statuses that were not made here."""


def to_trailers(error: ServiceError) -> tuple[tuple[str, bytes], ...]:
    """What a status says beyond code and message, as trailing metadata."""
    info = error_details_pb2.ErrorInfo(reason=error.kind.value, domain=DOMAIN)
    if error.retry_after is not None:
        info.metadata["retry_after"] = repr(float(error.retry_after))
    status = status_pb2.Status(code=CODES[error.kind].value[0], message=error.message)
    status.details.append(_packed(info))
    if error.details:
        fields = [_violation(problem) for problem in error.details]
        status.details.append(_packed(error_details_pb2.BadRequest(field_violations=fields)))
    return ((DETAILS, status.SerializeToString()),)


def to_error(
    code: grpc.StatusCode, message: str | None, trailers: Iterable[tuple[str, str | bytes]] | None
) -> ServiceError:
    """The error that a status stands for."""
    details = next((value for name, value in trailers or () if name == DETAILS), None)
    restored = _restored(details, message or "") if isinstance(details, bytes) else None
    if restored is not None:
        return restored
    kind = Kind.UNAVAILABLE if was_not_begun(code, message) else KINDS[code]
    if kind is Kind.UNAVAILABLE:
        return error_of(kind)("the service cannot be reached", retry_after=UNAVAILABLE_RETRY)
    # The transport's own words may name addresses and internals.
    return error_of(kind)(_PLAIN.get(kind, "the call failed"))


def was_not_begun(code: grpc.StatusCode, message: str | None) -> bool:
    """Whether a server that is ending has answered a call that it has not begun with, nor will.

    gRPC gives its own word for that to calls that come as a server stops. What the server has begun with ends as unavailable, and what
    a handler cancels has a message of the handler.
    """
    return code is grpc.StatusCode.CANCELLED and message == "CANCELLED"


_PLAIN = {
    Kind.CANCELLED: "the call was cancelled",
    Kind.DEADLINE_EXCEEDED: "there was no answer in time",
    Kind.UNAUTHENTICATED: "the caller is not known",
    Kind.PAYLOAD_TOO_LARGE: "the message is too large",
}


def _restored(details: bytes, message: str) -> ServiceError | None:
    try:
        status = status_pb2.Status.FromString(details)
        info, request = error_details_pb2.ErrorInfo(), error_details_pb2.BadRequest()
        for detail in status.details:
            if detail.Is(info.DESCRIPTOR):
                detail.Unpack(info)
            elif detail.Is(request.DESCRIPTOR):
                detail.Unpack(request)
    except DecodeError:
        return None
    if info.domain != DOMAIN or info.reason not in Kind.__members__:
        return None
    problems = [FieldProblem(each.field, each.description) for each in request.field_violations]
    retry_after = info.metadata.get("retry_after")
    return error_of(Kind(info.reason))(
        status.message or message,
        details=problems,
        retry_after=None if retry_after is None else _seconds(retry_after),
    )


def _seconds(text: str) -> float | None:
    try:
        return float(text)
    except ValueError:
        return None


def _violation(problem: FieldProblem) -> error_details_pb2.BadRequest.FieldViolation:
    return error_details_pb2.BadRequest.FieldViolation(
        field=problem.field, description=problem.message
    )


def _packed(message: error_details_pb2.ErrorInfo | error_details_pb2.BadRequest) -> any_pb2.Any:
    packed = any_pb2.Any()
    packed.Pack(message)
    return packed
