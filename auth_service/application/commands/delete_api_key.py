"""DeleteApiKey: a key is dead, everywhere."""

from dataclasses import dataclass

from auth_service.application.actor import Actor
from auth_service.application.ports import ApiKeys, Audit, Change, RevocationKind
from auth_service.domain.errors import ApiKeyNotFound
from auth_service.domain.session import SessionPolicy
from chassis.clock import Clock


@dataclass(frozen=True, slots=True)
class DeleteApiKey:
    """End a key of the actor's own; with *anybodys*, whoever's in the tenant."""

    actor: Actor
    key_id: str
    anybodys: bool


@dataclass(frozen=True, slots=True)
class DeleteApiKeyHandler:
    """Raises `ApiKeyNotFound`. Returns when it is durable; gateways hear of it within a second."""

    keys: ApiKeys
    policy: SessionPolicy
    audit: Audit
    clock: Clock

    async def __call__(self, command: DeleteApiKey) -> None:
        now, actor = self.clock.now(), command.actor
        # As long as a session's end: streams that were opened with the key are to hear of it, too.
        forget_at = self.policy.forget_revocation_at(now)
        change = Change(RevocationKind.KEY, command.key_id, forget_at)
        owner = None if command.anybodys else actor.id
        if not await self.keys.delete(actor.tenant, owner, command.key_id, change):
            raise ApiKeyNotFound
        self.audit.record(
            "api_key_deleted", tenant=actor.tenant, actor=actor.id, target=command.key_id
        )
