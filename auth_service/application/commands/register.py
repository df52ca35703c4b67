"""Register: somebody becomes a user by their own wish."""

from dataclasses import dataclass

from auth_service.application.newcomers import Newcomer, Newcomers
from auth_service.application.ports import Audit
from auth_service.domain.permissions import Role
from auth_service.domain.session import Origin
from auth_service.domain.user import User


@dataclass(frozen=True, slots=True)
class Register:
    """Make a user with the role `user`."""

    tenant: str
    email: str
    password: str
    name: str
    origin: Origin


@dataclass(frozen=True, slots=True)
class RegisterHandler:
    """Raises `InputInvalid` with every broken rule, or `EmailTaken`."""

    newcomers: Newcomers
    audit: Audit

    async def __call__(self, command: Register) -> User:
        user = await self.newcomers.admit(
            Newcomer(command.tenant, command.email, command.password, command.name, (Role.USER,))
        )
        self.audit.record("user_registered", user_id=user.id, network=command.origin.network)
        return user
