"""The answers of the HTTP contract as the client returns them."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Any, Final, Generic, Literal, TypeAlias, TypeVar

import msgspec

T = TypeVar("T")
if TYPE_CHECKING:
    JsonValue: TypeAlias = (
        bool | int | float | str | Sequence["JsonValue"] | Mapping[str, "JsonValue"] | None
    )
else:
    JsonValue: TypeAlias = Any  # what the decoder takes as: whatever JSON there is
Status: TypeAlias = Literal[
    "pending", "running", "waiting", "suspended", "cancelled", "faulted", "completed"
]
ENDED: Final[frozenset[str]] = frozenset({"cancelled", "faulted", "completed"})
"""The phases that an execution does not leave by itself."""


class Page(msgspec.Struct, Generic[T], frozen=True):
    """One page of a list."""

    items: list[T]
    next_cursor: str | None = None


class User(msgspec.Struct, frozen=True):
    """Somebody who may log in."""

    id: str
    email: str
    name: str
    roles: list[str]
    created_at: datetime | None = None


class Function(msgspec.Struct, frozen=True):
    """A function that workflows may call."""

    name: str
    version: str
    kind: Literal["in-process", "worker"]
    input_schema: JsonValue = None
    output_schema: JsonValue = None
    connected_workers: int = 0
    last_seen_at: datetime | None = None


class WorkerToken(msgspec.Struct, frozen=True):
    """What a worker connects with, and where."""

    token: str
    expires_in: int
    """Seconds."""
    address: str
    """host:port of the gRPC service."""


class Tokens(msgspec.Struct, frozen=True):
    """A session: `access_token` lives `expires_in` seconds, `refresh_token` gets the next one."""

    access_token: str
    refresh_token: str
    expires_in: int
    device_token: str = ""
    """Of a remembered device: for the next login there, in the place of a code."""


class WorkflowReference(msgspec.Struct, frozen=True, omit_defaults=True):
    """Which workflow; no version means the newest."""

    namespace: str
    name: str
    version: str | None = None

    @classmethod
    def parse(cls, text: str) -> "WorkflowReference":
        """Read `namespace/name` or `namespace/name:version`.

        Raises:
            ValueError: it is neither.
        """
        path, _, version = text.partition(":")
        namespace, slash, name = path.partition("/")
        if not (namespace and slash and name) or "/" in name:
            raise ValueError(f"{text!r} is not namespace/name or namespace/name:version")
        return cls(namespace, name, version or None)

    def __str__(self) -> str:
        version = f":{self.version}" if self.version else ""
        return f"{self.namespace}/{self.name}{version}"


class Definition(msgspec.Struct, frozen=True, kw_only=True):
    """A registered workflow; `document` is there when one was asked for by name."""

    namespace: str
    name: str
    version: str
    digest: str
    created_at: datetime | None = None
    title: str = ""
    summary: str = ""
    document: dict[str, JsonValue] | None = None

    @property
    def reference(self) -> WorkflowReference:
        """What it is started by."""
        return WorkflowReference(self.namespace, self.name, self.version)


class Problem(msgspec.Struct, frozen=True):
    """Why an execution faulted, as the DSL describes errors (RFC 9457)."""

    type: str
    status: int
    title: str | None = None
    detail: str | None = None
    instance: str | None = None

    def __str__(self) -> str:
        words = [self.title or self.type, self.detail or ""]
        return ": ".join(word for word in words if word)


class ParentTask(msgspec.Struct, frozen=True):
    """The task of another execution that runs this one."""

    execution_id: str
    task: str


class ScheduledStart(msgspec.Struct, frozen=True):
    """The schedule that started an execution, and the tick it was for."""

    id: str
    kind: Literal["every", "cron", "after", "on", "trigger"]
    at: datetime | None = None


class Execution(msgspec.Struct, frozen=True):
    """One run of a workflow."""

    id: str
    workflow: WorkflowReference
    status: Status
    input: JsonValue = None
    output: JsonValue = None
    error: Problem | None = None
    priority: int = 0
    tags: JsonValue = None
    created_at: datetime | None = None
    started_at: datetime | None = None
    ended_at: datetime | None = None
    parent: ParentTask | None = None
    schedule: ScheduledStart | None = None

    @property
    def ended(self) -> bool:
        """Whether it has come to its end."""
        return self.status in ENDED


class Event(msgspec.Struct, frozen=True):
    """One fact of an execution's history."""

    sequence: int
    type: str
    time: datetime
    data: dict[str, JsonValue]

    @property
    def task(self) -> str:
        """The reference of the task it is about; empty for the workflow itself."""
        task = self.data.get("task")
        return task if isinstance(task, str) else ""


class Blocker(msgspec.Struct, frozen=True):
    """One thing that an execution waits for, and what ends the waiting."""

    kind: str
    task: str
    waits_for: str
    since: datetime | None = None
    wakes_at: datetime | None = None
    unblocked_by: str = ""


class Explanation(msgspec.Struct, frozen=True):
    """Why an execution is where it is."""

    execution_id: str
    status: Status
    summary: str
    blockers: list[Blocker]


class Notification(msgspec.Struct, frozen=True):
    """One item of the inbox."""

    id: str
    type: str
    title: str
    body: str
    data: JsonValue = None
    read_at: datetime | None = None
    created_at: datetime | None = None
