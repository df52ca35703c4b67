"""Roles of a tenant: named sets of permissions that may build upon each other.

Whoever has a role has its permissions and those of its parents, of theirs, and so on. Two roles are
always there: `admin` has every permission, for ever, so that somebody can always mend the rest;
`user` is what whoever signs up gets, and a tenant may change what that is.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from auth_service.domain.access_errors import (
    RoleCycle,
    RoleFixed,
    RoleInUse,
    RoleNotFound,
    RoleTooPowerful,
)
from auth_service.domain.permissions import PERMISSIONS, Role, permissions_of
from chassis.errors import FieldProblem

MAX_ROLES = 200
"""In one tenant, besides those that are built in."""
MAX_PARENTS = 20
MAX_DESCRIPTION = 500

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}")


@dataclass(frozen=True, slots=True)
class RoleDefinition:
    """What a role gives. `updated_at` is None while a built-in one is as it came."""

    name: str
    description: str
    permissions: tuple[str, ...]
    parents: tuple[str, ...] = ()
    updated_at: datetime | None = None
    updated_by: str = ""

    @property
    def built_in(self) -> bool:
        """Whether every tenant has it."""
        return self.name in BUILT_IN


BUILT_IN: Mapping[str, RoleDefinition] = {
    role.value: RoleDefinition(role.value, description, permissions_of([role]))
    for role, description in (
        (Role.ADMIN, "Administers the tenant; has every permission, always"),
        (Role.USER, "Whoever has signed up"),
    )
}


@dataclass(frozen=True, slots=True)
class RoleBook:
    """The roles of one tenant; *version* grows with every change to them."""

    version: int
    own: Mapping[str, RoleDefinition] = field(default_factory=dict)
    """Those that are not built in, and built-in ones as the tenant changed them."""

    def all(self) -> Sequence[RoleDefinition]:
        """Every role, by name."""
        return sorted({**BUILT_IN, **self.own}.values(), key=lambda role: role.name)

    def find(self, name: str) -> RoleDefinition | None:
        """The role called *name*."""
        return self.own.get(name) or BUILT_IN.get(name)

    def get(self, name: str) -> RoleDefinition:
        """The role called *name*.

        Raises:
            RoleNotFound: there is none.
        """
        role = self.find(name)
        if role is None:
            raise RoleNotFound(name)
        return role

    def permissions_of(self, names: Iterable[str]) -> frozenset[str]:
        """What somebody with these roles may do. A role that is gone gives nothing."""
        return frozenset[str]().union(*(role.permissions for role in self.closure(names)))

    def closure(self, names: Iterable[str]) -> Iterator[RoleDefinition]:
        """The roles with those that they build upon, each once."""
        seen: set[str] = set()
        waiting = list(names)
        while waiting:
            name = waiting.pop()
            role = None if name in seen else self.find(name)
            seen.add(name)
            if role is not None:
                yield role
                waiting.extend(role.parents)

    def path_to(self, permission: str, names: Iterable[str]) -> tuple[str, ...]:
        """From one of the roles over its parents to the one that gives *permission*; or nothing."""
        seen: set[str] = set()
        waiting: list[tuple[str, ...]] = [(name,) for name in names]
        while waiting:
            path = waiting.pop(0)
            role = None if path[-1] in seen else self.find(path[-1])
            seen.add(path[-1])
            if role is None:
                continue
            if permission in role.permissions:
                return path
            waiting.extend((*path, parent) for parent in role.parents)
        return ()

    def children_of(self, name: str) -> tuple[str, ...]:
        """The roles that build upon *name* directly."""
        return tuple(role.name for role in self.all() if name in role.parents)

    def with_role(self, role: RoleDefinition, granter: Collection[str]) -> "RoleBook":
        """The book once *role* is in it as it is now.

        Raises:
            RoleFixed: it is the administrator's.
            RoleCycle: it would build upon itself.
            RoleTooPowerful: it has, or would have, permissions that the *granter* lacks.
        """
        if role.name == Role.ADMIN:
            raise RoleFixed(role.name)
        changed = RoleBook(self.version + 1, {**self.own, role.name: role})
        if changed._builds_upon_itself(role):
            raise RoleCycle(role.name)
        self.check_granter(granter, [role.name])
        changed.check_granter(granter, [role.name])
        return changed

    def without_role(self, name: str, granter: Collection[str]) -> "RoleBook":
        """The book once the role is gone from it.

        Raises:
            RoleNotFound: there is none.
            RoleFixed: it is built in.
            RoleInUse: others build upon it.
            RoleTooPowerful: it has permissions that the *granter* lacks.
        """
        if self.get(name).built_in:
            raise RoleFixed(name)
        children = self.children_of(name)
        if children:
            raise RoleInUse(name, f"these roles build upon it: {', '.join(children)}")
        self.check_granter(granter, [name])
        return RoleBook(
            self.version + 1, {key: role for key, role in self.own.items() if key != name}
        )

    def check_granter(self, granter: Collection[str], names: Iterable[str]) -> None:
        """Nobody deals with roles that can do more than oneself.

        Raises:
            RoleTooPowerful: naming the permissions that the granter lacks.
        """
        lacking = self.permissions_of(names).difference(granter)
        if lacking:
            raise RoleTooPowerful(sorted(lacking))

    def _builds_upon_itself(self, role: RoleDefinition) -> bool:
        return any(above.name == role.name for above in self.closure(role.parents))


def role_problems(role: RoleDefinition, book: RoleBook) -> tuple[FieldProblem, ...]:
    """What is wrong with *role*, before any question of who may make it."""
    problems = []
    if _NAME.fullmatch(role.name) is None:
        problems.append(
            FieldProblem("name", "Must be lower-case letters, digits, - and _, 64 at most")
        )
    if len(role.description) > MAX_DESCRIPTION:
        problems.append(
            FieldProblem("description", f"Must not be longer than {MAX_DESCRIPTION} characters")
        )
    if len(role.parents) > MAX_PARENTS:
        problems.append(FieldProblem("parents", f"Must not be more than {MAX_PARENTS}"))
    problems.extend(permission_problems(role.permissions))
    problems.extend(
        FieldProblem("parents", f"There is no role {parent}")
        for parent in role.parents[:MAX_PARENTS]
        if parent != role.name and book.find(parent) is None
    )
    if role.name not in book.own and not role.built_in and len(book.own) >= MAX_ROLES:
        problems.append(FieldProblem("name", f"A tenant has at most {MAX_ROLES} roles"))
    return tuple(problems)


def permission_problems(permissions: Sequence[str]) -> tuple[FieldProblem, ...]:
    """Which of *permissions* there are not. Patterns are none: they would grow with the product."""
    unknown = [each for each in permissions if each not in PERMISSIONS]
    if not unknown:
        return ()
    known = ", ".join(sorted(PERMISSIONS))
    return tuple(
        FieldProblem("permissions", f"Unknown permission {each[:100]}; there are: {known}")
        for each in unknown[:MAX_PARENTS]
    )
