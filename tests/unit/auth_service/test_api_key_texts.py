"""What an API key looks like, and what its terms may be."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.domain.api_key import Environment, KeyTerms, KeyText, made, read, tidied

NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
GOOD = KeyTerms("ci", ("executions:read",))


@given(
    st.sampled_from(Environment),
    st.binary(min_size=8, max_size=8),
    st.binary(min_size=32, max_size=32),
)
def test_every_key_is_recognised_and_no_two_are_alike(
    environment: Environment, lookup: bytes, secret: bytes
) -> None:
    key = made(environment, lookup, secret)

    assert read(key.text) == key
    assert key.text.startswith(f"sk_{environment}_")
    assert len(key.text) == 68
    other = bytes([secret[0] ^ 1]) + secret[1:]
    assert made(environment, lookup, other).text != key.text
    assert made(environment, lookup, other).prefix == key.prefix


def test_a_typo_is_found_without_asking_anybody() -> None:
    key = made(Environment.LIVE, bytes(8), bytes(range(32))).text

    for place in range(8, len(key)):
        typo = key[:place] + ("A" if key[place] != "A" else "B") + key[place + 1 :]
        assert read(typo) is None
    assert read("sk_test_" + key[8:]) is None


@pytest.mark.parametrize(
    "text", ["", "sk_live_", "sk_live_x", "sk_prod_" + "0" * 60, "sk_live_" + "é" * 60, "k" * 9000]
)
def test_what_was_never_a_key_is_none(text: str) -> None:
    assert read(text) is None


def test_a_key_is_not_shown_by_accident() -> None:
    assert repr(KeyText("sk_live_secret")) == "KeyText(***)"


def test_terms_are_tidied() -> None:
    given = KeyTerms(
        " ci ", ("b:y", "a:x", "b:y"), 5, ("192.0.2.1", "192.0.2.1/32", "2001:db8::/32")
    )

    terms, problems = tidied(given, NOW)

    assert not problems
    assert terms == KeyTerms("ci", ("a:x", "b:y"), 5, ("192.0.2.1/32", "2001:db8::/32"))


@pytest.mark.parametrize(
    ("terms", "field"),
    [
        (KeyTerms("", ("a:x",)), "name"),
        (KeyTerms("a\x00", ("a:x",)), "name"),
        (KeyTerms("n" * 101, ("a:x",)), "name"),
        (KeyTerms("ci", ()), "permissions"),
        (KeyTerms("ci", ("*",)), "permissions"),
        (KeyTerms("ci", ("a:*",)), "permissions"),
        (KeyTerms("ci", ("a:x b:y",)), "permissions"),
        (KeyTerms("ci", ("a:x",), 0), "rate_limit"),
        (KeyTerms("ci", ("a:x",), 1_000_001), "rate_limit"),
        (KeyTerms("ci", ("a:x",), None, ("192.0.2.1/24",)), "allowed_ips/0"),
        (KeyTerms("ci", ("a:x",), None, ("localhost",)), "allowed_ips/0"),
        (KeyTerms("ci", ("a:x",), None, ("::",) * 51), "allowed_ips"),
        (KeyTerms("ci", ("a:x",), None, (), NOW), "expires_at"),
        (KeyTerms("ci", ("a:x",), None, (), NOW - timedelta(days=1)), "expires_at"),
    ],
)
def test_terms_that_make_no_sense_are_named(terms: KeyTerms, field: str) -> None:
    _, problems = tidied(terms, NOW)

    assert [problem.field for problem in problems] == [field]
