"""Codes of authenticator apps."""

from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import pytest

from auth_service.domain.mfa.factors import NO_STEP
from auth_service.domain.mfa.totp import matching_step, provisioning_uri, secret_of

SEED = b"12345678901234567890"
"""That of RFC 6238 appendix B."""
VECTORS = {
    59: "287082",
    1111111109: "081804",
    1111111111: "050471",
    1234567890: "005924",
    2000000000: "279037",
    20000000000: "353130",
}


def at(second: int) -> datetime:
    return datetime.fromtimestamp(second, UTC)


def found(code: str, second: int, last_step: int = NO_STEP) -> int | None:
    return matching_step(SEED, code, at(second), last_step=last_step)


@pytest.mark.parametrize(("second", "code"), VECTORS.items())
def test_codes_are_those_of_the_standard(second: int, code: str) -> None:
    assert found(code, second) == second // 30


@pytest.mark.parametrize("offset", [-30, 0, 30])
def test_a_code_of_the_step_before_or_behind_is_good(offset: int) -> None:
    assert found("005924", 1234567890 + offset) == 1234567890 // 30


@pytest.mark.parametrize("offset", [-60, 60, 3600])
def test_a_code_of_any_other_step_is_not(offset: int) -> None:
    assert found("005924", 1234567890 + offset) is None


def test_a_code_is_good_once() -> None:
    step = found("005924", 1234567890)
    assert step is not None

    assert found("005924", 1234567890, last_step=step) is None


def test_after_a_code_those_before_it_are_void_and_the_next_one_is_good() -> None:
    moment = at(1234567890)
    step = 1234567890 // 30
    before = VECTORS[1234567890]
    later = moment + timedelta(seconds=30)

    assert matching_step(SEED, before, later, last_step=step + 1) is None
    assert matching_step(SEED, before, later, last_step=step - 1) == step


@pytest.mark.parametrize("code", ["005 924", " 005924", "005-924"])
def test_a_code_may_be_typed_with_spaces(code: str) -> None:
    assert found(code, 1234567890) is not None


@pytest.mark.parametrize(
    "code", ["", "5924", "0059240", "00592a", "٠٠٥٩٢٤", "005924\n005924", "x" * 10_000]
)
def test_what_is_no_code_matches_nothing(code: str) -> None:
    assert found(code, 1234567890) is None


def test_apps_are_told_the_seed_the_account_and_who_asks() -> None:
    uri = urlsplit(provisioning_uri(SEED, account="ada@example.com", issuer="Auto worker"))

    assert (uri.scheme, uri.netloc) == ("otpauth", "totp")
    assert uri.path == "/Auto%20worker:ada%40example.com"
    assert parse_qs(uri.query) == {"secret": [secret_of(SEED)], "issuer": ["Auto worker"]}
