"""Grants that users make: codes, refresh tokens, devices, and (where still on) passwords."""

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import assert_never

from auth_service.application.authentication import Authenticated, Authenticator, PasswordAttempt
from auth_service.application.live_sessions import LiveSessions
from auth_service.application.oauth.answers import Asked
from auth_service.application.oauth.digests import digest_of
from auth_service.application.oauth.issuing import Issuing, Prepared
from auth_service.application.ports import (
    NotRedeemable,
    Reused,
    RevocationTimes,
    Rotated,
    Sessions,
)
from auth_service.application.ports.oauth import (
    OAuthGrants,
    Opened,
    Redeemed,
    Replayed,
    Unknown,
)
from auth_service.application.ports.oauth_devices import (
    Approved,
    Denied,
    DeviceGrants,
    Expired,
    TooFast,
    Waiting,
)
from auth_service.application.role_books import RoleBooks
from auth_service.domain.errors import AccountDisabled, EmailNotVerified, InputInvalid
from auth_service.domain.mfa.proofs import Proof
from auth_service.domain.oauth.authorization import Login
from auth_service.domain.oauth.client import Client
from auth_service.domain.oauth.errors import Code, OAuthRefused
from auth_service.domain.oauth.grants import Granted, check_redemption, invalid_grant
from auth_service.domain.oauth.scopes import check_allowed, effective_scopes, parse_scopes
from auth_service.domain.session import LiveSession, RevocationReason
from chassis.audit import Audit

Members = Mapping[str, object]


@dataclass(frozen=True, slots=True)
class Redeeming:
    """What redeeming has in common: who granted must still be there, and misuse ends sessions."""

    issuing: Issuing
    live: LiveSessions
    audit: Audit

    async def members(self, client: Client, prepared: Prepared, issuer: str) -> Members:
        """The response for a session that was just opened."""
        granted = prepared.opened.granted
        user = await self.issuing.user_of(granted)
        session = LiveSession(prepared.opened.session.id, user, granted.login.proof)
        return self.issuing.response(
            client, session, granted, issuer=issuer, refresh_token=prepared.refresh_token
        )

    async def check_login(self, granted: Granted) -> None:
        """Refuse what somebody granted whose login has ended since.

        Raises:
            OAuthRefused: it has, or the user is gone or disabled.
        """
        user = await self.issuing.user_of(granted)
        session_id = granted.login.session_id
        over = session_id and await self.live.find(session_id, fresh=True) is None
        if over or not user.active:
            raise invalid_grant()

    def replayed(self, outcome: Replayed, client: Client, event: str) -> None:
        """Tell of a second use, and forget what it ended."""
        self.live.forget(outcome.session_id)
        self.audit.record(
            event,
            tenant=client.tenant,
            actor=outcome.user_id,
            target=client.id,
            session_id=outcome.session_id,
            outcome="done" if outcome.revoked else "refused",
            revoked=outcome.revoked,
        )


@dataclass(frozen=True, slots=True)
class AuthorizationCodes:
    """A code for tokens, once (RFC 6749 section 4.1.3, RFC 7636 section 4.5)."""

    grants: OAuthGrants
    redeeming: Redeeming
    issuing: Issuing

    async def __call__(self, client: Client, asked: Asked) -> Members:
        """The members of the response.

        Raises:
            OAuthRefused: `invalid_grant`; a code that was used before ends what it got.
        """
        parameters = asked.parameters
        digest = digest_of(parameters.require("code"))
        code = await self.grants.find_code(digest)
        if code is None:
            raise invalid_grant()
        try:
            check_redemption(
                code,
                client_id=client.id,
                redirect_uri=parameters.get("redirect_uri"),
                verifier=parameters.get("code_verifier"),
                now=self.issuing.clock.now(),
            )
            await self.redeeming.check_login(code.granted)
        except OAuthRefused:
            ending = self.issuing.ending(RevocationReason.CODE_REUSED)
            self._tell(await self.grants.revoke_spent(digest, ending), client)
            raise
        return await self._redeem(client, digest, code.granted, asked)

    async def _redeem(
        self, client: Client, digest: bytes, granted: Granted, asked: Asked
    ) -> Members:
        prepared = self.issuing.prepare(client, granted, asked.origin)
        ending = self.issuing.ending(RevocationReason.CODE_REUSED)
        outcome = await self.grants.redeem_code(digest, prepared.opened, ending)
        if not isinstance(outcome, Redeemed):
            self._tell(outcome, client)
            raise invalid_grant()
        return await self.redeeming.members(client, prepared, asked.issuer)

    def _tell(self, outcome: object, client: Client) -> None:
        if isinstance(outcome, Replayed):
            self.redeeming.replayed(outcome, client, "oauth_code_reused")


