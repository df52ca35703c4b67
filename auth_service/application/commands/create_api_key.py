"""CreateApiKey: a user gets a secret for a program that acts for them."""

from dataclasses import dataclass

from auth_service.application.actor import Actor
from auth_service.application.key_facts import key_fact
from auth_service.application.key_permissions import KeyPermissions
from auth_service.application.key_secrets import KeySecrets
from auth_service.application.ports import ApiKeys, Audit
from auth_service.application.recent_authentication import Presence, RecentAuthentication
from auth_service.domain.api_key import ApiKey, Environment, KeyTerms, KeyText, tidied
from auth_service.domain.errors import InputInvalid, TooManyApiKeys
from auth_service.domain.events import FactKind
from chassis.clock import Clock
from chassis.ids import Ids


@dataclass(frozen=True, slots=True)
class CreateApiKey:
    """Make a key of the actor's own."""

    actor: Actor
    presence: Presence
    environment: Environment
    terms: KeyTerms


@dataclass(frozen=True, slots=True)
class NewKeyText:
    """A key with its text, which is shown this once."""

    key: ApiKey
    text: KeyText


@dataclass(frozen=True, slots=True)
class CreateApiKeyHandler:
    """Raises `InputInvalid`, `PermissionNotHeld`, `TooManyApiKeys`, or what `RecentAuthentication` raises."""

    keys: ApiKeys
    secrets: KeySecrets
    permissions: KeyPermissions
    recent: RecentAuthentication
    most: int
    audit: Audit
    clock: Clock
    ids: Ids

    async def __call__(self, command: CreateApiKey) -> NewKeyText:
        now, actor = self.clock.now(), command.actor
        terms, problems = tidied(command.terms, now)
        if problems:
            raise InputInvalid(problems)
        await self.permissions.check(actor, terms.permissions)
        await self.recent.require(command.presence)
        fresh = self.secrets.fresh(command.environment, now)
        key = ApiKey(
            id=self.ids.new(),
            tenant=actor.tenant,
            owner=actor.id,
            environment=command.environment,
            terms=terms,
            prefix=fresh.text.prefix,
            created_at=now,
            updated_at=now,
        )
        event = key_fact(FactKind.API_KEY_CREATED, key, self.ids.new(), now)
        if not await self.keys.add(key, fresh.secret, most=self.most, event=event):
            raise TooManyApiKeys(self.most)
        self.audit.record("api_key_created", tenant=actor.tenant, actor=actor.id, target=key.id)
        return NewKeyText(key, fresh.text)
