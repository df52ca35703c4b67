"""An authorization request: read once, at its first sight, and bound from then on.

Source: RFC 6749 section 4.1.1, OpenID Connect Core 3.1.2, RFC 7636, RFC 9207, RFC 9126.
"""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from auth_service.domain.mfa.proofs import Proof
from auth_service.domain.oauth import pkce
from auth_service.domain.oauth.client import Client, GrantType
from auth_service.domain.oauth.errors import Code, OAuthRefused
from auth_service.domain.oauth.parameters import Parameters
from auth_service.domain.oauth.redirects import is_registered
from auth_service.domain.oauth.scopes import OPENID, check_allowed, parse_scopes

MAX_STATE: Final = 2048
MAX_NONCE: Final = 512
MAX_HINT: Final = 320
_VISIBLE: Final = re.compile(r"[\x20-\x7E]*", re.ASCII)
_IMPLICIT: Final = frozenset({"token", "id_token", "id_token token"})
_PROMPTS: Final = frozenset({"none", "login", "consent", "select_account"})
_REFUSED: Final = {
    "request": Code.REQUEST_NOT_SUPPORTED,
    "registration": Code.REGISTRATION_NOT_SUPPORTED,
}


class ResponseMode(StrEnum):
    """Where in the redirect the answer stands."""

    QUERY = "query"
    FRAGMENT = "fragment"


@dataclass(frozen=True, slots=True)
class AuthorizationRequest:
    """What a client asked for. Nothing that comes later can change it."""

    client_id: str
    redirect_uri: str
    response_type: str = "code"
    response_mode: ResponseMode = ResponseMode.QUERY
    scopes: tuple[str, ...] = ()
    state: str = ""
    nonce: str = ""
    challenge: str = ""
    prompt: tuple[str, ...] = ()
    max_age: int | None = None
    login_hint: str = ""
    acr_values: tuple[str, ...] = ()
    id_token_hint: str = ""
    device: bytes = b""
    """The digest of the device code that this is about; then there is no redirect."""


class RedirectRefused(Exception):
    """The browser must not be sent anywhere: client or redirect address are not what they claim."""

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self.reason = reason


class ErrorRedirect(Exception):
    """The request is refused, and the client may know: the browser goes back with the error."""

    def __init__(self, target: "ReturnAddress", code: Code, description: str) -> None:
        super().__init__(description)
        self.target = target
        self.code = code
        self.description = description


@dataclass(frozen=True, slots=True)
class ReturnAddress:
    """Where answers go."""

    redirect_uri: str
    mode: ResponseMode
    state: str


def return_address(parameters: Parameters, client: Client) -> ReturnAddress:
    """Where the answer to the request in *parameters* goes.

    Raises:
        RedirectRefused: the address is missing, repeated or not registered.
    """
    uri = parameters.get("redirect_uri")
    if "redirect_uri" in parameters.repeated or "client_id" in parameters.repeated:
        raise RedirectRefused("The request names its client or its return address twice.")
    if not uri:
        raise RedirectRefused("The request has no redirect_uri.")
    if not is_registered(uri, client.redirect_uris, native=client.native):
        raise RedirectRefused("The redirect_uri is not one that the application has registered.")
    state = parameters.get("state")
    fits = len(state) <= MAX_STATE and _VISIBLE.fullmatch(state) is not None
    fragment = _kind(parameters.get("response_type")) in _IMPLICIT
    mode = ResponseMode.FRAGMENT if fragment else ResponseMode.QUERY
    return ReturnAddress(uri, mode, state if fits else "")


def read_request(
    parameters: Parameters, client: Client, *, legacy: frozenset[GrantType]
) -> AuthorizationRequest:
    """The request in *parameters*, whole and valid.

    Raises:
        RedirectRefused: nobody may be told but the user.
        ErrorRedirect: the client is told.
    """
    target = return_address(parameters, client)
    try:
        parameters.check()
        return _checked(parameters, client, target, legacy)
    except OAuthRefused as exc:
        raise ErrorRedirect(target, exc.code, exc.description) from exc


def _checked(
    parameters: Parameters, client: Client, target: ReturnAddress, legacy: frozenset[GrantType]
) -> AuthorizationRequest:
    for name, code in _REFUSED.items():
        if parameters.get(name):
            raise OAuthRefused(code, f"The parameter {name} is not supported")
    kind = _kind(parameters.require("response_type"))
    _check_kind(kind, client, legacy)
    scopes = parse_scopes(parameters.get("scope"))
    check_allowed(scopes, client.scopes)
    _check_mode(parameters, target)
    return AuthorizationRequest(
        client_id=client.id,
        redirect_uri=target.redirect_uri,
        response_type=kind,
        response_mode=target.mode,
        scopes=scopes,
        state=_text(parameters, "state", MAX_STATE),
        nonce=_nonce(parameters, kind, scopes),
        challenge=_challenge(parameters) if kind == "code" else "",
        prompt=_prompt(parameters),
        max_age=_max_age(parameters),
        login_hint=parameters.get("login_hint")[:MAX_HINT],
        acr_values=tuple(parameters.get("acr_values").split()[:10]),
        id_token_hint=parameters.get("id_token_hint"),
    )


