"""Sends requests with the credentials that open the door."""

from __future__ import annotations

from dataclasses import replace

from chassis.caching.opening import Caches, caches_of_one
from chassis.clock import Clock, SystemClock
from chassis.ids import Ids, RandomIds
from workflow_service.adapters.authentication.certificates import (
    Certificates,
    ClientCertificate,
    client_certificate,
)
from workflow_service.adapters.authentication.digest_sessions import DigestSessions
from workflow_service.adapters.authentication.outward import Egress
from workflow_service.adapters.authentication.plain import authorization
from workflow_service.adapters.authentication.problems import (
    unauthenticated,
    unauthorized,
    unusable,
)
from workflow_service.adapters.authentication.token_requests import TokenRequests
from workflow_service.adapters.authentication.tokens import Token, Tokens
from workflow_service.adapters.authentication.veil import veiled
from workflow_service.adapters.egress import (
    EgressFailed,
    EgressRequest,
    EgressResponse,
    Failure,
)
from workflow_service.adapters.egress.urls import target
from workflow_service.application.credential_ports import CredentialsRefused
from workflow_service.domain.execution.credential_reading import ReadCredentials, read_credentials
from workflow_service.domain.execution.credentials import (
    BasicCredentials,
    BearerCredentials,
    CertificateCredentials,
    Credentials,
    DigestCredentials,
    OAuthCredentials,
    SecretCredentials,
)
from workflow_service.domain.execution.problem import Raised


class AuthenticatedEgress:
    """The way out for requests with credentials: every kind of call goes through it or takes its headers from it."""

    def __init__(
        self,
        egress: Egress,
        clock: Clock | None = None,
        ids: Ids | None = None,
        caches: Caches | None = None,
    ) -> None:
        self._egress = egress
        self._clock = clock or SystemClock()
        requests = TokenRequests(self._clock, ids or RandomIds())
        caches = caches or caches_of_one(self._clock)
        self._tokens = Tokens(egress, requests, caches, self._clock)
        self._certificates = Certificates()
        self._digests = DigestSessions(egress)

    async def send(
        self, request: EgressRequest, credentials: Credentials | None, *, tenant: str
    ) -> EgressResponse:
        """Send *request*, authenticated as *credentials* say.

        Raises:
            EgressError: there is no answer.
            CredentialsRefused: nothing can be made of the credentials, or the answer is 401 or 403 in spite of them.
        """
        if credentials is None:
            return await self._egress.request(request)
        match _read(credentials):
            case BasicCredentials() | BearerCredentials() as plain:
                response = await self._egress.request(_with(request, authorization(plain)))
            case DigestCredentials() as digest:
                response = await self._digests.send(request, digest, tenant)
            case OAuthCredentials() as oauth:
                response = await self._send_with_token(request, oauth, tenant)
            case CertificateCredentials() as certificate:
                response = await self._send_with_certificate(request, certificate, tenant)
        _check(response)
        return response

    async def headers(self, credentials: Credentials, *, tenant: str) -> dict[str, str]:
        """Return the headers that authenticate any request, also one that is not sent here.

        Raises:
            EgressError: whoever gives out tokens does not answer.
            CredentialsRefused: nothing can be made of the credentials; those for digest need a request of their own.
        """
        match _read(credentials):
            case BasicCredentials() | BearerCredentials() as plain:
                return {"Authorization": authorization(plain)}
            case OAuthCredentials() as oauth:
                token = await self._tokens.token(oauth, tenant)
                return {"Authorization": f"Bearer {token.access}"}
            case DigestCredentials():
                raise unusable("digest authentication works for HTTP requests only")
            case CertificateCredentials():
                raise unusable(
                    "authentication by certificate works for HTTP requests and gRPC only"
                )

    def certificate(self, credentials: Credentials) -> ClientCertificate | None:
        """Return the certificate for a connection that is not made here; None for credentials of other schemes.

        Raises:
            CredentialsRefused: nothing can be made of the credentials.
        """
        read = _read(credentials)
        return client_certificate(read) if isinstance(read, CertificateCredentials) else None

    async def refused(self, credentials: Credentials, *, tenant: str) -> None:
        """Forget the token that ``headers`` gave: whoever was called did not accept it."""
        match _read(credentials):
            case OAuthCredentials() as oauth:
                await self._tokens.refused(oauth, tenant)
            case _:
                return

    async def _send_with_token(
        self, request: EgressRequest, credentials: OAuthCredentials, tenant: str
    ) -> EgressResponse:
        began = self._clock.monotonic()
        token = await self._tokens.token(credentials, tenant)
        response = await self._sent(request, token)
        if response.status != 401:
            return response
        await self._tokens.refused(credentials, tenant, token.access)
        if token.had_at >= began:
            return response  # it is new: another one would be no better
        return await self._sent(request, await self._tokens.token(credentials, tenant))

    async def _send_with_certificate(
        self, request: EgressRequest, credentials: CertificateCredentials, tenant: str
    ) -> EgressResponse:
        if target(request.url).scheme != "https":
            raise unusable("a certificate can be shown over TLS only: the address must be https")
        context = await self._certificates.context(credentials, tenant)
        try:
            return await self._egress.request(replace(request, tls=context))
        except EgressFailed as exc:
            if exc.failure is not Failure.CERTIFICATE:
                raise
            raise unauthenticated("The service did not accept the certificate.") from exc

    async def _sent(self, request: EgressRequest, token: Token) -> EgressResponse:
        response = await self._egress.request(_with(request, f"Bearer {token.access}"))
        return veiled(response, token.access)


def _read(credentials: Credentials) -> ReadCredentials:
    """Return what is known now that values of secrets are there."""
    if not isinstance(credentials, SecretCredentials):
        return credentials
    try:
        return read_credentials(credentials.scheme, credentials.members)
    except Raised as raised:
        raise CredentialsRefused(raised.problem) from raised


def _check(response: EgressResponse) -> None:
    if response.status == 401:
        raise unauthenticated("The service did not accept the credentials (status 401).")
    if response.status == 403:
        raise unauthorized("The credentials do not allow this call (status 403).")


def _with(request: EgressRequest, value: str) -> EgressRequest:
    """Return *request* with *value* as its only Authorization header."""
    others = {
        name: each for name, each in request.headers.items() if name.lower() != "authorization"
    }
    return replace(request, headers=others | {"Authorization": value})
