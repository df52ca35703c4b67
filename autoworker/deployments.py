"""What publishing a workflow would mean: the part of the client that asks before."""

from collections.abc import Mapping
from typing import Literal, TypeAlias

import msgspec

from autoworker.model import JsonValue, WorkflowReference
from autoworker.requests import Requests
from autoworker.transport import decoded

Concern: TypeAlias = Literal["none", "open", "differing", "breaking"]
"""What open executions of other versions have to do with a document, from nothing to most."""


class Difference(msgspec.Struct, frozen=True):
    """What is not in both documents as it is in one; places are JSON Pointers."""

    kind: Literal["added", "removed", "changed", "moved"]
    place: str
    """In the new document; of what was removed, in the old one."""
    was: str | None = None
    """In the old document, where that is another one."""
    members: list[str] = []
    """What differs in it, from its place."""
    breaking: bool = False
    """Whether an execution at this task would not find it, or find another kind of task."""


class StandingTask(msgspec.Struct, frozen=True):
    """A task of the old document at which open executions stand; empty: they have not begun."""

    task: str
    executions: int
    first: list[str]
    """The ids of some of them."""
    difference: Difference | None = None
    """The worst that concerns it."""


class ComparedVersion(msgspec.Struct, frozen=True):
    """A published version beside the document, and its open executions."""

    version: str
    digest: str
    concern: Concern
    open: int
    statuses: dict[str, int]
    examined: int
    """Of how many open executions it is known where they stand."""
    tasks: list[StandingTask]
    differences: list[Difference]


class DeploymentCheck(msgspec.Struct, frozen=True):
    """What publishing a document would mean. Open executions stay with the version they began with."""

    workflow: WorkflowReference
    digest: str
    published: Literal["no", "same", "other"]
    """Whether the version is there: not, with the same content, with other content (which publishing refuses)."""
    newest: str | None
    """The newest version now."""
    becomes_newest: bool
    """Whether what starts without a version would run this one."""
    concern: Concern
    """The worst of all versions."""
    schedule: Literal["none", "begins", "kept", "changes", "ends"]
    """What would become of the workflow's schedule, which is that of its newest version."""
    versions: list[ComparedVersion]
    """The newest, and every other one that has open executions."""


class Deployments(Requests):
    """Questions before something is published."""

    async def check_deploy(
        self, document: str | bytes | Mapping[str, JsonValue]
    ) -> DeploymentCheck:
        """What publishing *document* would mean for what runs; nothing is kept.

        Raises:
            InvalidRequest: it breaks rules; each detail's field is a JSON Pointer.
        """
        kind, body = sent_as(document)
        _, answer = await self._send("POST", "/v1/workflows/check", body, {"Content-Type": kind})
        return decoded(answer, DeploymentCheck)


def sent_as(document: str | bytes | Mapping[str, JsonValue]) -> tuple[str, bytes]:
    """Return the media type and the bytes that a document is sent as."""
    if isinstance(document, Mapping):
        return "application/json", msgspec.json.encode(document)
    # JSON is YAML, too.
    return "application/yaml", document.encode() if isinstance(document, str) else document
