"""The server that takes the calls of others."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AsyncExitStack
from functools import partial

from chassis.audit import Audit, SettlingAudit
from chassis.health import Health
from chassis.policies.feed import followed
from chassis.rpc.client import RpcClient
from chassis.rpc.credentials import TokenVerifier, audience_of
from chassis.rpc.decisions import Decisions, Lookup
from chassis.rpc.keys import RemoteKeys
from chassis.rpc.neighbours import neighbour
from chassis.rpc.server import RpcServer
from workflow_service.adapters.auth_keys import fetch_keys
from workflow_service.adapters.policy_feed import policy_feed
from workflow_service.adapters.worker_tokens import WorkerTokens
from workflow_service.bootstrap.outside import SERVICE, Outside
from workflow_service.config import Settings
from workflow_service.entrypoints.grpc_api import GUARDS, READINGS
from workflow_service.entrypoints.schedule_api import GUARDS as SCHEDULE_GUARDS
from workflow_service.entrypoints.schedule_api import READINGS as SCHEDULE_READINGS
from workflow_service.entrypoints.secret_api import GUARDS as SECRET_GUARDS
from workflow_service.entrypoints.secret_api import READINGS as SECRET_READINGS
from workflow_service.entrypoints.worker_api import GUARDS as FUNCTION_GUARDS
from workflow_service.entrypoints.worker_api import WORKERS


def rpc_server(
    settings: Settings,
    outside: Outside,
    health: Health,
    workers: WorkerTokens,
    audit: SettlingAudit,
    auth: RpcClient | None,
    decisions: Decisions | None,
    known: Mapping[str, Lookup],
) -> RpcServer:
    """Return the server, which is not started, and knows whose calls to take.

    Raises:
        CannotStart: the keys cannot be used.
    """
    keys_dir = settings.data_dir / "keys"
    keys = outside.keys
    if keys is None and auth is not None:
        keys = RemoteKeys(partial(fetch_keys, auth), clock=outside.clock)
    return RpcServer(
        service=SERVICE,
        host=settings.grpc_host,
        port=settings.grpc_port,
        verifier=TokenVerifier(audience_of(SERVICE), keys_dir, keys, clock=outside.clock),
        verifiers={WORKERS: workers},
        guards={**GUARDS, **FUNCTION_GUARDS, **SECRET_GUARDS, **SCHEDULE_GUARDS},
        health=health,
        decisions=decisions,
        readings={**READINGS, **SECRET_READINGS, **SCHEDULE_READINGS},
        lookups=known,
        reflection=settings.insecure_dev,
        clock=outside.clock,
        ids=outside.ids,
        audit=audit,
    )


async def auth_client(
    stack: AsyncExitStack, settings: Settings, outside: Outside
) -> RpcClient | None:
    """Return a client of the auth service; None where the keys of users were given from outside.

    Raises:
        CannotStart: the keys cannot be used.
    """
    if outside.keys is not None:
        return None
    return await stack.enter_async_context(
        neighbour(
            "auth",
            caller=SERVICE,
            registry=outside.registry,
            keys_dir=settings.data_dir / "keys",
            clock=outside.clock,
            ids=outside.ids,
        )
    )


async def policies(
    stack: AsyncExitStack, auth: RpcClient | None, outside: Outside, audit: Audit
) -> Decisions | None:
    """Return what policies say, kept up to date; None where there is nobody to ask."""
    if auth is None:
        return None
    return await stack.enter_async_context(followed(policy_feed(auth), outside.clock, audit))
