"""Private halves of signing keys at rest: sealed, each for its own row."""

from dataclasses import replace

from auth_service.adapters.times import micros
from auth_service.application.ports import SigningKeys
from auth_service.domain.signing_key import SigningKey
from chassis.crypto.sealing import IntegrityBroken, about, derived, seal, unseal
from chassis.errors import CannotStart, Unavailable


class SigningKeysUnusable(Unavailable):
    """A signing key cannot be opened: its row was changed, or is another one's."""

    def __init__(self, kid: str) -> None:
        super().__init__(f"the signing key {kid} does not prove itself (integrity): restore it")


class KeySeal:
    """Seals what signs; a sealed key has ciphertext for its `private_pem`.

    Args:
        key: the store's own; what seals is derived from it.
    """

    def __init__(self, key: bytes) -> None:
        self._key = derived(key, "autoworker signing keys, sealing, 1")

    def sealed(self, key: SigningKey) -> SigningKey:
        """*key* as a store may have it."""
        return replace(key, private_pem=seal(self._key, key.private_pem, _belongs_to(key)))

    def opened(self, key: SigningKey) -> SigningKey:
        """The inverse.

        Raises:
            SigningKeysUnusable: it is not as it was sealed.
        """
        try:
            private_pem = unseal(self._key, key.private_pem, _belongs_to(key))
        except IntegrityBroken as exc:
            raise SigningKeysUnusable(key.kid) from exc
        return replace(key, private_pem=private_pem)


async def prove_all(keys: SigningKeys) -> None:
    """Open every key once.

    Raises:
        CannotStart: one cannot be opened.
    """
    try:
        await keys.all()
    except SigningKeysUnusable as exc:
        raise CannotStart(exc.message) from exc


def _belongs_to(key: SigningKey) -> bytes:
    """All else of the row: nobody can have a key live longer, or sign for another use."""
    times = (micros(key.activates_at), micros(key.retires_at), micros(key.expires_at))
    name = (key.kid, key.use.value, key.follows)
    return about("", "signing_keys", *name, *times, "private_pem", 1)
