"""The only file that knows every class of the workflow service."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from functools import partial
from random import Random

from chassis.admin import AdminServer
from chassis.clock import Clock, SystemClock
from chassis.config import SettingsInvalid
from chassis.discovery.port import Registry
from chassis.handlers import wrap
from chassis.health import Health
from chassis.ids import Ids, RandomIds
from chassis.lifecycle import Supervisor
from chassis.messaging.port import Bus
from chassis.rpc.client import RpcClient
from chassis.rpc.credentials import ServiceIdentity, TokenVerifier, audience_of
from chassis.rpc.keys import KeySource, RemoteKeys
from chassis.rpc.server import RpcServer
from workflow_service.adapters.auth_keys import fetch_keys
from workflow_service.adapters.egress import (
    BreakerPolicy,
    EgressClient,
    EgressLimits,
    EntryInvalid,
    GatePolicy,
)
from workflow_service.adapters.functions.loading import FunctionUnusable, load
from workflow_service.adapters.functions.running import LocalFunctions
from workflow_service.adapters.jq_workers import JqWorkers, WorkerLimits
from workflow_service.adapters.own_addresses import OwnAddresses
from workflow_service.adapters.progress import LocalProgress
from workflow_service.adapters.sqlite.lock import sole_owner
from workflow_service.adapters.sqlite.stores import SqliteStores, opened
from workflow_service.adapters.steady_clock import SteadyClock, running_time
from workflow_service.adapters.task_runners.effects import EffectRunner
from workflow_service.adapters.task_runners.functions import EveryRunner
from workflow_service.adapters.task_runners.http import HttpRunner
from workflow_service.adapters.worker_tokens import WorkerTokens
from workflow_service.application.app import Application
from workflow_service.application.assembly import World, assemble
from workflow_service.application.engine.engine import Engine
from workflow_service.application.engine.retention import Sweeper
from workflow_service.application.functions.directory import Directory
from workflow_service.application.functions.dispatch import Dispatcher, DispatchLimits
from workflow_service.application.ports import Runner
from workflow_service.config import Bounds, EgressSettings, Settings
from workflow_service.domain.expressions import Expressions
from workflow_service.entrypoints.event_relay import event_relay, listeners
from workflow_service.entrypoints.grpc_api import GUARDS, serve
from workflow_service.entrypoints.worker_api import GUARDS as FUNCTION_GUARDS
from workflow_service.entrypoints.worker_api import WORKERS, Serving, serve_functions

SERVICE = "workflow"


@dataclass(frozen=True, slots=True)
class Running:
    """The service while it runs; addresses are host:port."""

    rpc_address: str
    admin_address: str
    app: Application
    own_addresses: OwnAddresses
    """What no workflow may call; whoever starts services elsewhere adds them."""


@dataclass(frozen=True, slots=True)
class _Outside:
    """What tests may replace."""

    registry: Registry
    bus: Bus
    clock: Clock
    ids: Ids
    keys: KeySource | None
    runner: Runner | None
    random: Random | None
    steady: Clock
    """By which executions live: it does not jump with the other one."""


@asynccontextmanager
async def running(
    settings: Settings,
    *,
    registry: Registry,
    bus: Bus,
    clock: Clock | None = None,
    ids: Ids | None = None,
    keys: KeySource | None = None,
    runner: Runner | None = None,
    random: Random | None = None,
) -> AsyncIterator[Running]:
    """The workflow service, started; leaving the block drains and stops it.

    Args:
        settings: what the operator decided.
        registry: where it says where it is, and finds its neighbours.
        bus: hears what happens to executions; whoever must not miss anything has subscribed before.
        clock: the machine's by default.
        ids: random by default.
        keys: verify users' tokens; those of auth_service by default.
        runner: performs effects; over the network by default.
        random: of jitter.

    Raises:
        CannotStart: the store, the keys or a port cannot be used, or a setting.
    """
    wall = clock or SystemClock()
    elapsed = running_time if clock is None else None
    steady = SteadyClock(wall, settle=settings.clock_settle, elapsed=elapsed)
    outside = _Outside(registry, bus, wall, ids or RandomIds(), keys, runner, random, steady)
    async with AsyncExitStack() as stack:
        stores = await _stores(stack, settings, outside)
        addresses = OwnAddresses(registry, settings.neighbours)
        functions = _functions(stack, settings, outside, stores)
        rest = runner or await _runner(stack, settings, addresses)
        chosen = EveryRunner(rest, functions.directory, functions.local, functions.dispatcher)
        supervisor = Supervisor()
        engine, app = _assembled(
            stack, settings, outside, stores, chosen, functions.directory, supervisor
        )
        # Entered after what its work uses, so that it is over before that is taken away.
        await stack.enter_async_context(supervisor)
        health = Health()
        health.add("store", stores.check)
        admin = await stack.enter_async_context(
            AdminServer(host=settings.admin_host, port=settings.admin_port, health=health)
        )
        server = await _server(stack, settings, outside, health, functions.tokens)
        serve(server, app)
        serve_functions(server, _serving(settings, outside, functions, supervisor, server))
        rpc = await stack.enter_async_context(server)
        addresses.add(rpc.address)
        addresses.add(admin.address)
        await registry.register(SERVICE, rpc.address)
        stack.push_async_callback(registry.deregister, SERVICE, rpc.address)
        await addresses.refresh()
        engine.start()
        _ = supervisor.start("workflow-store", stores.database.failed())
        _ = supervisor.start("workflow-relay", event_relay(stores.log, bus).run())
        sweeper = Sweeper(stores.retention, outside.steady, days=settings.retention_days)
        _ = supervisor.start("workflow-retention", sweeper.run())
        _ = supervisor.start("workflow-own-addresses", addresses.keep_fresh())
        yield Running(rpc.address, admin.address, app, addresses)


async def _stores(stack: AsyncExitStack, settings: Settings, outside: _Outside) -> SqliteStores:
    path = settings.store_dir / f"{SERVICE}.db"
    stack.enter_context(sole_owner(path))
    wanted = listeners(outside.bus)
    store = opened(path, node=outside.ids.new(), clock=outside.steady, wanted=wanted)
    return await stack.enter_async_context(store)


@dataclass(frozen=True, slots=True)
class _Functions:
    local: LocalFunctions
    dispatcher: Dispatcher
    directory: Directory
    tokens: WorkerTokens


def _functions(
    stack: AsyncExitStack, settings: Settings, outside: _Outside, stores: SqliteStores
) -> _Functions:
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
    return _Functions(local, dispatcher, directory, tokens)


def _serving(
    settings: Settings,
    outside: _Outside,
    functions: _Functions,
    supervisor: Supervisor,
    server: RpcServer,
) -> Serving:
    return Serving(
        directory=functions.directory,
        dispatcher=functions.dispatcher,
        tokens=functions.tokens,
        clock=outside.clock,
        supervisor=supervisor,
        heartbeat_timeout=settings.functions.heartbeat_timeout,
        list_functions=wrap(functions.directory.list, name="list_functions"),
        address=lambda: settings.functions.address or server.address,
    )


async def _runner(stack: AsyncExitStack, settings: Settings, own: OwnAddresses) -> Runner:
    limits = EgressLimits(
        total_timeout=settings.call_timeout,
        max_response_bytes=settings.bounds.response_bytes,
        gate=_gate(settings.egress),
    )
    try:
        client = EgressClient(allow=settings.egress_allow, own_addresses=own, limits=limits)
    except EntryInvalid as exc:
        raise SettingsInvalid([f"AUTOWORKER_EGRESS_ALLOW: {exc}"]) from exc
    return EffectRunner(HttpRunner(await stack.enter_async_context(client)))


def _gate(settings: EgressSettings) -> GatePolicy:
    return GatePolicy(
        concurrency=settings.concurrency,
        waiting=settings.waiting,
        max_wait=settings.max_wait,
        retry_share=settings.retry_share,
        breaker=BreakerPolicy(
            window=settings.breaker_window,
            minimum=settings.breaker_minimum,
            failure_rate=settings.breaker_failure_rate,
            open_for=settings.breaker_open_for,
        ),
    )


def _assembled(
    stack: AsyncExitStack,
    settings: Settings,
    outside: _Outside,
    stores: SqliteStores,
    runner: Runner,
    functions: Directory,
    supervisor: Supervisor,
) -> tuple[Engine, Application]:
    bounds = settings.bounds
    jq = stack.enter_context(JqWorkers(workers=settings.jq_workers, limits=_of_jq(bounds)))
    progress = LocalProgress()
    world = World(
        node=stores.node,
        events=stores.events,
        summaries=stores.summaries,
        inbound=stores.inbound,
        definitions=stores.definitions,
        expressions=Expressions(jq, limits=bounds.expression),
        runner=runner,
        progress=progress,
        clock=outside.steady,
        ids=outside.ids,
        supervisor=supervisor,
        random=outside.random,
        limits=bounds.execution,
        settings=bounds.engine,
        definition_limits=bounds.definition,
        pages=bounds.pages,
        functions=functions,
    )
    engine, app = assemble(world, wrap)
    stack.callback(engine.stop)
    return engine, app


def _of_jq(bounds: Bounds) -> WorkerLimits:
    return WorkerLimits(
        memory=bounds.expression_memory,
        max_output=bounds.expression.max_output,
        # The second line of defence, should a worker not be stopped at its deadline.
        cpu=math.ceil(bounds.expression.deadline) + 1,
    )


async def _server(
    stack: AsyncExitStack,
    settings: Settings,
    outside: _Outside,
    health: Health,
    workers: WorkerTokens,
) -> RpcServer:
    keys_dir = settings.data_dir / "keys"
    keys = outside.keys or await _keys_of_auth(stack, settings, outside)
    return RpcServer(
        service=SERVICE,
        host=settings.grpc_host,
        port=settings.grpc_port,
        verifier=TokenVerifier(audience_of(SERVICE), keys_dir, keys, clock=outside.clock),
        verifiers={WORKERS: workers},
        guards={**GUARDS, **FUNCTION_GUARDS},
        health=health,
        reflection=settings.insecure_dev,
        clock=outside.clock,
        ids=outside.ids,
    )


async def _keys_of_auth(stack: AsyncExitStack, settings: Settings, outside: _Outside) -> KeySource:
    identity = ServiceIdentity.load_or_create(
        settings.data_dir / "keys", SERVICE, clock=outside.clock, ids=outside.ids
    )
    auth = await stack.enter_async_context(
        RpcClient(outside.registry, "auth", identity, clock=outside.clock, ids=outside.ids)
    )
    return RemoteKeys(partial(fetch_keys, auth), clock=outside.clock)
