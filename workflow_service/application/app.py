"""What this service can do."""

from __future__ import annotations

from collections.abc import AsyncGenerator, Awaitable, Callable, Sequence
from dataclasses import dataclass

from workflow_service.application.commands.cancel_execution import CancelExecution
from workflow_service.application.commands.publish_definition import (
    PublishDefinition,
    PublishedDefinition,
)
from workflow_service.application.commands.publish_events import PublishEvents
from workflow_service.application.commands.resume_execution import ResumeExecution
from workflow_service.application.commands.retry_execution import RetryExecution
from workflow_service.application.commands.start_execution import StartExecution
from workflow_service.application.commands.suspend_execution import SuspendExecution
from workflow_service.application.ports import Page, StoredDefinition, Summary
from workflow_service.application.queries.check_definition import (
    CheckDefinition,
    DeploymentCheck,
)
from workflow_service.application.queries.explain_execution import ExplainExecution
from workflow_service.application.queries.get_definition import GetDefinition
from workflow_service.application.queries.get_execution import GetExecution
from workflow_service.application.queries.get_history import GetHistory
from workflow_service.application.queries.list_definitions import ListDefinitions
from workflow_service.application.queries.list_executions import ListExecutions
from workflow_service.application.queries.shown_events import ShownEvent
from workflow_service.application.queries.validate_definition import ValidateDefinition
from workflow_service.application.queries.watch_history import WatchHistory
from workflow_service.domain.execution.explain import Explanation


@dataclass(frozen=True, slots=True)
class Commands:
    """What changes something."""

    publish_definition: Callable[[PublishDefinition], Awaitable[PublishedDefinition]]
    start_execution: Callable[[StartExecution], Awaitable[Summary]]
    cancel_execution: Callable[[CancelExecution], Awaitable[Summary]]
    suspend_execution: Callable[[SuspendExecution], Awaitable[Summary]]
    resume_execution: Callable[[ResumeExecution], Awaitable[Summary]]
    retry_execution: Callable[[RetryExecution], Awaitable[Summary]]
    publish_events: Callable[[PublishEvents], Awaitable[int]]


@dataclass(frozen=True, slots=True)
class Queries:
    """What only looks."""

    validate_definition: Callable[[ValidateDefinition], Awaitable[None]]
    check_definition: Callable[[CheckDefinition], Awaitable[DeploymentCheck]]
    get_definition: Callable[[GetDefinition], Awaitable[StoredDefinition]]
    list_definitions: Callable[[ListDefinitions], Awaitable[Page[StoredDefinition]]]
    get_execution: Callable[[GetExecution], Awaitable[Summary]]
    list_executions: Callable[[ListExecutions], Awaitable[Page[Summary]]]
    get_history: Callable[[GetHistory], Awaitable[Page[ShownEvent]]]
    watch_history: Callable[[WatchHistory], Awaitable[AsyncGenerator[Sequence[ShownEvent], None]]]
    explain_execution: Callable[[ExplainExecution], Awaitable[Explanation]]


@dataclass(frozen=True, slots=True)
class Application:
    """Every use case of the service."""

    commands: Commands
    queries: Queries
