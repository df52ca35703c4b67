"""Looking at clients."""

from collections.abc import Sequence
from dataclasses import dataclass

from auth_service.application.commands.oauth.manage_clients import client_of
from auth_service.application.ports.oauth import (
    OAuthClients,
)
from auth_service.domain.oauth.client import Client


@dataclass(frozen=True, slots=True)
class GetClient:
    """One client of the tenant."""

    tenant: str
    client_id: str


@dataclass(frozen=True, slots=True)
class ListClients:
    """The tenant's clients whose ids are behind *after*."""

    tenant: str
    after: str
    limit: int


@dataclass(frozen=True, slots=True)
class GetClientHandler:
    """Raises `ClientNotFound`."""

    clients: OAuthClients

    async def __call__(self, query: GetClient) -> Client:
        return await client_of(self.clients, query.tenant, query.client_id)


@dataclass(frozen=True, slots=True)
class ListClientsHandler:
    """By id, which is by time of registration."""

    clients: OAuthClients

    async def __call__(self, query: ListClients) -> Sequence[Client]:
        return await self.clients.page(query.tenant, after=query.after, limit=query.limit)
