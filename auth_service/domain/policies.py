"""Policies of a tenant, in versions. What they mean is in `chassis.policies.model`."""

import re
from dataclasses import dataclass
from datetime import datetime

from auth_service.domain.permissions import PERMISSIONS
from chassis.errors import FieldProblem
from chassis.policies.model import EXEMPT, Effect, Mode, Policy

MAX_POLICIES = 100
"""In one tenant: each is looked at with every request that it concerns."""
MAX_ACTIONS = 50
MAX_DESCRIPTION = 500

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")
_RESERVED = frozenset({"explain"})


@dataclass(frozen=True, slots=True)
class PolicyDraft:
    """What somebody wants a policy to be."""

    name: str
    description: str
    effect: Effect
    mode: Mode
    actions: tuple[str, ...]
    condition: str


@dataclass(frozen=True, slots=True)
class PolicyVersion:
    """What a policy was from some moment on. *deleted*: it was none, and the rest is as before."""

    draft: PolicyDraft
    version: int
    created_at: datetime
    created_by: str
    deleted: bool = False

    @property
    def policy(self) -> Policy:
        """It, as decisions need it."""
        return Policy(
            name=self.draft.name,
            version=self.version,
            effect=self.draft.effect,
            mode=self.draft.mode,
            actions=self.draft.actions,
            condition=self.draft.condition,
        )


def policy_problems(draft: PolicyDraft) -> tuple[FieldProblem, ...]:
    """What is wrong with *draft* but for its condition."""
    problems = []
    if _NAME.fullmatch(draft.name) is None or draft.name in _RESERVED:
        problems.append(
            FieldProblem(
                "name", "Must be lower-case letters, digits, - and _, 64 at most, not `explain`"
            )
        )
    if len(draft.description) > MAX_DESCRIPTION:
        problems.append(
            FieldProblem("description", f"Must not be longer than {MAX_DESCRIPTION} characters")
        )
    if not 0 < len(draft.actions) <= MAX_ACTIONS:
        problems.append(FieldProblem("actions", f"Must be 1 to {MAX_ACTIONS}"))
    problems.extend(
        FieldProblem(
            "actions", f"{each[:100]} is no permission, nor a pattern of some (`x:*`, `*`)"
        )
        for each in draft.actions[:MAX_ACTIONS]
        if not _is_action(each)
    )
    problems.extend(
        FieldProblem("actions", f"No policy can refuse {each}: somebody must be able to mend it")
        for each in draft.actions
        if each in EXEMPT
    )
    return tuple(problems)


def _is_action(pattern: str) -> bool:
    resource, _, action = pattern.partition(":")
    if action == "*":
        return any(each.startswith(f"{resource}:") for each in PERMISSIONS)
    return pattern == "*" or pattern in PERMISSIONS
