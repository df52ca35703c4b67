"""What can go wrong with roles and policies.

ServiceError
├── Conflict
│   ├── NameTaken              of a role or a policy
│   ├── RoleCycle
│   ├── RoleFixed
│   ├── RoleInUse
│   ├── RolesChanged           meanwhile, by somebody else
│   └── TooManyPolicies
├── NotFound
│   ├── PolicyNotFound
│   └── RoleNotFound
└── PermissionDenied
    └── RoleTooPowerful
"""

from collections.abc import Sequence

from chassis.errors import Conflict, NotFound, PermissionDenied


class NameTaken(Conflict):
    """There is one of this name."""

    def __init__(self, kind: str, name: str) -> None:
        super().__init__(f"There is a {kind} called {name}")


class RoleCycle(Conflict):
    """A role would build upon itself."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The role {name} would build upon itself")


class RoleFixed(Conflict):
    """A built-in role stays."""

    def __init__(self, name: str) -> None:
        super().__init__(f"The role {name} is built in and stays as it is")


class RoleInUse(Conflict):
    """A role that somebody needs cannot go."""

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"The role {name} is in use: {reason}")


class RolesChanged(Conflict):
    """Somebody else changed the roles of the tenant, or of the user, at the same time."""

    def __init__(self) -> None:
        super().__init__("The roles were changed by somebody else at the same time; try again")


class RoleNotFound(NotFound):
    """There is no such role in the caller's tenant."""

    def __init__(self, name: str) -> None:
        super().__init__(f"There is no role {name}")


class TooManyPolicies(Conflict):
    """Every policy is looked at with every request that it concerns, so they are few."""

    def __init__(self, most: int) -> None:
        super().__init__(f"A tenant has at most {most} policies")


class PolicyNotFound(NotFound):
    """There is no such policy, or no such version of it, in the caller's tenant."""

    def __init__(self, name: str, version: int = 0) -> None:
        which = f"no version {version} of the policy" if version else "no policy"
        super().__init__(f"There is {which} {name}")


class RoleTooPowerful(PermissionDenied):
    """The caller may not deal with a role that can do more than the caller."""

    def __init__(self, lacking: Sequence[str]) -> None:
        super().__init__(f"You cannot grant or take what you lack: {', '.join(lacking)}")
