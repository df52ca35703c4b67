"""Access tokens: had once, used until shortly before they expire, by all processes that share a cache.

Refresh tokens stay with the process that was given them: two that use the same one look like a thief and a victim, and
a strict authority then takes everything back.

Source: RFC 6749; RFC 6750.
"""

from __future__ import annotations

import hashlib
import math
from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from typing import Final

import msgspec

from chassis.caching.once import Made, Once
from chassis.caching.opening import Caches
from chassis.clock import Clock
from workflow_service.adapters.authentication import measures
from workflow_service.adapters.authentication.authorities import Authorities, Authority
from workflow_service.adapters.authentication.outward import Egress
from workflow_service.adapters.authentication.problems import unauthenticated
from workflow_service.adapters.authentication.token_answers import (
    Answer,
    check_id_token,
    claims_of,
    introspected,
    read_answer,
)
from workflow_service.adapters.authentication.token_requests import TokenRequests
from workflow_service.adapters.egress import EgressError, EgressRequest
from workflow_service.application.credential_ports import CredentialsRefused
from workflow_service.domain.execution.credentials import OAuthCredentials

_KEPT: Final = 1_000
_UNSAID: Final = 60.0
"""Seconds for which a token is used that does not say when it expires."""
_LEEWAY: Final = 30.0
"""Seconds before its end at which a token is no longer used, or a tenth of its life if that is less."""

_ROOM: Final = 16 * 1024 * 1024
"""Bytes of tokens that are kept in this process."""


@dataclass(frozen=True, slots=True)
class Token:
    """An access token."""

    access: str
    had_at: float
    """When it was given to this process; long ago, when it was given to another one."""
    refresh: str = ""
    """What this process may renew it with; empty: nothing."""


class Tokens:
    """Gives tokens for credentials, those of one tenant never to another."""

    def __init__(
        self, egress: Egress, requests: TokenRequests, caches: Caches, clock: Clock
    ) -> None:
        self._egress = egress
        self._requests = requests
        self._clock = clock
        self._authorities = Authorities(egress, clock.monotonic)
        self._cache = caches.cache("tokens", most=_KEPT, most_bytes=_ROOM)
        self._once = Once(self._cache, caches.locks, clock)
        self._given: OrderedDict[str, Token] = OrderedDict()
        """The last token of each policy that was given out here."""

    async def token(self, credentials: OAuthCredentials, tenant: str) -> Token:
        """Return a token that has not expired.

        Raises:
            EgressError: the authority cannot be reached.
            CredentialsRefused: it gives none.
        """
        key = _key(credentials, tenant)
        access = (await self._once.get(key, partial(self._renewed, key, credentials))).decode()
        given = self._given.get(key)
        if given is None or given.access != access:
            refresh = "" if given is None else given.refresh
            given = self._give(key, Token(access, -math.inf, refresh))
        return given

    async def refused(
        self, credentials: OAuthCredentials, tenant: str, access: str | None = None
    ) -> None:
        """Use a token no longer, here and elsewhere: somebody did not accept it.

        The authority is told, if the policy says where.

        Args:
            credentials: what it was given for.
            tenant: whose they are.
            access: the token; the last one that was given out here when nobody says.
        """
        key = _key(credentials, tenant)
        if access is None:
            given = self._given.get(key)
            access = "" if given is None else given.access
        kept = await self._cache.get(key)
        if kept is None or kept.decode() != access:
            return  # it is known already, or there is a newer one
        await self._cache.delete(key)
        if credentials.endpoints.revocation:
            await self._revoke(credentials, access)

    async def _renewed(self, key: str, credentials: OAuthCredentials) -> Made:
        given = self._given.get(key)
        refresh = "" if given is None else given.refresh
        authority = await self._authorities.of(credentials)
        answer = await self._answer(credentials, authority, refresh)
        await self._check(credentials, authority, answer)
        now = self._clock.monotonic()
        _ = self._give(key, Token(answer.access_token, now, answer.refresh_token or refresh))
        return Made(answer.access_token.encode(), _usable(answer))

    def _give(self, key: str, token: Token) -> Token:
        self._given[key] = token
        self._given.move_to_end(key)
        if len(self._given) > _KEPT:
            _ = self._given.popitem(last=False)
        return token

    async def _answer(
        self, credentials: OAuthCredentials, authority: Authority, refresh: str
    ) -> Answer:
        if refresh:
            request = self._requests.refresh(credentials, authority.token, refresh)
            try:
                return await self._read(request, "refreshed")
            except CredentialsRefused:
                pass  # it has expired, too, or was withdrawn: begin anew
        return await self._read(self._requests.grant(credentials, authority.token), "granted")

    async def _read(self, request: EgressRequest, outcome: str) -> Answer:
        try:
            answer = read_answer(await self._egress.request(request))
        except CredentialsRefused:
            measures.asked("refused")
            raise
        except EgressError:
            measures.asked("unanswered")
            raise
        measures.asked(outcome)
        return answer

    async def _check(
        self, credentials: OAuthCredentials, authority: Authority, answer: Answer
    ) -> None:
        """Make sure that a token is from whom it must be from."""
        if answer.id_token and authority.issuer:
            check_id_token(answer.id_token, credentials, (authority.issuer, *credentials.issuers))
        if not credentials.issuers:
            return
        issuer = claims_of(answer.access_token).get("iss")
        if issuer is None and authority.introspection:
            request = self._requests.about(
                credentials, authority.introspection, answer.access_token
            )
            issuer = introspected(await self._egress.request(request)).get("iss")
        if issuer not in credentials.issuers:
            raise unauthenticated("The token's issuer is none of the issuers that are expected.")

    async def _revoke(self, credentials: OAuthCredentials, access: str) -> None:
        try:
            authority = await self._authorities.of(credentials)
            await self._egress.request(
                self._requests.about(credentials, authority.revocation, access)
            )
        except (EgressError, CredentialsRefused):
            return  # it expires by itself


def _usable(answer: Answer) -> float:
    """Return for how many seconds the token is used."""
    life = _UNSAID if answer.expires_in is None else max(0.0, answer.expires_in)
    return life - min(_LEEWAY, life / 10)


def _key(credentials: OAuthCredentials, tenant: str) -> str:
    """Tell credentials apart without keeping them; no tenant has a line break."""
    return f"{tenant}\n{hashlib.sha256(msgspec.json.encode(credentials)).hexdigest()}"
