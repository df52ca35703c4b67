"""Makes what the stores of OAuth keep."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

from auth_service.application.ports.oauth import Browser, Ending, Opened, Pending
from auth_service.bootstrap.stores import Stores
from auth_service.domain.mfa.proofs import Proof
from auth_service.domain.oauth.authorization import AuthorizationRequest, Login
from auth_service.domain.oauth.client import (
    ApplicationType,
    AuthMethod,
    Client,
    ClientSecret,
    GrantType,
    IdTokenAlgorithm,
)
from auth_service.domain.oauth.device import DeviceGrant
from auth_service.domain.oauth.grants import AuthorizationCode, Granted
from auth_service.domain.session import Origin, RefreshGrant, RevocationReason, Session
from auth_service.domain.user import User
from tests.contract.auth_service.conftest import NOW
from tests.support.ids import CountingIds

LIFE = timedelta(days=30)
MINUTE = timedelta(minutes=1)


@dataclass(slots=True)
class OAuthMaker:
    """Makes clients, grants and requests of one user."""

    user: User
    ids: CountingIds = field(default_factory=CountingIds)

    def digest(self) -> bytes:
        return self.ids.new().encode().ljust(32, b"#")

    def client(self, service_account: str = "") -> Client:
        return Client(
            id=self.ids.new(),
            tenant=self.user.tenant,
            name="Desk",
            application_type=ApplicationType.WEB,
            auth_method=AuthMethod.BASIC,
            grants=(GrantType.AUTHORIZATION_CODE,),
            redirect_uris=("https://client.example/cb",),
            post_logout_redirect_uris=(),
            scopes=("openid",),
            id_token_algorithm=IdTokenAlgorithm.RS256,
            jwks="",
            first_party=False,
            resource_server=False,
            service_account=service_account,
            service_roles=(),
            created_at=NOW,
            updated_at=NOW,
        )

    def secret(self, at: datetime = NOW) -> ClientSecret:
        return ClientSecret(self.digest(), at)

    def granted(self, client_id: str, session_id: str = "") -> Granted:
        login = Login(self.user.id, session_id, Proof(NOW, ("pwd",)))
        return Granted(client_id, self.user.id, self.user.tenant, ("openid",), login)

    def code(self, client_id: str) -> AuthorizationCode:
        return AuthorizationCode(
            self.digest(),
            self.granted(client_id),
            "https://client.example/cb",
            "c" * 43,
            NOW,
            NOW + MINUTE,
        )

    def session(self, client_id: str, parent_id: str = "") -> Session:
        return Session(
            self.ids.new(),
            self.user.id,
            self.user.tenant,
            Origin("198.51.100.7", "test"),
            NOW,
            Proof(NOW, ("pwd",)),
            client_id=client_id,
            parent_id=parent_id,
        )

    def opened(self, client_id: str, parent_id: str = "", *, offline: bool = True) -> Opened:
        refresh = RefreshGrant(self.digest(), NOW, NOW + LIFE) if offline else None
        session = self.session(client_id, parent_id)
        return Opened(session, self.granted(client_id, parent_id), NOW + LIFE, refresh)

    def ending(self, at: datetime = NOW) -> Ending:
        return Ending(self.ids.new(), RevocationReason.CODE_REUSED, at, at + timedelta(minutes=11))

    def pending(self, client_id: str, browser: bytes, device: bytes = b"") -> Pending:
        return Pending(
            digest=self.digest(),
            tenant=self.user.tenant,
            request=AuthorizationRequest(client_id, "https://client.example/cb", device=device),
            browser=browser,
            started_at=NOW,
            expires_at=NOW + 30 * MINUTE,
        )

    def browser(self, session_id: str) -> Browser:
        login = Login(self.user.id, session_id, Proof(NOW, ("pwd",)))
        return Browser(self.digest(), self.user.tenant, login, NOW + LIFE)

    def device(self, client_id: str) -> DeviceGrant:
        return DeviceGrant(
            self.digest(),
            self.digest(),
            client_id,
            self.user.tenant,
            ("openid",),
            5,
            NOW,
            NOW + 10 * MINUTE,
        )


async def kept_client(stores: Stores, make: OAuthMaker) -> Client:
    """A client that is in the store."""
    client = make.client()
    await stores.oauth.clients.add(client, make.secret(), None)
    return client
