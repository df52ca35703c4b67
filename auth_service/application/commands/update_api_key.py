"""UpdateApiKey: a key gets other terms, from now on and everywhere."""

from dataclasses import dataclass, replace
from datetime import datetime
from typing import Final

from auth_service.application.actor import Actor
from auth_service.application.key_permissions import KeyPermissions
from auth_service.application.ports import ApiKeys, Audit, Change, RevocationKind
from auth_service.application.recent_authentication import Presence, RecentAuthentication
from auth_service.domain.api_key import ApiKey, KeyTerms, tidied
from auth_service.domain.errors import ApiKeyNotFound, InputInvalid
from auth_service.domain.session import SessionPolicy
from chassis.clock import Clock


class Unchanged:
    """What is not mentioned stays as it is."""


UNCHANGED: Final = Unchanged()


@dataclass(frozen=True, slots=True)
class UpdateApiKey:
    """Change a key of the actor's own."""

    actor: Actor
    presence: Presence
    key_id: str
    name: str | Unchanged = UNCHANGED
    permissions: tuple[str, ...] | Unchanged = UNCHANGED
    rate_limit: int | Unchanged | None = UNCHANGED
    allowed_ips: tuple[str, ...] | Unchanged = UNCHANGED
    expires_at: datetime | Unchanged | None = UNCHANGED

    def applied_to(self, terms: KeyTerms) -> KeyTerms:
        """*terms* with what is mentioned here."""
        given = {
            name: value
            for name in ("name", "permissions", "rate_limit", "allowed_ips", "expires_at")
            if not isinstance(value := getattr(self, name), Unchanged)
        }
        return replace(terms, **given)


@dataclass(frozen=True, slots=True)
class UpdateApiKeyHandler:
    """Raises `ApiKeyNotFound`, `InputInvalid`, `PermissionNotHeld`, or what `RecentAuthentication` raises."""

    keys: ApiKeys
    permissions: KeyPermissions
    recent: RecentAuthentication
    policy: SessionPolicy
    audit: Audit
    clock: Clock

    async def __call__(self, command: UpdateApiKey) -> ApiKey:
        now, actor = self.clock.now(), command.actor
        key = await self.keys.find(actor.tenant, actor.id, command.key_id)
        if key is None:
            raise ApiKeyNotFound
        terms, problems = tidied(command.applied_to(key.terms), now)
        if problems:
            raise InputInvalid(problems)
        if not isinstance(command.permissions, Unchanged):
            await self.permissions.check(actor, terms.permissions)
        await self.recent.require(command.presence)
        change = Change(RevocationKind.KEY, key.id, self.policy.forget_change_at(now))
        if not await self.keys.change(key.id, terms, now, change):
            raise ApiKeyNotFound
        self.audit.record("api_key_updated", tenant=actor.tenant, actor=actor.id, target=key.id)
        return replace(key, terms=terms, updated_at=now)
