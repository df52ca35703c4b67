"""Definitions, their executions, and events for them."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol

from msgspec import UNSET, Raw, Struct, UnsetType

from gateway.ports.common import Caller, Page, PageRequest


class WorkflowReference(Struct, frozen=True):
    """Which definition; an empty version means the newest."""

    namespace: str
    name: str
    version: str = ""


class Definition(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A registered workflow, without its document."""

    namespace: str
    name: str
    version: str
    digest: str
    created_at: datetime | None
    title: str = ""
    summary: str = ""


class DefinitionWithDocument(Definition, frozen=True, kw_only=True, omit_defaults=True):
    """A registered workflow with its document as JSON."""

    document: Raw


class ParentTask(Struct, frozen=True):
    """The task of another execution that runs this one."""

    execution_id: str
    task: str


class ScheduledStart(Struct, frozen=True):
    """The schedule that started an execution, and the tick it was for."""

    id: str
    kind: str
    at: datetime | None


class Execution(Struct, frozen=True):
    """One run of a workflow; ``error`` is a problem (RFC 9457) when it has faulted."""

    id: str
    workflow: WorkflowReference
    status: str
    input: Raw
    output: Raw
    error: Raw
    priority: int
    tags: Raw
    created_at: datetime | None
    started_at: datetime | None
    ended_at: datetime | None
    parent: ParentTask | UnsetType = UNSET
    """Left out unless a task of another execution runs it."""
    schedule: ScheduledStart | UnsetType = UNSET
    """Left out unless a schedule started it."""


class HistoryEvent(Struct, frozen=True):
    """One fact of an execution; sequences start at 1 and have no gaps."""

    sequence: int
    type: str
    time: datetime | None
    data: Raw


class Blocker(Struct, frozen=True):
    """One thing that an execution waits for, and what ends the waiting."""

    kind: str
    task: str
    waits_for: str
    since: datetime | None
    wakes_at: datetime | None
    unblocked_by: str


class Explanation(Struct, frozen=True):
    """Why an execution is where it is."""

    execution_id: str
    status: str
    summary: str
    blockers: list[Blocker]


@dataclass(frozen=True, slots=True)
class StartRequest:
    """A start as it was asked for; ``wait`` is in seconds, 0 answers at once."""

    workflow: WorkflowReference
    input: bytes
    priority: int
    run_at: datetime | None
    tags: bytes
    idempotency_key: str
    wait: float


@dataclass(frozen=True, slots=True)
class ExecutionFilter:
    """Which executions a list shows; empty means all."""

    statuses: tuple[str, ...] = ()
    namespace: str = ""
    name: str = ""
    version: str = ""
    tag: str = ""
    parent: str = ""
    since: datetime | None = None
    until: datetime | None = None


@dataclass(frozen=True, slots=True)
class IncomingEvent:
    """A CloudEvent 1.0 from outside; data is passed on as the bytes that came."""

    id: str
    source: str
    type: str
    subject: str
    time: datetime | None
    data_content_type: str
    data_schema: str
    data: bytes
    extensions: dict[str, str]


Verb = Literal["cancel", "suspend", "resume"]


class Workflows(Protocol):
    """Definitions and their executions, as far as the caller may see them."""

    async def publish(
        self, caller: Caller, document: bytes, media_type: str
    ) -> tuple[Definition, bool]:
        """Register a document; False when the same content was there already.

        Raises:
            Conflict: the version exists with other content.
            Invalid: the document breaks rules; details point at each place.
        """

    async def definition(
        self, caller: Caller, reference: WorkflowReference
    ) -> DefinitionWithDocument:
        """One definition with its document.

        Raises:
            NotFound: there is none.
        """

    async def definitions(
        self, caller: Caller, namespace: str, name: str, page: PageRequest
    ) -> Page[Definition]:
        """Definitions, filtered by namespace and name where these are not empty."""

    async def start(self, caller: Caller, request: StartRequest, timeout: float) -> Execution:
        """Start durably; the same idempotency key starts once.

        Raises:
            NotFound: no such definition.
            Conflict: the key was used for another start.
        """

    async def command(self, caller: Caller, verb: Verb, execution: str, reason: str) -> Execution:
        """Cancel, suspend or resume.

        Raises:
            NotFound: no such execution, or not the caller's.
            Conflict: not allowed in this phase.
        """

    async def retry(
        self, caller: Caller, execution: str, reason: str, from_task: str, input: bytes
    ) -> Execution:
        """Take a faulted execution up again; empty arguments mean "as it was".

        Raises:
            NotFound: no such execution, or not the caller's.
            Conflict: it has not faulted.
        """

    async def execution(self, caller: Caller, execution: str) -> Execution:
        """One execution.

        Raises:
            NotFound: no such execution, or not the caller's.
        """

    async def executions(
        self, caller: Caller, wanted: ExecutionFilter, page: PageRequest
    ) -> Page[Execution]:
        """Executions, newest first."""

    async def history(
        self,
        caller: Caller,
        execution: str,
        since: datetime | None,
        until: datetime | None,
        page: PageRequest,
    ) -> Page[HistoryEvent]:
        """Events of an execution, oldest first.

        Raises:
            NotFound: no such execution, or not the caller's.
        """

    def watch(
        self, caller: Caller, execution: str, after: int
    ) -> AsyncGenerator[Sequence[HistoryEvent], None]:
        """Events after a sequence number, then live ones, until the execution has ended."""

    async def explain(self, caller: Caller, execution: str) -> Explanation:
        """Why it is not moving.

        Raises:
            NotFound: no such execution, or not the caller's.
        """

    async def publish_events(self, caller: Caller, events: Sequence[IncomingEvent]) -> int:
        """Hand events to whatever waits for them; how many were new."""
