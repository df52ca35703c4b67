"""ExchangeApiKey: an API key becomes a short-lived token for a single service.

What the token says comes from the store: the key's permissions as far as its owner still has them.
"""

from dataclasses import dataclass
from datetime import datetime

from auth_service.application.key_ring import KeyRing
from auth_service.application.key_secrets import KeySecrets
from auth_service.application.ports import ApiKeys, Audit, FoundKey, KeyGrant, Rights, Tokens
from auth_service.application.queries.exchange_token import AUDIENCES
from auth_service.domain.api_key import NOT_FOR_KEYS, ApiKey, read
from auth_service.domain.errors import ApiKeyRefused, InputInvalid
from auth_service.domain.session import SessionPolicy
from auth_service.domain.signing_key import KeyUse
from chassis.clock import Clock
from chassis.errors import FieldProblem
from chassis.ids import Ids


@dataclass(frozen=True, slots=True)
class ExchangeApiKey:
    """Let *actor* act for the holder of *key* at the service *audience*.

    *fresh*: somebody's rights changed a moment ago, so believe nothing that was read before.
    """

    key: str
    audience: str
    actor: str
    address: str
    fresh: bool = False


@dataclass(frozen=True, slots=True)
class ExchangedKey:
    """The token, good for `expires_in` seconds, and the key whose terms its holder is bound to."""

    token: str
    expires_in: int
    key: ApiKey


@dataclass(frozen=True, slots=True)
class ExchangeApiKeyHandler:
    """Raises `ApiKeyRefused`. Never writes."""

    keys: ApiKeys
    secrets: KeySecrets
    rights: Rights
    tokens: Tokens
    ring: KeyRing
    policy: SessionPolicy
    audit: Audit
    clock: Clock
    ids: Ids

    async def __call__(self, query: ExchangeApiKey) -> ExchangedKey:
        if query.audience not in AUDIENCES:
            raise InputInvalid([FieldProblem("audience", "Unknown service")])
        now = self.clock.now()
        try:
            found = await self._proved(query.key)
            expires_at = self._expiry(found, now)
        except ApiKeyRefused as exc:
            self.audit.record(
                "api_key_refused", reason=exc.reason, address=query.address, actor=query.actor
            )
            raise
        grant = KeyGrant(
            id=self.ids.new(),
            user=found.owner,
            key_id=found.key.id,
            environment=found.key.environment,
            permissions=await self._permissions(found, fresh=query.fresh),
            issued_at=now,
            expires_at=expires_at,
        )
        signing = self.ring.signing(KeyUse.INTERNAL)
        token = self.tokens.key_token(signing, grant, audience=query.audience, actor=query.actor)
        return ExchangedKey(token, int((expires_at - now).total_seconds()), found.key)

    async def _proved(self, given: str) -> FoundKey:
        text = read(given)
        if text is None:
            raise ApiKeyRefused("malformed")
        found = await self.keys.find_by_prefix(text.prefix)
        if not self.secrets.matches(text, found.secret if found else None) or found is None:
            raise ApiKeyRefused("unknown")
        if not found.owner.active:
            raise ApiKeyRefused("its owner is deactivated")
        return found

    def _expiry(self, found: FoundKey, now: datetime) -> datetime:
        """When a token must end that is made *now*: never after the key or its text."""
        ends = [found.key.terms.expires_at, found.secret.ends_at]
        expires_at = min([now + self.policy.internal_token, *(end for end in ends if end)])
        # Tokens count in whole seconds.
        if (expires_at - now).total_seconds() < 1.0:
            raise ApiKeyRefused("expired" if found.secret.is_good(now) else "replaced")
        return expires_at

    async def _permissions(self, found: FoundKey, *, fresh: bool) -> list[str]:
        owner = found.owner
        held = await self.rights.permissions_of(owner.tenant, owner.roles, fresh=fresh)
        return sorted((set(held) & set(found.key.terms.permissions)) - NOT_FOR_KEYS)
