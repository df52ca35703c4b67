"""Everything the gateway needs from the world, in the words of its routes.

The structs are the answers of the HTTP contract, field by field. Data that belongs to workflows
stays JSON bytes (``msgspec.Raw``) on its whole way through: it is spliced in, never decoded.

Every method may raise a ``chassis.errors.ServiceError`` of the kind the neighbour answered with,
``Unavailable`` when it cannot be reached and ``DeadlineExceeded`` when it is too slow.
"""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Generic, Literal, Protocol, TypeVar

from msgspec import Raw, Struct

from chassis.rpc.context import Principal

T = TypeVar("T")
Service = Literal["auth", "workflow", "notification"]
NULL = Raw(b"null")


class Page(Struct, Generic[T], frozen=True):
    """One page of a list; ``next_cursor`` is null on the last one."""

    items: list[T]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class PageRequest:
    """How many items at most, and after which cursor (empty: from the start)."""

    limit: int
    cursor: str


@dataclass(frozen=True, slots=True)
class Caller:
    """Who calls, and the short-lived internal token that proves it to one service."""

    principal: Principal
    credential: str


@dataclass(frozen=True, slots=True)
class Origin:
    """Where a request came from: for throttling, audit and lists of sessions."""

    address: str
    user_agent: str


# ---------------------------------------------------------------- identity
class User(Struct, frozen=True):
    """Somebody who may log in."""

    id: str
    email: str
    name: str
    roles: list[str]
    created_at: datetime | None


class Profile(User, frozen=True):
    """Oneself, with what one may do."""

    tenant: str
    permissions: list[str]


class Tokens(Struct, frozen=True):
    """An access token for some minutes (``expires_in`` seconds), and how to get the next one."""

    access_token: str
    token_type: str
    expires_in: int
    refresh_token: str


class Auth(Protocol):
    """Registration and sessions."""

    async def register(self, email: str, password: str, name: str, origin: Origin) -> User:
        """Make a user.

        Raises:
            Conflict: the address is taken.
            Invalid: address or password break a rule; each is named.
        """

    async def login(self, email: str, password: str, otp: str, origin: Origin) -> Tokens:
        """Open a session.

        Raises:
            Unauthenticated: wrong address or password; which of them is not told.
        """

    async def refresh(self, refresh_token: str, origin: Origin) -> Tokens:
        """Spend a refresh token for new tokens.

        Raises:
            Unauthenticated: unknown, spent or revoked.
        """

    async def logout(self, caller: Caller) -> str:
        """End the caller's session; its tokens are dead. Returns the session's id."""

    async def me(self, caller: Caller) -> Profile:
        """The caller as the auth service knows them."""

    async def update_me(self, caller: Caller, name: str | None) -> Profile:
        """Change what is given; None leaves it."""

    async def public_keys(self) -> bytes:
        """The JWK set (RFC 7517, JSON) that access tokens are verified with."""


class Gatekeeper(Protocol):
    """Decides who a bearer of an access token is."""

    def has_seen(self, access_token: str) -> bool:
        """Whether the token was verified before and is still alive: checking it again is cheap."""

    async def admit(self, access_token: str, service: Service) -> Caller:
        """Verify the token and its session; the caller's credential is for *service*.

        Raises:
            Unauthenticated: not a living access token of ours.
            Unavailable: whether it lives cannot be known just now.
        """

    def forget(self, session_id: str) -> None:
        """Refuse every token of the session from now on."""


# ---------------------------------------------------------------- workflows
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


# ---------------------------------------------------------------- notifications
class Notification(Struct, frozen=True):
    """One item of an inbox."""

    id: str
    type: str
    title: str
    body: str
    data: Raw
    read_at: datetime | None
    created_at: datetime | None


class Preferences(Struct, frozen=True):
    """By which channels somebody wants to be told."""

    email: bool


class Notifications(Protocol):
    """The caller's own inbox."""

    async def inbox(
        self, caller: Caller, page: PageRequest, *, unread_only: bool
    ) -> Page[Notification]:
        """Notifications, newest first."""

    async def mark_read(self, caller: Caller, notification: str) -> Notification:
        """Mark one as read; again changes nothing.

        Raises:
            NotFound: no such notification, or not the caller's.
        """

    def watch(
        self, caller: Caller, after: int | None
    ) -> AsyncGenerator[tuple[int, Notification], None]:
        """Notifications after a position (None: from now on) with their positions, for ever."""

    async def preferences(self, caller: Caller) -> Preferences:
        """What the caller has chosen."""

    async def update_preferences(self, caller: Caller, email: bool | None) -> Preferences:
        """Change what is given; None leaves it."""