def _kind(response_type: str) -> str:
    """The words in a fixed order: theirs has no meaning (RFC 6749 section 3.1.1)."""
    return " ".join(sorted(response_type.split(" ")))


def _check_kind(kind: str, client: Client, legacy: frozenset[GrantType]) -> None:
    if kind == "code":
        needed = GrantType.AUTHORIZATION_CODE
    elif kind in _IMPLICIT and GrantType.IMPLICIT in legacy:
        needed = GrantType.IMPLICIT
    else:
        raise OAuthRefused(Code.UNSUPPORTED_RESPONSE_TYPE, "The only response_type is code")
    if needed not in client.grants:
        raise OAuthRefused(Code.UNAUTHORIZED_CLIENT, "The client is not registered for this")


def _check_mode(parameters: Parameters, target: ReturnAddress) -> None:
    mode = parameters.get("response_mode")
    if mode and mode != target.mode:
        raise OAuthRefused(Code.INVALID_REQUEST, f"The response_mode can only be {target.mode}")


def _nonce(parameters: Parameters, kind: str, scopes: tuple[str, ...]) -> str:
    nonce = _text(parameters, "nonce", MAX_NONCE)
    if "id_token" in kind and (not nonce or OPENID not in scopes):
        raise OAuthRefused(Code.INVALID_REQUEST, "An id_token needs a nonce and the scope openid")
    return nonce


def _challenge(parameters: Parameters) -> str:
    """The code challenge, which every client needs (RFC 9700 section 2.1.1)."""
    challenge = parameters.get("code_challenge")
    if not challenge:
        raise OAuthRefused(Code.INVALID_REQUEST, "PKCE is required: code_challenge is missing")
    # Without a method it would be plain (RFC 7636 section 4.3).
    if parameters.get("code_challenge_method") != pkce.METHOD:
        raise OAuthRefused(Code.INVALID_REQUEST, "The code_challenge_method must be S256")
    if not pkce.is_challenge(challenge):
        raise OAuthRefused(Code.INVALID_REQUEST, "The code_challenge is not a SHA-256 in base64url")
    return challenge


def _prompt(parameters: Parameters) -> tuple[str, ...]:
    prompt = tuple(dict.fromkeys(parameters.get("prompt").split()))
    if not _PROMPTS.issuperset(prompt) or ("none" in prompt and len(prompt) > 1):
        raise OAuthRefused(Code.INVALID_REQUEST, "The prompt is not one that there is")
    return prompt


def _max_age(parameters: Parameters) -> int | None:
    text = parameters.get("max_age")
    if not text:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 9):
        raise OAuthRefused(Code.INVALID_REQUEST, "The max_age is not a number of seconds")
    return int(text)


def _text(parameters: Parameters, name: str, longest: int) -> str:
    value = parameters.get(name)
    if len(value) > longest or _VISIBLE.fullmatch(value) is None:
        raise OAuthRefused(
            Code.INVALID_REQUEST, f"The {name} must be at most {longest} characters of plain ASCII"
        )
    return value


@dataclass(frozen=True, slots=True)
class Login:
    """Who is logged in with a browser, and how that was proved."""

    user_id: str
    session_id: str
    """The session that the browser's login is; "" when there is none."""
    proof: Proof


class Step(StrEnum):
    """What a request waits for."""

    LOGIN = "login"
    CONSENT = "consent"
    DONE = "done"


@dataclass(frozen=True, slots=True)
class Progress:
    """What happened in answer to a request so far."""

    started_at: datetime
    login: Login | None = None
    consented: bool = False
    """For this very request."""
    hinted_user: str = ""
    """Whom a valid id_token_hint names."""


def next_step(
    request: AuthorizationRequest, progress: Progress, *, remembered: bool, now: datetime
) -> Step:
    """What comes next; *remembered* says that the user has agreed to all of it before."""
    login = progress.login
    if login is None or not _fresh_enough(request, progress, login, now):
        return Step.LOGIN
    if progress.hinted_user and progress.hinted_user != login.user_id:
        return Step.LOGIN
    must_ask = "consent" in request.prompt or bool(request.device)
    if progress.consented or (remembered and not must_ask):
        return Step.DONE
    return Step.CONSENT


def _fresh_enough(
    request: AuthorizationRequest, progress: Progress, login: Login, now: datetime
) -> bool:
    if {"login", "select_account"} & set(request.prompt) and login.proof.at < progress.started_at:
        return False
    if request.max_age is None:
        return True
    # A login that answers this request is fresh, however small max_age is.
    return login.proof.at >= progress.started_at or now - login.proof.at <= timedelta(
        seconds=request.max_age
    )


SILENT: Final = {Step.LOGIN: Code.LOGIN_REQUIRED, Step.CONSENT: Code.CONSENT_REQUIRED}
"""What `prompt=none` answers instead of showing a page."""
