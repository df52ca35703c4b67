"""RevokeToken: a client is done with a token (RFC 7009)."""

from dataclasses import dataclass

from auth_service.application.live_sessions import LiveSessions
from auth_service.application.oauth.answers import Answer, Asked
from auth_service.application.oauth.client_authentication import ClientAuthentication
from auth_service.application.oauth.issuing import Issuing
from auth_service.application.oauth.token_reading import TokenReading
from auth_service.application.ports.oauth import OAuthClients, OAuthGrants
from auth_service.domain.events import SessionRevoked
from auth_service.domain.mfa.proofs import UNPROVED
from auth_service.domain.oauth.client import Client
from auth_service.domain.oauth.grants import invalid_grant
from auth_service.domain.session import LiveSession, Origin, RevocationReason, Session
from chassis.audit import Audit

_DONE = Answer(200, {})


@dataclass(frozen=True, slots=True)
class RevokeTokenHandler:
    """With one token all of its grant are dead; one that is dead already is no error."""

    authenticate: ClientAuthentication
    read: TokenReading
    clients: OAuthClients
    grants: OAuthGrants
    live: LiveSessions
    issuing: Issuing
    audit: Audit

    async def __call__(self, asked: Asked) -> Answer:
        client = await self.authenticate(asked)
        shown = await self.read(asked.parameters.require("token"))
        if shown is None:
            return _DONE
        if shown.client_id != client.id:
            raise invalid_grant()
        await self._end(client, shown.session)
        self.live.forget(shown.session.id)
        self.audit.record(
            "oauth_token_revoked",
            tenant=client.tenant,
            actor=client.id,
            target=shown.session.user.id,
            session_id=shown.session.id,
        )
        return _DONE

    async def _end(self, client: Client, session: LiveSession) -> None:
        ending = self.issuing.ending(RevocationReason.TOKEN_REVOKED)
        user = session.user
        if user.id == client.service_account:
            # The account goes on, with a session that the dead tokens do not belong to.
            fresh = Session(
                self.issuing.ids.new(),
                user.id,
                user.tenant,
                Origin(),
                ending.at,
                UNPROVED,
                client_id=client.id,
            )
            await self.clients.renew_session(client, fresh, ending)
            return
        event = SessionRevoked(
            ending.event_id, session.id, user.id, user.tenant, ending.reason, ending.at
        )
        await self.grants.revoke(event, forget_at=ending.forget_at)
