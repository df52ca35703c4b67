"""Error types have one form, versions one order, pointers one spelling."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflow_service.domain.definition.error_types import STANDARD_ERRORS, normalise_error_type
from workflow_service.domain.definition.pointers import child, pointer_of
from workflow_service.domain.semver import precedence

CANONICAL = "https://serverlessworkflow.io/spec/1.0.0/errors/"


@pytest.mark.parametrize("name", sorted(STANDARD_ERRORS))
@pytest.mark.parametrize(
    "form",
    [
        "https://serverlessworkflow.io/spec/1.0.0/errors/{}",
        "http://serverlessworkflow.io/spec/1.0.0/errors/{}",
        "https://open-workflow-specification.org/spec/1.0.0/errors/{}",
        "https://serverlessworkflow.io/dsl/errors/types/{}",
        "https://open-workflow-specification.org/dsl/errors/types/{}",
        "/dsl/errors/types/{}",
        " https://serverlessworkflow.io/spec/1.0.3/errors/{} ",
    ],
)
def test_all_spellings_of_a_standard_error_type_are_one(form: str, name: str) -> None:
    assert normalise_error_type(form.format(name)) == CANONICAL + name


@pytest.mark.parametrize(
    "text",
    ["", "timeout", "https://example.com/spec/1.0.0/errors/timeout", "/dsl/errors/types/mine",
     "https://serverlessworkflow.io/errors/not-implemented",
     "https://serverlessworkflow.io/spec/1.0.0/errors/timeout/x",
     "https://serverlessworkflow.io.evil.com/spec/1.0.0/errors/timeout"],
)  # fmt: skip
def test_other_error_types_stay_as_they_are(text: str) -> None:
    assert normalise_error_type(text) == text


def test_versions_rank_as_the_standard_says_and_releases_above_all_pre_releases() -> None:
    ranked = [
        "1.0.0-alpha", "1.0.0-alpha.1", "1.0.0-alpha.beta", "1.0.0-alpha-", "1.0.0-beta", "1.0.0-beta.2",
        "1.0.0-beta.11", "1.0.0-rc.1", "9.0.0-0", "0.0.1", "0.9.0", "1.0.0", "1.0.1", "1.2.0", "1.10.0",
        "2.0.0", "10.0.0", "100.0.0",
    ]  # fmt: skip
    shuffled = [*ranked[::2], *ranked[1::2]]
    assert sorted(shuffled, key=precedence) == ranked


def test_build_metadata_does_not_change_the_rank() -> None:
    assert precedence("1.0.0+a") == precedence("1.0.0+b.7") == precedence("1.0.0")


@pytest.mark.parametrize(
    "text",
    ["", "1", "1.0", "v1.0.0", "1.0.0 ", "01.0.0", "1.0.0-", "1.0.0-01", "1.0.0\n", "1.0.\u0661"],
)
def test_what_is_no_version_has_no_rank(text: str) -> None:
    with pytest.raises(ValueError, match="is not a semantic version"):
        precedence(text)


@given(*[st.tuples(st.integers(0), st.integers(0), st.integers(0))] * 2)
def test_releases_rank_by_their_numbers(a: tuple[int, ...], b: tuple[int, ...]) -> None:
    def rank(numbers: tuple[int, ...]) -> str:
        return precedence(".".join(map(str, numbers)))

    assert (rank(a) < rank(b)) == (a < b)


def test_pointers_escape_what_has_a_meaning_in_them() -> None:
    assert child("/do/0", "a/b~c", 1) == "/do/0/a~1b~0c/1"
    assert pointer_of([]) == ""
