"""What may be registered as a client, and which addresses are then the same."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.domain.oauth.client import AuthMethod, GrantType
from auth_service.domain.oauth.redirects import form_target, is_registered, uri_problem
from auth_service.domain.oauth.registration import Registration, registration_problems
from auth_service.domain.permissions import PERMISSIONS

CALLBACK = "https://client.example/cb"


@pytest.mark.parametrize(
    "uri",
    [
        "https://client.example",
        "https://client.example:8443/cb?x=1",
        "http://127.0.0.1/cb",
        "http://localhost:3000/",
        "http://[::1]:9/cb",
    ],
)
def test_addresses_that_may_be_registered(uri: str) -> None:
    assert uri_problem(uri, native=False) == ""


@pytest.mark.parametrize(
    "uri",
    [
        "http://client.example/cb",
        "https://client.example/cb#x",
        "https://a@client.example/cb",
        "https://client.example/a/../b",
        "https://client.example/a/%2e%2e/b",
        "https://*.client.example/cb",
        "https://CLIENT.example/cb",
        "https://client.example\\cb",
        "https://cliént.example/cb",
        "https://client.example:0/",
        "https://client.example:70000/",
        "https://",
        "javascript:alert(1)",
        "data:text/html,x",
        "com.example.app:/cb",
        "/cb",
        "",
        "https://client.example/" + "x" * 2048,
    ],
)
def test_addresses_that_may_not(uri: str) -> None:
    assert uri_problem(uri, native=False)


def test_native_applications_have_schemes_of_their_own() -> None:
    assert uri_problem("com.example.app:/cb", native=True) == ""
    for uri in ("myapp:/cb", "javascript:alert(1)", "com.example.app://cb", "file:///cb"):
        assert uri_problem(uri, native=True), uri


@given(st.text(max_size=40))
def test_nothing_but_the_registered_address_matches(text: str) -> None:
    for uri in (text, CALLBACK + text, text + CALLBACK):
        assert is_registered(uri, [CALLBACK], native=True) == (uri == CALLBACK)


@given(st.integers(min_value=0, max_value=99_999))
def test_only_the_port_of_a_native_loopback_address_is_free(port: int) -> None:
    uri, known = f"http://127.0.0.1:{port}/cb", ["http://127.0.0.1/cb"]

    assert is_registered(uri, known, native=True) == (0 < port < 65536)
    assert not is_registered(uri, known, native=False)
    assert not is_registered(uri, ["http://localhost/cb"], native=True)
    assert not is_registered(f"http://127.0.0.1:{port}/other", known, native=True)


def test_what_a_form_may_end_at() -> None:
    assert form_target("https://client.example/cb?x") == "https://client.example"
    assert form_target("http://127.0.0.1:7/cb") == "http://127.0.0.1:7"
    assert form_target("com.example.app:/cb") == "com.example.app:"


def fields(wanted: Registration) -> set[str]:
    problems = registration_problems(wanted, permissions=PERMISSIONS, legacy=())
    return {problem.field for problem in problems}


def test_registrations_are_checked_as_a_whole() -> None:
    assert fields(Registration("Desk", redirect_uris=(CALLBACK,))) == set()
    assert fields(
        Registration(
            "",
            auth_method=AuthMethod.NONE,
            grants=(GrantType.CLIENT_CREDENTIALS, GrantType.PASSWORD, GrantType.AUTHORIZATION_CODE),
            scopes=("nonsense",),
            resource_server=True,
        )
    ) == {"client_name", "grant_types", "redirect_uris", "scope", "resource_server"}


def test_private_keys_are_not_taken() -> None:
    for jwks in (
        '{"keys": [{"kty": "EC", "d": "secret"}]}',
        '{"keys": [{"kty": "oct", "k": "secret"}]}',
        '{"keys": []}',
        "[]",
        "nonsense",
    ):
        wanted = Registration(
            "x", auth_method=AuthMethod.PRIVATE_KEY_JWT, redirect_uris=(CALLBACK,), jwks=jwks
        )
        assert fields(wanted) == {"jwks"}
