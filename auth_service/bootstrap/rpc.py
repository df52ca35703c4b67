"""What can be called over gRPC, and by whom."""

from auth_service.application.app import Application
from auth_service.application.queries.get_keys import GetKeys
from auth_service.bootstrap.foundation import World
from auth_service.config import Settings
from auth_service.domain.signing_key import KeyUse
from auth_service.entrypoints import (
    account_api,
    api_key_api,
    audit_api,
    grpc_api,
    mfa_api,
    oauth_api,
    oauth_clients_api,
    policies_api,
    roles_api,
    user_api,
)
from chassis.audit import SettlingAudit
from chassis.health import Health
from chassis.rpc.credentials import TokenVerifier, audience_of
from chassis.rpc.decisions import Decisions
from chassis.rpc.keys import RemoteKeys
from chassis.rpc.server import Guard, RpcServer

SERVICE = "auth"

_APIS = (
    grpc_api,
    account_api,
    user_api,
    api_key_api,
    roles_api,
    policies_api,
    audit_api,
    oauth_api,
    oauth_clients_api,
    mfa_api,
)
"""Each has `GUARDS`, who may call what, and `serve(server, app)`."""


def rpc_server(
    settings: Settings,
    app: Application,
    world: World,
    health: Health,
    decisions: Decisions,
    audit: SettlingAudit | None = None,
) -> RpcServer:
    """A server of everything that *app* can do, not yet started; *audit* is told who is not let in."""

    async def internal_keys() -> bytes:
        return await app.queries.get_keys(GetKeys((KeyUse.INTERNAL,)))

    server = RpcServer(
        service=SERVICE,
        host=settings.grpc_host,
        port=settings.grpc_port,
        verifier=TokenVerifier(
            audience_of(SERVICE),
            settings.data_dir / "keys",
            RemoteKeys(internal_keys, clock=world.clock),
            clock=world.clock,
        ),
        guards=_guards(),
        decisions=decisions,
        readings=roles_api.READINGS,
        health=health,
        clock=world.clock,
        ids=world.ids,
        audit=audit,
    )
    for api in _APIS:
        api.serve(server, app)
    return server


def _guards() -> dict[str, Guard]:
    return {method: guard for api in _APIS for method, guard in api.GUARDS.items()}
