"""Peppers out of the service's keys."""

from auth_service.application.ports import Peppered
from chassis.crypto.key_file import WrappingKeys
from chassis.crypto.sealing import derived, same, tag


class KeyPeppers:
    """The port `Peppers`; the current key is for new hashes, older ones stay good."""

    def __init__(self, keys: WrappingKeys) -> None:
        self._keys = keys
        self._derived: dict[tuple[str, str], bytes] = {}

    def hashed(self, purpose: str, text: str) -> Peppered:
        """See the port."""
        return Peppered(self._keys.current, self._digest(self._keys.current, purpose, text))

    def matches(self, purpose: str, text: str, known: Peppered | None) -> bool:
        """See the port."""
        if known is None or known.pepper not in self._keys.keys:
            return same(self._digest(self._keys.current, purpose, text), b"")
        return same(self._digest(known.pepper, purpose, text), known.digest)

    def _digest(self, pepper: str, purpose: str, text: str) -> bytes:
        key = self._derived.get((pepper, purpose))
        if key is None:
            key = self._derived[pepper, purpose] = derived(self._keys.keys[pepper], purpose)
        return tag(key, text.encode())
