"""What the store keeps of a short code: a keyed tag, since six digits have no secret of their own."""

from dataclasses import dataclass
from typing import Final

from chassis.crypto.key_file import WrappingKeys
from chassis.crypto.sealing import about, derived, same, tag

_PURPOSE: Final = "mfa codes"
_END: Final = b" "


@dataclass(frozen=True, slots=True)
class CodeTags:
    """Makes and compares tags. A tag names its key, so that keys may change meanwhile."""

    keys: WrappingKeys

    def of(self, subject: str, code: str) -> bytes:
        """The tag of *code*, good for *subject* alone."""
        return self._with(self.keys.current, subject, code)

    def matches(self, kept: bytes, subject: str, code: str) -> bool:
        """Whether *kept* is the tag of *code* for *subject*."""
        key_id = kept.partition(_END)[0].decode("ascii", "replace")
        return key_id in self.keys.keys and same(kept, self._with(key_id, subject, code))

    def _with(self, key_id: str, subject: str, code: str) -> bytes:
        key = derived(self.keys.keys[key_id], _PURPOSE)
        return key_id.encode() + _END + tag(key, about(subject, code))
