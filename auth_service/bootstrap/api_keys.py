"""API keys, put together."""

from auth_service.application.commands.create_api_key import CreateApiKeyHandler
from auth_service.application.commands.delete_api_key import DeleteApiKeyHandler
from auth_service.application.commands.record_key_uses import RecordKeyUsesHandler
from auth_service.application.commands.rotate_api_key import RotateApiKeyHandler
from auth_service.application.commands.update_api_key import UpdateApiKeyHandler
from auth_service.application.groups.api_keys import ApiKeyCases
from auth_service.application.key_permissions import KeyPermissions
from auth_service.application.key_secrets import KeySecrets
from auth_service.application.queries.exchange_api_key import ExchangeApiKeyHandler
from auth_service.application.queries.get_api_keys import GetApiKeyHandler, ListApiKeysHandler
from auth_service.bootstrap.foundation import Foundation
from chassis.handlers import wrap


def api_keys(base: Foundation) -> ApiKeyCases:
    """Everything about API keys."""
    keys, policy, world = base.stores.api_keys, base.settings.sessions, base.world
    audit, clock, ids = world.audit, world.clock, world.ids
    secrets = KeySecrets(base.peppers, base.randomness)
    permissions = KeyPermissions(base.stores.users, base.rights)
    most = base.settings.api_keys_per_user
    create = CreateApiKeyHandler(keys, secrets, permissions, base.presence, most, audit, clock, ids)
    update = UpdateApiKeyHandler(keys, permissions, base.presence, policy, audit, clock)
    rotate = RotateApiKeyHandler(keys, secrets, base.presence, policy, audit, clock, ids)
    delete = DeleteApiKeyHandler(keys, policy, audit, clock)
    exchange = ExchangeApiKeyHandler(
        keys, secrets, base.rights, base.tokens, base.ring, policy, audit, clock, ids
    )
    return ApiKeyCases(
        create=wrap(create, name="auth.create_api_key"),
        update=wrap(update, name="auth.update_api_key"),
        rotate=wrap(rotate, name="auth.rotate_api_key"),
        delete=wrap(delete, name="auth.delete_api_key"),
        record_uses=wrap(RecordKeyUsesHandler(keys), name="auth.record_key_uses"),
        get=wrap(GetApiKeyHandler(keys), name="auth.get_api_key"),
        list=wrap(ListApiKeysHandler(keys), name="auth.list_api_keys"),
        exchange=wrap(exchange, name="auth.exchange_api_key"),
    )
