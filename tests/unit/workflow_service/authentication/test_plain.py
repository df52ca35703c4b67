"""Credentials that are a header by themselves."""

from __future__ import annotations

import pytest

from workflow_service.adapters.authentication.plain import authorization
from workflow_service.application.credential_ports import CredentialsRefused
from workflow_service.domain.execution.credentials import BasicCredentials, BearerCredentials


@pytest.mark.parametrize(
    ("credentials", "header"),
    [
        # RFC 7617, section 2.
        (BasicCredentials("Aladdin", "open sesame"), "Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ=="),
        # RFC 7617, section 2.1.
        (BasicCredentials("test", "123£"), "Basic dGVzdDoxMjPCow=="),
        (BasicCredentials("", ":"), "Basic Ojo="),
        (BearerCredentials("t0ken"), "Bearer t0ken"),
        (BearerCredentials("t0ken\n"), "Bearer t0ken"),
    ],
)
def test_credentials_become_a_header(
    credentials: BasicCredentials | BearerCredentials, header: str
) -> None:
    assert authorization(credentials) == header


def test_a_name_that_the_scheme_cannot_say_is_refused() -> None:
    with pytest.raises(CredentialsRefused, match="colon") as refused:
        authorization(BasicCredentials("ada:x", "sesame"))
    assert "sesame" not in str(refused.value.problem)
