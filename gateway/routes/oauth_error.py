"""What OAuth's endpoints say when they refuse."""

from msgspec import Struct


class OAuthError(Struct, frozen=True):
    """A refusal as RFC 6749 section 5.2 has it."""

    error: str
    error_description: str
