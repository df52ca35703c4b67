import grpc
import pytest

from chassis.errors import FieldProblem, Kind, ServiceError, error_of
from chassis.rpc.status import CODES, DETAILS, KINDS, to_error, to_trailers


@pytest.mark.parametrize("kind", Kind)
def test_every_kind_has_its_class(kind: Kind) -> None:
    assert error_of(kind).kind is kind


def test_no_two_kinds_share_a_class() -> None:
    assert len({error_of(kind) for kind in Kind}) == len(Kind)


def test_every_kind_has_a_code() -> None:
    assert CODES.keys() == set(Kind)


def test_every_code_has_a_kind() -> None:
    assert KINDS.keys() == set(grpc.StatusCode)


@pytest.mark.parametrize("kind", Kind)
def test_a_status_gives_back_the_error_it_was_made_of(kind: Kind) -> None:
    problems = [FieldProblem("/input/email", "is taken"), FieldProblem("name", "is too long")]
    error = error_of(kind)("what happened", details=problems, retry_after=2.5)

    back = to_error(CODES[kind], "what happened", to_trailers(error))

    assert type(back) is error_of(kind)
    assert (back.message, back.details, back.retry_after) == (
        "what happened",
        tuple(problems),
        2.5,
    )


def test_an_error_without_details_comes_back_without_details() -> None:
    back = to_error(
        grpc.StatusCode.NOT_FOUND, "", to_trailers(error_of(Kind.NOT_FOUND)("no such thing"))
    )
    assert (back.details, back.retry_after) == ((), None)


@pytest.mark.parametrize("code", grpc.StatusCode)
def test_a_bare_code_becomes_an_error_that_does_not_quote_the_transport(
    code: grpc.StatusCode,
) -> None:
    error = to_error(code, "connection to 10.0.0.7 refused", None)
    assert error.kind is KINDS[code]
    assert "10.0.0.7" not in error.message


def test_a_service_that_cannot_be_reached_may_be_tried_again_in_a_second() -> None:
    assert to_error(grpc.StatusCode.UNAVAILABLE, None, None).retry_after == 1


@pytest.mark.parametrize("details", [b"\xff\xff", b"", b"plain text"])
def test_details_of_strangers_are_ignored(details: bytes) -> None:
    error = to_error(grpc.StatusCode.NOT_FOUND, "m", [(DETAILS, details)])
    assert error.kind is Kind.NOT_FOUND


def test_a_services_own_error_keeps_the_kind_of_its_base() -> None:
    class ExecutionNotFound(error_of(Kind.NOT_FOUND)):  # type: ignore[misc]
        """There is no such execution."""

    assert ExecutionNotFound("gone").kind is Kind.NOT_FOUND
    assert isinstance(ExecutionNotFound("gone"), ServiceError)
