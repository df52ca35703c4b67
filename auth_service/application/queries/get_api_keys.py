"""GetApiKey and ListApiKeys: what keys there are, never their texts."""

from dataclasses import dataclass

from auth_service.application.ports import ApiKeys, KeyPage
from auth_service.domain.api_key import ApiKey
from auth_service.domain.errors import ApiKeyNotFound


@dataclass(frozen=True, slots=True)
class GetApiKey:
    """One key of *owner*; None: of anybody in the tenant."""

    tenant: str
    owner: str | None
    key_id: str


@dataclass(frozen=True, slots=True)
class GetApiKeyHandler:
    """Raises `ApiKeyNotFound`."""

    keys: ApiKeys

    async def __call__(self, query: GetApiKey) -> ApiKey:
        key = await self.keys.find(query.tenant, query.owner, query.key_id)
        if key is None:
            raise ApiKeyNotFound
        return key


@dataclass(frozen=True, slots=True)
class ListApiKeys:
    """The keys of *owner*, newest first; None: those of the whole tenant."""

    tenant: str
    owner: str | None
    limit: int
    cursor: str | None


@dataclass(frozen=True, slots=True)
class ListApiKeysHandler:
    """A page of them."""

    keys: ApiKeys

    async def __call__(self, query: ListApiKeys) -> KeyPage:
        return await self.keys.list(
            query.tenant, query.owner, limit=query.limit, cursor=query.cursor
        )
