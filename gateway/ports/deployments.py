"""What publishing a workflow would mean for what runs."""

from typing import Protocol

from msgspec import Struct

from gateway.ports.common import Caller
from gateway.ports.workflows import WorkflowReference


class Difference(Struct, frozen=True):
    """What is not in both documents as it is in one; places are JSON Pointers."""

    kind: str
    """``added``, ``removed``, ``changed`` or ``moved``."""
    place: str
    """In the new document; of what was removed, in the old one."""
    was: str | None
    """In the old document, where that is another one."""
    members: list[str]
    """What differs in it, from its place."""
    breaking: bool
    """Whether an execution at this task would not find it, or find another kind of task."""


class StandingTask(Struct, frozen=True):
    """A task of the old document at which open executions stand; empty: they have not begun."""

    task: str
    executions: int
    first: list[str]
    """The ids of some of them."""
    difference: Difference | None
    """The worst that concerns it."""


class ComparedVersion(Struct, frozen=True):
    """A published version beside the new document, and its open executions."""

    version: str
    digest: str
    concern: str
    open: int
    statuses: dict[str, int]
    examined: int
    """Of how many open executions it is known where they stand."""
    tasks: list[StandingTask]
    differences: list[Difference]


class DeploymentCheck(Struct, frozen=True):
    """What publishing the document would mean. Open executions stay with the version they began with."""

    workflow: WorkflowReference
    digest: str
    published: str
    """``no``, ``same`` (content) or ``other`` (content, which publishing refuses)."""
    newest: str | None
    """The newest version now."""
    becomes_newest: bool
    """Whether what starts without a version would run this one."""
    concern: str
    """``none``, ``open``, ``differing`` or ``breaking``: the worst of all versions."""
    schedule: str
    """What would become of the workflow's schedule: ``none``, ``begins``, ``kept``, ``changes`` or ``ends``."""
    versions: list[ComparedVersion]


class Deployments(Protocol):
    """Questions before something is published."""

    async def check(self, caller: Caller, document: bytes, media_type: str) -> DeploymentCheck:
        """Check a document, and compare it with what runs and the caller may see; keeps nothing.

        Raises:
            Invalid: the document breaks rules; details point at each place.
        """
