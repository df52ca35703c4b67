"""Policies: what is refused although roles allow it."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

from msgspec import Raw, Struct

from gateway.ports.common import Caller, Page, PageRequest


class Policy(Struct, frozen=True):
    """One rule of a tenant, as it is, or was, in one version."""

    name: str
    description: str
    effect: str
    """`deny`: refuse what makes the condition true; `require`: refuse what makes it false."""
    mode: str
    """`enforce`, or `dry_run`: evaluated and told, but not enforced."""
    actions: list[str]
    condition: str
    version: int
    created_at: datetime | None
    created_by: str
    deleted: bool


class NewPolicy(Struct, frozen=True):
    """What somebody wants a policy to be."""

    name: str
    description: str
    effect: str
    mode: str
    actions: Sequence[str]
    condition: str


class Question(Struct, frozen=True):
    """May *principal* do *action*? The rest are JSON objects: attributes by name."""

    action: str
    principal: Raw
    resource: Raw
    context: Raw


class Verdict(Struct, frozen=True):
    """What one policy says of a request."""

    name: str
    version: int
    effect: str
    mode: str
    condition: str
    """`true`, `false` or `error`."""
    refuses: bool
    """Or would, in a dry run."""
    reason: str
    missing: list[str]
    """Attributes that it names and the request does not have."""


class Explained(Struct, frozen=True):
    """Whether, and why."""

    allowed: bool
    decided_by: str
    """`role:NAME`, `policy:NAME`, or `nothing` when no role gives the permission."""
    reason: str
    role_path: list[str]
    """From a role of the principal over its parents to the one that gives the permission."""
    policies: list[Verdict]


class Policies(Protocol):
    """The policies of the caller's tenant."""

    async def policies(self, caller: Caller, page: PageRequest) -> Page[Policy]:
        """Those in force, by name."""

    async def policy(self, caller: Caller, name: str) -> Policy:
        """The one called *name*.

        Raises:
            NotFound: there is none.
        """

    async def policy_versions(self, caller: Caller, name: str, page: PageRequest) -> Page[Policy]:
        """Every version of it, newest first."""

    async def put_policy(self, caller: Caller, policy: NewPolicy, *, create: bool) -> Policy:
        """Make or change a policy; with *create* only make it.

        Raises:
            Invalid: actions or condition cannot be used; it says why.
            Conflict: it is there already, or there are too many.
        """

    async def roll_back_policy(self, caller: Caller, name: str, version: int) -> Policy:
        """Take up again what the policy said in *version*."""

    async def delete_policy(self, caller: Caller, name: str) -> None:
        """It refuses nothing any more; its versions stay."""

    async def explain(self, caller: Caller, question: Question) -> Explained:
        """Which role or policy decides."""
