"""Authentication by client certificate against real TLS servers."""

from __future__ import annotations

import ssl
import tempfile
from collections.abc import AsyncIterator, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    PrivateFormat,
    load_pem_private_key,
)

from tests.component.workflow_service.authentication.conftest import Out
from tests.component.workflow_service.egress.conftest import names
from tests.support.certificates import CertificateAuthority, Identity, Vault, open_gate, open_vault
from workflow_service.adapters.authentication.certificates import Certificates
from workflow_service.adapters.egress import EgressClient, EgressError, EgressRequest
from workflow_service.adapters.resources import ExternalResources
from workflow_service.adapters.task_runners.http import HttpRunner
from workflow_service.adapters.task_runners.openapi import Documents, OpenapiRunner
from workflow_service.application.credential_ports import CredentialsRefused
from workflow_service.application.resource_ports import ResourceFailed
from workflow_service.domain.execution.credentials import (
    CertificateCredentials,
    Resource,
    SecretCredentials,
)
from workflow_service.domain.execution.effects import Effect, OpenapiCall, Succeeded
from workflow_service.domain.execution.problem import ERRORS
from workflow_service.domain.expressions import JsonValue

DESCRIBED = """
openapi: 3.1.0
info: {title: Guests, version: '1'}
paths: {/whoami: {get: {operationId: whoami}}}
"""


@dataclass
class Place:
    """A vault, and who vouches for whom."""

    vault: Vault
    authority: CertificateAuthority
    ada: Identity

    def credentials(self, identity: Identity | None = None) -> CertificateCredentials:
        shown = identity or self.ada
        return CertificateCredentials(shown.certificate, shown.key, self.authority.pem)


@pytest.fixture
async def place(tmp_path: Path) -> AsyncIterator[Place]:
    authority = CertificateAuthority()
    server = authority.identity("vault.test", "127.0.0.1")
    async with open_vault(tmp_path, server, authority) as vault:
        yield Place(vault, authority, authority.identity("ada"))


async def test_a_server_that_wants_a_certificate_gets_it(out: Out, place: Place) -> None:
    response = await out.get(place.vault.url(), place.credentials())

    assert (response.status, response.body) == (200, b'{"guest": "ada"}')


async def test_a_secret_may_have_all_of_it(out: Out, place: Place) -> None:
    members: JsonValue = {
        "certificate": place.ada.certificate,
        "key": place.ada.key,
        "authority": place.authority.pem,
    }
    await out.get(place.vault.url(), SecretCredentials("certificate", members))

    assert place.vault.guests == ["ada"]


async def test_the_connection_goes_to_the_judged_address_and_asks_for_the_name(
    place: Place,
) -> None:
    lookup = names(vault_test=["127.0.0.1"])
    async with EgressClient(allow=["127.0.0.1"], lookup=lookup) as client:
        await Out(client).get(place.vault.url(host="vault.test"), place.credentials())

    assert place.vault.asked_for == ["vault.test"]


async def test_a_certificate_for_another_name_is_not_believed(place: Place) -> None:
    lookup = names(other_test=["127.0.0.1"])
    async with EgressClient(allow=["127.0.0.1"], lookup=lookup) as client:
        with pytest.raises(EgressError, match="no trusted TLS connection"):
            await Out(client).get(place.vault.url(host="other.test"), place.credentials())

    assert place.vault.guests == []


async def test_a_certificate_opens_no_address_that_may_not_be_called(place: Place) -> None:
    async with EgressClient() as client:
        with pytest.raises(EgressError, match="not allowed"):
            await Out(client).get(place.vault.url(), place.credentials())


async def test_without_an_authority_only_whom_the_machine_trusts_is_trusted(
    out: Out, place: Place
) -> None:
    unknown = CertificateCredentials(place.ada.certificate, place.ada.key)
    with pytest.raises(EgressError, match="no trusted TLS connection"):
        await out.get(place.vault.url(), unknown)


async def test_a_certificate_of_somebody_else_s_authority_opens_nothing(
    out: Out, place: Place
) -> None:
    mallory = CertificateAuthority().identity("ada")
    with pytest.raises(EgressError):
        await out.get(place.vault.url(), place.credentials(mallory))
    assert place.vault.guests == []

    await out.get(place.vault.url(), place.credentials())
    assert place.vault.guests == ["ada"]


