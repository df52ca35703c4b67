"""Digests as RFC 7616 computes them, and challenges as servers write them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflow_service.adapters.authentication.challenges import Challenge, challenges
from workflow_service.adapters.authentication.digest import Asked, DigestSession, digest_challenge
from workflow_service.domain.execution.credentials import DigestCredentials


@pytest.mark.parametrize(
    ("algorithm", "response"),
    [
        ("MD5", "8ca523f5e9506fed4657c9700eebdbec"),
        ("SHA-256", "753927fa0e85d155564e2e272a28d1802ca10daf4496794697cf8db5856cb6c1"),
    ],
)
def test_the_example_of_the_standard_comes_out(algorithm: str, response: str) -> None:
    # RFC 7616, 3.9.1.
    challenge = digest_challenge(
        [
            f'Digest realm="http-auth@example.org", qop="auth, auth-int", algorithm={algorithm}, '
            'nonce="7ypf/xlj9XXwfDPEoM4URrv/xwf94BcCAzFZH4GiTo0v", '
            'opaque="FQhe/qaU925kfnzjCev0ciny7QMkPqMAFRtzCUYo5tdS"'
        ]
    )
    assert challenge is not None
    session = DigestSession(challenge, lambda: "f2/wE4q74E6zIJEtWaHKaf5wv/H5QzzpXusqGemxURZJ")

    header = session.authorization(
        DigestCredentials("Mufasa", "Circle of Life"), Asked("GET", "/dir/index.html", b"")
    )

    assert f'response="{response}"' in header


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        ("Bearer", [Challenge("bearer")]),
        (
            'Negotiate abc==, Digest realm="a \\"b\\", c", nonce=xy , stale=TRUE, Basic realm="x"',
            [
                Challenge("negotiate"),
                Challenge("digest", {"realm": 'a "b", c', "nonce": "xy", "stale": "TRUE"}),
                Challenge("basic", {"realm": "x"}),
            ],
        ),
        ('Digest nonce="never ends', [Challenge("digest"), Challenge("nonce")]),
        ('"; what', []),
        ("", []),
    ],
)
def test_challenges_are_told_apart(header: str, expected: list[Challenge]) -> None:
    assert list(challenges([header])) == expected


def test_the_first_challenge_that_can_be_answered_is() -> None:
    offered = [
        'Digest realm="r", nonce="1", algorithm=SHA-3, qop="auth"',
        'Digest realm="r", nonce="2", algorithm=SHA-256, qop="token"',
        'Basic realm="r", Digest realm="r", nonce="3", algorithm=sha-256, qop="auth-int,auth"',
        'Digest realm="r", nonce="4", qop="auth"',
    ]

    chosen = digest_challenge(offered)

    assert chosen is not None
    assert (chosen.nonce, chosen.qop, chosen.hash_name) == ("3", "auth", "SHA-256")
    assert digest_challenge(['Basic realm="r"']) is None


def test_a_long_header_takes_no_time() -> None:
    assert list(challenges(["," * 100_000 + "Digest nonce=1"])) == []
    assert len(list(challenges(["a " * 50_000]))) > 0


@settings(deadline=None)
@given(header=st.text(max_size=200))
def test_no_header_is_too_odd(header: str) -> None:
    for challenge in challenges([header]):
        assert challenge.scheme == challenge.scheme.lower() != ""


@settings(deadline=None)
@given(realm=st.text(st.characters(codec="ascii", exclude_categories=["Cc"]), max_size=40))
def test_what_is_quoted_comes_back(realm: str) -> None:
    escaped = realm.replace("\\", "\\\\").replace('"', '\\"')

    found = digest_challenge([f'Digest realm="{escaped}", nonce="n"'])

    assert found is not None
    assert found.realm == realm
