"""The table of failures is total, and says what the contract says."""

from datetime import UTC, datetime

import msgspec
import pytest

from chassis.errors import FieldProblem, Kind, Unauthenticated, error_of
from gateway.routes.problems import (
    FACES,
    HeadersTooLarge,
    NoCredentials,
    RequestTooSlow,
    TargetTooLong,
    WrongMethod,
    render,
    status_of,
    wants_problem_json,
)

NOW = datetime(2026, 1, 15, 10, 30, 0, 123456, tzinfo=UTC)
CONTRACT = {
    Kind.MALFORMED: (400, "VALIDATION_ERROR"),
    Kind.INVALID: (422, "VALIDATION_ERROR"),
    Kind.UNAUTHENTICATED: (401, "UNAUTHENTICATED"),
    Kind.MFA_REQUIRED: (401, "MFA_REQUIRED"),
    Kind.PERMISSION_DENIED: (403, "PERMISSION_DENIED"),
    Kind.NOT_FOUND: (404, "NOT_FOUND"),
    Kind.METHOD_NOT_ALLOWED: (405, "METHOD_NOT_ALLOWED"),
    Kind.CONFLICT: (409, "CONFLICT"),
    Kind.PAYLOAD_TOO_LARGE: (413, "PAYLOAD_TOO_LARGE"),
    Kind.UNSUPPORTED_MEDIA_TYPE: (415, "UNSUPPORTED_MEDIA_TYPE"),
    Kind.RATE_LIMITED: (429, "RATE_LIMITED"),
    Kind.CANCELLED: (499, "CANCELLED"),
    Kind.INTERNAL: (500, "INTERNAL"),
    Kind.UNAVAILABLE: (503, "UNAVAILABLE"),
    Kind.DEADLINE_EXCEEDED: (504, "DEADLINE_EXCEEDED"),
}


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_the_status_and_code_of_the_contract(kind: Kind) -> None:
    assert (FACES[kind].status, FACES[kind].code) == CONTRACT[kind]


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_is_rendered_in_the_error_shape(kind: Kind) -> None:
    error = error_of(kind)("What happened", details=[FieldProblem("a", "is wrong")])

    rendered = render(error, request_id="r", now=NOW)

    assert rendered.status == CONTRACT[kind][0]
    assert msgspec.json.decode(rendered.body) == {
        "error": {
            "code": CONTRACT[kind][1],
            "message": "What happened",
            "details": [{"field": "a", "message": "is wrong"}],
            "timestamp": "2026-01-15T10:30:00Z",
            "request_id": "r",
        }
    }


def test_what_may_be_tried_again_says_when() -> None:
    def retry_after(kind: Kind, seconds: float | None) -> str | None:
        error = error_of(kind)("x", retry_after=seconds)
        return dict(render(error, request_id="r", now=NOW).headers).get("Retry-After")

    assert retry_after(Kind.RATE_LIMITED, 1.2) == "2"
    assert retry_after(Kind.RATE_LIMITED, None) == "1"
    assert retry_after(Kind.UNAVAILABLE, 0.0) == "1"
    assert retry_after(Kind.NOT_FOUND, None) is None


def test_the_challenge_is_bare_only_when_nothing_was_sent() -> None:
    def challenge(error: Unauthenticated) -> str:
        return dict(render(error, request_id="r", now=NOW).headers)["WWW-Authenticate"]

    assert challenge(NoCredentials("x")) == "Bearer"
    assert challenge(Unauthenticated("x")) == 'Bearer error="invalid_token"'


def test_http_has_statuses_of_its_own_for_some_failures() -> None:
    assert status_of(TargetTooLong("x")) == 414
    assert status_of(HeadersTooLarge("x")) == 431
    assert status_of(RequestTooSlow("x")) == 408
    allow = dict(render(WrongMethod(("GET", "POST")), request_id="r", now=NOW).headers)["Allow"]
    assert allow == "GET, POST"


@pytest.mark.parametrize(
    ("accept", "wanted"),
    [
        (None, False),
        ("application/json", False),
        ("application/problem+json", True),
        ("text/html, Application/Problem+JSON;q=0.5", True),
        ("application/problem+json;q=0", False),
        ("application/problem+jsonp", False),
        ("Application/Problem+JSON; q=0.5", True),
        ("application/json, application/problem+json", True),
        ("application/json;q=0.2, application/problem+json;q=0.9", True),
        ("application/json, application/problem+json;q=0.1", False),
        ("application/problem+json; charset=utf-8; q=0.0", False),
        ("application/problem+json;q=nonsense", True),
    ],
)
def test_rfc_9457_is_used_when_it_is_asked_for(accept: str | None, wanted: bool) -> None:
    assert wants_problem_json(accept) is wanted
