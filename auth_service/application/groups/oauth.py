"""OAuth 2.1 and OpenID Connect: clients, and the endpoints of the protocol."""

from collections.abc import Sequence
from dataclasses import dataclass

from auth_service.application.commands.oauth.manage_clients import (
    DeleteClient,
    RotateClientSecret,
    UpdateClient,
)
from auth_service.application.commands.oauth.register_client import (
    RegisterClient,
    RegisteredClient,
)
from auth_service.application.commands.oauth.withdraw_consent import (
    ListConsents,
    WithdrawConsent,
)
from auth_service.application.oauth.answers import Answer, Asked
from auth_service.application.oauth.browsing import Reaction, Visit
from auth_service.application.ports.oauth import Consent
from auth_service.application.queries.oauth.clients import GetClient, ListClients
from auth_service.application.queries.oauth.metadata import GetMetadata
from auth_service.application.use_case import UseCase
from auth_service.domain.oauth.client import Client


@dataclass(frozen=True, slots=True)
class ClientUseCases:
    """What administrators do with clients."""

    register: UseCase[RegisterClient, RegisteredClient]
    update: UseCase[UpdateClient, Client]
    delete: UseCase[DeleteClient, None]
    rotate_secret: UseCase[RotateClientSecret, RegisteredClient]
    get: UseCase[GetClient, Client]
    list: UseCase[ListClients, Sequence[Client]]


@dataclass(frozen=True, slots=True)
class EndpointUseCases:
    """What clients ask."""

    token: UseCase[Asked, Answer]
    revocation: UseCase[Asked, Answer]
    introspection: UseCase[Asked, Answer]
    pushed_authorization: UseCase[Asked, Answer]
    device_authorization: UseCase[Asked, Answer]
    userinfo: UseCase[Asked, Answer]


@dataclass(frozen=True, slots=True)
class PageUseCases:
    """What browsers ask."""

    authorize: UseCase[Visit, Reaction]
    show: UseCase[Visit, Reaction]
    submit: UseCase[Visit, Reaction]
    show_device: UseCase[Visit, Reaction]
    submit_device: UseCase[Visit, Reaction]
    end_session: UseCase[Visit, Reaction]
    confirm_end_session: UseCase[Visit, Reaction]


@dataclass(frozen=True, slots=True)
class OAuthUseCases:
    """Everything about OAuth."""

    clients: ClientUseCases
    endpoints: EndpointUseCases
    pages: PageUseCases
    metadata: UseCase[GetMetadata, bytes]
    list_consents: UseCase[ListConsents, Sequence[Consent]]
    withdraw_consent: UseCase[WithdrawConsent, None]
