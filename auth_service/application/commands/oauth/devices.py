"""Devices: they get two codes, and their users type one of them into a page (RFC 8628)."""

from dataclasses import dataclass
from typing import Final

from auth_service.application.oauth.answers import Answer, Asked
from auth_service.application.oauth.browsing import (
    CSRF,
    Cookie,
    DevicePage,
    Reaction,
    Sent,
    Shown,
    Visit,
    cookie_of,
)
from auth_service.application.oauth.client_authentication import ClientAuthentication
from auth_service.application.oauth.digests import digest_of, opaque
from auth_service.application.ports import Randomness
from auth_service.application.ports.oauth import (
    AuthorizationRequests,
    Pending,
)
from auth_service.application.ports.oauth_devices import (
    DeviceGrants,
)
from auth_service.domain.oauth.authorization import AuthorizationRequest
from auth_service.domain.oauth.client import GrantType, OAuthPolicy
from auth_service.domain.oauth.device import DeviceGrant, tidy_user_code, user_code_of
from auth_service.domain.oauth.errors import Code, OAuthRefused
from auth_service.domain.oauth.scopes import check_allowed, parse_scopes
from chassis.audit import Audit
from chassis.caching.port import LimitPolicy, Limits
from chassis.clock import Clock
from chassis.errors import Unavailable

GUESSES: Final = LimitPolicy("oauth-user-code", 10, 300.0)
"""Wrong codes that are borne from one network. There are 25,600 million codes."""

PURPOSE: Final = "device"
_NOISE: Final = 64
_TRIES: Final = 5
_WRONG: Final = "There is no device that waits with this code. Look at its screen and try again."
_TOO_MANY: Final = "There were too many wrong codes. Wait a few minutes, then try again."


@dataclass(frozen=True, slots=True)
class AuthorizeDeviceHandler:
    """Gives a device its codes."""

    authenticate: ClientAuthentication
    devices: DeviceGrants
    policy: OAuthPolicy
    randomness: Randomness
    clock: Clock

    async def __call__(self, asked: Asked) -> Answer:
        client = await self.authenticate(asked)
        if GrantType.DEVICE_CODE not in client.grants:
            raise OAuthRefused(Code.UNAUTHORIZED_CLIENT, "The client is not registered for devices")
        scopes = parse_scopes(asked.parameters.get("scope"))
        check_allowed(scopes, client.scopes)
        now = self.clock.now()
        interval = int(self.policy.device_interval.total_seconds())
        for _ in range(_TRIES):
            device_code = opaque(self.randomness)
            user_code = user_code_of(self.randomness.token_bytes(_NOISE))
            grant = DeviceGrant(
                digest=digest_of(device_code),
                user_code=digest_of(user_code),
                client_id=client.id,
                tenant=client.tenant,
                scopes=scopes,
                interval=interval,
                created_at=now,
                expires_at=now + self.policy.device,
            )
            if await self.devices.add(grant):
                return self._answer(asked, device_code, user_code)
        raise Unavailable("No code is free at the moment", retry_after=5)

    def _answer(self, asked: Asked, device_code: str, user_code: str) -> Answer:
        page = f"{asked.issuer}/oauth2/device"
        return Answer(
            200,
            {
                "device_code": device_code,
                "user_code": user_code,
                "verification_uri": page,
                "verification_uri_complete": f"{page}?user_code={user_code}",
                "expires_in": int(self.policy.device.total_seconds()),
                "interval": int(self.policy.device_interval.total_seconds()),
            },
        )


@dataclass(frozen=True, slots=True)
class ShowDevicePageHandler:
    """Asks for the code; one in the address only fills the field, the user has to look at it."""

    randomness: Randomness

    async def __call__(self, visit: Visit) -> Reaction:
        cookie = cookie_of(visit, self.randomness)
        code = tidy_user_code(visit.parameters.get("user_code"))
        return Shown(DevicePage(cookie.csrf(PURPOSE), code), cookie=cookie.to_set)


@dataclass(frozen=True, slots=True)
class SubmitDevicePageHandler:
    """Takes the code, and goes on as for any other request: login, consent."""

    devices: DeviceGrants
    requests: AuthorizationRequests
    limits: Limits
    policy: OAuthPolicy
    randomness: Randomness
    audit: Audit
    clock: Clock

    async def __call__(self, visit: Visit) -> Reaction:
        cookie = cookie_of(visit, self.randomness)
        if not cookie.accepts(visit.parameters.get("csrf"), PURPOSE):
            return CSRF
        network = visit.origin.network
        allowance = await self.limits.take(network, GUESSES, 0)
        if allowance.remaining < 1:
            pause = GUESSES.window / GUESSES.quota
            shown = self._again(visit, cookie, _TOO_MANY, 429)
            return Shown(shown.view, 429, retry_after=pause)
        code = tidy_user_code(visit.parameters.get("user_code"))
        now = self.clock.now()
        grant = await self.devices.find(digest_of(code), now) if code else None
        if grant is None:
            await self.limits.take(network, GUESSES)
            self.audit.record("oauth_user_code_refused", network=network)
            return self._again(visit, cookie, _WRONG, 400)
        return await self._begin(grant, visit, cookie)

    async def _begin(self, grant: DeviceGrant, visit: Visit, cookie: Cookie) -> Reaction:
        request_id, now = opaque(self.randomness), self.clock.now()
        request = AuthorizationRequest(
            client_id=grant.client_id,
            redirect_uri="",
            response_type="device",
            scopes=grant.scopes,
            device=grant.digest,
        )
        pending = Pending(
            digest=digest_of(request_id),
            tenant=grant.tenant,
            request=request,
            browser=cookie.digest,
            started_at=now,
            expires_at=min(now + self.policy.request, grant.expires_at),
        )
        await self.requests.add(pending)
        return Sent(f"{visit.issuer}/oauth2/continue?id={request_id}")

    def _again(self, visit: Visit, cookie: Cookie, said: str, status: int) -> Shown:
        typed = visit.parameters.get("user_code")[:16]
        return Shown(DevicePage(cookie.csrf(PURPOSE), typed, said), status)
