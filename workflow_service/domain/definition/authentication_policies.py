"""How authentication policies are read.

Source: Open Workflow Specification, DSL reference, "Authentication".
"""

from __future__ import annotations

import json
from typing import Final, Literal, cast, get_args

from workflow_service.domain.definition.authentication import (
    Authentication,
    BasicAuthentication,
    BearerAuthentication,
    CertificateAuthentication,
    DigestAuthentication,
    OAuthAuthentication,
    Scheme,
    SecretAuthentication,
)
from workflow_service.domain.definition.building import ROOT_SCOPE, Builder, Scope
from workflow_service.domain.definition.oauth_rules import missing_members
from workflow_service.domain.definition.pointers import child
from workflow_service.domain.definition.uris import check_braces
from workflow_service.domain.expressions import JsonValue, Template

_SCHEMES: Final[tuple[Scheme, ...]] = get_args(Scheme)
_CHOSEN: Final = {"grant": (), "client": ("authentication",), "request": ("encoding",)}
"""Members of a policy for OAuth that are chosen from a list, or have such a member."""
_PRIVATE: Final = "PRIVATE KEY"
"""What stands in the first line of every private key in PEM (RFC 7468, 10 and 11)."""


def read_authentication(
    builder: Builder, policy: JsonValue, pointer: str, scope: Scope
) -> Authentication | None:
    """Read an authentication policy, or the name of one in ``use.authentications``."""
    if isinstance(policy, dict) and isinstance(name := policy.get("use"), str):
        found = builder.reusable("authentications", name, child(pointer, "use"))
        if found is None:
            return None
        policy, pointer = found
    if not isinstance(policy, dict):
        return None
    scheme = next((each for each in _SCHEMES if each in policy), None)
    members = policy.get(scheme) if scheme is not None else None
    if scheme is None or not isinstance(members, dict):
        return None
    return _read_scheme(builder, scheme, members, child(pointer, scheme), scope)


def _read_scheme(
    builder: Builder, scheme: Scheme, members: dict[str, JsonValue], place: str, scope: Scope
) -> Authentication | None:
    if "use" in members:
        return _from_secret(builder, scheme, str(members["use"]), child(place, "use"))

    def part(name: str) -> Template:
        return builder.template(members.get(name), child(place, name), scope)

    match scheme:
        case "basic":
            return BasicAuthentication(part("username"), part("password"))
        case "digest":
            return DigestAuthentication(part("username"), part("password"))
        case "bearer":
            return BearerAuthentication(part("token"))
        case "oauth2" | "oidc":
            return _read_oauth(builder, scheme, members, place, scope)
        case "certificate":
            return _read_certificate(builder, members, place, scope)


def _from_secret(builder: Builder, scheme: Scheme, secret: str, pointer: str) -> Authentication:
    """Read a policy whose members are those of a secret; a bearer token may be the whole of it."""
    source = f"$secrets[{json.dumps(secret)}]"

    def member(expression: str) -> Template:
        return builder.template(f"${{ {expression} }}", pointer, ROOT_SCOPE)

    match scheme:
        case "bearer":
            token = f'if {source} | type == "object" then {source}.token else {source} end'
            return BearerAuthentication(member(token))
        case "basic":
            return BasicAuthentication(member(f"{source}.username"), member(f"{source}.password"))
        case "digest":
            return DigestAuthentication(member(f"{source}.username"), member(f"{source}.password"))
        case "oauth2" | "oidc" | "certificate":
            return SecretAuthentication(scheme, member(source))


def _read_oauth(
    builder: Builder,
    scheme: Literal["oauth2", "oidc"],
    members: dict[str, JsonValue],
    place: str,
    scope: Scope,
) -> OAuthAuthentication:
    for path, reason in missing_members(members):
        builder.problem(child(place, *path) if path and path[0] in members else place, reason)
    endpoints = cast("dict[str, JsonValue]", members.get("endpoints", {}))
    rest = {
        name: _without(value, _CHOSEN.get(name, ()))
        for name, value in members.items()
        if name not in ("authority", "endpoints", "grant")
    }

    def uri(value: JsonValue, pointer: str) -> Template:
        if isinstance(value, str) and not builder.loose:
            check_braces(builder, value, pointer)
        return builder.template(value, pointer, scope)

    where = child(place, "endpoints")
    return OAuthAuthentication(
        scheme=scheme,
        authority=uri(members.get("authority"), child(place, "authority")),
        endpoints={name: uri(value, child(where, name)) for name, value in endpoints.items()},
        fixed=_fixed(members),
        members=builder.template(rest, place, scope),
    )


def _read_certificate(
    builder: Builder, members: dict[str, JsonValue], place: str, scope: Scope
) -> CertificateAuthentication:
    def part(name: str) -> Template:
        return builder.template(members.get(name), child(place, name), scope)

    key = part("key")
    if key.constant or _PRIVATE in str(members.get("key")):
        told = 'a private key may not stand in a document: put the key into a secret, and write "${ $secrets.name.key }"'
        builder.problem(child(place, "key"), told)
    authority = part("authority") if "authority" in members else None
    return CertificateAuthentication(part("certificate"), key, authority)


def _without(value: JsonValue, names: tuple[str, ...]) -> JsonValue:
    if not isinstance(value, dict) or not names:
        return value
    return {name: member for name, member in value.items() if name not in names}


def _fixed(members: dict[str, JsonValue]) -> dict[str, JsonValue]:
    """Return the members that are chosen from a list: ``client.authentication`` and its like, by path."""
    fixed: dict[str, JsonValue] = {"grant": members.get("grant")}
    for name, chosen in _CHOSEN.items():
        inner = members.get(name)
        if isinstance(inner, dict):
            kept = {each: inner[each] for each in chosen if each in inner}
            fixed |= {name: kept} if kept else {}
    return fixed


def check_unused_authentications(builder: Builder) -> None:
    """Read the policies that no call uses, for the problems in them."""
    for name, policy in builder.use.get("authentications", {}).items():
        place = child("/use/authentications", name)
        if ("authentications", name) not in builder.used and builder.sound(place):
            read_authentication(builder, policy, place, ROOT_SCOPE)
