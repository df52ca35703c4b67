"""Who performs effects over the network, each kind of call by its runner."""

from __future__ import annotations

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from chassis.caching.opening import Caches
from chassis.clock import Clock
from chassis.config import SettingsInvalid
from chassis.lifecycle import Supervisor
from workflow_service.adapters.authentication import AuthenticatedEgress
from workflow_service.adapters.egress import (
    BreakerPolicy,
    EgressClient,
    EgressLimits,
    EntryInvalid,
    GatePolicy,
)
from workflow_service.adapters.own_addresses import OwnAddresses
from workflow_service.adapters.resources import ExternalResources, ResourceLimits
from workflow_service.adapters.resources.catalogs import FolderCatalog, RemoteCatalog
from workflow_service.adapters.sandbox import Cage
from workflow_service.adapters.task_runners.asyncapi.library import Library
from workflow_service.adapters.task_runners.asyncapi.publishing import Publisher
from workflow_service.adapters.task_runners.asyncapi.subscribing import Subscriber, Subscriptions
from workflow_service.adapters.task_runners.effects import EffectRunner
from workflow_service.adapters.task_runners.grpc_calls.channels import system_roots
from workflow_service.adapters.task_runners.grpc_calls.compiling import Compiler
from workflow_service.adapters.task_runners.grpc_calls.protos import Protos
from workflow_service.adapters.task_runners.grpc_calls.runner import GrpcLimits, GrpcRunner
from workflow_service.adapters.task_runners.http import HttpRunner
from workflow_service.adapters.task_runners.http_effects import HttpEffects
from workflow_service.adapters.task_runners.json_rpc.a2a import A2aRunner
from workflow_service.adapters.task_runners.json_rpc.exchange import Exchange
from workflow_service.adapters.task_runners.json_rpc.mcp import McpRunner
from workflow_service.adapters.task_runners.json_rpc.mcp_http import HttpSessions
from workflow_service.adapters.task_runners.json_rpc.mcp_pipes import PipeSessions
from workflow_service.adapters.task_runners.openapi import Documents, OpenapiRunner
from workflow_service.application.pinning import DefaultCatalog, Pinning
from workflow_service.application.ports import Runner
from workflow_service.application.resource_ports import Resources
from workflow_service.bootstrap.processes import Processes, processes
from workflow_service.config import EgressSettings, ResourceSettings, Settings
from workflow_service.domain.execution.effects import (
    A2aCall,
    AsyncApiPublish,
    AsyncApiReceive,
    ContainerCall,
    GrpcCall,
    HttpCall,
    McpCall,
    OpenapiCall,
    ScriptCall,
    ShellCall,
)


class WayOut:
    """What runners of calls to the outside share."""

    def __init__(self, client: EgressClient, settings: Settings, caches: Caches) -> None:
        self.client = client
        self.authenticated = AuthenticatedEgress(client, caches=caches)
        self.resources = external_resources(self.authenticated, settings.resources, caches)
        self.bounds = settings.bounds
        self.exchange = Exchange(client, self.authenticated, settings.bounds.stream_items)
        self.library = Library(self.resources)
        self.longest = settings.call_timeout
        """Seconds that a call may take."""
        self.roots = system_roots()


@dataclass(frozen=True, slots=True)
class Performers:
    """Who performs effects."""

    runner: EffectRunner
    processes: Processes
    pinning: Pinning
    """Fetches what definitions refer to."""


async def performers(
    stack: AsyncExitStack,
    settings: Settings,
    own: OwnAddresses,
    supervisor: Supervisor,
    clock: Clock,
    caches: Caches,
) -> Performers:
    """Return what performs effects; *stack* closes it, *supervisor* keeps what nobody waits for;
    *clock* is the one by which executions live, *caches* have what other processes fetched.

    Raises:
        SettingsInvalid: what workflows may call or run is not understood, or cannot be had.
    """
    out = await _way_out(stack, settings, own, caches)
    local = await processes(settings, out.resources, supervisor)
    catalog = default_catalog(out.resources, settings.resources)
    pinning = Pinning(out.resources, catalog, settings.bounds.definition, out.resources)
    bounds = settings.bounds
    most, size = bounds.channel_subscriptions, bounds.response_bytes
    channels = Subscriptions(supervisor.start, clock, most, size)
    return Performers(_effect_runner(out, local, channels), local, pinning)


async def _way_out(
    stack: AsyncExitStack, settings: Settings, own: OwnAddresses, caches: Caches
) -> WayOut:
    """Return the guarded way out; *stack* closes it.

    Raises:
        SettingsInvalid: what workflows may call is not understood.
    """
    limits = EgressLimits(
        total_timeout=settings.call_timeout,
        max_response_bytes=settings.bounds.response_bytes,
        gate=_gate(settings.egress),
    )
    try:
        client = EgressClient(allow=settings.egress_allow, own_addresses=own, limits=limits)
    except EntryInvalid as exc:
        raise SettingsInvalid([f"AUTOWORKER_EGRESS_ALLOW: {exc}"]) from exc
    return WayOut(await stack.enter_async_context(client), settings, caches)


def _effect_runner(out: WayOut, local: Processes, channels: Subscriptions) -> EffectRunner:
    """Return what performs effects: calls go the way *out*, and *local* processes run here."""
    http = HttpRunner(out.authenticated)
    runners: dict[type, Runner] = {
        AsyncApiPublish: Publisher(out.client, out.authenticated, out.library, out.longest),
        AsyncApiReceive: Subscriber(out.client, out.authenticated, out.library, channels),
        A2aCall: A2aRunner(out.exchange, out.resources),
        GrpcCall: _grpc(out),
        HttpCall: HttpEffects(http),
        McpCall: _mcp(out, local.commands),
        OpenapiCall: OpenapiRunner(Documents(out.resources), http),
    }
    processes: dict[type, Runner] = dict.fromkeys(
        (ShellCall, ScriptCall, ContainerCall), local.effects
    )
    return EffectRunner({**runners, **processes})


def _mcp(out: WayOut, cage: Cage | None) -> McpRunner:
    items = out.bounds.stream_items
    over_pipes = None if cage is None else PipeSessions(cage, items)
    return McpRunner(HttpSessions(out.exchange), over_pipes, out.longest)


def _grpc(out: WayOut) -> GrpcRunner:
    bounds = out.bounds
    return GrpcRunner(
        out.client.doors,
        out.authenticated,
        Protos(out.resources, Compiler()),
        GrpcLimits(bytes=bounds.response_bytes, items=bounds.stream_items),
        out.roots,
    )


def external_resources(
    egress: AuthenticatedEgress, settings: ResourceSettings, caches: Caches
) -> ExternalResources:
    """Return how documents that stand elsewhere are had."""
    limits = ResourceLimits(
        bytes=settings.bytes,
        cache_bytes=settings.cache_bytes,
        fresh_for=settings.fresh_for,
        folder=settings.folder,
    )
    return ExternalResources(egress, limits, caches)


def default_catalog(resources: Resources, settings: ResourceSettings) -> DefaultCatalog | None:
    """Return the catalog that documents need not name; None when it is only what is served."""
    root = settings.default_catalog
    if root is None:
        return None
    if root.startswith(("https://", "http://")):
        return RemoteCatalog(resources, root)
    return FolderCatalog(Path(root), settings.bytes)


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
