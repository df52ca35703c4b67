"""The signing keys in memory, so that neither signing nor verifying reads the store."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from auth_service.application.ports import SigningKeys
from auth_service.domain.signing_key import KeyUse, SigningKey, published_keys, signing_key
from chassis.clock import Clock
from chassis.errors import Unavailable


@dataclass(slots=True)
class KeyRing:
    """The keys as they were at the last `reload`; which of them counts is asked anew each time."""

    store: SigningKeys
    clock: Clock
    _keys: Sequence[SigningKey] = field(default=())

    async def reload(self) -> Sequence[SigningKey]:
        """Take the keys from the store."""
        self._keys = await self.store.all()
        return self._keys

    def signing(self, use: KeyUse) -> SigningKey:
        """The key that signs now.

        Raises:
            Unavailable: there is none, because rotation has failed for a whole period.
        """
        key = signing_key(use, self._keys, self.clock.now())
        if key is None:
            raise Unavailable("No signing key is current", retry_after=1.0)
        return key

    def verifying(self, use: KeyUse) -> tuple[SigningKey, ...]:
        """The keys whose tokens count now."""
        return published_keys(use, self._keys, self.clock.now())
