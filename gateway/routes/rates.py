"""How often one may ask, and the headers that say so.

https://datatracker.ietf.org/doc/draft-ietf-httpapi-ratelimit-headers/ (structured fields form)
"""

from math import ceil
from typing import Final

from multidict import CIMultiDict

from chassis.caching.port import LimitDecision, LimitPolicy, Limits
from chassis.errors import RateLimited
from chassis.telemetry.metrics import counter
from gateway.routes.address import limit_key

_refused = counter(
    "http_rate_limited_total", "Requests refused because of a rate limit", ("policy",)
).child


class Rates:
    """The gateway's rate limits.

    Args:
        limits: counts.
        principal: for everybody who is signed in, each on their own.
        address: for everybody else, per address.
        auth: for what guesses passwords and makes accounts, per address.
    """

    def __init__(
        self, limits: Limits, *, principal: LimitPolicy, address: LimitPolicy, auth: LimitPolicy
    ) -> None:
        self._limits = limits
        self._principal = principal
        self._address = address
        self._auth = auth
        self._policies: Final = {
            policy.name: _described(policy) for policy in (principal, address, auth)
        }

    async def take_principal(
        self, tenant: str, who: str, headers: CIMultiDict[str], *, beside: bool = False
    ) -> None:
        """One request of somebody who is signed in; *beside*: told beside the limit of their key.

        Raises:
            RateLimited: too many.
        """
        await self._take(f"principal:{tenant}:{who}", self._principal, headers, beside=beside)

    async def take_key(self, key_id: str, per_minute: int, headers: CIMultiDict[str]) -> None:
        """One request with an API key that has a limit of its own.

        Raises:
            RateLimited: too many.
        """
        await self._take(f"key:{key_id}", LimitPolicy("key", per_minute, 60.0), headers)

    async def take_address(self, address: str, headers: CIMultiDict[str]) -> None:
        """One request of somebody unknown.

        Raises:
            RateLimited: too many.
        """
        await self._take(f"address:{limit_key(address)}", self._address, headers)

    async def take_auth(self, address: str, headers: CIMultiDict[str]) -> None:
        """One try to register, log in or refresh.

        Raises:
            RateLimited: too many.
        """
        await self._take(f"auth:{limit_key(address)}", self._auth, headers)

    async def _take(
        self, key: str, policy: LimitPolicy, headers: CIMultiDict[str], *, beside: bool = False
    ) -> None:
        decision = await self._limits.take(key, policy)
        described = self._policies.get(policy.name) or _described(policy)
        told = _told(policy, decision)
        headers["RateLimit-Policy"] = _beside(headers, "RateLimit-Policy", described, beside)
        headers["RateLimit"] = _beside(headers, "RateLimit", told, beside)
        if not decision.allowed:
            _refused(policy.name).inc()
            raise RateLimited(
                "Too many requests; slow down", retry_after=max(decision.retry_after, 1.0)
            )


def _beside(headers: CIMultiDict[str], name: str, item: str, beside: bool) -> str:
    return f"{headers[name]}, {item}" if beside else item


def _described(policy: LimitPolicy) -> str:
    return f'"{policy.name}";q={policy.quota};w={ceil(policy.window)}'


def _told(policy: LimitPolicy, decision: LimitDecision) -> str:
    return f'"{policy.name}";r={max(int(decision.remaining), 0)};t={ceil(decision.reset)}'
