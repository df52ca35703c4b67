"""WithdrawConsent: a user takes back what a client was given."""

from collections.abc import Sequence
from dataclasses import dataclass

from auth_service.application.live_sessions import LiveSessions
from auth_service.application.oauth.issuing import Issuing
from auth_service.application.ports.oauth import Consent, Consents
from auth_service.domain.errors import ConsentNotFound
from auth_service.domain.session import RevocationReason
from chassis.audit import Audit


@dataclass(frozen=True, slots=True)
class WithdrawConsent:
    """End everything that the client has of the caller."""

    tenant: str
    user_id: str
    client_id: str


@dataclass(frozen=True, slots=True)
class ListConsents:
    """What the caller has agreed to."""

    user_id: str


@dataclass(frozen=True, slots=True)
class WithdrawConsentHandler:
    """Raises `ConsentNotFound`."""

    consents: Consents
    live: LiveSessions
    issuing: Issuing
    audit: Audit

    async def __call__(self, command: WithdrawConsent) -> None:
        ending = self.issuing.ending(RevocationReason.CONSENT_WITHDRAWN)
        ended = await self.consents.withdraw(command.user_id, command.client_id, ending)
        if ended is None:
            raise ConsentNotFound
        for session_id in ended:
            self.live.forget(session_id)
        self.audit.record(
            "oauth_consent_withdrawn",
            tenant=command.tenant,
            actor=command.user_id,
            target=command.client_id,
        )


@dataclass(frozen=True, slots=True)
class ListConsentsHandler:
    """By client."""

    consents: Consents

    async def __call__(self, query: ListConsents) -> Sequence[Consent]:
        return await self.consents.of(query.user_id)
