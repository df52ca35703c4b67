"""The only place that knows every class of the workflow service."""

from __future__ import annotations

import math
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass
from random import Random

from chassis.admin import AdminServer
from chassis.audit import SettlingAudit
from chassis.audit.service import ServiceAudit
from chassis.clock import Clock, SystemClock
from chassis.discovery.port import Registry
from chassis.discovery.registering import registered
from chassis.handlers import wrap
from chassis.health import Health
from chassis.ids import Ids, RandomIds
from chassis.lifecycle import Supervisor
from chassis.messaging.port import Bus
from chassis.rpc.client import RpcClient
from chassis.rpc.keys import KeySource
from workflow_service.adapters.audit_sender import audit_sender
from workflow_service.adapters.audited_runner import AuditedRunner
from workflow_service.adapters.jq_workers import JqWorkers, WorkerLimits
from workflow_service.adapters.own_addresses import OwnAddresses
from workflow_service.adapters.progress import LocalProgress, SharedProgress
from workflow_service.adapters.sqlite.stores import SqliteStores
from workflow_service.adapters.steady_clock import SteadyClock, running_time
from workflow_service.adapters.task_runners.functions import EveryRunner
from workflow_service.adapters.work_queues import WorkQueues
from workflow_service.application.app import Application
from workflow_service.application.assembly import Assembled, World, assemble
from workflow_service.application.engine.retention import Sweeper
from workflow_service.application.event_ports import EventPorts
from workflow_service.application.functions.directory import Directory
from workflow_service.application.pinning import Pinning
from workflow_service.application.ports import Alone, Runner
from workflow_service.bootstrap.caches import shared_caches
from workflow_service.bootstrap.functions import Functions, functions, serving
from workflow_service.bootstrap.nudges import shared_progress
from workflow_service.bootstrap.outside import SERVICE, Outside
from workflow_service.bootstrap.rpc import auth_client, policies, rpc_server
from workflow_service.bootstrap.runners import Performers, performers
from workflow_service.bootstrap.stores import Stores, keep, opened, work_queues
from workflow_service.bootstrap.vault import Vaulted, vaulted
from workflow_service.config import Bounds, Settings
from workflow_service.domain.execution.commands import Wake
from workflow_service.domain.expressions import Expressions
from workflow_service.entrypoints import bus_intake
from workflow_service.entrypoints.event_relay import event_relay, expect_listeners
from workflow_service.entrypoints.grpc_api import serve
from workflow_service.entrypoints.lookups import lookups
from workflow_service.entrypoints.schedule_api import serve_schedules
from workflow_service.entrypoints.secret_api import serve_secrets
from workflow_service.entrypoints.worker_api import serve_functions

_COUNTED = frozenset({"secrets_used"})
"""What every call may tell: the audit trail has their number when there are many."""


@dataclass(frozen=True, slots=True)
class Running:
    """The service while it runs; addresses are host:port."""

    rpc_address: str
    admin_address: str
    app: Application
    own_addresses: OwnAddresses
    """What no workflow may call; whoever starts services elsewhere adds them."""


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
    outside = Outside(registry, bus, wall, ids or RandomIds(), keys, runner, random, steady)
    async with AsyncExitStack() as stack:
        parts = await _parts(stack, settings, outside)
        # Entered after what its work uses, so that it is over before that is taken away.
        await stack.enter_async_context(parts.supervisor)
        stack.callback(parts.made.engine.drain)
        started = await _reachable(stack, settings, outside, parts)
        _begin(settings, outside, parts)
        stack.push_async_callback(bus_intake.leave, bus)
        if parts.work is not None:
            stack.push_async_callback(parts.work.leave)
        yield started


@dataclass(frozen=True, slots=True)
class _Parts:
    """What the service is made of, before anybody can reach it."""

    stores: Stores
    addresses: OwnAddresses
    functions: Functions
    secrets: Vaulted
    audited: ServiceAudit
    auth: RpcClient | None
    supervisor: Supervisor
    world: Performers
    made: Assembled
    work: WorkQueues | None


async def _parts(stack: AsyncExitStack, settings: Settings, outside: Outside) -> _Parts:
    stores = await stack.enter_async_context(opened(settings, outside))
    addresses = OwnAddresses(outside.registry, settings.neighbours)
    served = functions(stack, settings, outside, stores)
    audited = ServiceAudit.of(
        SERVICE, stores.database, counted=_COUNTED, clock=outside.clock, ids=outside.ids
    )
    auth = await auth_client(stack, settings, outside)
    secrets = vaulted(settings, stores, outside.clock, audited.recorder)
    supervisor = Supervisor()
    caches = await stack.enter_async_context(shared_caches(settings, outside.clock))
    world = await performers(stack, settings, addresses, supervisor, outside.steady, caches)
    runner = EveryRunner(
        outside.runner or world.runner, served.directory, served.local, served.dispatcher
    )
    chosen = AuditedRunner(secrets.around(runner), audited.recorder)
    work = work_queues(stores, outside)
    made = _assembled(
        stack,
        settings,
        outside,
        stores,
        chosen,
        served.directory,
        supervisor,
        secrets,
        world.pinning,
        audited.recorder,
        work,
    )
    return _Parts(stores, addresses, served, secrets, audited, auth, supervisor, world, made, work)


