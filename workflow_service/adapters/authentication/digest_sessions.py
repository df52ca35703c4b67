"""Requests to servers that want digests: challenge, answer, and the same nonce again as long as it holds.

Source: RFC 7616, 3.3 to 3.6.
"""

from __future__ import annotations

import hashlib
from collections import OrderedDict
from dataclasses import replace
from typing import Final, TypeAlias

import msgspec

from workflow_service.adapters.authentication.digest import (
    Asked,
    DigestChallenge,
    DigestSession,
    digest_challenge,
)
from workflow_service.adapters.authentication.outward import Egress
from workflow_service.adapters.egress import EgressRequest, EgressResponse
from workflow_service.adapters.egress.urls import target
from workflow_service.domain.execution.credentials import DigestCredentials

_KEPT: Final = 1_000
_ANSWERS: Final = 2
"""How many challenges are answered: the first, and another one if its nonce was stale at once."""

Key: TypeAlias = tuple[str, str, tuple[str, str, int]]


class DigestSessions:
    """Knows the nonces of servers, for each tenant and its credentials by themselves."""

    def __init__(self, egress: Egress) -> None:
        self._egress = egress
        self._kept: OrderedDict[Key, DigestSession] = OrderedDict()

    async def send(
        self, request: EgressRequest, credentials: DigestCredentials, tenant: str
    ) -> EgressResponse:
        """Send *request*; a challenge is answered, once, and once more if the server says that its nonce was stale.

        Raises:
            EgressError: there is no answer.
        """
        key = _key(request, credentials, tenant)
        known = self._kept.get(key)
        if known is not None:
            self._kept.move_to_end(key)
        response = await self._sent(request, credentials, known)
        answered = False
        for _ in range(_ANSWERS):
            challenge = _challenge(request, response)
            if challenge is None or (answered and not challenge.stale):
                break
            session = DigestSession(challenge)
            self._keep(key, session)
            response, answered = await self._sent(request, credentials, session), True
        if response.status == 401:
            self._kept.pop(key, None)
        return response

    async def _sent(
        self,
        request: EgressRequest,
        credentials: DigestCredentials,
        session: DigestSession | None,
    ) -> EgressResponse:
        others = {
            name: value
            for name, value in request.headers.items()
            if name.lower() != "authorization"
        }
        if session is not None:
            place = target(request.url)
            asked = Asked(request.method.upper(), place.url.raw_path_qs, request.body or b"")
            others["Authorization"] = session.authorization(credentials, asked)
        return await self._egress.request(replace(request, headers=others))

    def _keep(self, key: Key, session: DigestSession) -> None:
        self._kept[key] = session
        self._kept.move_to_end(key)
        if len(self._kept) > _KEPT:
            self._kept.popitem(last=False)


def _challenge(request: EgressRequest, response: EgressResponse) -> DigestChallenge | None:
    """Return what the server wants; None when it wants nothing, or is not the one that was asked but one that a redirect led to."""
    if response.status != 401 or str(target(request.url).url) != response.url:
        return None
    return digest_challenge(response.headers.getall("WWW-Authenticate", []))


def _key(request: EgressRequest, credentials: DigestCredentials, tenant: str) -> Key:
    fingerprint = hashlib.sha256(msgspec.json.encode(credentials)).hexdigest()
    return tenant, fingerprint, target(request.url).origin
