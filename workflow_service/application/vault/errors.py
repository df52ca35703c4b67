"""What goes wrong with secrets.

ServiceError
├── NotFound
│   └── SecretNotFound
├── Conflict
│   ├── TooManySecrets
│   └── SecretChanging
├── PermissionDenied
│   └── SecretUnusable
└── Unavailable
    └── KeyUnusable
"""

from __future__ import annotations

from chassis.errors import Conflict, NotFound, PermissionDenied, Unavailable
from workflow_service.domain.bounds import beyond


class SecretNotFound(NotFound):
    """There is no such secret, or it is somebody else's: nobody can tell which."""

    def __init__(self) -> None:
        super().__init__("there is no such secret")


class TooManySecrets(Conflict):
    """The tenant has as many secrets as it may have."""

    def __init__(self, most: int) -> None:
        super().__init__(beyond(f"a tenant may have at most {most} secrets", "secrets"))


class SecretChanging(Conflict):
    """Others change the same secret at the same time."""

    def __init__(self) -> None:
        super().__init__("the secret is being changed by somebody else; try again")


class SecretUnusable(PermissionDenied):
    """A secret that an execution asks for cannot be lent to it.

    Attributes:
        name: the secret.
        integrity: its record was changed, moved or rolled back, or its key is missing.
    """

    def __init__(self, name: str, *, integrity: bool = False, member: bool = False) -> None:
        reason = f"there is no secret {name[:80]!r} that this execution may use"
        if integrity:
            reason = f"the secret {name[:80]!r} fails its integrity check; set it again"
        elif member:
            reason = f"the secret {name[:80]!r} does not have this member any more"
        super().__init__(reason)
        self.name = name
        self.integrity = integrity


class KeyUnusable(Unavailable):
    """The key of a tenant's secrets cannot be unwrapped."""

    def __init__(self) -> None:
        super().__init__(
            "the key of the secrets cannot be used: the operator must put the key that wraps it back",
            retry_after=60.0,
        )
