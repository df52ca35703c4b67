"""Served functions put together."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass

from chassis.audit import Audit
from chassis.config import SettingsInvalid
from chassis.handlers import wrap
from chassis.lifecycle import Supervisor
from chassis.rpc.credentials import ServiceIdentity
from chassis.rpc.server import RpcServer
from workflow_service.adapters.functions.loading import FunctionUnusable, load
from workflow_service.adapters.functions.running import LocalFunctions
from workflow_service.adapters.worker_tokens import WorkerTokens
from workflow_service.application.functions.directory import Directory
from workflow_service.application.functions.dispatch import Dispatcher, DispatchLimits
from workflow_service.bootstrap.outside import SERVICE, Outside
from workflow_service.bootstrap.stores import Stores
from workflow_service.config import Settings
from workflow_service.entrypoints.worker_api import Serving


@dataclass(frozen=True, slots=True)
class Functions:
    """What serves functions: those of the operator, and those of workers."""

    local: LocalFunctions
    dispatcher: Dispatcher
    directory: Directory
    tokens: WorkerTokens


def functions(
    stack: AsyncExitStack, settings: Settings, outside: Outside, stores: Stores
) -> Functions:
    """Return what serves functions.

    Raises:
        SettingsInvalid: a function of the operator cannot be loaded.
    """
    chosen = settings.functions
    try:
        loaded = load(chosen.served)
    except FunctionUnusable as exc:
        raise SettingsInvalid([f"AUTOWORKER_FUNCTIONS: {exc}"]) from exc
    local = LocalFunctions(loaded, at_once=chosen.at_once, threads=chosen.threads)
    stack.callback(local.close)
    dispatcher = Dispatcher(outside.ids, DispatchLimits(waiting=chosen.waiting))
    names = [each.function for each in loaded]
    directory = Directory(names, stores.functions, dispatcher, outside.clock)
    identity = ServiceIdentity.load_or_create(
        settings.data_dir / "keys", SERVICE, clock=outside.clock, ids=outside.ids
    )
    tokens = WorkerTokens(identity, outside.clock, outside.ids)
    return Functions(local, dispatcher, directory, tokens)


def serving(
    settings: Settings,
    outside: Outside,
    made: Functions,
    supervisor: Supervisor,
    server: RpcServer,
    audit: Audit,
) -> Serving:
    """Return what the calls of workers need."""
    return Serving(
        directory=made.directory,
        dispatcher=made.dispatcher,
        tokens=made.tokens,
        clock=outside.clock,
        supervisor=supervisor,
        heartbeat_timeout=settings.functions.heartbeat_timeout,
        list_functions=wrap(made.directory.list, name="list_functions"),
        address=lambda: settings.functions.address or server.address,
        audit=audit,
    )
