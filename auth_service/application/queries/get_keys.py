"""GetKeys: what others need to verify our tokens."""

from dataclasses import dataclass

from auth_service.application.key_ring import KeyRing
from auth_service.application.ports import Tokens
from auth_service.domain.signing_key import KeyUse


@dataclass(frozen=True, slots=True)
class GetKeys:
    """The public keys of one use: next, current, and retired ones that still count."""

    use: KeyUse


@dataclass(frozen=True, slots=True)
class GetKeysHandler:
    """Answers from memory."""

    ring: KeyRing
    tokens: Tokens

    async def __call__(self, query: GetKeys) -> bytes:
        return self.tokens.key_set(self.ring.verifying(query.use))