@dataclass(frozen=True, slots=True)
class RefreshTokens:
    """A refresh token for an access token and its own successor (RFC 9700 section 4.14.2)."""

    sessions: Sessions
    grants: OAuthGrants
    redeeming: Redeeming
    issuing: Issuing

    async def __call__(self, client: Client, asked: Asked) -> Members:
        """The members of the response.

        Raises:
            OAuthRefused: the token does not count; one that was spent ends its family.
        """
        digest = digest_of(asked.parameters.require("refresh_token"))
        scopes = await self._scopes(digest, asked)
        token, successor = self.issuing.refresh_token()
        ending = self.issuing.ending(RevocationReason.REFRESH_TOKEN_REUSED)
        outcome = await self.sessions.redeem(
            digest,
            successor,
            event_id=ending.event_id,
            times=RevocationTimes(ending.at, ending.forget_at),
            client_id=client.id,
        )
        match outcome:
            case Rotated(session):
                return await self._response(client, session, token, scopes, asked)
            case Reused(session_id, user_id, _, revoked):
                self.redeeming.replayed(
                    Replayed(session_id, user_id, revoked), client, "refresh_reused"
                )
                raise invalid_grant()
            case NotRedeemable():
                raise invalid_grant()
            case _:
                assert_never(outcome)

    async def _scopes(self, digest: bytes, asked: Asked) -> tuple[str, ...] | None:
        """Fewer scopes than were granted, if the client wants fewer; checked before it is spent."""
        wanted = parse_scopes(asked.parameters.get("scope"))
        if not wanted:
            return None
        session_id = await self.grants.session_of(digest, self.issuing.clock.now())
        granted = await self.grants.find(session_id) if session_id else None
        if granted is not None:
            check_allowed(wanted, granted.scopes)
        return wanted

    async def _response(
        self,
        client: Client,
        session: LiveSession,
        token: str,
        scopes: tuple[str, ...] | None,
        asked: Asked,
    ) -> Members:
        granted = await self.grants.find(session.id)
        if granted is None:
            raise invalid_grant()
        return self.issuing.response(
            client,
            session,
            replace(granted, nonce=""),
            issuer=asked.issuer,
            refresh_token=token,
            scopes=scopes,
        )


@dataclass(frozen=True, slots=True)
class DeviceCodes:
    """A device asks whether its user has answered (RFC 8628 section 3.4)."""

    devices: DeviceGrants
    redeeming: Redeeming
    issuing: Issuing

    async def __call__(self, client: Client, asked: Asked) -> Members:
        """The members of the response.

        Raises:
            OAuthRefused: not yet, too fast, no, too late, or never.
        """
        digest = digest_of(asked.parameters.require("device_code"))
        made: list[Prepared] = []

        def opening(granted: Granted) -> Opened:
            made.append(self.issuing.prepare(client, granted, asked.origin))
            return made[-1].opened

        ending = self.issuing.ending(RevocationReason.CODE_REUSED)
        outcome = await self.devices.poll(digest, client.id, opening, ending)
        match outcome:
            case Approved():
                return await self.redeeming.members(client, made[-1], asked.issuer)
            case Waiting():
                raise OAuthRefused(Code.AUTHORIZATION_PENDING, "The user has not answered yet")
            case TooFast():
                raise OAuthRefused(Code.SLOW_DOWN, "Ask less often: 5 seconds more between two")
            case Denied():
                raise OAuthRefused(Code.ACCESS_DENIED, "The user did not agree")
            case Expired():
                raise OAuthRefused(Code.EXPIRED_TOKEN, "The codes have expired: begin again")
            case Replayed():
                self.redeeming.replayed(outcome, client, "oauth_code_reused")
                raise invalid_grant()
            case Unknown():
                raise invalid_grant()
            case _:
                assert_never(outcome)


@dataclass(frozen=True, slots=True)
class Passwords:
    """The user's password, given to the client: gone with OAuth 2.1, off unless asked for."""

    authenticate: Authenticator
    books: RoleBooks
    grants: OAuthGrants
    redeeming: Redeeming
    issuing: Issuing

    async def __call__(self, client: Client, asked: Asked) -> Members:
        """The members of the response.

        Raises:
            OAuthRefused: it is not the password, it is not enough, or there were too many tries.
        """
        parameters = asked.parameters
        wanted = parse_scopes(parameters.get("scope"))
        check_allowed(wanted, client.scopes)
        attempt = PasswordAttempt(
            client.tenant,
            parameters.require("username"),
            parameters.require("password"),
            asked.origin,
        )
        try:
            outcome = await self.authenticate(attempt)
        except (InputInvalid, AccountDisabled, EmailNotVerified):
            raise invalid_grant() from None
        if not isinstance(outcome, Authenticated):
            raise invalid_grant()
        user = outcome.user
        held = await self.books.permissions_of(user.tenant, user.roles)
        proof = Proof(self.issuing.clock.now(), outcome.methods)
        granted = Granted(
            client.id,
            user.id,
            user.tenant,
            effective_scopes(wanted or client.scopes, held),
            Login(user.id, "", proof),
        )
        prepared = self.issuing.prepare(client, granted, asked.origin)
        await self.grants.open(prepared.opened)
        return await self.redeeming.members(client, prepared, asked.issuer)
