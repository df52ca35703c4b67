"""The parameters of a protocol request, each at most once (RFC 6749 section 3.1)."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from auth_service.domain.oauth.errors import Code, OAuthRefused

MAX_VALUE: Final = 8192
"""Characters of one value; a client assertion is the longest there is."""


@dataclass(frozen=True, slots=True)
class Parameters:
    """What was sent, by name. An empty value counts as none."""

    values: Mapping[str, str]
    repeated: tuple[str, ...] = ()
    """Names that came more than once. Of these none counts."""

    @classmethod
    def of(cls, pairs: Sequence[tuple[str, str]]) -> "Parameters":
        """The parameters in *pairs*."""
        counted = Counter(name for name, _ in pairs)
        repeated = tuple(sorted(name for name, count in counted.items() if count > 1))
        values = {name: value for name, value in pairs if value and counted[name] == 1}
        return cls(values, repeated)

    def get(self, name: str) -> str:
        """The value, "" when there is none."""
        return self.values.get(name, "")

    def require(self, name: str) -> str:
        """The value.

        Raises:
            OAuthRefused: there is none.
        """
        value = self.get(name)
        if not value:
            raise OAuthRefused(Code.INVALID_REQUEST, f"The parameter {name} is missing")
        return value

    def check(self) -> None:
        """Refuse repetitions and monsters.

        Raises:
            OAuthRefused: naming the first.
        """
        if self.repeated:
            raise OAuthRefused(
                Code.INVALID_REQUEST, f"The parameter {shown(self.repeated[0])} came more than once"
            )
        for name, value in self.values.items():
            if len(value) > MAX_VALUE:
                raise OAuthRefused(Code.INVALID_REQUEST, f"The parameter {shown(name)} is too long")


def shown(text: str) -> str:
    """*text* as it may stand in a description, which knows some of ASCII only (RFC 6749 A.8)."""
    kept = "".join(c for c in text if " " <= c <= "~" and c not in '"\\')
    return kept[:60]
