"""Client certificates from secrets, through the real suite: services get them, and nobody ever sees the key."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import aiohttp
import pytest

from autoworker import Execution
from tests.support.certificates import CertificateAuthority, Vault, open_vault
from tests.support.gateway_client import Person
from tests.support.suite import Suite, started

WORKFLOW = """
document: {{dsl: 1.0.3, namespace: tests, name: {name}, version: 1.0.0}}
use:
  secrets: [identity]
  authentications: {{mine: {{certificate: {{use: identity}}}}}}
do:
  - keep: {{set: {{all: '${{ $secrets.identity }}'}}}}
  - ask: {{call: http, with: {{method: get, endpoint: {{uri: '{url}', authentication: {policy}}}}}}}
"""
INLINE = """{certificate: {certificate: '${ $secrets.identity.certificate }', key: '${ $secrets.identity.key }',
  authority: '${ $secrets.identity.authority }'}}"""


@pytest.fixture(scope="module")
def suite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Suite]:
    settings = {
        "AUTOWORKER_EGRESS_ALLOW": "127.0.0.1",
        "AUTOWORKER_ACCESS_LOG": "on",
        "AUTOWORKER_LOG_LEVEL": "debug",
    }
    with started(tmp_path_factory.mktemp("suite"), **settings) as running:
        yield running


@pytest.fixture
def authority() -> CertificateAuthority:
    return CertificateAuthority()


@pytest.fixture
async def vault(tmp_path: Path, authority: CertificateAuthority) -> AsyncIterator[Vault]:
    server = authority.identity("vault.test", "127.0.0.1")
    async with open_vault(tmp_path, server, authority) as opened:
        yield opened


async def test_a_service_gets_the_certificate_and_nobody_the_key(
    suite: Suite, ada: Person, vault: Vault, authority: CertificateAuthority
) -> None:
    mine, another = authority.identity("ada"), authority.identity("grace")
    shown = {"certificate": mine.certificate, "authority": authority.pem}

    await ada.set_secret("identity", {**shown, "key": mine.key})
    for name, policy in (("by-name", "{use: mine}"), ("inline", INLINE)):
        ended = await ran(ada, name, vault.url(), policy)
        assert (ended.status, ended.output) == ("completed", {"guest": "ada"}), ended.error
    await ada.set_secret("identity", {**shown, "key": another.key})
    refused = await ran(ada, "mismatch", vault.url(), "{use: mine}")

    assert refused.status == "faulted"
    assert refused.error is not None
    assert refused.error.type.endswith("/errors/authentication")
    assert (refused.error.status, refused.error.title) == (401, "Client certificate unusable")
    assert vault.guests == ["ada", "ada"]
    answers = await _shown(suite, ada, refused.id)
    assert b"***" in answers
    places = {"answers": answers, "out": suite.out.read_bytes(), "err": suite.err.read_bytes()}
    places |= {str(each): each.read_bytes() for each in suite.data.rglob("*") if each.is_file()}
    for place, content in places.items():
        for line in mine.key_lines + another.key_lines:
            assert line.encode() not in content, place


async def ran(person: Person, name: str, url: str, policy: str) -> Execution:
    definition = await person.publish(WORKFLOW.format(name=name, url=url, policy=policy))
    begun = await person.start(definition.reference, {})
    return await person.wait(begun.id)


async def _shown(suite: Suite, ada: Person, execution: str) -> bytes:
    token = (await ada.login(ada.email, "Teapots-and-7-cups")).access_token
    found = b""
    async with aiohttp.ClientSession(
        suite.url, headers={"Authorization": f"Bearer {token}"}
    ) as http:
        for more in ("", "/history?limit=200", "/explain", "/events"):
            async with http.get(f"/v1/executions/{execution}{more}") as answer:
                assert answer.status == 200, more
                found += await answer.read()
    return found
