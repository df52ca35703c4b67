"""Members of a policy, evaluated or from a secret, as credentials.

Source: Open Workflow Specification, DSL reference, "Authentication".
"""

from __future__ import annotations

from typing import TypeAlias

import msgspec

from workflow_service.domain.definition.authentication import Scheme
from workflow_service.domain.definition.oauth_rules import missing_members
from workflow_service.domain.execution.credentials import (
    BasicCredentials,
    BearerCredentials,
    CertificateCredentials,
    DigestCredentials,
    OAuthCredentials,
)
from workflow_service.domain.execution.problem import Raised, configuration
from workflow_service.domain.expressions import JsonValue

ReadCredentials: TypeAlias = (
    BasicCredentials
    | BearerCredentials
    | DigestCredentials
    | OAuthCredentials
    | CertificateCredentials
)
_KINDS: dict[
    str,
    type[BasicCredentials | BearerCredentials | DigestCredentials | CertificateCredentials],
] = {
    "basic": BasicCredentials,
    "bearer": BearerCredentials,
    "digest": DigestCredentials,
    "certificate": CertificateCredentials,
}


def read_credentials(scheme: Scheme, members: JsonValue) -> ReadCredentials:
    """Return the credentials that *members* are.

    Raises:
        Raised: a member is missing, or is not what it must be; the problem tells no values.
    """
    if scheme == "bearer" and isinstance(members, str):
        return BearerCredentials(members)  # a secret may be the token itself
    if not isinstance(members, dict):
        raise Raised(configuration(f"credentials for {scheme} must be an object"))
    values = _as_texts({name: value for name, value in members.items() if name != "type"})
    try:
        if scheme in _KINDS:
            return msgspec.convert(values, _KINDS[scheme], strict=True)
        return _oauth(scheme, values)
    except msgspec.ValidationError as exc:
        raise Raised(configuration(f"the credentials for {scheme} cannot be used: {exc}")) from exc


def _oauth(scheme: Scheme, members: dict[str, JsonValue]) -> OAuthCredentials:
    for path, reason in missing_members(members):
        raise Raised(configuration(f"{'.'.join((scheme, *path))} {reason}"))
    return msgspec.convert({**members, "oidc": scheme == "oidc"}, OAuthCredentials, strict=True)


def _as_texts(value: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Return numbers as texts: a password may look like one."""
    return {name: _as_text(member) for name, member in value.items() if member is not None}


def _as_text(value: JsonValue) -> JsonValue:
    match value:
        case bool():
            return value
        case int() | float():
            return str(value)
        case dict():
            return _as_texts(value)
        case list():
            return [_as_text(each) for each in value]
        case _:
            return value
