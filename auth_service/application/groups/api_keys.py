"""API keys."""

from dataclasses import dataclass

from auth_service.application.commands.create_api_key import CreateApiKey, NewKeyText
from auth_service.application.commands.delete_api_key import DeleteApiKey
from auth_service.application.commands.record_key_uses import RecordKeyUses
from auth_service.application.commands.rotate_api_key import RotateApiKey
from auth_service.application.commands.update_api_key import UpdateApiKey
from auth_service.application.ports import KeyPage
from auth_service.application.queries.exchange_api_key import ExchangeApiKey, ExchangedKey
from auth_service.application.queries.get_api_keys import GetApiKey, ListApiKeys
from auth_service.application.use_case import UseCase
from auth_service.domain.api_key import ApiKey


@dataclass(frozen=True, slots=True)
class ApiKeyCases:
    """Secrets for programs, which act for the user who made them."""

    create: UseCase[CreateApiKey, NewKeyText]
    update: UseCase[UpdateApiKey, ApiKey]
    rotate: UseCase[RotateApiKey, NewKeyText]
    delete: UseCase[DeleteApiKey, None]
    record_uses: UseCase[RecordKeyUses, None]
    get: UseCase[GetApiKey, ApiKey]
    list: UseCase[ListApiKeys, KeyPage]
    exchange: UseCase[ExchangeApiKey, ExchangedKey]