async def test_without_a_certificate_nothing_opens(out: Out, place: Place) -> None:
    trusting = ssl.create_default_context(cadata=place.authority.pem)
    with pytest.raises(EgressError):
        await out.client.request(EgressRequest("GET", place.vault.url(), tls=trusting))

    assert place.vault.guests == []


@pytest.fixture
def gate(tmp_path: Path, place: Place) -> Iterator[str]:
    folder = tmp_path / "gate"
    folder.mkdir()
    server = place.authority.identity("gate.test", "127.0.0.1")
    with open_gate(folder, server, place.authority) as address:
        yield address()


async def test_a_service_that_says_that_it_does_not_accept_it_is_authentication_401(
    out: Out, place: Place, gate: str
) -> None:
    mallory = CertificateAuthority().identity("ada")

    problem = await out.problem(gate, place.credentials(mallory))

    assert (problem.type, problem.status) == (ERRORS + "authentication", 401)
    assert problem.detail == "The service did not accept the certificate."
    assert (await out.get(gate, place.credentials())).status == 204


async def test_a_service_that_says_that_it_wants_one_is_told_as_such(
    out: Out, place: Place, gate: str
) -> None:
    trusting = ssl.create_default_context(cadata=place.authority.pem)
    with pytest.raises(EgressError, match="does not accept the client's certificate, or wants one"):
        await out.client.request(EgressRequest("GET", gate, tls=trusting))


async def test_bad_certificates_of_one_do_not_close_the_host_to_others(
    out: Out, place: Place, gate: str
) -> None:
    mallory = place.credentials(CertificateAuthority().identity("mallory"))
    for _ in range(25):  # the breaker concludes from twenty
        with pytest.raises(CredentialsRefused):
            await out.get(gate, mallory)

    assert (await out.get(gate, place.credentials())).status == 204


async def test_connections_are_shared_by_one_tenant_with_one_certificate_only(
    out: Out, place: Place
) -> None:
    grace = place.authority.identity("grace")
    for _ in range(2):
        await out.get(place.vault.url(), place.credentials(), tenant="one")
    assert len(place.vault.connections) == 1

    await out.get(place.vault.url(), place.credentials(), tenant="two")
    assert len(place.vault.connections) == 2

    await out.get(place.vault.url(), place.credentials(grace), tenant="one")
    assert len(place.vault.connections) == 3
    assert place.vault.guests == ["ada", "ada", "ada", "grace"]


async def test_a_redirect_to_another_origin_goes_without_the_certificate(
    out: Out, place: Place, tmp_path: Path
) -> None:
    folder = tmp_path / "elsewhere"
    folder.mkdir()
    server = place.authority.identity("vault.test", "127.0.0.1")
    async with open_vault(folder, server, place.authority) as elsewhere:
        url = place.vault.url(f"/?to={elsewhere.url('/')}")
        request = EgressRequest("GET", url, follow_redirects=True)
        # What is trusted for the call goes with the certificate: elsewhere nobody is trusted for it.
        with pytest.raises(EgressError, match="no trusted TLS connection"):
            await out.egress.send(request, place.credentials(), tenant="t")

    assert place.vault.guests == ["ada"]
    assert elsewhere.guests == []


async def test_a_redirect_within_the_origin_has_the_certificate(out: Out, place: Place) -> None:
    request = EgressRequest("GET", place.vault.url("/?to=/there"), follow_redirects=True)

    response = await out.egress.send(request, place.credentials(), tenant="t")

    assert response.status == 200
    assert place.vault.guests == ["ada", "ada"]


async def test_documents_and_the_operations_in_them_are_opened_by_certificates(
    out: Out, place: Place
) -> None:
    place.vault.documents["/api.yaml"] = DESCRIBED
    grace = place.credentials(place.authority.identity("grace"))
    document = Resource(place.vault.url("/api.yaml"), place.credentials())
    runner = OpenapiRunner(Documents(ExternalResources(out.egress)), HttpRunner(out.egress))
    call = OpenapiCall(document, "whoami", credentials=grace)

    outcome = await runner.perform("e1", Effect(1, "e1:/do/0/t", call, tenant="t"))

    assert outcome == Succeeded({"guest": "grace"})
    assert place.vault.guests == ["ada", "grace"]