async def _reachable(
    stack: AsyncExitStack, settings: Settings, outside: Outside, parts: _Parts
) -> Running:
    """Take calls, and let others know where."""
    health = Health(store=parts.stores.check, bus=outside.bus.check)
    admin = await stack.enter_async_context(
        AdminServer(host=settings.admin_host, port=settings.admin_port, health=health)
    )
    audit, auth = parts.audited.recorder, parts.auth
    decisions = await policies(stack, auth, outside, audit)
    known = lookups(parts.made.app)
    tokens = parts.functions.tokens
    server = rpc_server(settings, outside, health, tokens, audit, auth, decisions, known)
    serve(server, parts.made.app)
    served = serving(settings, outside, parts.functions, parts.supervisor, server, audit)
    serve_functions(server, served)
    serve_secrets(server, parts.secrets.secrets)
    serve_schedules(server, parts.made.schedules)
    rpc = await stack.enter_async_context(server)
    parts.addresses.add(rpc.address)
    parts.addresses.add(admin.address)
    await stack.enter_async_context(registered(outside.registry, SERVICE, rpc.address))
    await parts.addresses.refresh()
    return Running(rpc.address, admin.address, parts.made.app, parts.addresses)


def _begin(settings: Settings, outside: Outside, parts: _Parts) -> None:
    """Start everything that goes on by itself."""
    stores, supervisor = parts.stores, parts.supervisor
    parts.audited.start(supervisor, audit_sender(parts.auth) if parts.auth else None)
    parts.made.start(supervisor, settings.bounds.engine.reconcile_every)
    keep(stores, supervisor, parts.made.engine.take_up)
    bus_intake.subscribe(outside.bus, stores.inbound, outside.clock)
    if parts.work is not None:
        parts.work.take(lambda execution: parts.made.engine.stimulate(execution, Wake()))
        _ = supervisor.start("workflow-work", parts.work.run())
    expect_listeners(outside.bus)
    _ = supervisor.start("workflow-relay", event_relay(stores.log, outside.bus).run())
    sweeper = Sweeper(stores.retention, outside.steady, days=settings.retention_days)
    _ = supervisor.start("workflow-retention", sweeper.run())
    _ = supervisor.spawn("workflow-secrets-rewrap", parts.secrets.keys.rewrap())
    _ = supervisor.start("workflow-own-addresses", parts.addresses.keep_fresh())
    _ = supervisor.start("workflow-containers", parts.world.processes.keep_swept(outside.clock))


def _assembled(
    stack: AsyncExitStack,
    settings: Settings,
    outside: Outside,
    stores: Stores,
    runner: Runner,
    functions: Directory,
    supervisor: Supervisor,
    secrets: Vaulted,
    pinning: Pinning,
    audit: SettlingAudit,
    work: WorkQueues | None,
) -> Assembled:
    bounds = settings.bounds
    jq = stack.enter_context(JqWorkers(workers=settings.jq_workers, limits=_of_jq(bounds)))
    # A file has one process only, and telling nobody costs something for each commit.
    alone = isinstance(stores, SqliteStores)
    progress = LocalProgress() if alone else shared_progress(outside.bus)
    world = World(
        node=stores.node,
        events=stores.events,
        summaries=stores.summaries,
        inbound=stores.inbound,
        children=stores.children,
        listening=EventPorts(stores.intake, stores.subscriptions),
        open_of_definitions=stores.open_of_definitions,
        schedules=stores.schedules,
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
        processes=settings.processes.enabled,
        pinning=pinning,
        lending=secrets.lender.lend,
        scheduling=settings.schedules,
        audit=audit,
        sharing=work or Alone(),
    )
    made = assemble(world, wrap)
    if isinstance(progress, SharedProgress):
        progress.ended = made.engine.forget
    stack.callback(made.engine.stop)
    return made


def _of_jq(bounds: Bounds) -> WorkerLimits:
    return WorkerLimits(
        memory=bounds.expression_memory,
        max_output=bounds.expression.max_output,
        # The second line of defence, should a worker not be stopped at its deadline.
        cpu=math.ceil(bounds.expression.deadline) + 1,
    )
