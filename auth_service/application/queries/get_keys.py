"""GetKeys: what others need to verify our tokens."""

from dataclasses import dataclass

from auth_service.application.key_ring import KeyRing
from auth_service.application.ports import Tokens
from auth_service.domain.signing_key import KeyUse


@dataclass(frozen=True, slots=True)
class GetKeys:
    """The public keys of some uses: next, current, and retired ones that still count."""

    uses: tuple[KeyUse, ...]


@dataclass(frozen=True, slots=True)
class GetKeysHandler:
    """Answers from memory."""

    ring: KeyRing
    tokens: Tokens

    async def __call__(self, query: GetKeys) -> bytes:
        return self.tokens.key_set([key for use in query.uses for key in self.ring.verifying(use)])
