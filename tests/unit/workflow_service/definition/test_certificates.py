"""``authentication: {certificate: ...}`` in documents."""

from __future__ import annotations

import pytest

from tests.unit.workflow_service.definition.support import problems

PLACE = "/do/0/t/with/endpoint/authentication"
KEY = "-----BEGIN PRIVATE KEY-----"


def found(policy: str, use: str = "secrets: [s]") -> dict[str, str]:
    endpoint = f"{{uri: 'https://a.test/', authentication: {policy}}}"
    return problems(
        f"use: {{{use}}}\ndo: [{{t: {{call: http, with: {{method: get, endpoint: {endpoint}}}}}}}]"
    )


@pytest.mark.parametrize(
    "policy",
    [
        "{certificate: {certificate: shown, key: '${ $secrets.s.key }'}}",
        "{certificate: {certificate: '${ .c }', key: '${ .k }', authority: trusted}}",
        "{certificate: {use: s}}",
    ],
)
def test_a_certificate_is_accepted(policy: str) -> None:
    assert found(policy) == {}


def test_a_certificate_may_be_named_in_use() -> None:
    use = "secrets: [s], authentications: {mine: {certificate: {use: s}}}"
    assert found("{use: mine}", use) == {}


@pytest.mark.parametrize("key", ["secret", KEY, f'${{ "{KEY}" }}', "''"])
def test_a_key_in_the_document_is_refused_with_the_way_out(key: str) -> None:
    written = f"'{key}'" if key != "''" else key

    told = found(f"{{certificate: {{certificate: shown, key: {written}}}}}")

    assert list(told) == [PLACE + "/certificate/key"]
    assert "put the key into a secret" in told[PLACE + "/certificate/key"]
    assert KEY not in str(told)


def test_a_key_in_a_policy_that_nobody_uses_is_refused_too() -> None:
    use = "authentications: {mine: {certificate: {certificate: shown, key: written}}}"

    told = found("{bearer: {token: x}}", use)

    assert list(told) == ["/use/authentications/mine/certificate/key"]


@pytest.mark.parametrize(
    "members", ["{}", "{certificate: shown}", "{key: '${ .k }'}", "{use: s, more: x}"]
)
def test_missing_and_unknown_members_are_refused(members: str) -> None:
    told = found(f"{{certificate: {members}}}")

    assert told
    assert all(field.startswith(PLACE) for field in told)
