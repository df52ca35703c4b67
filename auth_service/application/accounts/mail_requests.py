"""How often strangers may have mails sent.

For an account nobody is told when it was too often: that would tell whether there is one. For an
address or a network the caller is told, and waits.
"""

from dataclasses import dataclass

from auth_service.domain.errors import TooManyRequests
from auth_service.domain.session import Origin
from chassis.caching.port import LimitPolicy, Limits


@dataclass(frozen=True, slots=True)
class MailRequestPolicy:
    """How many mails may be asked for in each *window* of seconds."""

    per_account: int = 3
    per_address: int = 20
    per_network: int = 60
    per_tenant: int = 2_000
    window: float = 3_600.0


@dataclass(frozen=True, slots=True)
class MailRequests:
    """Counts requests for mails that anybody may make."""

    limits: Limits
    policy: MailRequestPolicy

    async def admit(self, tenant: str, email_key: str, purpose: str, origin: Origin) -> bool:
        """Whether a mail may go to this account.

        Raises:
            TooManyRequests: too many were asked for from there.
        """
        policy = self.policy
        for key, name, quota in (
            (origin.network, "mail-address", policy.per_address),
            (origin.neighbourhood, "mail-network", policy.per_network),
            (tenant, "mail-tenant", policy.per_tenant),
        ):
            decision = await self.limits.take(key, LimitPolicy(name, quota, policy.window))
            if not decision.allowed:
                raise TooManyRequests(decision.retry_after)
        by_account = LimitPolicy("mail-account", policy.per_account, policy.window)
        account = f"{tenant}:{email_key}:{purpose}"
        return (await self.limits.take(account, by_account)).allowed
