"""The pure rules of OAuth: addresses, proof keys, scopes, codes, and what comes next."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from auth_service.domain.mfa.proofs import Proof
from auth_service.domain.oauth import pkce
from auth_service.domain.oauth.authorization import (
    AuthorizationRequest,
    ErrorRedirect,
    Login,
    Progress,
    RedirectRefused,
    Step,
    next_step,
    read_request,
)
from auth_service.domain.oauth.client import (
    ApplicationType,
    AuthMethod,
    Client,
    GrantType,
    IdTokenAlgorithm,
)
from auth_service.domain.oauth.device import ALPHABET, tidy_user_code, user_code_of
from auth_service.domain.oauth.errors import OAuthRefused
from auth_service.domain.oauth.grants import AuthorizationCode, Granted, check_redemption
from auth_service.domain.oauth.parameters import Parameters
from auth_service.domain.oauth.scopes import (
    described,
    effective_scopes,
    narrowed,
    parse_scopes,
)
from auth_service.domain.permissions import PERMISSIONS

NOW = datetime(2026, 1, 15, 10, 30, tzinfo=UTC)
CALLBACK = "https://client.example/cb"
VERIFIER = "v" * 43
CLIENT = Client(
    id="c1",
    tenant="default",
    name="Desk",
    application_type=ApplicationType.WEB,
    auth_method=AuthMethod.BASIC,
    grants=(GrantType.AUTHORIZATION_CODE, GrantType.IMPLICIT),
    redirect_uris=(CALLBACK,),
    post_logout_redirect_uris=(),
    scopes=("openid", "email", "executions:read"),
    id_token_algorithm=IdTokenAlgorithm.RS256,
    jwks="",
    first_party=False,
    resource_server=False,
    service_account="",
    service_roles=(),
    created_at=NOW,
    updated_at=NOW,
)
GOOD = {
    "response_type": "code",
    "client_id": "c1",
    "redirect_uri": CALLBACK,
    "scope": "openid",
    "code_challenge": pkce.challenge_of(VERIFIER),
    "code_challenge_method": "S256",
}


def read(legacy: frozenset[GrantType] = frozenset(), /, **changes: str) -> AuthorizationRequest:
    values = {name: value for name, value in {**GOOD, **changes}.items() if value}
    return read_request(Parameters(values), CLIENT, legacy=legacy)


def test_the_challenge_is_that_of_the_specification() -> None:
    # RFC 7636 appendix B.
    verifier = "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"

    assert pkce.challenge_of(verifier) == "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM"
    assert pkce.answers(verifier, "E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM")


@given(st.text(max_size=140))
def test_a_verifier_of_the_wrong_shape_answers_nothing(text: str) -> None:
    assert pkce.is_verifier(text) == (
        43 <= len(text) <= 128 and all(c.isascii() and (c.isalnum() or c in "-._~") for c in text)
    )
    if not pkce.is_verifier(text):
        assert not pkce.answers(text, pkce.challenge_of("v" * 43))


def test_a_good_request_is_read_whole() -> None:
    request = read(state="s", nonce="n", prompt="login consent", max_age="60", login_hint="ada")

    assert (request.scopes, request.state, request.nonce) == (("openid",), "s", "n")
    assert request.prompt == ("login", "consent")
    assert request.max_age == 60


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"code_challenge": ""}, "invalid_request"),
        ({"code_challenge_method": "plain"}, "invalid_request"),
        ({"code_challenge_method": ""}, "invalid_request"),
        ({"code_challenge": "x" * 42}, "invalid_request"),
        ({"response_type": "token"}, "unsupported_response_type"),
        ({"response_type": ""}, "invalid_request"),
        ({"response_mode": "form_post"}, "invalid_request"),
        ({"response_mode": "fragment"}, "invalid_request"),
        ({"scope": "openid secrets:write"}, "invalid_scope"),
        ({"scope": 'openid "'}, "invalid_scope"),
        ({"prompt": "none login"}, "invalid_request"),
        ({"prompt": "create"}, "invalid_request"),
        ({"max_age": "-1"}, "invalid_request"),
        ({"state": "\u00e9"}, "invalid_request"),
        ({"state": "x" * 3000}, "invalid_request"),
        ({"request": "eyJ"}, "request_not_supported"),
        ({"registration": "{}"}, "registration_not_supported"),
    ],
)
def test_what_is_wrong_is_told_to_the_client(changes: dict[str, str], code: str) -> None:
    with pytest.raises(ErrorRedirect) as caught:
        read(frozenset(), **changes)

    assert caught.value.code == code
    assert caught.value.target.redirect_uri == CALLBACK


def test_a_wrong_address_is_told_to_the_user_alone() -> None:
    for uri in ("https://evil.example/", ""):
        with pytest.raises(RedirectRefused):
            read(redirect_uri=uri)


def test_the_old_response_types_need_the_operator() -> None:
    implicit = frozenset({GrantType.IMPLICIT})

    request = read(implicit, response_type="token id_token", nonce="n", code_challenge="")

    assert request.response_type == "id_token token"
    assert request.response_mode == "fragment"
    with pytest.raises(ErrorRedirect, match="nonce"):
        read(implicit, response_type="id_token")


def test_repeated_parameters_count_for_nothing() -> None:
    parameters = Parameters.of([("a", "1"), ("a", "1"), ("b", "2"), ("c", "")])

    assert (parameters.get("a"), parameters.get("b"), parameters.get("c")) == ("", "2", "")
    with pytest.raises(OAuthRefused):
        parameters.check()


def test_scopes_narrow_and_never_widen() -> None:
    held = ("executions:read", "workflows:read")

    assert effective_scopes(("openid", "executions:read", "users:write"), held) == (
        "openid",
        "executions:read",
    )
    assert narrowed(held, ("executions:read", "users:write")) == ("executions:read",)
    assert parse_scopes("a b a") == ("a", "b")
    with pytest.raises(OAuthRefused):
        parse_scopes("a  b")


def test_every_permission_can_be_told_to_a_user() -> None:
    for permission in PERMISSIONS:
        text = described(permission)
        assert text[0].isupper()
        assert ":" not in text


def login(ago: timedelta = timedelta()) -> Login:
    return Login("u1", "s1", Proof(NOW - ago, ("pwd",)))


REQUEST = AuthorizationRequest("c1", CALLBACK)


@pytest.mark.parametrize(
    ("request_", "progress", "remembered", "step"),
    [
        (REQUEST, Progress(NOW), True, Step.LOGIN),
        (REQUEST, Progress(NOW, login()), False, Step.CONSENT),
        (REQUEST, Progress(NOW, login()), True, Step.DONE),
        (replace(REQUEST, prompt=("consent",)), Progress(NOW, login()), True, Step.CONSENT),
        (
            replace(REQUEST, prompt=("login",)),
            Progress(NOW, login(timedelta(minutes=1))),
            True,
            Step.LOGIN,
        ),
        (replace(REQUEST, prompt=("login",)), Progress(NOW, login()), True, Step.DONE),
        (replace(REQUEST, max_age=60), Progress(NOW, login(timedelta(hours=1))), True, Step.LOGIN),
        (replace(REQUEST, max_age=0), Progress(NOW, login()), True, Step.DONE),
        (REQUEST, Progress(NOW, login(), hinted_user="u2"), True, Step.LOGIN),
        (replace(REQUEST, device=b"d"), Progress(NOW, login()), True, Step.CONSENT),
    ],
)
def test_what_comes_next(
    request_: AuthorizationRequest, progress: Progress, remembered: bool, step: Step
) -> None:
    assert next_step(request_, progress, remembered=remembered, now=NOW) is step


def test_a_code_is_for_whom_it_was_given_to() -> None:
    granted = Granted("c1", "u1", "default", (), login())
    code = AuthorizationCode(
        b"", granted, CALLBACK, pkce.challenge_of(VERIFIER), NOW, NOW + timedelta(seconds=60)
    )
    good = {"client_id": "c1", "redirect_uri": CALLBACK, "verifier": VERIFIER}
    check_redemption(code, now=NOW, **good)

    for name in good:
        with pytest.raises(OAuthRefused, match="not valid"):
            check_redemption(code, now=NOW, **{**good, name: "x" * 43})
    with pytest.raises(OAuthRefused):
        check_redemption(code, now=NOW + timedelta(seconds=60), **good)


@given(st.binary(min_size=64, max_size=64))
def test_user_codes_have_eight_plain_letters(noise: bytes) -> None:
    try:
        code = user_code_of(noise)
    except ValueError:
        return
    assert len(code) == 9
    assert set(code) <= {*ALPHABET, "-"}
    assert tidy_user_code(code.lower().replace("-", " ")) == code


def test_other_codes_mean_nothing() -> None:
    for typed in ("", "AAAA-AAAA", "BBBB-BBB", "BBBB-BBBBB", "BBBB-BBB1", "B" * 999):
        assert tidy_user_code(typed) == ""
