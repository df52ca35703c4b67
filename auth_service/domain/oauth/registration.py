"""What somebody may register as a client, and what is wrong with it."""

import json
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from typing import Final

from auth_service.domain.oauth.client import (
    LEGACY,
    ApplicationType,
    AuthMethod,
    GrantType,
    IdTokenAlgorithm,
)
from auth_service.domain.oauth.redirects import uri_problem
from auth_service.domain.oauth.scopes import IDENTITY_SCOPES
from auth_service.domain.user import name_problems
from chassis.errors import FieldProblem

MAX_URIS: Final = 20
MAX_JWKS: Final = 20_000
MAX_KEYS: Final = 10
_PRIVATE_MEMBERS: Final = frozenset({"d", "p", "q", "dp", "dq", "qi", "k", "oth"})
_NEEDS_REDIRECT: Final = frozenset({GrantType.AUTHORIZATION_CODE, GrantType.IMPLICIT})


@dataclass(frozen=True, slots=True)
class Registration:
    """All that may be said about a client; checked by `registration_problems`."""

    name: str
    application_type: ApplicationType = ApplicationType.WEB
    auth_method: AuthMethod = AuthMethod.BASIC
    grants: tuple[GrantType, ...] = (GrantType.AUTHORIZATION_CODE,)
    redirect_uris: tuple[str, ...] = ()
    post_logout_redirect_uris: tuple[str, ...] = ()
    scopes: tuple[str, ...] = ("openid",)
    id_token_algorithm: IdTokenAlgorithm = IdTokenAlgorithm.RS256
    jwks: str = ""
    first_party: bool = False
    resource_server: bool = False
    service_roles: tuple[str, ...] = ()
    """What it is by itself; its scopes narrow that further."""


def registration_problems(
    wanted: Registration, *, permissions: Collection[str], legacy: Collection[GrantType]
) -> Sequence[FieldProblem]:
    """Everything that is wrong with *wanted*.

    Args:
        wanted: what somebody asks for.
        permissions: all that there are.
        legacy: the old grants that the operator has switched on.
    """
    return [
        *_name_problems(wanted),
        *_grant_problems(wanted, legacy),
        *_uri_problems("redirect_uris", wanted.redirect_uris, wanted),
        *_uri_problems("post_logout_redirect_uris", wanted.post_logout_redirect_uris, wanted),
        *_scope_problems(wanted, permissions),
        *_key_problems(wanted),
    ]


def _name_problems(wanted: Registration) -> Iterator[FieldProblem]:
    if not wanted.name:
        yield FieldProblem("client_name", "Required")
    for problem in name_problems(wanted.name):
        yield FieldProblem("client_name", problem.message)


def _grant_problems(wanted: Registration, legacy: Collection[GrantType]) -> Iterator[FieldProblem]:
    if not wanted.grants:
        yield FieldProblem("grant_types", "At least one is needed")
    for grant in wanted.grants:
        if grant in LEGACY and grant not in legacy:
            yield FieldProblem(
                "grant_types", f"{grant} is switched off (AUTOWORKER_OAUTH_LEGACY_GRANTS)"
            )
    if wanted.auth_method is AuthMethod.NONE and GrantType.CLIENT_CREDENTIALS in wanted.grants:
        yield FieldProblem("grant_types", "client_credentials needs a client that can authenticate")
    if _NEEDS_REDIRECT & set(wanted.grants) and not wanted.redirect_uris:
        yield FieldProblem("redirect_uris", "At least one is needed for these grant types")
    if wanted.auth_method is AuthMethod.NONE and wanted.resource_server:
        yield FieldProblem("resource_server", "Needs a client that can authenticate")


def _uri_problems(field: str, uris: Sequence[str], wanted: Registration) -> Iterator[FieldProblem]:
    if len(uris) > MAX_URIS:
        yield FieldProblem(field, f"Must not have more than {MAX_URIS} items")
        return
    native = wanted.application_type is ApplicationType.NATIVE
    for index, uri in enumerate(uris):
        problem = uri_problem(uri, native=native)
        if problem:
            yield FieldProblem(f"{field}[{index}]", problem)


def _scope_problems(wanted: Registration, permissions: Collection[str]) -> Iterator[FieldProblem]:
    for scope in wanted.scopes:
        if scope not in IDENTITY_SCOPES and scope not in permissions:
            yield FieldProblem("scope", f"{scope[:60]!r} is neither a permission nor one of "
                               f"{', '.join(IDENTITY_SCOPES)}")  # fmt: skip


def _key_problems(wanted: Registration) -> Iterator[FieldProblem]:
    if wanted.auth_method is AuthMethod.PRIVATE_KEY_JWT and not wanted.jwks:
        yield FieldProblem("jwks", "Required for private_key_jwt")
    if wanted.jwks:
        problem = _jwks_problem(wanted.jwks)
        if problem:
            yield FieldProblem("jwks", problem)


def _jwks_problem(text: str) -> str:
    if len(text) > MAX_JWKS:
        return f"Must not be longer than {MAX_JWKS} characters"
    try:
        keys = json.loads(text)["keys"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return "Must be a JWK set: an object with the member keys"
    if not isinstance(keys, list) or not 0 < len(keys) <= MAX_KEYS:
        return f"Must have between 1 and {MAX_KEYS} keys"
    for key in keys:
        if not isinstance(key, dict) or key.get("kty") not in ("RSA", "EC"):
            return "Must have keys of the types RSA and EC only"
        if _PRIVATE_MEMBERS & key.keys():
            return "Must have public keys only; make a new pair, for this one was shown to us"
    return ""
