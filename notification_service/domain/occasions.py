"""The occasions on which people are told something, and the words for each."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Literal, assert_never

import msgspec

from notification_service.domain.notification import LONGEST_BODY, LONGEST_TITLE, Message
from notification_service.domain.recipient import Contact, Recipient
from notification_service.domain.text import one_line, some_lines

EndStatus = Literal["completed", "faulted", "cancelled"]

LONGEST_DETAIL = 1_000
"""Characters of an error's detail that are kept: a page of the inbox must fit a gRPC message."""

LONGEST_FACT = 300


@dataclass(frozen=True, slots=True)
class WorkflowName:
    """Which definition was executed."""

    namespace: str
    name: str
    version: str

    def __str__(self) -> str:
        return f"{self.namespace}/{self.name} {self.version}"


@dataclass(frozen=True, slots=True)
class Problem:
    """The error of a faulted execution, as the DSL describes one (RFC 9457)."""

    type: str
    status: int
    title: str = ""
    detail: str = ""
    instance: str = ""


@dataclass(frozen=True, slots=True)
class ExecutionEnded:
    """An execution has come to its end; *owner* is who started it, if that was a user."""

    execution_id: str
    workflow: WorkflowName
    status: EndStatus
    owner: Recipient | None
    error: Problem | None
    ended_at: datetime


def welcome(contact: Contact) -> Message:
    """What a user reads first."""
    greeting = f"Welcome, {contact.name}!" if contact.name else "Welcome!"
    return Message(
        type="user.welcome",
        title=one_line("Welcome to Autoworker", LONGEST_TITLE),
        body=some_lines(
            f"{greeting}\nYour account is ready. Whenever an execution that you start ends, "
            "you will read it here.",
            LONGEST_BODY,
        ),
        data=_json({"user_id": contact.recipient.user_id}),
    )


def execution_ended(fact: ExecutionEnded) -> Message:
    """How the starter of an execution learns what became of it."""
    return Message(
        type=f"execution.{fact.status}",
        title=one_line(f"{fact.workflow} {_verb(fact.status)}", LONGEST_TITLE),
        body=some_lines(_story(fact), LONGEST_BODY),
        data=_json(_facts(fact)),
    )


def _verb(status: EndStatus) -> str:
    match status:
        case "completed":
            return "has completed"
        case "faulted":
            return "has faulted"
        case "cancelled":
            return "was cancelled"
        case _:
            assert_never(status)


def _story(fact: ExecutionEnded) -> str:
    moment = fact.ended_at.astimezone(UTC).isoformat(" ", "seconds").removesuffix("+00:00")
    story = (
        f"Execution {fact.execution_id} of {fact.workflow} {_verb(fact.status)} at {moment} UTC."
    )
    if fact.error is None:
        return story
    what = ": ".join(filter(None, (fact.error.title or fact.error.type, fact.error.detail)))
    return f"{story}\n{one_line(what, LONGEST_BODY)}"


def _facts(fact: ExecutionEnded) -> dict[str, object]:
    workflow = fact.workflow
    facts: dict[str, object] = {
        "execution_id": fact.execution_id,
        "workflow": {
            "namespace": workflow.namespace,
            "name": workflow.name,
            "version": workflow.version,
        },
        "status": fact.status,
    }
    if fact.error is not None:
        facts["error"] = {
            "type": one_line(fact.error.type, LONGEST_FACT),
            "status": fact.error.status,
            "title": one_line(fact.error.title, LONGEST_FACT),
            "detail": some_lines(fact.error.detail, LONGEST_DETAIL),
            "instance": one_line(fact.error.instance, LONGEST_FACT),
        }
    return facts


def _json(value: Mapping[str, object]) -> bytes:
    return msgspec.json.encode(value)
