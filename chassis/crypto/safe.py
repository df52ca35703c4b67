"""Sealing for one purpose under the keys of a file; each sealed text names the key that opens it."""

from dataclasses import dataclass, field
from typing import Final

from chassis.crypto.key_file import WrappingKeys
from chassis.crypto.sealing import IntegrityBroken, about, derived, seal, tag, unseal

_END: Final = b" "


@dataclass(frozen=True, slots=True)
class Safe:
    """Seals under the current key; opens what any key of the file has sealed for this *purpose*."""

    keys: WrappingKeys
    purpose: str
    _derived: dict[tuple[str, str], bytes] = field(default_factory=dict, repr=False, compare=False)

    def seal(self, plain: bytes, *belongs_to: str | int) -> bytes:
        """*plain*, good only for this purpose and what it *belongs_to* (such as tenant and id)."""
        key_id = self.keys.current
        return key_id.encode() + _END + seal(self._key(key_id), plain, about(*belongs_to))

    def unseal(self, sealed: bytes, *belongs_to: str | int) -> bytes:
        """What `seal` was given.

        Raises:
            IntegrityBroken: it was changed or moved, or its key is not in the file any more.
        """
        key_id, _, text = sealed.partition(_END)
        return unseal(self._key(key_id.decode("ascii", "replace")), text, about(*belongs_to))

    def mark(self, plain: bytes) -> str:
        """A name for *plain* that tells nothing to whoever has no key, not even whether a guess is right.

        It is another one when the current key is.
        """
        return tag(self._key(self.keys.current, " names"), plain)[:16].hex()

    def _key(self, key_id: str, use: str = "") -> bytes:
        key = self.keys.keys.get(key_id)
        if key is None:
            raise IntegrityBroken("the key that sealed this is not in the file of keys")
        known = self._derived.get((key_id, use))
        if known is None:
            known = self._derived[key_id, use] = derived(key, self.purpose + use)
        return known
