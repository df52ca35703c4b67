"""API keys: managed by their owners, exchanged when they are used, and counted."""

from datetime import datetime
from typing import Literal, Protocol

from msgspec import UNSET, Struct, UnsetType

from gateway.ports.common import Caller, Confirmation, Page, PageRequest, Service

Environment = Literal["live", "test"]


class ApiKey(Struct, frozen=True):
    """A key, without its text."""

    id: str
    name: str
    owner: str
    environment: Environment
    prefix: str
    """How its newest text begins."""
    permissions: list[str]
    rate_limit: int | None
    """Requests per minute; null: as many as its owner."""
    allowed_ips: list[str]
    """Networks that it may be used from; none: from everywhere."""
    expires_at: datetime | None
    created_at: datetime | None
    updated_at: datetime | None
    last_used_at: datetime | None
    """Some seconds late at the most."""
    uses: int


class NewApiKey(ApiKey, frozen=True):
    """A key with its text, which is shown this once."""

    key: str


class WantedKey(Struct, frozen=True):
    """What a new key is to be."""

    name: str
    permissions: list[str]
    rate_limit: int | None
    allowed_ips: list[str]
    expires_at: datetime | None
    environment: Environment


class KeyChanges(Struct, frozen=True):
    """What is to change of a key; what is unset stays."""

    name: str | UnsetType = UNSET
    permissions: list[str] | UnsetType = UNSET
    rate_limit: int | UnsetType | None = UNSET
    allowed_ips: list[str] | UnsetType = UNSET
    expires_at: datetime | UnsetType | None = UNSET


class ApiKeys(Protocol):
    """The caller's keys; administrators see and end everybody's."""

    async def create_key(
        self, caller: Caller, wanted: WantedKey, confirmation: Confirmation
    ) -> NewApiKey:
        """Make a key.

        Raises:
            MfaRequired: the caller must prove again who they are.
            Invalid: terms make no sense; each is named.
            PermissionDenied: it would have permissions that the caller does not have.
            Conflict: the caller has as many as there may be.
        """

    async def key(self, caller: Caller, key_id: str) -> ApiKey:
        """One key."""

    async def keys(self, caller: Caller, page: PageRequest, *, everybodys: bool) -> Page[ApiKey]:
        """The caller's keys, newest first, or everybody's."""

    async def update_key(
        self, caller: Caller, key_id: str, changes: KeyChanges, confirmation: Confirmation
    ) -> ApiKey:
        """Change a key, for whoever holds it, at once."""

    async def rotate_key(
        self, caller: Caller, key_id: str, overlap: int, confirmation: Confirmation
    ) -> NewApiKey:
        """Another text; the one before it stays good for *overlap* seconds."""

    async def delete_key(self, caller: Caller, key_id: str) -> None:
        """End a key; it is dead."""


class KeyGatekeeper(Protocol):
    """Decides who a holder of an API key is."""

    def has_seen(self, api_key: str) -> bool:
        """Whether the key was good a moment ago: checking it again is cheap."""

    async def admit(self, api_key: str, service: Service, address: str) -> Caller:
        """Verify the key; the caller's credential is for *service*. Never writes.

        The caller is bound to `Caller.key`, which is for whoever calls this to enforce.

        Raises:
            Unauthenticated: not a living key of ours.
            Unavailable: whether it lives cannot be known just now.
        """


class KeyUses(Protocol):
    """Counts how often keys are used."""

    def note(self, key_id: str) -> None:
        """The key was used, just now."""
