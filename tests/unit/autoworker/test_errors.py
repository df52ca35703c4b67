import json

import pytest

from autoworker.errors import (
    ApiError,
    Conflict,
    InternalError,
    InvalidRequest,
    MfaRequired,
    NotFound,
    NotUnderstood,
    PermissionDenied,
    RateLimited,
    Unauthenticated,
    Unavailable,
    error_of,
)


def body(code: str, **more: object) -> bytes:
    return json.dumps({"error": {"code": code, "message": "so it is", **more}}).encode()


@pytest.mark.parametrize(
    ("status", "code", "kind"),
    [
        (400, "VALIDATION_ERROR", InvalidRequest),
        (413, "PAYLOAD_TOO_LARGE", InvalidRequest),
        (401, "UNAUTHENTICATED", Unauthenticated),
        (401, "MFA_REQUIRED", MfaRequired),
        (403, "PERMISSION_DENIED", PermissionDenied),
        (404, "NOT_FOUND", NotFound),
        (409, "CONFLICT", Conflict),
        (429, "RATE_LIMITED", RateLimited),
        (503, "UNAVAILABLE", Unavailable),
        (500, "INTERNAL", InternalError),
        (418, "SOMETHING_NEW", InternalError),
    ],
)
def test_each_code_is_an_exception_of_its_own(status: int, code: str, kind: type[ApiError]) -> None:
    error = error_of(status, body(code, request_id="r-1"))

    assert type(error) is kind
    assert isinstance(error, ApiError)
    assert (error.status, error.code, error.request_id) == (status, code, "r-1")


def test_details_are_told_with_their_places() -> None:
    error = error_of(422, body("VALIDATION_ERROR", details=[{"field": "/do/0", "message": "odd"}]))

    assert str(error) == "so it is (VALIDATION_ERROR); /do/0: odd"


def test_when_to_try_again_is_told() -> None:
    error = error_of(503, body("UNAVAILABLE"), "7")

    assert isinstance(error, Unavailable)
    assert error.retry_after == 7.0


@pytest.mark.parametrize("answer", [b"", b"<html>", b"\xff", b"{}", b'{"error": 1}'])
def test_an_answer_of_something_else_is_not_understood(answer: bytes) -> None:
    assert isinstance(error_of(502, answer), NotUnderstood)