async def test_a_document_stays_closed_to_another_certificate(out: Out, place: Place) -> None:
    place.vault.documents["/api.yaml"] = DESCRIBED
    resources = ExternalResources(out.egress)
    mallory = place.credentials(CertificateAuthority().identity("ada"))
    url = place.vault.url("/api.yaml")
    _ = await resources.fetch(Resource(url, place.credentials()), tenant="t")

    with pytest.raises(ResourceFailed):
        await resources.fetch(Resource(url, mallory), tenant="t")

    assert place.vault.guests == ["ada"]


async def test_an_address_without_tls_is_a_configuration_error(out: Out, place: Place) -> None:
    problem = await out.problem("http://127.0.0.1:9/", place.credentials())

    assert (problem.type, problem.status) == (ERRORS + "configuration", 400)
    assert "https" in (problem.detail or "")


async def test_other_protocols_name_what_a_certificate_is_for(out: Out, place: Place) -> None:
    with pytest.raises(CredentialsRefused) as refused:
        await out.egress.headers(place.credentials(), tenant="t")

    problem = refused.value.problem
    assert problem.type == ERRORS + "configuration"
    assert problem.detail == "authentication by certificate works for HTTP requests and gRPC only"


def sealed(identity: Identity) -> str:
    key = load_pem_private_key(identity.key.encode(), None)
    encryption = BestAvailableEncryption(b"a passphrase")
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption).decode()


@pytest.mark.parametrize(
    ("case", "detail"),
    [
        ("no certificate", "The member 'certificate' has no certificate in PEM."),
        ("no authority", "The member 'authority' has no certificate in PEM."),
        ("no key", "The member 'key' has no private key in PEM."),
        ("broken key", "The member 'key' has no private key in PEM."),
        ("passphrase", "The key is protected by a passphrase: give it without one, in a secret."),
        ("another key", "The key does not belong to the certificate."),
    ],
)
async def test_what_cannot_be_used_is_told_without_the_key(
    out: Out, place: Place, case: str, detail: str
) -> None:
    ada, other = place.ada, place.authority.identity("grace")
    given = {
        "no certificate": CertificateCredentials("nothing", ada.key),
        "no authority": CertificateCredentials(ada.certificate, ada.key, "nothing"),
        "no key": CertificateCredentials(ada.certificate, "nothing"),
        "broken key": CertificateCredentials(ada.certificate, ada.key.replace("M", "m", 3)),
        "passphrase": CertificateCredentials(ada.certificate, sealed(ada)),
        "another key": CertificateCredentials(ada.certificate, other.key),
    }[case]

    problem = await out.problem(place.vault.url(), given)

    assert (problem.type, problem.status) == (ERRORS + "authentication", 401)
    assert (problem.title, problem.detail) == ("Client certificate unusable", detail)
    assert place.vault.guests == []


async def test_the_key_is_on_the_disk_for_a_moment_only_and_never_in_clear(
    out: Out, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = tmp_path / "temporary"
    folder.mkdir()
    written: list[str] = []
    load = ssl.SSLContext.load_cert_chain

    def looking(context: ssl.SSLContext, chain: Path, key: Path, password: str) -> None:
        written.extend(each.read_text() for each in folder.rglob("*.pem"))
        load(context, chain, key, password)

    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(ssl.SSLContext, "load_cert_chain", looking)
    await out.get(place.vault.url(), place.credentials())

    assert len(written) == 2
    assert not any(line in text for line in place.ada.key_lines for text in written)
    assert list(folder.iterdir()) == []


async def test_without_a_temporary_folder_the_call_fails_and_says_why(
    out: Out, place: Place, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "nowhere"))

    problem = await out.problem(place.vault.url(), place.credentials())

    assert (problem.type, problem.status) == (ERRORS + "runtime", 500)
    assert problem.detail == "There is no temporary folder to write to."


async def test_contexts_are_kept_within_bounds(place: Place) -> None:
    kept = Certificates()
    first = await kept.context(place.credentials(), "t0")
    assert await kept.context(place.credentials(), "t0") is first

    for number in range(1, 258):
        await kept.context(place.credentials(), f"t{number}")

    assert len(kept) == 256
    assert await kept.context(place.credentials(), "t0") is not first
