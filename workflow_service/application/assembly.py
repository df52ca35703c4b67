"""Use cases put together from what the world offers."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import Any, ParamSpec, Protocol, TypeVar

from chassis.clock import Clock
from chassis.ids import Ids
from chassis.lifecycle import Supervisor
from workflow_service.application.app import Application, Commands, Queries
from workflow_service.application.commands.cancel_execution import CancelExecutionHandler
from workflow_service.application.commands.publish_definition import PublishDefinitionHandler
from workflow_service.application.commands.publish_events import PublishEventsHandler
from workflow_service.application.commands.resume_execution import ResumeExecutionHandler
from workflow_service.application.commands.retry_execution import RetryExecutionHandler
from workflow_service.application.commands.start_execution import StartExecutionHandler
from workflow_service.application.commands.suspend_execution import SuspendExecutionHandler
from workflow_service.application.compiled_definitions import CompiledDefinitions
from workflow_service.application.engine.engine import Engine
from workflow_service.application.engine.settings import EngineSettings
from workflow_service.application.ports import (
    Definitions,
    EventStore,
    FunctionsServed,
    InboundEvents,
    NobodyServes,
    Progress,
    Runner,
    Summaries,
)
from workflow_service.application.queries.explain_execution import ExplainExecutionHandler
from workflow_service.application.queries.get_definition import GetDefinitionHandler
from workflow_service.application.queries.get_execution import GetExecutionHandler
from workflow_service.application.queries.get_history import GetHistoryHandler
from workflow_service.application.queries.list_definitions import ListDefinitionsHandler
from workflow_service.application.queries.list_executions import ListExecutionsHandler
from workflow_service.application.queries.paging import DEFAULT_PAGES, HistoryPages
from workflow_service.application.queries.validate_definition import ValidateDefinitionHandler
from workflow_service.application.queries.watch_history import WatchHistoryHandler
from workflow_service.domain.definition.limits import DEFAULT_LIMITS as DEFAULT_DEFINITION_LIMITS
from workflow_service.domain.definition.limits import PUBLISHED_BEFORE, DefinitionLimits
from workflow_service.domain.execution.limits import Limits
from workflow_service.domain.expressions import Expressions

P = ParamSpec("P")
R = TypeVar("R")


class Wrap(Protocol):
    """Puts around a use case what all of them have."""

    def __call__(
        self, handler: Callable[P, Coroutine[Any, Any, R]], *, name: str
    ) -> Callable[P, Coroutine[Any, Any, R]]: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """Every port, and what is decided about the engine."""

    node: str
    events: EventStore
    summaries: Summaries
    inbound: InboundEvents
    definitions: Definitions
    expressions: Expressions
    runner: Runner
    progress: Progress
    clock: Clock
    ids: Ids
    supervisor: Supervisor
    random: Random | None
    limits: Limits
    settings: EngineSettings
    definition_limits: DefinitionLimits = DEFAULT_DEFINITION_LIMITS
    pages: HistoryPages = DEFAULT_PAGES
    functions: FunctionsServed = field(default_factory=NobodyServes)


def assemble(world: World, wrap: Wrap) -> tuple[Engine, Application]:
    """Return the engine, not yet started, and every use case."""
    compiled = CompiledDefinitions(world.expressions, limits=PUBLISHED_BEFORE)
    engine = Engine(
        node=world.node,
        store=world.events,
        definitions=world.definitions,
        compiled=compiled,
        runner=world.runner,
        progress=world.progress,
        clock=world.clock,
        supervisor=world.supervisor,
        random=world.random,
        limits=world.limits,
        settings=world.settings,
    )
    return engine, Application(_commands(world, engine, compiled, wrap), _queries(world, wrap))


def _commands(world: World, engine: Engine, compiled: CompiledDefinitions, wrap: Wrap) -> Commands:
    store, summaries = world.events, world.summaries
    publish = PublishDefinitionHandler(
        world.definitions,
        compiled,
        world.expressions,
        world.clock,
        world.definition_limits,
        world.functions,
    )
    start = StartExecutionHandler(
        engine=engine,
        get_definition=GetDefinitionHandler(world.definitions),
        compiled=compiled,
        store=store,
        summaries=summaries,
        clock=world.clock,
        ids=world.ids,
        limits=world.limits,
    )
    cancel = CancelExecutionHandler(engine, store, world.clock)
    suspend = SuspendExecutionHandler(engine, summaries)
    resume = ResumeExecutionHandler(engine, summaries)
    retry = RetryExecutionHandler(engine, store, summaries)
    events = PublishEventsHandler(world.inbound, world.clock)
    return Commands(
        publish_definition=wrap(publish.__call__, name="publish_definition"),
        start_execution=wrap(start.__call__, name="start_execution"),
        cancel_execution=wrap(cancel.__call__, name="cancel_execution"),
        suspend_execution=wrap(suspend.__call__, name="suspend_execution"),
        resume_execution=wrap(resume.__call__, name="resume_execution"),
        retry_execution=wrap(retry.__call__, name="retry_execution"),
        publish_events=wrap(events.__call__, name="publish_events"),
    )


def _queries(world: World, wrap: Wrap) -> Queries:
    validate = ValidateDefinitionHandler(
        world.expressions, world.definition_limits, world.functions
    )
    history = GetHistoryHandler(world.events, world.summaries, world.pages)
    watch = WatchHistoryHandler(world.events, world.summaries, world.progress, world.pages)
    explain = ExplainExecutionHandler(world.events, world.clock, world.functions)
    get_definition = GetDefinitionHandler(world.definitions)
    list_definitions = ListDefinitionsHandler(world.definitions)
    get_execution = GetExecutionHandler(world.summaries)
    list_executions = ListExecutionsHandler(world.summaries)
    return Queries(
        validate_definition=wrap(validate.__call__, name="validate_definition"),
        get_definition=wrap(get_definition.__call__, name="get_definition"),
        list_definitions=wrap(list_definitions.__call__, name="list_definitions"),
        get_execution=wrap(get_execution.__call__, name="get_execution"),
        list_executions=wrap(list_executions.__call__, name="list_executions"),
        get_history=wrap(history.__call__, name="get_history"),
        watch_history=wrap(watch.__call__, name="watch_history"),
        explain_execution=wrap(explain.__call__, name="explain_execution"),
    )
