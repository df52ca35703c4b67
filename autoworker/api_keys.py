"""API keys: the part of the client that makes and manages them."""

from collections.abc import AsyncIterator, Sequence
from datetime import datetime
from typing import Literal

import msgspec
from msgspec import UNSET, UnsetType

from autoworker.model import Page
from autoworker.places import given, segment
from autoworker.requests import Requests
from autoworker.transport import decoded


class ApiKey(msgspec.Struct, frozen=True):
    """An API key, without its text."""

    id: str
    name: str
    owner: str
    environment: str
    prefix: str
    permissions: list[str]
    created_at: datetime
    updated_at: datetime
    rate_limit: int | None = None
    allowed_ips: list[str] = []
    expires_at: datetime | None = None
    last_used_at: datetime | None = None
    uses: int = 0


class NewApiKey(ApiKey, frozen=True):
    """An API key with its text, which is shown this once."""

    key: str = ""

    def __repr__(self) -> str:
        return f"NewApiKey(id={self.id!r}, name={self.name!r}, key='***')"


class _Changes(msgspec.Struct, frozen=True):
    name: str | UnsetType = UNSET
    permissions: Sequence[str] | UnsetType = UNSET
    rate_limit: int | UnsetType | None = UNSET
    allowed_ips: Sequence[str] | UnsetType = UNSET
    expires_at: datetime | UnsetType | None = UNSET
    password: str = ""


class ApiKeys(Requests):
    """Secrets for programs, which act for whoever made them."""

    async def create_api_key(
        self,
        name: str,
        permissions: Sequence[str],
        *,
        rate_limit: int | None = None,
        allowed_ips: Sequence[str] = (),
        expires_at: datetime | None = None,
        environment: Literal["live", "test"] = "live",
        password: str = "",
    ) -> NewApiKey:
        """Make a key; its text is in `key`, this once.

        Args:
            name: what it is for.
            permissions: what it may do; only what one may do oneself.
            rate_limit: requests per minute, besides one's own limit.
            allowed_ips: addresses and networks (CIDR) that it may be used from; none: everywhere.
            expires_at: when it ends; None: never by itself.
            environment: "test" marks the executions that it starts.
            password: one's own, when the login is longer ago than five minutes.

        Raises:
            InvalidRequest: terms make no sense; each is named.
            PermissionDenied: one does not have these permissions oneself, or the login is too long ago.
            MfaRequired: the second factor is: step up first.
        """
        body = msgspec.json.encode(
            {
                "name": name,
                "permissions": list(permissions),
                "rate_limit": rate_limit,
                "allowed_ips": list(allowed_ips),
                "expires_at": expires_at,
                "environment": environment,
                "password": password,
            }
        )
        _, answer = await self._send("POST", "/v1/api-keys", body)
        return decoded(answer, NewApiKey)

    async def api_key(self, key_id: str) -> ApiKey:
        """One key, without its text.

        Raises:
            NotFound: there is none.
        """
        return await self._get(_place(key_id), ApiKey)

    def api_keys(self, *, everybodys: bool = False) -> AsyncIterator[ApiKey]:
        """One's own keys, newest first, or *everybodys* for administrators."""
        params = given(all="true" if everybodys else "")
        return self._pages("/v1/api-keys", Page[ApiKey], params)

    async def update_api_key(
        self,
        key_id: str,
        *,
        name: str | UnsetType = UNSET,
        permissions: Sequence[str] | UnsetType = UNSET,
        rate_limit: int | UnsetType | None = UNSET,
        allowed_ips: Sequence[str] | UnsetType = UNSET,
        expires_at: datetime | UnsetType | None = UNSET,
        password: str = "",
    ) -> ApiKey:
        """Change what is given; None takes a bound away. *password* as in `create_api_key`.

        Raises:
            NotFound: there is no such key.
        """
        changes = _Changes(name, permissions, rate_limit, allowed_ips, expires_at, password)
        _, answer = await self._send("PATCH", _place(key_id), msgspec.json.encode(changes))
        return decoded(answer, ApiKey)

    async def rotate_api_key(
        self, key_id: str, *, overlap: int = 86_400, password: str = ""
    ) -> NewApiKey:
        """Another text for the key; the one before it stays good for *overlap* seconds.

        *password* as in `create_api_key`.

        Raises:
            NotFound: there is no such key.
        """
        body = msgspec.json.encode({"overlap_seconds": overlap, "password": password})
        _, answer = await self._send("POST", f"{_place(key_id)}/rotate", body)
        return decoded(answer, NewApiKey)

    async def delete_api_key(self, key_id: str) -> None:
        """End a key; it is refused everywhere within a second.

        Raises:
            NotFound: there is no such key.
        """
        await self._send("DELETE", _place(key_id))


def _place(key_id: str) -> str:
    return f"/v1/api-keys/{segment(key_id)}"
