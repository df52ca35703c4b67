"""Making the texts of API keys, and recognising them."""

from dataclasses import dataclass
from datetime import datetime

from auth_service.application.ports import Peppered, Peppers, Randomness
from auth_service.domain.api_key import (
    LOOKUP_BYTES,
    SECRET_BYTES,
    Environment,
    KeySecret,
    KeyText,
    made,
)

_PURPOSE = "api-key"


@dataclass(frozen=True, slots=True)
class FreshKey:
    """A text on its way to its holder, and what the store keeps of it."""

    text: KeyText
    secret: KeySecret


@dataclass(frozen=True, slots=True)
class KeySecrets:
    """256 random bits need no slow hash; the pepper makes a stolen store good for nothing at all."""

    peppers: Peppers
    randomness: Randomness

    def fresh(self, environment: Environment, now: datetime) -> FreshKey:
        """A new text, and its hash."""
        lookup = self.randomness.token_bytes(LOOKUP_BYTES)
        text = made(environment, lookup, self.randomness.token_bytes(SECRET_BYTES))
        hashed = self.peppers.hashed(_PURPOSE, text.text)
        return FreshKey(text, KeySecret(text.prefix, hashed.pepper, hashed.digest, now))

    def matches(self, text: KeyText, secret: KeySecret | None) -> bool:
        """Whether *text* is the one; takes as long when there is no such secret at all."""
        known = Peppered(secret.pepper, secret.digest) if secret else None
        return self.peppers.matches(_PURPOSE, text.text, known)
