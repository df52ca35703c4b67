"""ExplainDecision: whether somebody might do something, and which role or policy decides it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from auth_service.application.ports import Users
from auth_service.application.ports.policies import Conditions, Policies
from auth_service.application.role_books import RoleBooks
from auth_service.domain.errors import InputInvalid, UserNotFound
from auth_service.domain.permissions import PERMISSIONS
from auth_service.domain.roles import RoleBook
from chassis.clock import Clock
from chassis.errors import FieldProblem
from chassis.policies.attributes import KNOWN, TIME, Asked, missing_in, values_of
from chassis.policies.model import Attributes, Verdict, concerning, decide
from chassis.rpc.context import Principal

Given = Mapping[str, object]
_PARTS = ("principal", "resource", "context")
_NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class ExplainDecision:
    """May *principal* do *action*?

    `principal.id` names a user, whose roles count unless `principal.roles` supposes others. What the
    three mappings leave out is as it would be for a request of this moment, or unknown.
    """

    tenant: str
    action: str
    principal: Given = field(default_factory=dict)
    resource: Given = field(default_factory=dict)
    context: Given = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class PolicyVerdict:
    """What one policy says, and the attributes that it names and the request does not have."""

    verdict: Verdict
    missing: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Explanation:
    """The decision. *role_path* leads from a role of the principal to the one that allows it."""

    allowed: bool
    decided_by: str
    """`role:NAME`, `policy:NAME`, or `nothing` when no role gives the permission."""
    reason: str
    role_path: tuple[str, ...]
    verdicts: Sequence[PolicyVerdict]


@dataclass(frozen=True, slots=True)
class ExplainDecisionHandler:
    """Raises `UserNotFound`, and `InputInvalid` for actions and attributes that there are not."""

    users: Users
    books: RoleBooks
    policies: Policies
    conditions: Conditions
    clock: Clock

    async def __call__(self, query: ExplainDecision) -> Explanation:
        _check(query)
        roles = await self._roles(query)
        book = await self.books.book(query.tenant, fresh=True)
        values = self._values(query, roles, book)
        current = await self.policies.current(query.tenant)
        rules = concerning(
            (self.conditions.rule(version.policy) for version in current), query.action
        )
        decision = decide(rules, Attributes(values))
        verdicts = [
            PolicyVerdict(each, missing_in(each.policy.condition, values))
            for each in decision.verdicts
        ]
        path = book.path_to(query.action, roles)
        held = _texts(query.principal.get("permissions"))
        if not path or (held is not None and query.action not in held):
            reason = f"none of the principal's roles gives {query.action}"
            return Explanation(False, "nothing", reason, (), verdicts)
        if decision.refusal is not None:
            refusal = decision.refusal
            decided = f"policy:{refusal.policy.name}"
            return Explanation(False, decided, refusal.reason, path, verdicts)
        reason = f"the role {path[-1]} gives {query.action}, and no policy refuses it"
        return Explanation(True, f"role:{path[-1]}", reason, path, verdicts)

    async def _roles(self, query: ExplainDecision) -> tuple[str, ...]:
        supposed = _texts(query.principal.get("roles"))
        if supposed is not None:
            return supposed
        user = await self.users.find(query.tenant, str(query.principal.get("id", "")))
        if user is None:
            raise UserNotFound
        return user.roles

    def _values(
        self, query: ExplainDecision, roles: tuple[str, ...], book: RoleBook
    ) -> Mapping[str, object]:
        """What conditions would see: as of now, with what is given instead."""
        held = _texts(query.principal.get("permissions"))
        permissions = book.permissions_of(roles) if held is None else frozenset(held)
        who = Principal(
            id=str(query.principal.get("id", _NOBODY)),
            tenant=query.tenant,
            kind="user",
            roles=roles,
            permissions=permissions,
        )
        at = _time(query.context) or self.clock.now()
        found = values_of(Asked(who, query.action, at))
        for part in _PARTS:
            given = {name: value for name, value in _given(query, part).items() if name != "time"}
            known = found[part]
            found[part] = {**known, **given} if isinstance(known, dict) else given
        return found


def _given(query: ExplainDecision, part: str) -> Given:
    given: Given = getattr(query, part)
    return given


def _check(query: ExplainDecision) -> None:
    problems = [
        FieldProblem(f"{part}/{name[:64]}", f"There are: {', '.join(sorted(KNOWN[part]))}")
        for part in _PARTS
        for name in _given(query, part)
        if name not in KNOWN[part]
    ]
    if query.action not in PERMISSIONS:
        problems.append(FieldProblem("action", f"There are: {', '.join(sorted(PERMISSIONS))}"))
    if "roles" not in query.principal and "id" not in query.principal:
        problems.append(FieldProblem("principal", "Must have an id, or roles to suppose"))
    problems += [
        FieldProblem(f"principal/{name}", "Must be a list of texts")
        for name in ("roles", "permissions")
        if name in query.principal and _texts(query.principal[name]) is None
    ]
    if "time" in query.context and _time(query.context) is None:
        problems.append(FieldProblem(TIME.replace(".", "/"), "Must be a time as RFC 3339 has it"))
    if problems:
        raise InputInvalid(problems)


def _texts(value: object) -> tuple[str, ...] | None:
    if isinstance(value, list) and all(isinstance(each, str) for each in value):
        return tuple(value)
    return None


def _time(context: Given) -> datetime | None:
    try:
        at = datetime.fromisoformat(str(context.get("time", "")))
    except ValueError:
        return None
    return at if at.tzinfo is not None else None
