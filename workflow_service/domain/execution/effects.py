"""Work asked of the world: data that a runner performs and that a replay never repeats by itself."""

from __future__ import annotations

from datetime import datetime
from typing import Literal, TypeAlias
from urllib.parse import urlsplit

import msgspec

from workflow_service.domain.execution.problem import Problem
from workflow_service.domain.expressions import JsonValue


class BasicCredentials(msgspec.Struct, frozen=True, tag="basic"):
    """RFC 7617."""

    username: str
    password: str


class BearerCredentials(msgspec.Struct, frozen=True, tag="bearer"):
    """RFC 6750."""

    token: str


Credentials: TypeAlias = BasicCredentials | BearerCredentials


class HttpCall(msgspec.Struct, frozen=True, tag="http", omit_defaults=True):
    """One HTTP request, every expression already evaluated."""

    method: str
    uri: str
    headers: dict[str, str] = {}
    query: dict[str, JsonValue] = {}
    body: JsonValue | msgspec.UnsetType = msgspec.UNSET
    output: Literal["raw", "content", "response"] = "content"
    redirect: bool = False
    credentials: Credentials | None = None


class FunctionCall(msgspec.Struct, frozen=True, tag="function", omit_defaults=True):
    """One call of a function that the operator or a worker serves."""

    name: str
    arguments: JsonValue
    tenant: str
    owner: str
    """Whose execution it is: workers of others in the tenant serve it only when they may serve everybody."""
    task: str
    """Reference of the task."""
    version: str = ""
    """Empty: whichever version is served."""
    priority: int = 0
    deadline: datetime | None = None
    """When nobody waits for the answer any longer; None: never."""

    @property
    def wanted(self) -> str:
        """What is called, as the definition names it."""
        return f"{self.name}:{self.version}" if self.version else self.name


Call: TypeAlias = HttpCall | FunctionCall
"""What can be asked of the world; more kinds join this union."""


def host_of(call: Call) -> str | None:
    """Return which host *call* keeps busy, as host and port; None when that cannot be told."""
    if not isinstance(call, HttpCall):
        return None
    try:
        return urlsplit(call.uri).netloc.rpartition("@")[2].lower() or None
    except ValueError:
        return None  # whoever performs it says what is wrong with it


class Effect(msgspec.Struct, frozen=True):
    """A call, with all that makes its outcome recognisable."""

    number: int
    """Counts the effects of an execution: the outcome of an abandoned attempt names an old number."""
    key: str
    """Idempotency key, the same for every repetition: made of execution, task and iteration, not of the attempt."""
    call: Call


class Succeeded(msgspec.Struct, frozen=True, tag="succeeded"):
    """The call was answered; its result is the task's raw output."""

    output: JsonValue


class Failed(msgspec.Struct, frozen=True, tag="failed"):
    """The call failed; the problem faults the task."""

    problem: Problem


Outcome: TypeAlias = Succeeded | Failed
