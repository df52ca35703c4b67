"""RotateApiKey: a key gets another text, while the one before it stays good for a while."""

from dataclasses import dataclass, replace
from datetime import timedelta

from auth_service.application.actor import Actor
from auth_service.application.commands.create_api_key import NewKeyText
from auth_service.application.key_facts import key_fact
from auth_service.application.key_secrets import KeySecrets
from auth_service.application.ports import ApiKeys, Audit, Change, RevocationKind
from auth_service.application.recent_authentication import Presence, RecentAuthentication
from auth_service.domain.api_key import MAX_OVERLAP
from auth_service.domain.errors import ApiKeyNotFound, InputInvalid
from auth_service.domain.events import FactKind
from auth_service.domain.session import SessionPolicy
from chassis.clock import Clock
from chassis.errors import FieldProblem
from chassis.ids import Ids


@dataclass(frozen=True, slots=True)
class RotateApiKey:
    """Replace the text of a key of the actor's own within *overlap*."""

    actor: Actor
    presence: Presence
    key_id: str
    overlap: timedelta


@dataclass(frozen=True, slots=True)
class RotateApiKeyHandler:
    """Raises `ApiKeyNotFound`, `InputInvalid`, or what `RecentAuthentication` raises.

    At most two texts of a key are ever good.
    """

    keys: ApiKeys
    secrets: KeySecrets
    recent: RecentAuthentication
    policy: SessionPolicy
    audit: Audit
    clock: Clock
    ids: Ids

    async def __call__(self, command: RotateApiKey) -> NewKeyText:
        now, actor = self.clock.now(), command.actor
        if not timedelta(0) <= command.overlap <= MAX_OVERLAP:
            most = int(MAX_OVERLAP.total_seconds())
            raise InputInvalid([FieldProblem("overlap_seconds", f"Must be 0 to {most}")])
        key = await self.keys.find(actor.tenant, actor.id, command.key_id)
        if key is None:
            raise ApiKeyNotFound
        await self.recent.require(command.presence)
        fresh = self.secrets.fresh(key.environment, now)
        change = Change(RevocationKind.KEY, key.id, self.policy.forget_change_at(now))
        event = key_fact(FactKind.API_KEY_ROTATED, key, self.ids.new(), now)
        if not await self.keys.rotate(
            key.id, fresh.secret, overlap_ends=now + command.overlap, change=change, event=event
        ):
            raise ApiKeyNotFound
        self.audit.record("api_key_rotated", tenant=actor.tenant, actor=actor.id, target=key.id)
        return NewKeyText(replace(key, prefix=fresh.text.prefix, updated_at=now), fresh.text)
