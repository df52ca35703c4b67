"""Use cases put together from what the world offers."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from dataclasses import dataclass, field
from random import Random
from typing import Any, ParamSpec, Protocol, TypeVar

from chassis.audit import SettlingAudit, SilentAudit
from chassis.clock import Clock
from chassis.ids import Ids
from chassis.lifecycle import Supervisor
from workflow_service.application.app import Application, Commands, Queries
from workflow_service.application.children_ports import Children
from workflow_service.application.commands.cancel_execution import CancelExecutionHandler
from workflow_service.application.commands.publish_definition import PublishDefinitionHandler
from workflow_service.application.commands.publish_events import PublishEventsHandler
from workflow_service.application.commands.resume_execution import ResumeExecutionHandler
from workflow_service.application.commands.retry_execution import RetryExecutionHandler
from workflow_service.application.commands.start_execution import StartExecutionHandler
from workflow_service.application.commands.suspend_execution import SuspendExecutionHandler
from workflow_service.application.compiled_definitions import CompiledDefinitions
from workflow_service.application.deployment_ports import OpenOfDefinitions
from workflow_service.application.engine.engine import Engine
from workflow_service.application.engine.intake_reader import IntakeReader
from workflow_service.application.engine.lending import Lending, lend_nothing
from workflow_service.application.engine.load_execution import LoadExecution
from workflow_service.application.engine.settings import EngineSettings
from workflow_service.application.event_ports import EventPorts
from workflow_service.application.pinning import NoResources, Pinning
from workflow_service.application.ports import (
    Alone,
    Definitions,
    EventStore,
    FunctionsServed,
    InboundEvents,
    NobodyServes,
    Progress,
    Runner,
    Sharing,
    Summaries,
)
from workflow_service.application.queries.check_definition import CheckDefinitionHandler
from workflow_service.application.queries.explain_execution import ExplainExecutionHandler
from workflow_service.application.queries.get_definition import GetDefinitionHandler
from workflow_service.application.queries.get_execution import GetExecutionHandler
from workflow_service.application.queries.get_history import GetHistoryHandler
from workflow_service.application.queries.list_definitions import ListDefinitionsHandler
from workflow_service.application.queries.list_executions import ListExecutionsHandler
from workflow_service.application.queries.paging import DEFAULT_PAGES, HistoryPages
from workflow_service.application.queries.validate_definition import ValidateDefinitionHandler
from workflow_service.application.queries.watch_history import WatchHistoryHandler
from workflow_service.application.schedule_ports import Schedules
from workflow_service.application.schedules.arranging import Arranging
from workflow_service.application.schedules.hearing import READER, Hearing
from workflow_service.application.schedules.scheduler import Scheduler
from workflow_service.application.schedules.settings import DEFAULT_SCHEDULES, ScheduleSettings
from workflow_service.application.schedules.starting import Starting
from workflow_service.application.schedules.ticking import Ticking
from workflow_service.application.schedules.use_cases import ScheduleUseCases
from workflow_service.application.sub_workflows import Offspring, SubWorkflows
from workflow_service.domain.definition.limits import DEFAULT_LIMITS as DEFAULT_DEFINITION_LIMITS
from workflow_service.domain.definition.limits import PUBLISHED_BEFORE, DefinitionLimits
from workflow_service.domain.definition.processes import ProcessKind
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
    children: Children
    listening: EventPorts
    open_of_definitions: OpenOfDefinitions
    schedules: Schedules
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
    processes: frozenset[ProcessKind] = frozenset()
    """Kinds of process that the operator lets workflows run."""
    pinning: Pinning = field(default_factory=lambda: Pinning(NoResources()))
    lending: Lending = lend_nothing
    scheduling: ScheduleSettings = DEFAULT_SCHEDULES
    audit: SettlingAudit = field(default_factory=SilentAudit)
    sharing: Sharing = field(default_factory=Alone)


@dataclass(frozen=True, slots=True)
class Assembled:
    """What lives, not yet started, and every use case."""

    engine: Engine
    sub_workflows: SubWorkflows
    scheduler: Scheduler
    ticking: Ticking
    hearing: IntakeReader
    schedules: ScheduleUseCases
    app: Application

    def start(self, supervisor: Supervisor, look_every: float) -> None:
        """Begin to live; *look_every* so many seconds it is looked for what was missed."""
        self.engine.start()
        _ = supervisor.start("workflow-children", self.sub_workflows.run(look_every))
        _ = supervisor.start("workflow-schedules", self.scheduler.run(self.ticking))
        _ = supervisor.start("workflow-schedules-hear", self.hearing.run())


def assemble(world: World, wrap: Wrap) -> Assembled:
    """Put everything together."""
    compiled = CompiledDefinitions(world.expressions, limits=PUBLISHED_BEFORE)
    sub_workflows = SubWorkflows(
        world.runner, lambda: offspring, world.events, world.summaries, world.children
    )
    engine = Engine(
        node=world.node,
        store=world.events,
        definitions=world.definitions,
        compiled=compiled,
        runner=sub_workflows,
        progress=world.progress,
        clock=world.clock,
        supervisor=world.supervisor,
        random=world.random,
        limits=world.limits,
        settings=world.settings,
        lending=world.lending,
        events=world.listening,
        sharing=world.sharing,
    )
    offspring = _offspring(world, engine, compiled)
    scheduler = Scheduler(world.schedules, world.clock)
    starting = Starting(offspring.start, offspring.cancel, world.summaries)
    commands = _commands(world, offspring, compiled, _arranging(world, compiled, scheduler), wrap)
    return Assembled(
        engine,
        sub_workflows,
        scheduler,
        _ticking(world, starting, engine, scheduler),
        _hearing(world, compiled, scheduler),
        ScheduleUseCases(
            world.schedules, scheduler, starting, world.summaries, world.clock, world.audit
        ),
        Application(commands, _queries(world, compiled, wrap)),
    )


def _offspring(world: World, engine: Engine, compiled: CompiledDefinitions) -> Offspring:
    start = StartExecutionHandler(
        engine=engine,
        get_definition=GetDefinitionHandler(world.definitions),
        compiled=compiled,
        store=world.events,
        summaries=world.summaries,
        clock=world.clock,
        ids=world.ids,
        limits=world.limits,
        sharing=world.sharing,
    )
    load = LoadExecution(world.events, world.definitions, compiled)
    cancel = CancelExecutionHandler(engine, world.events, world.clock, load, world.audit)
    return Offspring(engine, start, cancel)


def _arranging(world: World, compiled: CompiledDefinitions, scheduler: Scheduler) -> Arranging:
    chosen = world.scheduling
    return Arranging(
        world.schedules,
        world.definitions,
        compiled,
        world.clock,
        chosen.zone,
        chosen.most,
        world.listening.intake,
        scheduler.wake,
    )


def _hearing(world: World, compiled: CompiledDefinitions, scheduler: Scheduler) -> IntakeReader:
    hear = Hearing(
        world.schedules,
        world.definitions,
        compiled,
        world.clock,
        world.scheduling.events,
        scheduler.wake,
    )
    return IntakeReader(world.listening.intake, READER, hear)


def _ticking(world: World, starting: Starting, engine: Engine, scheduler: Scheduler) -> Ticking:
    return Ticking(
        world.schedules,
        starting,
        world.summaries,
        engine.endings,
        world.clock,
        world.scheduling.missed,
        scheduler.wake,
    )


def _commands(
    world: World,
    offspring: Offspring,
    compiled: CompiledDefinitions,
    arranging: Arranging,
    wrap: Wrap,
) -> Commands:
    engine, start, cancel = offspring.engine, offspring.start, offspring.cancel
    store, summaries = world.events, world.summaries
    publish = PublishDefinitionHandler(
        world.definitions,
        compiled,
        world.expressions,
        world.clock,
        world.definition_limits,
        world.functions,
        world.processes,
        arranging,
        world.pinning,
        world.audit,
    )
    suspend = SuspendExecutionHandler(engine, summaries, world.audit)
    resume = ResumeExecutionHandler(engine, summaries, world.audit)
    retry = RetryExecutionHandler(engine, store, summaries, world.audit)
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


def _queries(world: World, compiled: CompiledDefinitions, wrap: Wrap) -> Queries:
    validate = ValidateDefinitionHandler(
        world.expressions, world.definition_limits, world.functions, world.processes, world.pinning
    )
    check = CheckDefinitionHandler(
        validate, world.definitions, compiled, world.open_of_definitions, world.events
    )
    history = GetHistoryHandler(world.events, world.summaries, world.pages)
    watch = WatchHistoryHandler(world.events, world.summaries, world.progress, world.pages)
    explain = ExplainExecutionHandler(
        world.events,
        world.clock,
        LoadExecution(world.events, world.definitions, compiled).definition_of,
        world.functions,
    )
    get_definition = GetDefinitionHandler(world.definitions)
    list_definitions = ListDefinitionsHandler(world.definitions)
    get_execution = GetExecutionHandler(world.summaries)
    list_executions = ListExecutionsHandler(world.summaries)
    return Queries(
        validate_definition=wrap(validate.__call__, name="validate_definition"),
        check_definition=wrap(check.__call__, name="check_definition"),
        get_definition=wrap(get_definition.__call__, name="get_definition"),
        list_definitions=wrap(list_definitions.__call__, name="list_definitions"),
        get_execution=wrap(get_execution.__call__, name="get_execution"),
        list_executions=wrap(list_executions.__call__, name="list_executions"),
        get_history=wrap(history.__call__, name="get_history"),
        watch_history=wrap(watch.__call__, name="watch_history"),
        explain_execution=wrap(explain.__call__, name="explain_execution"),
    )
